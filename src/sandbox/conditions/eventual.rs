//! What AWS makes true only after a while: for the first tries, something new is not there yet.
//!
//! | new | who finds it too new | answer |
//! |---|---|---|
//! | role | Lambda, API Gateway's account settings, Firehose; each Region counts for itself | refused |
//! | function | reads show `Pending`, updates and calls of it | refused |
//! | change of a function | reads show `InProgress`, further changes | refused |
//! | version of a function | reads show `Pending` | |
//! | provisioned concurrency, also of an alias that moved | reads show `IN_PROGRESS` | |
//! | web ACL | its association | refused |
//! | IP set, rule group | web ACLs and rule groups that refer to it | refused |
//! | delivery stream | reads show `CREATING` | |
//!
//! This is told from requests and answers as they pass, not by the services: they do not wait, and what they hold is
//! always the final state. It is kept in memory, even where the world is on disk: reads use tries up, and reading must
//! write nothing; and to another process, which comes later, the thing is no longer new, as on AWS.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::sandbox::fault::Fault;
use crate::sandbox::wire::{Request, Response};

/// A role that Lambda does not know yet (aws-facts G).
const UNKNOWN_TO_LAMBDA: &str = "The role defined for the function cannot be assumed by Lambda.";

/// A role that API Gateway does not know yet (aws-facts F; the whole sentence as reported of the live service).
const UNKNOWN_TO_API_GATEWAY: &str = "The role ARN does not have required permissions configured. Please grant trust \
                                      permission for API Gateway and add the required role policy.";

/// A web ACL or an IP set that WAF does not know yet (aws-facts F; as reported of the live service, its apostrophe included).
const UNKNOWN_TO_WAF: &str = "AWS WAF couldn’t retrieve the resource that you requested. Retry your request.";

/// What is new, and how many tries it stays so.
#[derive(Debug)]
pub(crate) struct Eventual {
    tries: u32,
    new: Mutex<New>,
}

#[derive(Debug, Default)]
struct New {
    /// Roles by ARN, and the tries that each service and Region has left; one that has not tried yet is not in it.
    roles: BTreeMap<String, BTreeMap<String, u32>>,
    /// Functions that are being made or changed, by account, Region and name.
    functions: BTreeMap<(String, String, String), Busy>,
    /// Provisioned concurrency by account, Region, and name with qualifier, and the tries left.
    provisioned: BTreeMap<(String, String, String), u32>,
    /// Web ACLs by ARN, and the tries left.
    web_acls: BTreeMap<String, u32>,
    /// IP sets and rule groups by ARN, and the tries left.
    ip_sets: BTreeMap<String, u32>,
    /// Delivery streams by account, Region and name, and the tries left.
    streams: BTreeMap<(String, String, String), u32>,
}

/// A function that is not ready.
#[derive(Debug, Clone, Copy)]
struct Busy {
    made: bool,
    left: u32,
}

impl Eventual {
    pub(super) fn new(tries: u32) -> Self {
        Self { tries, new: Mutex::default() }
    }

    /// The refusal of a call that comes too early.
    pub(crate) fn refusal(&self, request: &Request, operation: &str) -> Option<Response> {
        match (request.caller.service.as_str(), operation) {
            ("lambda", "CreateFunction") => self.lambda_role(request),
            ("lambda", "UpdateFunctionConfiguration" | "UpdateFunctionCode" | "PublishVersion") => {
                self.busy(request, false).or_else(|| self.lambda_role(request))
            }
            ("lambda", "Invoke") => self.busy(request, true),
            ("apigateway", "UpdateAccount") => self.logging_role(request),
            ("wafv2", "AssociateWebACL") => self.web_acl(request),
            ("wafv2", "CreateWebACL" | "UpdateWebACL" | "CreateRuleGroup" | "UpdateRuleGroup") => self.ip_set(request),
            ("firehose", "CreateDeliveryStream" | "UpdateDestination") => self.delivery_role(request),
            _ => None,
        }
    }

