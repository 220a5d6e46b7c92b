//! Web ACLs, and what they say to requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const ACL: &str = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/id";
const SET: &str = "arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/office/id";
const PATTERNS: &str = "arn:aws:wafv2:eu-central-1:123456789012:regional/regexpatternset/bad/id";
const GROUP: &str = "arn:aws:wafv2:eu-central-1:123456789012:regional/rulegroup/shared/id";

fn entity(arn: &str, body: &Value) -> Value {
    let name = arn.split('/').nth(2).unwrap();
    json!({ "name": name, "id": "id", "arn": arn, "description": null, "lock_token": "", "tags": {}, "body": body })
}

fn visible() -> Value {
    json!({ "SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": "m" })
}

/// A rule from its statement and action; its priority is its place.
fn rules(list: &[(&str, Value, Value)]) -> Value {
    let rule = |(at, (name, statement, action)): (usize, &(&str, Value, Value))| {
        let kind =
            if action.get("None").is_some() || name.starts_with("override") { "OverrideAction" } else { "Action" };
        json!({ "Name": name, "Priority": at, "Statement": statement, kind: action, "VisibilityConfig": visible(),
            "RuleLabels": [{ "Name": format!("seen:{name}") }] })
    };
    list.iter().enumerate().map(rule).collect()
}

/// A web ACL over one IP set, one set of patterns and one rule group.
fn acl(list: &[(&str, Value, Value)]) -> Rules {
    let group = rules(&[
        ("admin", starts("/admin"), json!({ "Block": {} })),
        ("label", json!({ "LabelMatchStatement": { "Scope": "LABEL", "Key": "seen:other" } }), json!({ "Block": {} })),
    ]);
    let state = json!({
        "web_acls": [],
        "ip_sets": [entity(SET, &json!({ "IPAddressVersion": "IPV4", "Addresses": ["10.0.0.0/8", "203.0.113.7/32"] }))],
        "regex_pattern_sets": [entity(PATTERNS, &json!({ "RegularExpressionList": [{ "RegexString": "^/old" }, { "RegexString": "\\.php$" }] }))],
        "rule_groups": [entity(GROUP, &json!({ "Capacity": 10, "Rules": group, "VisibilityConfig": visible() }))],
        "logging": {},
    });
    let state: State = serde_json::from_value(state).unwrap();
    let body = json!({ "DefaultAction": { "Allow": {} }, "Rules": rules(list), "VisibilityConfig": visible(),
        "CustomResponseBodies": { "sorry": { "ContentType": "APPLICATION_JSON", "Content": "{\"sorry\":true}" } } });
    let acl: Entity<WebAcl> = serde_json::from_value(entity(ACL, &body)).unwrap();
    Rules::compile(&acl, &state)
}

fn starts(text: &str) -> Value {
    part(json!({ "UriPath": {} }), "STARTS_WITH", text)
}

fn part(field: impl Into<Value>, position: &str, text: &str) -> Value {
    let field = field.into();
    let text = BASE64.encode(text);
    json!({ "ByteMatchStatement": { "SearchString": text, "FieldToMatch": field, "PositionalConstraint": position,
        "TextTransformations": [{ "Priority": 0, "Type": "URL_DECODE" }, { "Priority": 1, "Type": "LOWERCASE" }] } })
}

fn block() -> Value {
    json!({ "Block": {} })
}

/// A request under way.
struct Sent {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: HeaderMap,
    from: &'static str,
    body: Vec<u8>,
}

fn get(path: &'static str) -> Sent {
    Sent { method: "GET", path, query: "", headers: HeaderMap::new(), from: "198.51.100.1", body: Vec::new() }
}

impl Sent {
    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    fn to(&self, rules: &Rules, counters: Option<&Counters>, second: u64) -> Outcome {
        let subject = Subject {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
            source_ip: self.from.parse().unwrap(),
            body: &self.body,
        };
        rules.evaluate(&subject, counters, Duration::from_secs(second))
    }

    #[track_caller]
    fn is_blocked(&self, statement: &Value, expected: bool) {
        let outcome = self.to(&acl(&[("one", statement.clone(), block())]), None, 0);
        assert_eq!(outcome.action != Action::Pass, expected, "{statement} {outcome:?}");
    }
}

