//! Everything in a configuration that is a small language: templates, mapping expressions, patterns, policies, log formats.
//! What the control plane takes is deployed and asked; what compiles by itself is compiled by itself as well.

use gwctl::sandbox::Sandbox;
use gwctl::sandbox::execute_api::access_log::Format;
use gwctl::sandbox::execute_api::expression::Expression;
use gwctl::sandbox::execute_api::json_path::JsonPath;
use gwctl::sandbox::execute_api::policy::Policy;
use gwctl::sandbox::execute_api::template::Template;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::bench::{FUNCTION, call, done, faults, id};
use super::check;
use super::sockets::Server;
use super::strategies::{json, nested, text};

/// Pieces of templates.
const PIECES: [&str; 58] = [
    "#set($a = ",
    "#set($a.b = ",
    "#set($a[0] = ",
    "$a",
    "$!a",
    "${a}",
    "$a.b",
    "$a[0]",
    "$a[-1]",
    "#if(",
    "#elseif(",
    "#else",
    "#end",
    "#foreach($i in ",
    "#break",
    "#stop",
    "#define($d)",
    "$d",
    "#[[",
    "]]#",
    "##",
    "#*",
    "*#",
    "\\",
    "$input.body",
    "$input.json('$')",
    "$input.json('$..a[?(@.b)]')",
    "$input.path('$.a')",
    "$input.params('a')",
    "$input.params()",
    "$util.escapeJavaScript(",
    "$util.base64Decode(",
    "$util.base64Encode(",
    "$util.urlDecode(",
    "$util.parseJson(",
    "$context.requestId",
    "$context.authorizer",
    "$stageVariables.host",
    "$context.responseOverride.status",
    "$context.responseOverride.header.x",
    "[1..",
    "[9223372036854775807..1]",
    "[1..3]",
    "{\"k\": ",
    ".replaceAll('",
    ".split('",
    ".substring(",
    ".add(",
    ".put('k', ",
    ".size()",
    ".get(",
    ")",
    "(",
    "'",
    "\"",
    ",",
    " == ",
    " ",
];

/// Numbers and operators.
const NUMBERS: [&str; 14] = [
    "9223372036854775807",
    "-9223372036854775808",
    "0",
    "1",
    "-1",
    "1.5",
    "1e308",
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    " && ",
    "!",
];

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(&PIECES[..]).prop_map(str::to_owned),
        2 => select(&NUMBERS[..]).prop_map(str::to_owned),
        1 => text(),
    ];
    prop_oneof![
        5 => vec(piece, 0..14).prop_map(|pieces| pieces.concat()),
        // Whole directives, so that more of them run.
        3 => (select(&NUMBERS[..7]), select(&["+", "-", "*", "/", "%"][..]), select(&NUMBERS[..7]))
            .prop_map(|(one, operator, other)| format!("#set($a = {one} {operator} {other})$a")),
        2 => (select(&NUMBERS[..5]), select(&NUMBERS[..5]), text())
            .prop_map(|(from, to, text)| format!("#foreach($i in [{from}..{to}])$i {text}#end")),
        2 => (text(), select(&NUMBERS[..5]), select(&NUMBERS[..5])).prop_map(|(text, from, to)| {
            format!("#set($s = \"{}\")$s.substring({from}, {to})$s.charAt({from})$s.indexOf('a', {to})", text.replace('"', ""))
        }),
        2 => (text(), text()).prop_map(|(text, pattern)| {
            let (text, pattern) = (text.replace('"', ""), pattern.replace('"', ""));
            format!("#set($s = \"{text}\")#set($p = \"{pattern}\")$s.replaceAll($p, '$1\\\\')$s.split($p)$s.matches($p)")
        }),
        1 => (select(&["#if(true)", "(", "#foreach($i in [1..1000])", "\"", "$a[", "${a.b(", "#define($a)$a"][..]), 1_usize..3_000)
            .prop_map(|(piece, times)| piece.repeat(times)),
        1 => nested(3_000),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let start = select(
        &[
            "method.request.header.",
            "method.request.querystring.",
            "method.request.body",
            "method.request.body.",
            "method.request.multivalueheader.",
            "method.request.path.",
            "integration.response.header.",
            "integration.response.body.",
            "context.",
            "context.authorizer.",
            "stageVariables.",
            "'",
            "",
        ][..],
    );
    let end = prop_oneof![
        2 => text(),
        2 => select(&["a", "a'", "requestId", "identity.sourceIp", "a[0]", "a[?(@.b == 1)]", "a..b", "['a']", "a[-1:]"][..])
            .prop_map(str::to_owned),
    ];
    (start, end).prop_map(|(start, end)| format!("{start}{end}"))
}