    /// Learns from an answer what is new now, and shows functions as they would be seen.
    pub(crate) fn settle(&self, request: &Request, operation: &str, response: &mut Response) {
        if response.status >= 300 {
            return;
        }
        match (request.caller.service.as_str(), operation) {
            ("iam", "CreateRole") => {
                let text = String::from_utf8_lossy(&response.body);
                let arn = text.split_once("<Arn>").and_then(|(_, rest)| rest.split_once("</Arn>"));
                if let Some((arn, _)) = arn {
                    self.hold().roles.insert(arn.to_owned(), BTreeMap::new());
                }
            }
            ("iam", "DeleteRole") => {
                let name = form_urlencoded::parse(&request.body).find(|(key, _)| key == "RoleName");
                let account = format!(":{}:", request.caller.account);
                let end = format!("/{}", name.map(|(_, name)| name.into_owned()).unwrap_or_default());
                self.hold().roles.retain(|arn, _| !(arn.contains(&account) && arn.ends_with(&end)));
            }
            ("lambda", "CreateFunction" | "PublishVersion") => self.begin(request, response, true),
            ("lambda", "UpdateFunctionConfiguration" | "UpdateFunctionCode") => self.begin(request, response, false),
            ("lambda", "PutProvisionedConcurrencyConfig") => {
                let key = function_key(request, &qualified(request));
                self.hold().provisioned.insert(key, self.tries);
            }
            ("lambda", "GetProvisionedConcurrencyConfig") => self.read_provisioned(request, response),
            ("lambda", "UpdateAlias") => {
                let alias = request.segments().get(4).cloned().unwrap_or_default();
                let key = function_key(request, &format!("{}:{alias}", path_name(request)));
                self.hold().provisioned.entry(key).and_modify(|left| *left = self.tries);
            }
            ("lambda", "GetFunctionConfiguration") => self.read(request, response, None),
            ("lambda", "GetFunction") => self.read(request, response, Some("Configuration")),
            ("lambda", "DeleteFunction") => {
                let key = function_key(request, &qualified(request));
                self.hold().functions.remove(&key);
            }
            ("wafv2", "CreateWebACL") => {
                let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                if let Some(arn) = answer["Summary"]["ARN"].as_str() {
                    self.hold().web_acls.insert(arn.to_owned(), self.tries);
                }
            }
            ("firehose", "CreateDeliveryStream") => {
                self.hold().streams.insert(stream_key(request), self.tries);
            }
            ("firehose", "DescribeDeliveryStream") => self.read_stream(request, response),
            ("wafv2", "CreateIPSet" | "CreateRuleGroup") => {
                let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                if let Some(arn) = answer["Summary"]["ARN"].as_str() {
                    self.hold().ip_sets.insert(arn.to_owned(), self.tries);
                }
            }
            _ => {}
        }
    }