#[test]
fn rules_go_by_priority_and_the_first_that_decides_wins() {
    let rules = acl(&[
        (
            "counts",
            starts("/"),
            json!({ "Count": { "CustomRequestHandling": { "InsertHeaders": [{ "Name": "seen", "Value": "1" }] } } }),
        ),
        ("allows", starts("/open"), json!({ "Allow": {} })),
        ("blocks", starts("/o"), block()),
    ]);
    let open = get("/open").to(&rules, None, 0);
    assert_eq!((&open.action, open.rule.as_deref()), (&Action::Pass, Some("allows")));
    assert_eq!(open.counted, ["counts"]);
    assert_eq!(open.inserted, [("x-amzn-waf-seen".to_owned(), "1".to_owned())]);
    let prefix = "awswaf:123456789012:webacl:shop:seen:";
    assert_eq!(open.labels, [format!("{prefix}counts"), format!("{prefix}allows")]);
    let blocked = get("/Other").to(&rules, None, 0);
    let answer = Action::Block { status: 403, headers: vec![], body: String::new(), custom: false };
    assert_eq!((blocked.action, blocked.rule.as_deref()), (answer, Some("blocks")));
    let passed = get("/x").to(&rules, None, 0);
    assert_eq!((passed.action, passed.rule), (Action::Pass, None));
    assert!(passed.notes.is_empty());
}

#[test]
fn answers_are_the_rules_own() {
    let custom = json!({ "Block": { "CustomResponse": { "ResponseCode": 429, "CustomResponseBodyKey": "sorry",
        "ResponseHeaders": [{ "Name": "retry-after", "Value": "60" }] } } });
    let rules = acl(&[
        ("custom", starts("/custom"), custom),
        ("captcha", starts("/captcha"), json!({ "Captcha": {} })),
        ("challenge", starts("/challenge"), json!({ "Challenge": {} })),
    ]);
    let Action::Block { status, headers, body, custom } = get("/custom").to(&rules, None, 0).action else { panic!() };
    assert_eq!((status, body.as_str(), custom), (429, "{\"sorry\":true}", true));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(headers, [pair("retry-after", "60"), pair("content-type", "application/json")]);
    for (path, wanted, code) in [("/captcha", "captcha", 405), ("/challenge", "challenge", 202)] {
        let Action::Block { status, headers, .. } = get(path).to(&rules, None, 0).action else { panic!() };
        assert_eq!((status, &headers[0]), (code, &pair("x-amzn-waf-action", wanted)));
    }
}

#[test]
fn parts_of_requests_are_looked_at_as_the_field_says() {
    get("/%41dmin").is_blocked(&starts("/admin"), true);
    get("/x")
        .with("user-agent", "BadBot/1")
        .is_blocked(&part(json!({ "SingleHeader": { "Name": "User-Agent" } }), "CONTAINS_WORD", "badbot"), true);
    get("/x")
        .with("user-agent", "BadBots")
        .is_blocked(&part(json!({ "SingleHeader": { "Name": "user-agent" } }), "CONTAINS_WORD", "badbot"), false);
    get("/x").is_blocked(&part(json!({ "SingleHeader": { "Name": "user-agent" } }), "CONTAINS", "a"), false);
    let sent = Sent { query: "a=1&Name=Dro%50", ..get("/x") };
    sent.is_blocked(&part(json!({ "SingleQueryArgument": { "Name": "name" } }), "EXACTLY", "drop"), true);
    sent.is_blocked(&part(json!({ "AllQueryArguments": {} }), "ENDS_WITH", "op"), true);
    sent.is_blocked(&part(json!({ "QueryString": {} }), "STARTS_WITH", "a=1&name"), true);
    sent.is_blocked(&part(json!({ "Method": {} }), "EXACTLY", "get"), true);
    let list = |kind: &str, key: &str, names: Value, scope: &str| json!({ kind: { "MatchPattern": { key: names }, "MatchScope": scope, "OversizeHandling": "NO_MATCH" } });
    let sent = get("/x").with("cookie", "a=1; secret=Drop").with("x-a", "drop");
    sent.is_blocked(&part(list("Cookies", "IncludedCookies", json!(["secret"]), "VALUE"), "EXACTLY", "drop"), true);
    sent.is_blocked(&part(list("Cookies", "ExcludedCookies", json!(["secret"]), "ALL"), "EXACTLY", "drop"), false);
    sent.is_blocked(&part(list("Headers", "All", json!({}), "KEY"), "EXACTLY", "x-a"), true);
    sent.is_blocked(&part(list("Headers", "IncludedHeaders", json!(["X-A"]), "KEY"), "EXACTLY", "drop"), false);
    sent.is_blocked(&part(list("Headers", "ExcludedHeaders", json!(["X-A"]), "VALUE"), "EXACTLY", "drop"), false);
}

