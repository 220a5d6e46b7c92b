//! What the tests of this service share: a world of its own and a short way to call it.

use serde_json::{Value, json};

use super::state::State;
use crate::sandbox::acm::Certificate;
use crate::sandbox::wire::{Caller, Request, Response};
use crate::sandbox::world::{Region, World};
use crate::sandbox::{apigateway, ec2, tagging};

const ACCOUNT: &str = "111111111111";

/// A listener that integrations of the tests lead to.
pub(super) const LISTENER: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:listener/app/shared/\
                                   50dc6c495c0c9188/f2f7dc8efc522ab2";

/// A world with one caller.
#[derive(Default)]
pub(super) struct Bench {
    world: World,
    /// The Region of the calls; `us-east-1` if empty.
    region: String,
    /// Seconds that have passed.
    pub(super) passed: f64,
}

impl Bench {
    /// A world whose caller calls another Region.
    pub(super) fn in_region(region: &str) -> Self {
        Self { region: region.into(), ..Self::default() }
    }

    fn request(&self, service: &str, method: &str, path: &str, body: String) -> Request {
        let region = if self.region.is_empty() { "us-east-1" } else { &self.region };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        Request {
            method: method.into(),
            path: path.into(),
            query: query.map(|(name, value)| (name.into(), value.into())).collect(),
            headers: Vec::new(),
            body: body.into(),
            caller: Caller {
                account: ACCOUNT.into(),
                region: region.into(),
                service: service.into(),
                access_key: ACCOUNT.into(),
            },
        }
    }

    fn handle(
        &mut self,
        request: &Request,
        handler: fn(&mut crate::sandbox::world::View<'_>, &Request) -> Response,
    ) -> Response {
        let caller = &request.caller;
        handler(&mut self.world.view(ACCOUNT, &caller.region, 1_700_000_000.5 + self.passed), request)
    }

    /// Sends a request to whichever version the path is of. The path may have a query string.
    pub(super) fn send(&mut self, method: &str, path: &str, body: &Value) -> (Value, Response) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = self.request("apigateway", method, path, body);
        let handler = if super::serves(&request) { super::handle } else { apigateway::handle };
        let response = self.handle(&request, handler);
        (serde_json::from_slice(&response.body).unwrap_or_default(), response)
    }

    /// Sends a request that must succeed.
    pub(super) fn ok(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let (answer, response) = self.send(method, path, body);
        assert!((200..300).contains(&response.status), "{method} {path}: {} {answer}", response.status);
        answer
    }

    /// Sends a request without a body that must succeed, and gives the answer.
    pub(super) fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, &Value::Null)
    }

    /// Deletes what must be there.
    pub(super) fn delete(&mut self, path: &str) {
        self.ok("DELETE", path, &Value::Null);
    }

    /// Sends a request that must be refused, and gives the exception and its words.
    pub(super) fn refused(&mut self, method: &str, path: &str, body: &Value) -> (String, String) {
        let (answer, response) = self.send(method, path, body);
        assert!(response.status >= 400, "{method} {path}: {} {answer}", response.status);
        let code = response.header("x-amzn-errortype").unwrap_or_default().to_owned();
        (code, answer["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes an API and gives its path.
    pub(super) fn api(&mut self) -> String {
        let api = self.ok("POST", "/v2/apis", &json!({ "name": "orders", "protocolType": "HTTP" }));
        format!("/v2/apis/{}", api["apiId"].as_str().unwrap())
    }

    /// Makes an integration with a URL, and gives its id.
    pub(super) fn integration(&mut self, api: &str) -> String {
        let body = json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": "https://example.com/",
            "payloadFormatVersion": "1.0",
        });
        let made = self.ok("POST", &format!("{api}/integrations"), &body);
        made["integrationId"].as_str().unwrap().to_owned()
    }

    /// Makes a route and gives its id.
    pub(super) fn route(&mut self, api: &str, key: &str, integration: &str) -> String {
        let body = json!({ "routeKey": key, "target": format!("integrations/{integration}") });
        self.ok("POST", &format!("{api}/routes"), &body)["routeId"].as_str().unwrap().to_owned()
    }

    /// Makes a VPC link in a subnet that nobody made, and gives its id.
    pub(super) fn link(&mut self) -> String {
        let made = self.ok("POST", "/v2/vpclinks", &json!({ "name": "link", "subnetIds": ["subnet-0a", "subnet-0b"] }));
        made["vpcLinkId"].as_str().unwrap().to_owned()
    }

    /// Calls EC2, and gives what it says.
    pub(super) fn ec2(&mut self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("Action", action), ("Version", "2016-11-15")]).extend_pairs(parameters);
        let request = self.request("ec2", "POST", "/", form.finish());
        let response = self.handle(&request, ec2::handle);
        String::from_utf8_lossy(&response.body).into_owned()
    }

    /// The ARNs that the tagging API has, sorted.
    pub(super) fn tagged(&mut self) -> Vec<String> {
        let mut request = self.request("tagging", "POST", "/", "{}".into());
        request.headers.push(("x-amz-target".into(), "ResourceGroupsTaggingAPI_20170126.GetResources".into()));
        let response = self.handle(&request, tagging::handle);
        let answer: Value = serde_json::from_slice(&response.body).unwrap();
        let list = answer["ResourceTagMappingList"].as_array().unwrap();
        list.iter().map(|one| one["ResourceARN"].as_str().unwrap().to_owned()).collect()
    }

    /// Puts a certificate into the Region, and gives its ARN.
    pub(super) fn certify(&mut self, name: &str) -> String {
        let arn = format!("arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1");
        self.here().acm.certificates.insert(arn.clone(), Certificate::of(&arn, &[name]));
        arn
    }

    /// The Region of the calls, to be changed behind the back of its services.
    pub(super) fn here(&mut self) -> &mut Region {
        let region = if self.region.is_empty() { "us-east-1" } else { &self.region };
        self.world.accounts.entry(ACCOUNT.into()).or_default().regions.entry(region.into()).or_default()
    }

    /// The state of the service.
    pub(super) fn state(&mut self) -> &State {
        &self.here().apigatewayv2
    }
}