    fn lambda_role(&self, request: &Request) -> Option<Response> {
        // A zip may be beside it in the body: nothing else is kept of it.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body {
            role: Option<String>,
        }
        let role = serde_json::from_slice::<Body>(&request.body).ok()?.role?;
        let early = self.role_is_new(&role, &format!("lambda {}", request.caller.region));
        early.then(|| lambda(400, "InvalidParameterValueException", UNKNOWN_TO_LAMBDA.to_owned()))
    }

    fn logging_role(&self, request: &Request) -> Option<Response> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let patches = body["patchOperations"].as_array()?;
        let patch = patches.iter().find(|patch| patch["path"] == "/cloudwatchRoleArn")?;
        let early = self.role_is_new(patch["value"].as_str()?, &format!("apigateway {}", request.caller.region));
        early.then(|| {
            let fault = Fault::new(400, "BadRequestException", UNKNOWN_TO_API_GATEWAY);
            fault.typed(&json!({ "message": fault.message }), "application/json")
        })
    }

    fn delivery_role(&self, request: &Request) -> Option<Response> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let members = ["ExtendedS3DestinationConfiguration", "ExtendedS3DestinationUpdate"];
        let role = members.into_iter().find_map(|member| body[member]["RoleARN"].as_str())?;
        let early = self.role_is_new(role, &format!("firehose {}", request.caller.region));
        let message = format!("Firehose is unable to assume role {role}. Please check the role provided.");
        early.then(|| Fault::new(400, "InvalidArgumentException", message).json("message"))
    }

    fn read_stream(&self, request: &Request, response: &mut Response) {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&response.body) else { return };
        let mut new = self.hold();
        let Some(left) = new.streams.get_mut(&stream_key(request)) else { return };
        if use_up(left) {
            answer["DeliveryStreamDescription"]["DeliveryStreamStatus"] = json!("CREATING");
            response.body = answer.to_string().into_bytes().into();
        }
    }

    fn role_is_new(&self, arn: &str, to: &str) -> bool {
        let mut new = self.hold();
        let Some(tries) = new.roles.get_mut(arn) else { return false };
        use_up(tries.entry(to.to_owned()).or_insert(self.tries))
    }

    fn web_acl(&self, request: &Request) -> Option<Response> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let early = use_up(self.hold().web_acls.get_mut(body["WebACLArn"].as_str()?)?);
        early.then(|| Fault::new(400, "WAFUnavailableEntityException", UNKNOWN_TO_WAF).json("Message"))
    }

    /// Rules may refer to a set at any depth, and its ARN has an id that stands nowhere else.
    fn ip_set(&self, request: &Request) -> Option<Response> {
        let body = String::from_utf8_lossy(&request.body);
        let mut new = self.hold();
        let (_, left) = new.ip_sets.iter_mut().find(|(arn, left)| **left > 0 && body.contains(arn.as_str()))?;
        use_up(left).then(|| Fault::new(400, "WAFUnavailableEntityException", UNKNOWN_TO_WAF).json("Message"))
    }

    /// The refusal of a call of a function that is not ready. `only_made`: a change under way does not matter.
    fn busy(&self, request: &Request, only_made: bool) -> Option<Response> {
        let name = path_name(request);
        let mut new = self.hold();
        let busy = new.functions.get_mut(&function_key(request, &name))?;
        let made = busy.made;
        if (only_made && !made) || !use_up(&mut busy.left) {
            return None;
        }
        let why = if made {
            "The function is currently in the following state: Pending".to_owned()
        } else {
            let caller = &request.caller;
            let (partition, region, account) = (caller.partition(), &caller.region, &caller.account);
            format!("An update is in progress for resource: arn:{partition}:lambda:{region}:{account}:function:{name}")
        };
        let message = format!("The operation cannot be performed at this time. {why}");
        Some(lambda(409, "ResourceConflictException", message))
    }

    /// A function was made or changed.
    fn begin(&self, request: &Request, response: &mut Response, made: bool) {
        let Ok(mut configuration) = serde_json::from_slice::<Value>(&response.body) else { return };
        let Some(name) = own_name(&configuration) else { return };
        // `DryRun` changes nothing.
        if serde_json::from_slice::<DryRun>(&request.body).is_ok_and(|body| body.dry_run) {
            return;
        }
        let key = function_key(request, &name);
        // A version that was published before is not new.
        if name.contains(':') && self.hold().functions.contains_key(&key) {
            return;
        }
        self.hold().functions.insert(key, Busy { made, left: self.tries });
        show_busy(&mut configuration, made);
        response.body = configuration.to_string().into_bytes().into();
    }

    /// A function is read. `below` is where its configuration stands in the answer.
    fn read(&self, request: &Request, response: &mut Response, below: Option<&str>) {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&response.body) else { return };
        let configuration = match below {
            Some(member) => &mut answer[member],
            None => &mut answer,
        };
        let Some(name) = own_name(configuration) else { return };
        let mut new = self.hold();
        let Some(busy) = new.functions.get_mut(&function_key(request, &name)) else { return };
        if use_up(&mut busy.left) {
            show_busy(configuration, busy.made);
            response.body = answer.to_string().into_bytes().into();
        }
    }

    fn read_provisioned(&self, request: &Request, response: &mut Response) {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&response.body) else { return };
        let mut new = self.hold();
        let Some(left) = new.provisioned.get_mut(&function_key(request, &qualified(request))) else { return };
        if use_up(left) {
            answer["Status"] = json!("IN_PROGRESS");
            answer["AvailableProvisionedConcurrentExecutions"] = json!(0);
            answer["AllocatedProvisionedConcurrentExecutions"] = json!(0);
            response.body = answer.to_string().into_bytes().into();
        }
    }

    fn hold(&self) -> MutexGuard<'_, New> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct DryRun {
    #[serde(rename = "DryRun", default)]
    dry_run: bool,
}

