//! What the tests of this service share: a world of its own and a short way to call it.

use bytes::Bytes;
use serde_json::Value;

use super::super::acm::Certificate;
use super::super::iam;
use super::super::wire::{Caller, Request, Response};
use super::super::world::World;

/// The caller of the tests.
pub(super) fn caller() -> Caller {
    Caller {
        account: "111111111111".into(),
        region: "us-east-1".into(),
        service: "apigateway".into(),
        access_key: "111111111111".into(),
    }
}

/// A world with one caller.
#[derive(Default)]
pub(super) struct Bench {
    world: World,
}

impl Bench {
    /// Sends a request. The path may have a query string; a string as body is sent as it is.
    pub(super) fn send(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value, Response) {
        self.send_with(&[], method, path, body)
    }

    /// Sends a request with headers.
    pub(super) fn send_with(
        &mut self,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        body: &Value,
    ) -> (u16, Value, Response) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let body = match body {
            Value::Null => Bytes::new(),
            Value::String(text) => text.clone().into(),
            other => other.to_string().into(),
        };
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.map(|(name, value)| (name.into(), value.into())).collect(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body,
            caller: caller(),
        };
        let mut view = self.world.view("111111111111", "us-east-1", 1_700_000_000.5);
        let response = super::handle(&mut view, &request);
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        (response.status, body, response)
    }

    /// Sends a request that must succeed.
    pub(super) fn ok(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer, _) = self.send(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Sends a request that must be refused, and gives the exception and its words.
    pub(super) fn refused(&mut self, method: &str, path: &str, body: &Value) -> (String, String) {
        let (status, answer, response) = self.send(method, path, body);
        assert!(status >= 400, "{method} {path}: {status} {answer}");
        let code = response.headers.iter().find(|(name, _)| name == "x-amzn-errortype");
        let code = code.map(|(_, code)| code.clone()).unwrap_or_default();
        (code, answer["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes the role `logs`, which may write logs for API Gateway.
    pub(super) fn make_logs_role(&mut self) {
        let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let policy = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        for (action, name, value) in
            [("CreateRole", "AssumeRolePolicyDocument", trust), ("AttachRolePolicy", "PolicyArn", policy)]
        {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs([("Action", action), ("Version", "2010-05-08"), ("RoleName", "logs"), (name, value)]);
            let request = Request {
                method: "POST".into(),
                path: "/".into(),
                query: Vec::new(),
                headers: Vec::new(),
                body: form.finish().into_bytes().into(),
                caller: Caller { service: "iam".into(), ..caller() },
            };
            let response = iam::handle(&mut self.world.view("111111111111", "us-east-1", 0.0), &request);
            assert_eq!(response.status, 200, "{action}");
        }
    }

    /// Puts a certificate into the Region.
    pub(super) fn certify(&mut self, arn: &str, names: &[&str]) {
        let region = self.world.accounts.entry("111111111111".into()).or_default().regions.entry("us-east-1".into());
        region.or_default().acm.certificates.insert(arn.to_owned(), Certificate::of(arn, names));
    }

    /// The state of the service.
    pub(super) fn state(&self) -> &super::State {
        &self.world.accounts["111111111111"].regions["us-east-1"].apigateway
    }

    /// The state of the service, to be changed behind its back.
    pub(super) fn state_mut(&mut self) -> &mut super::State {
        let account = self.world.accounts.entry("111111111111".into()).or_default();
        &mut account.regions.entry("us-east-1".into()).or_default().apigateway
    }
}
