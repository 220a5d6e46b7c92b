//! HTTP APIs: what the control plane is told through AWS's own calls, the data plane serves, in the Region that is reached.

use std::fs;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::client::{Answer, Ask};
use crate::issuer::{ISSUER, Issuer};
use crate::project::Project;
use crate::server::{Server, closed_port, until};
use crate::upstream::{LIMIT, Upstream};

const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// An issuer that does not answer.
const DOWN: &str = "https://down.example.com";

struct World {
    server: Server,
    project: Project,
    issuer: Issuer,
    _upstreams: [Upstream; 2],
}

/// A listener of a load balancer that nobody made.
fn listener(region: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{region}:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2")
}

/// One server for all tests; each has APIs of its own.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let (project, issuer) = (Project::new(), Issuer::start());
        let upstreams = [Upstream::start("one"), Upstream::start("two")];
        let [one, two] = &upstreams;
        let rules = [
            format!("{}={}", listener(REGIONS[0]), one.address),
            format!("{}={}", listener(REGIONS[1]), two.address),
            format!("protected.internal.example.com={}", one.address),
            format!("public.example.com={}", two.address),
            format!("down.example.com={}", closed_port()),
        ];
        let found = format!("{ISSUER}=http://{}/t", issuer.address);
        let down = format!("{DOWN}=http://{}", closed_port());
        let mut arguments = vec!["sandbox", "--sandbox", "--listen", "127.0.0.1:0", "--access-log", "access.log"];
        arguments.extend(rules.iter().flat_map(|rule| ["--upstream", rule]));
        arguments.extend(["--issuer", &found, "--issuer", &down]);
        World { server: Server::start(&project, &arguments), project, issuer, _upstreams: upstreams }
    })
}

/// A call of the control plane, signed in form.
#[track_caller]
fn call(region: &str, service: &str, ask: Ask) -> Answer {
    let scope = format!("123456789012/20260101/{region}/{service}/aws4_request");
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let answer =
        ask.header("authorization", &signed).header("x-amz-date", "20260101T000000Z").to(world().server.address);
    assert!(answer.status < 300, "{} {}", answer.status, answer.text());
    answer
}

#[track_caller]
fn post(region: &str, path: &str, body: &Value) -> Value {
    call(region, "apigateway", Ask::post(path, "application/json", body.to_string())).json()
}

#[track_caller]
fn patch(region: &str, path: &str, body: &Value) {
    let mut ask = Ask::post(path, "application/json", body.to_string());
    ask.set_method("PATCH");
    call(region, "apigateway", ask);
}