/// Whether a try is left; then it is used.
fn use_up(left: &mut u32) -> bool {
    let early = *left > 0;
    *left = left.saturating_sub(1);
    early
}

/// The members of a configuration that tell of work under way.
fn show_busy(configuration: &mut Value, made: bool) {
    let Some(members) = configuration.as_object_mut() else { return };
    if made {
        members.remove("LastUpdateStatus");
    }
    let (member, status) = if made { ("State", "Pending") } else { ("LastUpdateStatus", "InProgress") };
    members.insert(member.to_owned(), json!(status));
    // The reference shows the same words for an update.
    members.insert(format!("{member}Reason"), json!("The function is being created."));
    members.insert(format!("{member}ReasonCode"), json!("Creating"));
}

fn stream_key(request: &Request) -> (String, String, String) {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let name = body["DeliveryStreamName"].as_str().unwrap_or_default().to_owned();
    (request.caller.account.clone(), request.caller.region.clone(), name)
}

fn function_key(request: &Request, name: &str) -> (String, String, String) {
    (request.caller.account.clone(), request.caller.region.clone(), name.to_owned())
}

/// What a configuration is of: a function, or with its number one of its versions.
fn own_name(configuration: &Value) -> Option<String> {
    let name = configuration["FunctionName"].as_str()?;
    Some(match configuration["Version"].as_str().filter(|version| *version != "$LATEST") {
        Some(version) => format!("{name}:{version}"),
        None => name.to_owned(),
    })
}

/// The name of the function in the path, with the qualifier of the query string if there is one.
fn qualified(request: &Request) -> String {
    let name = path_name(request);
    request.parameter("Qualifier").map(|qualifier| format!("{name}:{qualifier}")).unwrap_or(name)
}

/// The name of the function in the path: a name, a partial or a whole ARN, each with or without a qualifier.
fn path_name(request: &Request) -> String {
    let segments = request.segments();
    let text = segments.get(2).map_or("", String::as_str);
    let name = text.rsplit_once("function:").map_or(text, |(_, name)| name);
    name.split(':').next().unwrap_or_default().to_owned()
}

fn lambda(status: u16, code: &str, message: String) -> Response {
    let fault = Fault::new(status, code, message);
    fault.typed(&json!({ "Type": "User", "message": fault.message }), "application/json")
}

#[cfg(test)]
mod tests {
    use super::super::testing::request;
    use super::*;

    fn answer(body: &Value) -> Response {
        Response::json(200, body)
    }

    fn text(response: &Response) -> String {
        String::from_utf8_lossy(&response.body).into_owned()
    }

    #[test]
    fn a_new_role_is_unknown_for_some_tries_to_each_service() {
        let eventual = Eventual::new(2);
        let arn = "arn:aws:iam::123456789012:role/path/auth";
        let mut made =
            Response { status: 200, headers: Vec::new(), body: format!("<Role><Arn>{arn}</Arn></Role>").into() };
        let create = request("iam", "POST", "/", "Action=CreateRole&RoleName=auth");
        eventual.settle(&create, "CreateRole", &mut made);
        let function =
            request("lambda", "POST", "/2015-03-31/functions", &json!({ "Role": arn, "Code": {} }).to_string());
        let patch = json!({ "patchOperations": [{ "op": "replace", "path": "/cloudwatchRoleArn", "value": arn }] });
        let account = request("apigateway", "PATCH", "/account", &patch.to_string());
        for _ in 0..2 {
            let refusal = eventual.refusal(&function, "CreateFunction").unwrap();
            assert_eq!(
                (refusal.status, refusal.header("x-amzn-errortype")),
                (400, Some("InvalidParameterValueException"))
            );
            assert!(text(&refusal).contains(UNKNOWN_TO_LAMBDA));
            let refusal = eventual.refusal(&account, "UpdateAccount").unwrap();
            assert!(text(&refusal).contains(UNKNOWN_TO_API_GATEWAY));
        }
        assert!(eventual.refusal(&function, "CreateFunction").is_none());
        assert!(eventual.refusal(&account, "UpdateAccount").is_none());
    }