#[test]
fn bodies_are_looked_at_up_to_their_limit() {
    let body = |oversize: &str| part(json!({ "Body": { "OversizeHandling": oversize } }), "CONTAINS", "drop");
    let mut sent = Sent { body: b"please Drop".to_vec(), ..get("/x") };
    sent.is_blocked(&body("CONTINUE"), true);
    sent.body = [vec![b' '; 16 * 1024], b"drop".to_vec()].concat();
    for (oversize, expected) in [("CONTINUE", false), ("MATCH", true), ("NO_MATCH", false)] {
        sent.is_blocked(&body(oversize), expected);
    }
    let json = |paths: Value, scope: &str, invalid: &str| {
        let field =
            json!({ "JsonBody": { "MatchPattern": paths, "MatchScope": scope, "InvalidFallbackBehavior": invalid } });
        part(field, "EXACTLY", "drop")
    };
    sent.body = br#"{"a":{"b":["x","DROP"]},"drop":1}"#.to_vec();
    sent.is_blocked(&json(json!({ "IncludedPaths": ["/a/b"] }), "VALUE", "MATCH"), true);
    sent.is_blocked(&json(json!({ "IncludedPaths": ["/a/c"] }), "VALUE", "MATCH"), false);
    sent.is_blocked(&json(json!({ "IncludedPaths": ["/a"] }), "KEY", "MATCH"), false);
    sent.is_blocked(&json(json!({ "All": {} }), "KEY", "MATCH"), true);
    sent.body = b"drop".to_vec();
    for (invalid, expected) in [("MATCH", true), ("NO_MATCH", false), ("EVALUATE_AS_STRING", true)] {
        sent.is_blocked(&json(json!({ "All": {} }), "ALL", invalid), expected);
    }
    let size = |operator: &str, size: u64| {
        json!({ "SizeConstraintStatement": { "FieldToMatch": { "Body": {} }, "ComparisonOperator": operator, "Size": size,
            "TextTransformations": [{ "Priority": 0, "Type": "NONE" }] } })
    };
    for (operator, than, expected) in [
        ("GT", 3, true),
        ("GT", 4, false),
        ("GE", 4, true),
        ("EQ", 4, true),
        ("NE", 4, false),
        ("LT", 4, false),
        ("LE", 4, true),
    ] {
        sent.is_blocked(&size(operator, than), expected);
    }
}

#[test]
fn addresses_come_from_the_connection_or_from_a_header() {
    let set =
        |forwarded: Value| json!({ "IPSetReferenceStatement": { "ARN": SET, "IPSetForwardedIPConfig": forwarded } });
    let header = |fallback: &str, place: &str| {
        set(json!({ "HeaderName": "X-Forwarded-For", "FallbackBehavior": fallback, "Position": place }))
    };
    for (from, expected) in [
        ("10.1.2.3", true),
        ("203.0.113.7", true),
        ("203.0.113.8", false),
        ("::ffff:10.0.0.1", true),
        ("2001:db8::1", false),
    ] {
        Sent { from, ..get("/") }.is_blocked(&set(Value::Null), expected);
    }
    let through = get("/").with("x-forwarded-for", "198.51.100.9, 10.0.0.1, 203.0.113.8");
    for (place, expected) in [("FIRST", false), ("LAST", false), ("ANY", true)] {
        through.is_blocked(&header("NO_MATCH", place), expected);
    }
    get("/").with("x-forwarded-for", "unknown").is_blocked(&header("MATCH", "FIRST"), true);
    get("/").with("x-forwarded-for", "unknown").is_blocked(&header("NO_MATCH", "FIRST"), false);
    get("/").is_blocked(&header("MATCH", "FIRST"), false);
}