#[track_caller]
fn json_call(region: &str, service: &str, target: &str, body: &Value) -> Value {
    let ask = Ask::post("/", "application/x-amz-json-1.1", body.to_string()).header("x-amz-target", target);
    let answer = call(region, service, ask);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

#[track_caller]
fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

/// An HTTP API with a stage that deploys by itself.
struct Api {
    region: &'static str,
    id: String,
    link: String,
}

impl Api {
    fn new(region: &'static str, stage: &str) -> Self {
        Self::with(region, stage, &json!({}))
    }

    /// With more members of the API.
    fn with(region: &'static str, stage: &str, more: &Value) -> Self {
        let mut body = json!({ "name": "orders", "protocolType": "HTTP" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let id = text(&post(region, "/v2/apis", &body), "apiId");
        let link = post(region, "/v2/vpclinks", &json!({ "name": "link", "subnetIds": ["subnet-0a", "subnet-0b"] }));
        let api = Self { region, id, link: text(&link, "vpcLinkId") };
        api.post("stages", &json!({ "stageName": stage, "autoDeploy": true }));
        api
    }

    #[track_caller]
    fn post(&self, kind: &str, body: &Value) -> Value {
        post(self.region, &format!("/v2/apis/{}/{kind}", self.id), body)
    }

    fn stage(&self, name: &str, body: &Value) {
        patch(self.region, &format!("/v2/apis/{}/stages/{name}", self.id), body);
    }

    /// An integration through the VPC link, with mappings of requests and of answers.
    fn private(&self, mappings: &Value, answers: &Value) -> String {
        self.integration(&json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "connectionType": "VPC_LINK",
            "connectionId": self.link, "integrationUri": listener(self.region), "payloadFormatVersion": "1.0",
            "requestParameters": mappings, "responseParameters": answers, "timeoutInMillis": 1000,
            "tlsConfig": { "serverNameToVerify": "internal.example.com" },
        }))
    }

    fn public(&self, url: &str) -> String {
        self.integration(&json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": url,
            "payloadFormatVersion": "1.0",
        }))
    }

    fn integration(&self, body: &Value) -> String {
        text(&self.post("integrations", body), "integrationId")
    }

    fn route(&self, key: &str, integration: &str) {
        self.post("routes", &json!({ "routeKey": key, "target": format!("integrations/{integration}") }));
    }

    /// A route for who has a token.
    fn closed(&self, key: &str, integration: &str, authorizer: &str, scopes: &[&str]) {
        self.post(
            "routes",
            &json!({
                "routeKey": key, "target": format!("integrations/{integration}"), "authorizationType": "JWT",
                "authorizerId": authorizer, "authorizationScopes": scopes,
            }),
        );
    }

    fn authorizer(&self, source: &str) -> String {
        self.authorizer_of(ISSUER, source)
    }

    fn authorizer_of(&self, issuer: &str, source: &str) -> String {
        let body = json!({
            "name": format!("{issuer} {source}"), "authorizerType": "JWT", "identitySource": [source],
            "jwtConfiguration": { "audience": ["orders"], "issuer": issuer },
        });
        text(&self.post("authorizers", &body), "authorizerId")
    }

    /// A request by the API's own host name.
    fn by(&self, ask: Ask) -> Answer {
        let host = format!("{}.execute-api.{}.amazonaws.com", self.id, self.region);
        ask.header("host", &host).to(world().server.address)
    }

    fn get(&self, path: &str) -> Answer {
        self.by(Ask::get(path))
    }
}