    #[test]
    fn a_role_that_is_old_or_gone_is_not_new() {
        let eventual = Eventual::new(2);
        let arn = "arn:aws:iam::123456789012:role/auth";
        let function = request("lambda", "POST", "/2015-03-31/functions", &json!({ "Role": arn }).to_string());
        assert!(eventual.refusal(&function, "CreateFunction").is_none());
        let mut made = Response { status: 200, headers: Vec::new(), body: format!("<Arn>{arn}</Arn>").into() };
        eventual.settle(&request("iam", "POST", "/", "RoleName=auth"), "CreateRole", &mut made);
        eventual.settle(&request("iam", "POST", "/", "RoleName=auth"), "DeleteRole", &mut Response::empty(200));
        assert!(eventual.refusal(&function, "CreateFunction").is_none());
        // A role that could not be made is not new either.
        let mut refused = Response { status: 409, ..made };
        eventual.settle(&request("iam", "POST", "/", "RoleName=auth"), "CreateRole", &mut refused);
        assert!(eventual.refusal(&function, "CreateFunction").is_none());
    }

    #[test]
    fn a_function_is_pending_and_then_in_progress_for_some_tries() {
        let eventual = Eventual::new(2);
        let ready = json!({ "FunctionName": "auth", "State": "Active", "LastUpdateStatus": "Successful" });
        let mut made = answer(&ready);
        eventual.settle(&request("lambda", "POST", "/2015-03-31/functions", "{}"), "CreateFunction", &mut made);
        assert!(text(&made).contains("Pending"));
        let read = request("lambda", "GET", "/2015-03-31/functions/auth", "");
        let mut shown = answer(&json!({ "Configuration": ready, "Tags": {} }));
        eventual.settle(&read, "GetFunction", &mut shown);
        let shown: Value = serde_json::from_slice(&shown.body).unwrap();
        assert_eq!(shown["Configuration"]["State"], "Pending");
        assert_eq!(shown["Configuration"]["LastUpdateStatus"], Value::Null);
        // The second try is an update, which is refused.
        let update =
            request("lambda", "PUT", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3Aauth/code", "{}");
        let refusal = eventual.refusal(&update, "UpdateFunctionCode").unwrap();
        assert_eq!((refusal.status, refusal.header("x-amzn-errortype")), (409, Some("ResourceConflictException")));
        assert!(text(&refusal).contains("following state: Pending"));
        let mut shown = answer(&ready);
        eventual.settle(&read, "GetFunctionConfiguration", &mut shown);
        assert_eq!(shown, answer(&ready));

        assert!(eventual.refusal(&update, "UpdateFunctionCode").is_none());
        let mut changed = answer(&ready);
        eventual.settle(&update, "UpdateFunctionCode", &mut changed);
        assert!(text(&changed).contains("InProgress"));
        let refusal = eventual.refusal(&update, "UpdateFunctionConfiguration").unwrap();
        assert!(
            text(&refusal).contains(
                "An update is in progress for resource: arn:aws:lambda:eu-central-1:123456789012:function:auth"
            )
        );
        // It runs its old code meanwhile.
        let invoke = request("lambda", "POST", "/2015-03-31/functions/auth/invocations", "");
        assert!(eventual.refusal(&invoke, "Invoke").is_none());
        let gone = request("lambda", "DELETE", "/2015-03-31/functions/auth", "");
        eventual.settle(&gone, "DeleteFunction", &mut Response::empty(204));
        assert!(eventual.refusal(&update, "UpdateFunctionConfiguration").is_none());
    }

    #[test]
    fn versions_and_provisioned_concurrency_take_some_tries_too() {
        let eventual = Eventual::new(1);
        let version = json!({ "FunctionName": "auth", "Version": "1", "State": "Active" });
        let publish = request("lambda", "POST", "/2015-03-31/functions/auth/versions", "{}");
        let read = request("lambda", "GET", "/2015-03-31/functions/auth%3A1/configuration", "");
        let mut shown = answer(&version);
        eventual.settle(&publish, "PublishVersion", &mut shown);
        assert!(text(&shown).contains("Pending"));
        for state in ["Pending", "Active"] {
            let mut shown = answer(&version);
            eventual.settle(&read, "GetFunctionConfiguration", &mut shown);
            assert!(text(&shown).contains(state), "{state}");
        }
        // Published again it is what it was; and the function itself was never busy.
        let mut shown = answer(&version);
        eventual.settle(&publish, "PublishVersion", &mut shown);
        assert!(text(&shown).contains("Active"));
        let update = request("lambda", "PUT", "/2015-03-31/functions/auth/code", "{}");
        assert!(eventual.refusal(&update, "UpdateFunctionCode").is_none());

        let at = |method: &str| {
            let mut asked = request("lambda", method, "/2019-09-30/functions/auth/provisioned-concurrency", "{}");
            asked.query = vec![("Qualifier".into(), "live".into())];
            asked
        };
        let reads = || {
            let mut shown = answer(&json!({ "Status": "READY" }));
            eventual.settle(&at("GET"), "GetProvisionedConcurrencyConfig", &mut shown);
            text(&shown)
        };
        eventual.settle(&at("PUT"), "PutProvisionedConcurrencyConfig", &mut answer(&json!({})));
        assert!(reads().contains("IN_PROGRESS") && reads().contains("READY"));
        let moved = request("lambda", "PUT", "/2015-03-31/functions/auth/aliases/live", "{}");
        eventual.settle(&moved, "UpdateAlias", &mut answer(&json!({})));
        assert!(reads().contains("IN_PROGRESS") && reads().contains("READY"));
    }

    #[test]
    fn a_new_web_acl_is_unavailable_for_some_tries() {
        let eventual = Eventual::new(1);
        let mut made = answer(&json!({ "Summary": { "ARN": "arn:acl" } }));
        eventual.settle(&request("wafv2", "POST", "AWSWAF_20190729.CreateWebACL", "{}"), "CreateWebACL", &mut made);
        let body = r#"{"WebACLArn":"arn:acl","ResourceArn":"arn:stage"}"#;
        let associate = request("wafv2", "POST", "AWSWAF_20190729.AssociateWebACL", body);
        let refusal = eventual.refusal(&associate, "AssociateWebACL").unwrap();
        assert_eq!(refusal.header("x-amzn-errortype"), Some("WAFUnavailableEntityException"));
        assert!(eventual.refusal(&associate, "AssociateWebACL").is_none());
    }

    #[test]
    fn a_new_ip_set_is_unavailable_to_rules_for_some_tries() {
        let eventual = Eventual::new(1);
        let mut made = answer(&json!({ "Summary": { "ARN": "arn:set" } }));
        eventual.settle(&request("wafv2", "POST", "AWSWAF_20190729.CreateIPSet", "{}"), "CreateIPSet", &mut made);
        let rule =
            r#"{"Rules":[{"Statement":{"NotStatement":{"Statement":{"IPSetReferenceStatement":{"ARN":"arn:set"}}}}}]}"#;
        let with = request("wafv2", "POST", "AWSWAF_20190729.UpdateWebACL", rule);
        let without = request("wafv2", "POST", "AWSWAF_20190729.CreateWebACL", r#"{"Rules":[]}"#);
        assert!(eventual.refusal(&without, "CreateWebACL").is_none());
        let refusal = eventual.refusal(&with, "UpdateWebACL").unwrap();
        assert_eq!(refusal.header("x-amzn-errortype"), Some("WAFUnavailableEntityException"));
        assert!(eventual.refusal(&with, "UpdateWebACL").is_none());
    }
}
