//! What the sandbox's API Gateway refuses, over the wire: the table in `refusals.txt`, one bad call a line.
//!
//! Every call is a signed-looking request as an SDK sends it. The answer has the status, the exception in its header and
//! the words of the line, and the accounts hold what they held before.

use std::collections::BTreeSet;

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::wire::{Incoming, Response};
use serde_json::{Map, Value, json};

const TABLE: &str = include_str!("refusals.txt");

/// The Region of calls that name none.
const HOME: &str = "us-east-1";

const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:\
                   function:guard/invocations";

const LISTENER: &str =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2";

/// One line of the table.
struct Row<'t> {
    number: usize,
    verb: &'t str,
    region: &'t str,
    path: &'t str,
    body: &'t str,
    status: u16,
    exception: &'t str,
    words: &'t str,
}

fn rows() -> impl Iterator<Item = Row<'static>> {
    let lines = TABLE.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(index, line)| {
        let columns: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [call, body, outcome, words] = columns[..] else { panic!("line {}: not four columns", index + 1) };
        let (verb, path) = call.split_once(' ').expect("verb and path");
        let (verb, region) = verb.split_once('@').unwrap_or((verb, HOME));
        let (status, exception) = outcome.split_once(' ').expect("status and exception");
        assert!(!words.is_empty(), "line {}: no words", index + 1);
        Row {
            number: index + 1,
            verb,
            region,
            path: path.trim(),
            body,
            status: status.parse().expect("a status"),
            exception: exception.trim_end_matches('~').trim(),
            words,
        }
    })
}

#[test]
fn every_line_of_the_table_is_refused_as_it_says_and_changes_nothing() {
    let bench = Bench::new();
    let before = bench.held();
    let mut faults = Vec::new();
    for row in rows() {
        let path = bench.fill_in(row.path);
        let response = send(&bench.sandbox, row.region, row.verb, &path, bench.body(row.body));
        let message = serde_json::from_slice::<Value>(&response.body).unwrap_or_default()["message"].clone();
        let message = message.as_str().unwrap_or_default();
        let exception = response.header("x-amzn-errortype").unwrap_or_default();
        let words = bench.fill_in(row.words);
        let refused = (response.status, exception) == (row.status, row.exception) && message.contains(&words);
        if !refused {
            faults.push(format!("line {}: {} {exception}: {message}", row.number, response.status));
        }
        if bench.held() != before {
            faults.push(format!("line {}: the call changed something", row.number));
            break;
        }
    }
    assert!(faults.is_empty(), "{} lines:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_table_names_every_case_once() {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for row in rows() {
        assert!(
            seen.insert((row.verb, row.region, row.path, row.body, row.words)),
            "line {} is there twice",
            row.number
        );
        count += 1;
    }
    assert!(count >= 80, "{count} lines");
}

/// The sandbox with all that the lines refer to, and the names of it.
struct Bench {
    sandbox: Sandbox,
    names: Vec<(&'static str, String)>,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self { sandbox: Sandbox::in_memory(), names: Vec::new() };
        bench.names.push(("{uri}", URI.into()));
        bench.set_up_main();
        bench.set_up_full();
        bench.set_up_others();
        bench.set_up_http();
        for (name, pointer) in [
            ("{item}", "/paths/~1x~1{id}"),
            ("{op}", "/paths/~1x~1{id}/get"),
            ("{integration}", "/paths/~1x~1{id}/get/x-amazon-apigateway-integration"),
            ("{guard}", "/securityDefinitions/guard/x-amazon-apigateway-authorizer"),
        ] {
            bench.names.push((name, pointer.into()));
        }
        bench
    }