#[test]
fn patterns_and_logic_work_together() {
    let transform = json!([{ "Priority": 0, "Type": "LOWERCASE" }]);
    let set = json!({ "RegexPatternSetReferenceStatement": { "ARN": PATTERNS, "FieldToMatch": { "UriPath": {} }, "TextTransformations": transform } });
    let regex = json!({ "RegexMatchStatement": { "RegexString": "^/v[0-9]+/", "FieldToMatch": { "UriPath": {} }, "TextTransformations": transform } });
    for (path, expected) in [("/OLD/x", true), ("/a.php", true), ("/a.php/x", false)] {
        get(path).is_blocked(&set, expected);
    }
    let both =
        json!({ "AndStatement": { "Statements": [regex, { "NotStatement": { "Statement": starts("/v1/") } }] } });
    let either = json!({ "OrStatement": { "Statements": [set, both] } });
    for (path, expected) in [("/v2/x", true), ("/v1/x", false), ("/old", true), ("/x", false)] {
        get(path).is_blocked(&either, expected);
    }
}

#[test]
fn what_is_not_known_never_decides_and_is_noted() {
    let sqli = json!({ "SqliMatchStatement": { "FieldToMatch": { "QueryString": {} }, "TextTransformations": [{ "Priority": 0, "Type": "NONE" }] } });
    let managed =
        json!({ "ManagedRuleGroupStatement": { "VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet" } });
    let geo = json!({ "GeoMatchStatement": { "CountryCodes": ["DE", "FR"] } });
    let rules = acl(&[
        ("sqli", json!({ "NotStatement": { "Statement": sqli } }), block()),
        ("common", managed, json!({ "None": {} })),
        ("foreign", json!({ "NotStatement": { "Statement": geo } }), block()),
        ("either", json!({ "OrStatement": { "Statements": [sqli, starts("/yes")] } }), block()),
        ("both", json!({ "AndStatement": { "Statements": [sqli, starts("/no")] } }), block()),
    ]);
    let outcome = get("/x").to(&rules, None, 0);
    assert_eq!(outcome.action, Action::Pass);
    let notes = outcome.notes.join("\n");
    for words in [
        "rule `sqli`: the search for SQL",
        "AWSManagedRulesCommonRuleSet are not public",
        "rule `foreign`: the country",
        "rule `either`",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    assert!(get("/yes").to(&rules, None, 0).rule.is_some(), "an or with one known match is one");
    let german = get("/x").with(COUNTRY, "DE").to(&rules, None, 0);
    assert_eq!((german.action, &german.labels[..]), (Action::Pass, &["awswaf:clientip:geo:country:DE".to_owned()][..]));
    assert_eq!(get("/x").with(COUNTRY, "US").to(&rules, None, 0).rule.as_deref(), Some("foreign"));
}

#[test]
fn groups_decide_are_overridden_or_are_only_counted() {
    let reference = |more: Value| {
        let mut statement = json!({ "ARN": GROUP });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "RuleGroupReferenceStatement": statement })
    };
    let with =
        |more: Value, over: Value| acl(&[("override", reference(more), over), ("last", starts("/admin/x"), block())]);
    let none = json!({ "None": {} });
    let decided = get("/admin").to(&with(json!({}), none.clone()), None, 0);
    assert_eq!(decided.rule.as_deref(), Some("override/admin"));
    assert_eq!(decided.labels, ["awswaf:123456789012:rulegroup:shared:seen:admin"]);
    let counted = get("/admin/x").to(&with(json!({}), json!({ "Count": {} })), None, 0);
    assert_eq!((counted.rule.as_deref(), &counted.counted[..]), (Some("last"), &["override/admin".to_owned()][..]));
    let excluded = get("/admin").to(&with(json!({ "ExcludedRules": [{ "Name": "admin" }] }), none.clone()), None, 0);
    assert_eq!((excluded.action, &excluded.counted[..]), (Action::Pass, &["override/admin".to_owned()][..]));
    let other = json!({ "RuleActionOverrides": [{ "Name": "admin", "ActionToUse": { "Captcha": {} } }] });
    assert!(matches!(get("/admin").to(&with(other, none), None, 0).action, Action::Block { status: 405, .. }));
}