#[test]
fn the_most_specific_route_serves_and_the_default_stage_is_in_no_path() {
    let api = Api::new(REGIONS[0], "$default");
    let way = |path: &str| api.private(&json!({ "overwrite:path": path }), &json!({}));
    api.route("GET /pets/{id}", &way("/one/$request.path.id"));
    api.route("ANY /pets/{proxy+}", &way("/greedy/${request.path.proxy}"));
    api.route("GET /pets/dog", &way("/dog"));
    for (method, path, expected) in [
        ("GET", "/pets/dog", "GET /dog"),
        ("GET", "/pets/a%20b?x=1&y=", "GET /one/a%20b?x=1&y="),
        ("POST", "/pets/dog", "POST /greedy/dog"),
        ("GET", "/pets/a/b", "GET /greedy/a/b"),
    ] {
        assert_eq!(api.by(Ask::new(method, path)).got().line(), expected, "{method} {path}");
    }
    let lost = api.get("/").is(404);
    assert_eq!(
        (lost.text().as_str(), lost.header("content-type")),
        (r#"{"message":"Not Found"}"#, Some("application/json"))
    );
    assert!(lost.header("apigw-requestid").is_some() && lost.header("x-amzn-requestid").is_none());
    api.route("$default", &api.public("http://public.example.com/base/"));
    assert_eq!(api.get("/any/thing?q=1").got().target(), "/base/any/thing?q=1");
    let by_path = format!("/_sandbox/execute-api/{}/pets/dog", api.id);
    assert_eq!(Ask::get(&by_path).to(world().server.address).got().target(), "/dog");

    let named = Api::new(REGIONS[1], "dev");
    named.route("GET /a", &named.private(&json!({}), &json!({})));
    named.route("GET /b", &named.private(&json!({ "overwrite:path": "$request.path" }), &json!({})));
    let (a, b) = (named.get("/dev/a").got(), named.get("/dev/b").got());
    assert_eq!((a.target(), b.target(), a.upstream()), ("/dev/a", "/b", "two"));
    assert_eq!(named.get("/a").is(404).json()["message"], "Not Found");

    patch(named.region, &format!("/v2/apis/{}", named.id), &json!({ "disableExecuteApiEndpoint": true }));
    named.get("/dev/a").is(404);
}

#[test]
fn parameters_are_mapped_in_both_directions() {
    let api = Api::new(REGIONS[0], "$default");
    let requests = json!({
        "overwrite:header.host": "orders.internal.example.com",
        "overwrite:header.client-ip": "$context.identity.sourceIp",
        "overwrite:header.forwarded-for": "$request.header.X-Forwarded-For",
        "append:header.x-many": "three",
        "remove:header.x-gone": "''",
        "overwrite:header.x-missing": "$request.header.none",
        "overwrite:header.x-text": "${request.path.id}-${stageVariables.env}-$context.stage",
        "overwrite:querystring.a": "new",
        "append:querystring.b": "$request.querystring.b",
        "remove:querystring.c": "''",
    });
    let answers = json!({ "418": { "overwrite:statuscode": "503", "append:header.x-kept": "${response.header.server}", "remove:header.server": "''" } });
    api.route("GET /x/{id}", &api.private(&requests, &answers));
    api.stage("$default", &json!({ "stageVariables": { "env": "test" } }));
    let ask = Ask::get("/x/7?a=1&b=2&c=3&d=%2F&b=4&a=5")
        .header("x-gwctl-source-ip", "203.0.113.9")
        .header("x-forwarded-for", "198.51.100.1")
        .header("client-ip", "forged")
        .header("x-many", "one")
        .header("x-many", "two")
        .header("x-gone", "1")
        .header("x-missing", "kept");
    let got = api.by(ask.clone()).got();
    assert_eq!(got.target(), "/x/7?b=2&d=%2F&b=4&b=2%2C4&a=new");
    for (name, expected) in [
        ("host", vec!["orders.internal.example.com"]),
        ("client-ip", vec!["203.0.113.9"]),
        ("forwarded-for", vec!["198.51.100.1, 203.0.113.9"]),
        ("x-many", vec!["one,two,three"]),
        ("x-gone", vec![]),
        ("x-missing", vec!["kept"]),
        ("x-text", vec!["7-test-$default"]),
        ("via", vec!["HTTP/1.1 AmazonAPIGateway"]),
        ("x-gwctl-source-ip", vec![]),
        // That of the load balancer, which knows the VPC link only.
        ("x-forwarded-for", vec!["10.0.0.10"]),
    ] {
        assert_eq!(got.values(name), expected, "{name}");
    }
    let mapped = api.by(ask.header("x-act", "teapot")).is(503);
    assert_eq!((mapped.header("x-kept"), mapped.header("server")), (Some("yes,upstream"), None));
    assert_eq!(mapped.text(), "short and stout");
}

#[test]
fn tokens_are_verified_with_the_issuers_keys() {
    let (api, issuer) = (Api::new(REGIONS[0], "$default"), &world().issuer);
    let backend = api.private(&json!({ "overwrite:header.x-user": "$context.authorizer.claims.sub" }), &json!({}));
    let authorizer = api.authorizer("$request.header.Authorization");
    api.closed("GET /open-to-all", &backend, &authorizer, &[]);
    api.closed("GET /scoped", &backend, &authorizer, &["orders/read", "orders/write"]);
    api.closed("GET /query", &backend, &api.authorizer("$request.querystring.token"), &[]);
    let good = issuer.token(&json!({ "scope": "openid orders/write" }));

    let missing = api.get("/open-to-all").is(401);
    assert_eq!(
        (missing.text().as_str(), missing.header("www-authenticate")),
        (r#"{"message":"Unauthorized"}"#, Some("Bearer"))
    );
    let ask = |path: &str, identity: &str| {
        api.by(Ask::get(path).header("Authorization", identity).header("x-user", "forged"))
    };
    assert_eq!(ask("/open-to-all", &format!("Bearer {good}")).got().values("x-user"), ["u-7"]);
    let asked = issuer.asked();
    assert_eq!(ask("/open-to-all", &good).got().values("x-user"), ["u-7"]);
    ask("/scoped", &format!("Bearer {good}")).is(200);
    api.get(&format!("/query?token={good}")).is(200);
    assert_eq!(issuer.asked(), asked, "keys are kept");

    let narrow = issuer.token(&json!({ "scope": "openid" }));
    let forbidden = ask("/scoped", &format!("Bearer {narrow}")).is(403);
    assert_eq!(forbidden.text(), r#"{"message":"Forbidden"}"#);
    for (claims, words) in [
        (json!({ "aud": "users" }), "the token does not have a valid audience"),
        (json!({ "exp": 1 }), "the token has expired"),
        (json!({ "iss": "https://login.example.com" }), "issuer does not match"),
    ] {
        let refused = ask("/open-to-all", &format!("Bearer {}", issuer.token(&claims))).is(401);
        let expected = format!(r#"Bearer scope="" error="invalid_token" error_description="{words}""#);
        assert_eq!(refused.header("www-authenticate"), Some(expected.as_str()));
        assert_eq!(refused.text(), r#"{"message":"Unauthorized"}"#);
    }
    let (message, _) = good.rsplit_once('.').unwrap();
    ask("/open-to-all", &format!("{message}.AAAA")).is(401);

    let asked = issuer.asked();
    let words = |answer: &Answer| {
        answer.header("www-authenticate").unwrap().split_once("error_description=").unwrap().1.to_owned()
    };
    for _ in 0..3 {
        let unknown = ask("/open-to-all", &issuer.token_of("two", &json!({}))).is(401);
        assert_eq!(words(&unknown), r#""the issuer has no key of the token's kid""#);
    }
    assert_eq!(issuer.asked(), asked, "made-up keys don't have the issuer asked each time");
    api.closed("GET /down", &backend, &api.authorizer_of(DOWN, "$request.header.Authorization"), &[]);
    let down = ask("/down", &issuer.token(&json!({ "iss": DOWN }))).is(401);
    assert_eq!(words(&down), r#""OIDC discovery endpoint communication error""#);
}

#[test]
fn browsers_are_answered_by_the_api() {
    let cors = json!({
        "allowOrigins": ["https://shop.example.com"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["X-A"],
        "maxAge": 300,
    });
    let api = Api::with(REGIONS[0], "$default", &json!({ "corsConfiguration": cors }));
    api.route("GET /a", &api.private(&json!({}), &json!({})));
    api.closed(
        "ANY /closed",
        &api.private(&json!({}), &json!({})),
        &api.authorizer("$request.header.Authorization"),
        &[],
    );
    let preflight = |path: &str, origin: &str| {
        let ask = Ask::new("OPTIONS", path).header("origin", origin);
        api.by(ask.header("access-control-request-method", "GET"))
    };
    let answer = preflight("/a", "https://shop.example.com").is(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example.com"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,PUT"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-a"));
    assert_eq!(preflight("/a", "https://evil.example").is(204).header("access-control-allow-origin"), None);
    // A route that takes the preflight itself has it authorized first.
    preflight("/closed", "https://shop.example.com").is(401);
    let asked = api.by(Ask::get("/a").header("origin", "https://shop.example.com")).is(200);
    assert_eq!(asked.header("access-control-allow-origin"), Some("https://shop.example.com"));
    assert_eq!(api.get("/a").is(200).header("access-control-allow-origin"), None);
}

#[test]
fn trouble_is_told_in_the_services_words() {
    let api = Api::new(REGIONS[0], "$default");
    let backend = api.private(&json!({}), &json!({}));
    api.route("ANY /a", &backend);
    api.route("GET /throttled", &backend);
    api.route("GET /down", &api.public("http://down.example.com/"));
    let unavailable = r#"{"message":"Service Unavailable"}"#;
    assert_eq!(api.get("/down").is(503).text(), unavailable);
    assert_eq!(api.by(Ask::get("/a").header("x-act", "hang")).is(503).text(), unavailable);
    let huge = api.by(Ask::get("/a").header("x-act", "huge")).is(500);
    assert_eq!(huge.text(), r#"{"message":"Internal Server Error"}"#);
    let too_much = Ask::post("/a", "text/plain", vec![b'x'; LIMIT + 1]);
    assert_eq!(api.by(too_much).is(413).text(), r#"{"message":"Request Entity Too Large"}"#);
    let fits = Ask::post("/a", "text/plain", vec![b'x'; LIMIT]).header("x-act", "length");
    assert_eq!(api.by(fits).is(200).json()["length"], LIMIT);

    api.stage(
        "$default",
        &json!({ "routeSettings": { "GET /throttled": { "throttlingBurstLimit": 2, "throttlingRateLimit": 0.0 } } }),
    );
    let asked: Vec<u16> = (0..4).map(|_| api.get("/throttled").status).collect();
    assert_eq!(asked, [200, 200, 429, 429]);
    assert_eq!(api.get("/throttled").text(), r#"{"message":"Too Many Requests"}"#);
    api.get("/a").is(200);
}

#[test]
fn the_access_log_has_a_line_in_the_stages_format() {
    let api = Api::new(REGIONS[0], "$default");
    let group = format!("/http/{}", api.id);
    json_call(api.region, "logs", "Logs_20140328.CreateLogGroup", &json!({ "logGroupName": group }));
    let arn = format!("arn:aws:logs:{}:123456789012:log-group:{group}", api.region);
    let format = r#"{"id":"$context.requestId","route":"$context.routeKey","status":"$context.status","ip":"$context.identity.sourceIp","path":"$context.path","error":"$context.error.message","backend":"$context.integrationStatus","authorizer":"$context.authorizer.error"}"#;
    api.stage("$default", &json!({ "accessLogSettings": { "destinationArn": arn, "format": format } }));
    api.route("GET /a", &api.private(&json!({}), &json!({})));
    api.closed("GET /b", &api.private(&json!({}), &json!({})), &api.authorizer("$request.header.Authorization"), &[]);
    let line = |answer: &Answer| {
        let id = answer.header("apigw-requestid").unwrap().to_owned();
        until("the line in the access log", || {
            let log = fs::read_to_string(world().project.root().join("access.log")).ok()?;
            let line: Value = serde_json::from_str(log.lines().find(|line| line.contains(&id))?).ok()?;
            Some(line)
        })
    };
    let served = line(&api.by(Ask::get("/a").header("x-gwctl-source-ip", "203.0.113.9")));
    let members =
        |line: &Value| ["route", "status", "ip", "path", "error", "backend"].map(|name| text(line, name)).join(" ");
    assert_eq!(members(&served), "GET /a 200 203.0.113.9 /a - 200");
    let refused = line(&api.get("/b"));
    assert_eq!(members(&refused), "GET /b 401 127.0.0.1 /b Unauthorized -");
    assert_eq!(refused["authorizer"], "missing: token not provided");

    let logs = |operation: &str, more: &Value| {
        let mut body = json!({ "logGroupName": group });
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        json_call(api.region, "logs", &format!("Logs_20140328.{operation}"), &body)
    };
    let stream = text(&logs("DescribeLogStreams", &json!({}))["logStreams"][0], "logStreamName");
    let kept = logs("GetLogEvents", &json!({ "logStreamName": stream }))["events"].clone();
    let kept: Vec<Value> =
        kept.as_array().unwrap().iter().map(|event| serde_json::from_str(&text(event, "message")).unwrap()).collect();
    assert_eq!(kept, [served, refused]);
    let found = logs("FilterLogEvents", &json!({ "filterPattern": "Unauthorized" }));
    assert_eq!(found["events"].as_array().unwrap().len(), 1);
}

#[test]
fn one_domain_name_serves_both_regions_and_apis_of_both_kinds() {
    let apis = REGIONS.map(|region| {
        let api = Api::new(region, "$default");
        api.route("GET /{proxy+}", &api.private(&json!({}), &json!({})));
        api
    });
    let name = format!("{}.shop.example.com", apis[0].id);
    for api in &apis {
        let made =
            json_call(api.region, "acm", "CertificateManager.RequestCertificate", &json!({ "DomainName": name }));
        let configuration = json!({
            "certificateArn": made["CertificateArn"], "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2",
        });
        let domain = json!({ "domainName": name, "domainNameConfigurations": [configuration] });
        post(api.region, "/v2/domainnames", &domain);
        let mapping = |key: &str, api: &str, stage: &str| json!({ "apiId": api, "apiMappingKey": key, "stage": stage });
        let mappings = format!("/v2/domainnames/{name}/apimappings");
        post(api.region, &mappings, &mapping("v1/orders", &api.id, "$default"));
        let document = json!({
            "openapi": "3.0.1", "info": { "title": "rest", "version": "1" },
            "paths": { "/r": { "get": { "responses": {}, "x-amazon-apigateway-integration": {
                "type": "http_proxy", "httpMethod": "GET", "uri": "http://public.example.com/rest",
            } } } },
        });
        let rest = text(&post(api.region, "/restapis?mode=import", &document), "id");
        post(api.region, &format!("/restapis/{rest}/deployments"), &json!({ "stageName": "dev" }));
        post(api.region, &mappings, &mapping("v1", &rest, "dev"));
    }
    let ask = |region: &str, path: &str| {
        Ask::get(path).header("host", &name).header("x-gwctl-region", region).to(world().server.address)
    };
    for (region, upstream) in REGIONS.into_iter().zip(["one", "two"]) {
        let got = ask(region, "/v1/orders/7").got();
        assert_eq!((got.upstream(), got.target()), (upstream, "/7"), "{region}");
        assert_eq!(got.values("x-gwctl-region"), Vec::<&str>::new());
        assert_eq!(ask(region, "/v1/r").got().target(), "/rest");
        ask(region, "/v2").is(403);
    }
    ask("eu-north-1", "/v1/orders/7").is(403);
}

#[test]
fn the_web_acl_before_the_load_balancer_sees_the_mapped_request() {
    let api = Api::new(REGIONS[0], "$default");
    let form = "Action=CreateLoadBalancer&Version=2015-12-01&Name=protected&Scheme=internal&Type=application\
                &Subnets.member.1=subnet-0a&Subnets.member.2=subnet-0b";
    let made =
        call(api.region, "elasticloadbalancing", Ask::post("/", "application/x-www-form-urlencoded", form)).text();
    let (_, rest) = made.split_once("<LoadBalancerArn>").unwrap();
    let balancer = rest.split_once('<').unwrap().0.to_owned();
    let seen =
        |name: &str| json!({ "SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": name });
    let statement = json!({ "ByteMatchStatement": {
        "SearchString": "MjAzLjAuMTEzLjk=", "PositionalConstraint": "EXACTLY",
        "FieldToMatch": { "SingleHeader": { "Name": "client-ip" } },
        "TextTransformations": [{ "Priority": 0, "Type": "NONE" }],
    } });
    let rule = json!({
        "Name": "allowed", "Priority": 0, "Action": { "Allow": {} }, "VisibilityConfig": seen("allowed"), "Statement": statement,
    });
    let acl = json_call(
        api.region,
        "wafv2",
        "AWSWAF_20190729.CreateWebACL",
        &json!({
            "Name": "protected", "Scope": "REGIONAL", "DefaultAction": { "Block": {} }, "VisibilityConfig": seen("acl"),
            "Rules": [rule],
        }),
    );
    let association = json!({ "WebACLArn": acl["Summary"]["ARN"], "ResourceArn": balancer });
    json_call(api.region, "wafv2", "AWSWAF_20190729.AssociateWebACL", &association);

    let listener = format!("{}/f2f7dc8efc522ab2", balancer.replace(":loadbalancer/", ":listener/"));
    let integration = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "connectionType": "VPC_LINK",
        "connectionId": api.link, "integrationUri": listener, "payloadFormatVersion": "1.0",
        "requestParameters": {
            "overwrite:header.host": "protected.internal.example.com",
            "overwrite:header.client-ip": "$context.identity.sourceIp",
        },
    });
    api.route("GET /a", &api.integration(&integration));
    let from =
        |address: &str| api.by(Ask::get("/a").header("x-gwctl-source-ip", address).header("client-ip", "203.0.113.9"));
    assert_eq!(from("203.0.113.9").got().upstream(), "one");
    let blocked = from("203.0.113.10").is(403);
    assert_eq!((blocked.header("server"), blocked.header("content-type")), (Some("awselb/2.0"), Some("text/html")));
    assert!(blocked.text().contains("<center><h1>403 Forbidden</h1></center>"));
}