    /// An API with a guarded method, deployed, and beside it a method without integration that uses models.
    fn set_up_main(&mut self) {
        let (api, root) = self.create(HOME, &json!({ "name": "main" }));
        let child = |parent: &str, part: &str| {
            id(&self.ok(HOME, "POST", &format!("{api}/resources/{parent}"), &json!({ "pathPart": part })))
        };
        let pets = child(&root, "pets");
        let pet = child(&pets, "{id}");
        let proxy = child(&child(&root, "files"), "{proxy+}");
        let guard =
            json!({ "name": "guard", "type": "REQUEST", "authorizerUri": URI, "identitySource": "context.stage" });
        let authorizer = id(&self.ok(HOME, "POST", &format!("{api}/authorizers"), &guard));
        let method = format!("{api}/resources/{root}/methods/GET");
        self.ok(HOME, "PUT", &method, &json!({ "authorizationType": "CUSTOM", "authorizerId": authorizer }));
        self.ok(HOME, "PUT", &format!("{method}/responses/200"), &json!({}));
        self.ok(HOME, "PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
        let deployment = id(&self.ok(HOME, "POST", &format!("{api}/deployments"), &json!({ "stageName": "dev" })));
        let base = "https://apigateway.amazonaws.com";
        for (name, schema) in [
            ("Pet", json!({ "type": "object" })),
            ("Pets", json!({ "type": "array", "items": { "$ref": format!("{base}{api}/models/Pet") } })),
        ] {
            let model = json!({ "name": name, "contentType": "application/json", "schema": schema.to_string() });
            self.ok(HOME, "POST", &format!("{api}/models"), &model);
        }
        let post = format!("{api}/resources/{pets}/methods/POST");
        let models = json!({ "authorizationType": "NONE", "requestModels": { "application/json": "Pets" } });
        self.ok(HOME, "PUT", &post, &models);
        let tags = format!("arn:aws:apigateway:us-east-1::{api}").replace(':', "%3A").replace('/', "%2F");
        self.names.extend([
            ("{tags}", format!("/tags/{tags}")),
            ("{stage}", format!("{api}/stages/dev")),
            ("{pets get}", format!("{api}/resources/{pets}/methods/GET")),
            ("{pets post}", post),
            ("{method}", method),
            ("{api}", api),
            ("{root}", root),
            ("{pets}", pets),
            ("{pet}", pet),
            ("{proxy}", proxy),
            ("{authorizer}", authorizer),
            ("{deployment}", deployment),
        ]);
    }

    /// An API with as many resources and authorizers as there may be, and one with as many stages, one with a canary.
    fn set_up_full(&mut self) {
        let mut document = document();
        for index in 0..297 {
            document["paths"][format!("/r{index}")] = json!({});
        }
        for index in 0..9 {
            let guard = document["securityDefinitions"]["guard"].clone();
            document["securityDefinitions"][format!("guard{index}")] = guard;
        }
        let full = self.ok(HOME, "POST", "/restapis?mode=import&endpointConfigurationTypes=REGIONAL", &document);
        let (staged, _) = self.mocked(HOME, &json!({ "name": "staged" }));
        let deployment = id(&self.ok(HOME, "POST", &format!("{staged}/deployments"), &json!({ "stageName": "s0" })));
        for index in 1..10 {
            let stage = json!({ "stageName": format!("s{index}"), "deploymentId": deployment });
            self.ok(HOME, "POST", &format!("{staged}/stages"), &stage);
        }
        let canary = json!({ "stageName": "s0", "canarySettings": { "percentTraffic": 1 } });
        self.ok(HOME, "POST", &format!("{staged}/deployments"), &canary);
        self.names.extend([
            ("{full root}", full["rootResourceId"].as_str().expect("a root").to_owned()),
            ("{full}", format!("/restapis/{}", id(&full))),
            ("{staged deployment}", deployment),
            ("{staged}", staged),
        ]);
    }

    /// APIs that can't be deployed, one in China, one in a Region without a role for logs, and a Region that is full.
    fn set_up_others(&mut self) {
        let (empty, _) = self.create(HOME, &json!({ "name": "empty" }));
        let private = json!({ "name": "private", "endpointConfiguration": { "types": ["PRIVATE"] } });
        let (private, _) = self.mocked(HOME, &private);
        let (chinese, _) = self.create("cn-north-1", &json!({ "name": "chinese" }));
        let (dark, _) = self.mocked("eu-west-1", &json!({ "name": "dark" }));
        self.ok("eu-west-1", "POST", &format!("{dark}/deployments"), &json!({ "stageName": "dev" }));
        let unset = json!({ "patchOperations": [{ "op": "replace", "path": "/cloudwatchRoleArn", "value": "" }] });
        self.ok("eu-west-1", "PATCH", "/account", &unset);
        for index in 0..120 {
            self.create("us-west-2", &json!({ "name": format!("api{index}") }));
        }
        self.names.extend([
            ("{empty}", empty),
            ("{private}", private),
            ("{chinese}", chinese),
            ("{dark}", format!("{dark}/stages/dev")),
        ]);
    }

    /// An HTTP API with a guarded route to a private integration, served by a stage; a VPC link, a domain name and a mapping.
    fn set_up_http(&mut self) {
        let made = |path: &str, member: &str, body: Value| {
            let answer = self.ok(HOME, "POST", path, &body);
            answer[member].as_str().unwrap_or_else(|| panic!("{path}: no {member}")).to_owned()
        };
        let api = format!("/v2/apis/{}", made("/v2/apis", "apiId", json!({ "name": "h", "protocolType": "HTTP" })));
        let link = made("/v2/vpclinks", "vpcLinkId", json!({ "name": "l", "subnetIds": ["subnet-0a"] }));
        let integration = json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "payloadFormatVersion": "1.0",
            "connectionType": "VPC_LINK", "connectionId": link, "integrationUri": LISTENER,
        });
        let integration = made(&format!("{api}/integrations"), "integrationId", integration);
        let login = json!({
            "name": "login", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": "https://login.example.com", "audience": ["a"] },
        });
        let login = made(&format!("{api}/authorizers"), "authorizerId", login);
        let route = json!({
            "routeKey": "GET /pets/{id}", "target": format!("integrations/{integration}"), "authorizationType": "JWT",
            "authorizerId": login,
        });
        let route = made(&format!("{api}/routes"), "routeId", route);
        self.ok(HOME, "POST", &format!("{api}/stages"), &json!({ "stageName": "$default", "autoDeploy": true }));
        let at = format!("{api}/stages/$default");
        let stage: Value =
            serde_json::from_slice(&send(&self.sandbox, HOME, "GET", &at, String::new()).body).expect("JSON");
        let deployment = stage["deploymentId"].as_str().expect("a deployment").to_owned();
        self.names.extend([
            ("{http route}", format!("{api}/routes/{route}")),
            ("{http route id}", route),
            ("{http integration}", format!("{api}/integrations/{integration}")),
            ("{http login}", format!("{api}/authorizers/{login}")),
            ("{http login id}", login),
            ("{http deployment}", format!("{api}/deployments/{deployment}")),
            ("{http stage}", at),
            ("{http}", api),
            ("{link id}", link.clone()),
            ("{link}", format!("/v2/vpclinks/{link}")),
            ("{listener}", LISTENER.into()),
        ]);
    }

    /// The path of a new API and the id of its root.
    fn create(&self, region: &str, input: &Value) -> (String, String) {
        let api = self.ok(region, "POST", "/restapis", input);
        (format!("/restapis/{}", id(&api)), api["rootResourceId"].as_str().expect("a root").to_owned())
    }

    /// The same, with one method.
    fn mocked(&self, region: &str, input: &Value) -> (String, String) {
        let (api, root) = self.create(region, input);
        let method = format!("{api}/resources/{root}/methods/GET");
        self.ok(region, "PUT", &method, &json!({ "authorizationType": "NONE" }));
        self.ok(region, "PUT", &format!("{method}/integration"), &json!({ "type": "MOCK" }));
        (api, root)
    }

    fn ok(&self, region: &str, verb: &str, path: &str, body: &Value) -> Value {
        let response = send(&self.sandbox, region, verb, path, body.to_string());
        assert!(response.status < 300, "{verb} {path}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap_or_default()
    }

    /// All that the accounts hold. The source of ids is not in it: what is refused may have drawn one.
    fn held(&self) -> String {
        let world = self.sandbox.world().expect("a world");
        serde_json::to_string(&world.accounts).expect("JSON")
    }

    fn fill_in(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// The body of a line: made up, a document with one place spoilt, a patch operation, or the text itself.
    fn body(&self, text: &str) -> String {
        let many: Map<String, Value> = (0..51).map(|index| (format!("k{index}"), json!("v"))).collect();
        let policy = json!({ "Statement": [{ "Sid": "s".repeat(8200) }] });
        let mut large = document();
        match text {
            "" => return String::new(),
            "{document}" => return large.to_string(),
            "{long policy}" => return json!({ "name": "a", "policy": policy.to_string() }).to_string(),
            "{long tag}" => return json!({ "name": "a", "tags": { "k": "v".repeat(257) } }).to_string(),
            "{many tags}" => return json!({ "name": "a", "tags": many }).to_string(),
            "{heavy document}" => {
                large["info"]["description"] = "x".repeat(6 * 1024 * 1024).into();
                return large.to_string();
            }
            "{wide document}" => {
                (0..300).for_each(|index| large["paths"][format!("/r{index}")] = json!({}));
                return large.to_string();
            }
            _ => {}
        }
        let text = self.fill_in(text);
        if let Some(change) = text.strip_prefix("document ") {
            let (pointer, value) = change.split_once(" = ").expect("a pointer and a value");
            return spoilt(pointer, serde_json::from_str(value).expect("JSON")).to_string();
        }
        let words: Vec<&str> = text.splitn(3, ' ').collect();
        match words[..] {
            [op, path, value] if path.starts_with('/') => {
                json!({ "patchOperations": [{ "op": op, "path": path, "value": value }] }).to_string()
            }
            _ => text,
        }
    }
}

/// A document that is taken as it is.
fn document() -> Value {
    json!({
        "swagger": "2.0",
        "info": { "title": "x", "version": "1" },
        "paths": { "/x/{id}": { "get": {
            "security": [{ "guard": [] }],
            "responses": { "200": { "schema": { "$ref": "#/definitions/A" } } },
            "x-amazon-apigateway-integration": { "type": "http_proxy", "httpMethod": "GET", "uri": "http://x.example" },
        } } },
        "definitions": { "A": { "type": "object" } },
        "securityDefinitions": { "guard": {
            "type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "request", "authorizerUri": URI, "identitySource": "context.stage",
            },
        } },
    })
}

/// The document with one member changed, or added.
fn spoilt(pointer: &str, value: Value) -> Value {
    let mut document = document();
    let (holder, member) = pointer.rsplit_once('/').expect("a pointer");
    let holder = document.pointer_mut(holder).unwrap_or_else(|| panic!("nothing at {holder}"));
    holder[member.replace("~1", "/").replace("~0", "~")] = value;
    document
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}

fn send(sandbox: &Sandbox, region: &str, verb: &str, target: &str, body: String) -> Response {
    let scope = format!("123456789012/20260101/{region}/apigateway/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=0");
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", "20260101T000000Z"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ];
    sandbox.receive(Incoming {
        method: verb.into(),
        target: target.into(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: body.into(),
    })
}