#[test]
fn labels_are_found_by_their_end_in_their_own_home_and_whole_elsewhere() {
    let label = |scope: &str, key: &str| json!({ "LabelMatchStatement": { "Scope": scope, "Key": key } });
    for (scope, key, expected) in [
        ("LABEL", "seen:first", true),
        ("LABEL", "awswaf:123456789012:webacl:shop:seen:first", true),
        ("LABEL", "first", false),
        ("LABEL", "awswaf:123456789012:rulegroup:shop:seen:first", false),
        ("NAMESPACE", "seen:", true),
        ("NAMESPACE", "awswaf:123456789012:webacl:", true),
        ("NAMESPACE", "first:", false),
    ] {
        let rules = acl(&[("first", starts("/"), json!({ "Count": {} })), ("second", label(scope, key), block())]);
        assert_eq!(get("/").to(&rules, None, 0).rule.is_some(), expected, "{scope} {key}");
    }
    let rules = acl(&[
        ("other", starts("/"), json!({ "Count": {} })),
        ("group", json!({ "RuleGroupReferenceStatement": { "ARN": GROUP } }), json!({ "None": {} })),
    ]);
    assert_eq!(get("/").to(&rules, None, 0).rule, None, "a group's short key means its own labels");
}

#[test]
fn rates_are_limited_by_key_within_the_window() {
    let rate = |more: Value| {
        let mut statement = json!({ "Limit": 10, "EvaluationWindowSec": 60, "AggregateKeyType": "IP" });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        acl(&[("rate", json!({ "RateBasedStatement": statement }), block())])
    };
    let blocked = |rules: &Rules, counters: &Counters, sent: &Sent, second: u64| {
        sent.to(rules, Some(counters), second).action != Action::Pass
    };
    let (rules, counters) = (rate(json!({ "ScopeDownStatement": starts("/login") })), Counters::default());
    let results: Vec<bool> = (0..12).map(|at| blocked(&rules, &counters, &get("/login"), at)).collect();
    assert_eq!(results.iter().filter(|blocked| **blocked).count(), 2, "ten pass: {results:?}");
    assert!(!blocked(&rules, &counters, &get("/other"), 12), "not in the scope");
    assert!(!blocked(&rules, &counters, &Sent { from: "198.51.100.2", ..get("/login") }, 12));
    let again = rate(json!({ "ScopeDownStatement": starts("/login") }));
    assert!(blocked(&again, &counters, &get("/login"), 13), "compiled anew, the counts stay");
    assert!(!blocked(
        &rate(json!({ "Limit": 11, "ScopeDownStatement": starts("/login") })),
        &counters,
        &get("/login"),
        13
    ));
    assert!(!blocked(&rules, &counters, &get("/login"), 100), "the window has passed");
    let explained = get("/login").to(&rules, None, 0);
    assert_eq!(explained.action, Action::Pass);
    assert!(explained.notes[0].contains("after 10 requests in 60 s from one address"), "{:?}", explained.notes);
}

#[test]
fn rates_are_counted_by_what_the_statement_names() {
    let rate = |kind: &str, more: Value| {
        let mut statement = json!({ "Limit": 10, "AggregateKeyType": kind });
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        acl(&[("rate", json!({ "RateBasedStatement": statement }), block())])
    };
    let blocked = |rules: &Rules, make: &dyn Fn(usize) -> Sent| {
        let counters = Counters::default();
        (0..20).filter(|at| make(*at).to(rules, Some(&counters), 0).action != Action::Pass).count()
    };
    let header = json!({ "ForwardedIPConfig": { "HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH" } });
    let forwarded = rate("FORWARDED_IP", header);
    assert_eq!(blocked(&forwarded, &|_| get("/").with("x-forwarded-for", "10.0.0.1, 10.0.0.2")), 10);
    assert_eq!(blocked(&forwarded, &|_| get("/")), 0, "without the header the rule does not apply");
    assert_eq!(blocked(&forwarded, &|_| get("/").with("x-forwarded-for", "?")), 20, "the fallback");
    let none = json!([{ "Priority": 0, "Type": "NONE" }]);
    let keys = json!({ "CustomKeys": [{ "IP": {} }, { "Header": { "Name": "x-key", "TextTransformations": none } }, { "HTTPMethod": {} }] });
    let custom = rate("CUSTOM_KEYS", keys);
    assert_eq!(blocked(&custom, &|_| get("/").with("x-key", "a")), 10);
    assert_eq!(blocked(&custom, &|at| get("/").with("x-key", if at % 2 == 0 { "a" } else { "b" })), 0);
    assert_eq!(blocked(&custom, &|_| get("/")), 0, "a request without a key is not counted");
    let all = rate("CONSTANT", json!({ "ScopeDownStatement": starts("/") }));
    assert_eq!(blocked(&all, &|at| Sent { from: ["10.0.0.1", "10.0.0.2"][at % 2], ..get("/") }), 10);
}