#[test]
fn any_text_compiles_or_does_not() {
    check(1_500, &(template(), expression(), text(), nested(3_000)), |(template, expression, text, nested)| {
        if let Err(error) = Template::parse(&template) {
            prop_assert!(error.line >= 1 && error.column >= 1, "{error}");
        }
        let _ =
            (Expression::parse(&expression), Expression::parse(&text), Format::parse(&text), Format::parse(&template));
        let _ = (JsonPath::parse(&format!("${text}")), JsonPath::parse(&nested), Policy::parse(&nested));
        Ok(())
    });
}

#[test]
fn any_policy_is_taken_or_refused() {
    let document = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "a", "Effect": "Deny", "Principal": { "AWS": ["*"] },
        "NotAction": "execute-api:Invoke", "Resource": ["arn:aws:execute-api:us-east-1:123456789012:a/*/GET/${aws:username}?"],
        "Condition": { "ForAllValues:StringNotLike": { "aws:PrincipalTag/${a}": ["x*", "?"] },
            "NumericLessThan": { "aws:MultiFactorAuthAge": "3" }, "NotIpAddress": { "aws:SourceIp": "10.0.0.0/8" },
            "DateGreaterThan": { "aws:CurrentTime": "2026-01-01T00:00:00Z" } } }] });
    let sandbox = Sandbox::in_memory();
    check(300, &super::strategies::edits(4), |edits| {
        let text = super::strategies::spoil(document.clone(), &edits).to_string();
        let parsed = Policy::parse(&text);
        let response = call(&sandbox, "POST", "/restapis", &json!({ "name": "a", "policy": text }));
        prop_assert!(response.status == 201 || (400..500).contains(&response.status), "{text}: {}", response.status);
        // The data plane has no answer to a policy that it can't read.
        prop_assert!(response.status != 201 || parsed.is_ok(), "{text} was taken: {parsed:?}");
        Ok(())
    });
    assert_eq!(faults(&sandbox.world().unwrap()), Vec::<String>::new());
}

/// What a configuration says in a case.
#[derive(Debug, Clone)]
struct Texts {
    request: String,
    response: String,
    own: String,
    mapping: String,
    pattern: String,
    format: String,
    validation: String,
}

fn texts() -> impl Strategy<Value = Texts> {
    let pattern = || {
        prop_oneof![
            text(),
            select(&["2..", "(?i)a", "[^a]{1000}{1000}", "a**", "\\p{L}{500}"][..]).prop_map(str::to_owned)
        ]
    };
    let own = "[a-z$.{}\"\\\\ ]{0,20}|\\$context\\.[a-zA-Z.]{1,20}|\\$stageVariables\\.[a-z]{1,3}";
    let all = (template(), template(), prop_oneof![own, template()], expression(), pattern(), template(), pattern());
    all.prop_map(|(request, response, own, mapping, pattern, format, validation)| Texts {
        request,
        response,
        own,
        mapping,
        pattern,
        format,
        validation,
    })
}

/// Puts the texts where they belong, each by a call of its own that may be refused, and deploys.
fn configure(sandbox: &Sandbox, texts: &Texts) -> String {
    let api = done(sandbox, "POST", "/restapis", &json!({ "name": "texts" }));
    let (at, root) = (format!("/restapis/{}", id(&api)), api["rootResourceId"].as_str().unwrap().to_owned());
    let parameters = json!({ "method.request.header.a": false, "method.request.querystring.b": false });
    let put = |method: &str, body: &serde_json::Value| done(sandbox, "PUT", method, body);
    let attempt = |verb: &str, target: &str, body: &serde_json::Value| {
        let response = call(sandbox, verb, target, body);
        assert!(response.status < 500, "{verb} {target} {body}: {}", String::from_utf8_lossy(&response.body));
    };
    let get = format!("{at}/resources/{root}/methods/GET");
    put(&get, &json!({ "authorizationType": "NONE", "requestParameters": parameters }));
    let plain = json!({ "application/json": "{\"statusCode\": 200}" });
    put(&format!("{get}/integration"), &json!({ "type": "MOCK", "requestTemplates": plain }));
    let with = json!({ "type": "MOCK", "requestTemplates": { "application/json": "{\"statusCode\": 200}",
        "text/plain": texts.request } });
    attempt("PUT", &format!("{get}/integration"), &with);
    put(&format!("{get}/responses/200"), &json!({ "responseParameters": { "method.response.header.x": false } }));
    put(&format!("{get}/integration/responses/200"), &json!({}));
    let answer = json!({ "responseTemplates": { "application/json": texts.response },
        "responseParameters": { "method.response.header.x": texts.mapping } });
    attempt("PUT", &format!("{get}/integration/responses/200"), &answer);
    let answer =
        json!({ "selectionPattern": texts.pattern, "responseTemplates": { "application/json": texts.response } });
    put(&format!("{get}/responses/500"), &json!({}));
    attempt("PUT", &format!("{get}/integration/responses/500"), &answer);
    let own = json!({ "responseTemplates": { "application/json": texts.own }, "responseParameters": {
        "gatewayresponse.header.x": texts.mapping } });
    attempt("PUT", &format!("{at}/gatewayresponses/DEFAULT_4XX"), &own);
    let authorizer = json!({ "name": "a", "type": "TOKEN", "authorizerUri": FUNCTION,
        "identitySource": "method.request.header.a", "identityValidationExpression": texts.validation });
    let made = call(sandbox, "POST", &format!("{at}/authorizers"), &authorizer);
    if made.status == 201 {
        let authorizer = id(&serde_json::from_slice(&made.body).unwrap());
        let post = format!("{at}/resources/{root}/methods/POST");
        put(&post, &json!({ "authorizationType": "CUSTOM", "authorizerId": authorizer }));
        let uri = format!("http://127.0.0.1:9/{{p}}${{stageVariables.{}}}", texts.own);
        let proxy = json!({ "type": "HTTP_PROXY", "httpMethod": "ANY", "uri": uri, "timeoutInMillis": 50,
            "requestParameters": { "integration.request.header.x": texts.mapping } });
        put(&format!("{post}/integration"), &json!({ "type": "MOCK" }));
        attempt("PUT", &format!("{post}/integration"), &proxy);
    }
    done(sandbox, "POST", &format!("{at}/deployments"), &json!({ "stageName": "live" }));
    let log = json!({ "patchOperations": [
        { "op": "replace", "path": "/accessLogSettings/destinationArn",
            "value": "arn:aws:logs:us-east-1:123456789012:log-group:g" },
        { "op": "replace", "path": "/accessLogSettings/format", "value": texts.format.replace(['\n', '\r'], "") },
    ] });
    attempt("PATCH", &format!("{at}/stages/live"), &log);
    format!("/_sandbox/execute-api/{}/live", id(&api))
}

#[test]
fn what_is_deployed_answers_whatever_it_says() {
    let server = Server::new(Sandbox::in_memory());
    let good = configure(
        &server.sandbox,
        &Texts {
            request: "{\"statusCode\": 200}".into(),
            response: "$input.body".into(),
            own: "{}".into(),
            mapping: "'a'".into(),
            pattern: "5..".into(),
            format: "$context.requestId".into(),
            validation: ".*".into(),
        },
    );
    check(80, &(texts(), json(), text()), |(texts, body, value)| {
        let stage = configure(&server.sandbox, &texts);
        let value: String = value.chars().filter(|c| !c.is_control()).take(2_000).collect();
        let query: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        for (method, path, kind) in [
            ("GET", "", "text/plain"),
            ("GET", "", "application/json"),
            ("POST", "", "application/json"),
            ("PUT", "/none", "application/json"),
        ] {
            let (body, length) = (body.to_string(), body.to_string().len());
            let request = format!(
                "{method} {stage}{path}?b={query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\na: {value}\r\n\
                 content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            let answer = server.ask(&request);
            prop_assert!(answer.starts_with("HTTP/1.1 "), "{request}: {answer:?}");
        }
        server.assert_alive(&good)?;
        // The next case has an API of its own; the world would only grow.
        let api = stage.split('/').nth(3).unwrap();
        done(&server.sandbox, "DELETE", &format!("/restapis/{api}"), &serde_json::Value::Null);
        Ok(())
    });
}
