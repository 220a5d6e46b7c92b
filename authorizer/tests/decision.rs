//! The decisions, as tables and as laws.

mod channels;

use authorizer::gate::{Reply, Settings, UnknownChannel, YesWhen, ask};
use authorizer::system::Callers;
use authorizer::{Cause, Denial, MAX_CONTEXT_BYTES};
use channels::{METHOD, STAGE, TOKEN, channels, rows};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const YES: &str = r#"{"code":"0","data":{"jwt":"user.jwt.1"}}"#;
/// Every variable of the two functions that is read by the library.
const VARIABLES: [&str; 8] = [
    "AUTH_HOST",
    "AUTH_PATH",
    "AUTH_TIMEOUT_MS",
    "RESULT_CACHED",
    "AUTH_CA_PEM",
    "AUTH_CHANNELS",
    "AUTH_UNKNOWN_CHANNEL",
    "AUTH_CHANNEL_REQUIRED",
];

fn settings(more: &[(&str, &str)]) -> Settings {
    let all = [&[("AUTH_HOST", "auth.example.com/dev")], more].concat();
    Settings::read(|name| all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())).unwrap()
}

/// The settings with every kind of channel.
fn all_channels(more: &[(&str, &str)]) -> Settings {
    settings(&[&[("AUTH_CHANNELS", channels().to_string().as_str())], more].concat())
}

fn event(headers: &Value) -> Value {
    json!({"type": "REQUEST", "methodArn": METHOD, "headers": headers})
}

fn bearer() -> Value {
    event(&json!({"Authorization": "Bearer a+b/c="}))
}

fn judge(settings: &Settings, event: &Value, status: u16, body: &str) -> Result<Value, Denial> {
    let question = ask(settings, event)?;
    question.judge(&Reply { status, body: body.as_bytes() }).map(|allow| allow.response())
}

#[test]
fn every_channel_asks_and_reads_in_its_own_way() {
    for (cached, resource) in [("true", STAGE), ("false", METHOD)] {
        let settings = all_channels(&[("RESULT_CACHED", cached)]);
        for row in rows() {
            let question = ask(&settings, &row.event()).unwrap();
            assert_eq!(question.url(), format!("https://auth.example.com/dev{}", row.target));
            assert_eq!(question.header(), row.header.as_ref().map(|(name, value)| (*name, value.as_str())));
            assert_eq!(question.channel(), row.name);
            let judge = |status, body: &Value| judge(&settings, &row.event(), status, &body.to_string());
            assert_eq!(judge(200, &row.yes), Ok(row.allow(resource)));
            for status in [200, 400, 401, 403, 404, 429] {
                assert!(matches!(judge(status, &row.no), Err(Denial::Unauthorized(_))), "{}: {status}", row.name);
            }
            for status in [100, 201, 204, 301, 302, 400, 403, 404, 500, 503] {
                let denial = judge(status, &row.yes).unwrap_err();
                assert!(matches!(denial, Denial::Failed(Cause::Nonsense, _)), "{}: {status}", row.name);
            }
            assert!(matches!(judge(401, &row.yes), Err(Denial::Unauthorized(_))));
        }
    }
}

#[test]
fn the_answer_of_one_channel_is_no_yes_in_another() {
    let settings = all_channels(&[]);
    for row in rows() {
        for other in rows().iter().filter(|other| other.name != row.name) {
            assert!(
                judge(&settings, &row.event(), 200, &other.yes.to_string()).is_err(),
                "{} {}",
                row.name,
                other.name
            );
        }
    }
}

#[test]
fn a_channel_may_have_a_host_of_its_own() {
    let channels = r#"{"default": {"host": "partner.example.org:8443/auth/", "path": "/check", "scope": "/s"}}"#;
    let settings = settings(&[("AUTH_CHANNELS", channels)]);
    let question = ask(&settings, &bearer()).unwrap();
    assert_eq!(question.url(), "https://partner.example.org:8443/auth/check?token=a%2Bb%2Fc%3D");
}

#[test]
fn a_yes_is_the_same_value_of_the_same_type() {
    let values = [json!("0"), json!("true"), json!(""), json!(0), json!(1), json!(-1.5), json!(true), json!(false)];
    for equals in &values {
        let channel = json!({"yes_when": {"pointer": "/is", "equals": equals}, "user_id": "/id", "scope": "/scope"});
        let settings = settings(&[("AUTH_CHANNELS", &json!({ "default": channel }).to_string())]);
        for value in &values {
            let answer = json!({"is": value, "id": "me", "scope": "all"}).to_string();
            match judge(&settings, &bearer(), 200, &answer) {
                Ok(_) => assert_eq!(value, equals),
                Err(denial) => {
                    assert!(value != equals && matches!(denial, Denial::Unauthorized(_)), "{value} {equals}");
                }
            }
        }
        for answer in
            [json!({}), json!({"is": null}), json!({"is": [equals]}), json!([equals]), json!({"is": {"": equals}})]
        {
            let denial = judge(&settings, &bearer(), 200, &answer.to_string()).unwrap_err();
            assert!(matches!(denial, Denial::Failed(Cause::Nonsense, _)), "{answer}");
        }
    }
}

#[test]
fn user_ids_and_scopes_are_texts_that_can_stand_in_a_header() {
    let with = |context: Value| {
        let channel = json!({"user_id": "/id", "scope": "/scope", "context": context});
        settings(&[("AUTH_CHANNELS", &json!({ "default": channel }).to_string())])
    };
    let (strict, fallback) = (with(json!({})), with(json!({"x-user-scope": "few"})));
    let judge = |settings, id: &Value, scope: Option<&Value>| {
        let mut answer = json!({"code": "0", "id": id});
        if let Some(scope) = scope {
            answer["scope"] = scope.clone();
        }
        let context = judge(settings, &bearer(), 200, &answer.to_string()).map(|answer| answer["context"].clone());
        assert!(!matches!(context, Err(Denial::Unauthorized(_))), "{answer}");
        context.ok().map(|context| [context["x-user-id"].clone(), context["x-user-scope"].clone()])
    };
    let all = json!("all");
    for (id, text) in
        [(json!("me"), "me"), (json!(7), "7"), (json!(-7), "-7"), (json!(u64::MAX), "18446744073709551615")]
    {
        assert_eq!(judge(&strict, &id, Some(&all)), Some([json!(text), json!("all")]), "{id}");
    }
    for id in [json!(null), json!(""), json!("a b"), json!("a\r\nx: y"), json!("ü"), json!(1.5), json!(true), json!({})]
    {
        assert_eq!(judge(&strict, &id, Some(&all)), None, "{id}");
    }
    let me = json!("me");
    for (scope, text) in [
        (json!("a b"), "a b"),
        (json!(["a", "b"]), "a b"),
        (json!(["a"]), "a"),
        (json!(1), "1"),
        (json!("none"), "none"),
    ] {
        for settings in [&strict, &fallback] {
            assert_eq!(judge(settings, &me, Some(&scope)), Some([me.clone(), json!(text)]), "{scope}");
        }
    }
    // Said to be unknown, it is what the configuration says; said in a way that nobody can pass on, it is nonsense.
    for scope in [None, Some(&Value::Null)] {
        assert_eq!(judge(&strict, &me, scope), None);
        assert_eq!(judge(&fallback, &me, scope), Some([me.clone(), json!("few")]));
    }
    for scope in
        [json!(""), json!([]), json!(" a"), json!("a\nb"), json!(["a", 1]), json!(true), json!({"a": 1}), json!("ü")]
    {
        for settings in [&strict, &fallback] {
            assert_eq!(judge(settings, &me, Some(&scope)), None, "{scope}");
        }
    }
}

#[test]
fn the_context_stays_within_what_api_gateway_passes_on() {
    let event = |length| event(&json!({"authorization": format!("Bearer {}", "t".repeat(length))}));
    let answer = |length| json!({"code": "0", "data": {"jwt": "j".repeat(length)}}).to_string();
    let settings = settings(&[]);
    let size = |answer: &Value| -> usize {
        let context = answer["context"].as_object().unwrap();
        context.iter().map(|(name, value)| name.len() + value.as_str().unwrap().len()).sum()
    };
    let small = judge(&settings, &event(8192), 200, &answer(1)).unwrap();
    let room = MAX_CONTEXT_BYTES - size(&small);
    let largest = judge(&settings, &event(8192), 200, &answer(1 + room)).unwrap();
    assert_eq!(size(&largest), MAX_CONTEXT_BYTES);
    let denial = judge(&settings, &event(8192), 200, &answer(2 + room)).unwrap_err();
    assert!(matches!(denial, Denial::Failed(Cause::Nonsense, _)), "{denial:?}");
    assert!(matches!(judge(&settings, &event(8193), 200, YES), Err(Denial::Unauthorized("malformed token"))));
}

#[test]
fn requests_that_are_refused_unasked() {
    let headers = [
        (json!(null), "no token"),
        (json!({}), "no token"),
        (json!({"authorization": ""}), "malformed token"),
        (json!({"authorization": "abc"}), "malformed token"),
        (json!({"authorization": "Basic abc"}), "malformed token"),
        (json!({"authorization": "Bearer a b"}), "malformed token"),
        (json!({"authorization": "Bearer a", "Authorization": "Bearer b"}), "more than one authorization header"),
        (json!({"authorization": "Bearer a", "x-auth-channel": "web"}), "unknown channel"),
        (json!({"authorization": "Bearer a", "X-Auth-Channel": "DEFAULT"}), "unknown channel"),
        (json!({"authorization": "Bearer a", "X-Auth-Channel": "default,mobile-app"}), "unknown channel"),
    ];
    for (headers, reason) in headers {
        let denial = ask(&all_channels(&[]), &event(&headers)).unwrap_err();
        assert_eq!(denial, Denial::Unauthorized(reason), "{headers}");
        assert_eq!(denial.to_string(), "Unauthorized");
    }
    for (name, first, second) in
        [("authorization", "Bearer a", "Bearer a"), ("x-auth-channel", "default", "mobile-app")]
    {
        let repeated = json!({
            "type": "REQUEST", "methodArn": METHOD, "headers": {"authorization": "Bearer a", (name): second},
            "multiValueHeaders": {(name): [first, second]},
        });
        let denial = ask(&all_channels(&[]), &repeated).unwrap_err();
        assert!(denial.reason().starts_with("more than one"), "{denial:?}");
    }
}

#[test]
fn what_becomes_of_a_channel_follows_the_configuration() {
    let (default, refused) = (Ok("default"), |reason| Err(Denial::Unauthorized(reason)));
    for (unknown, required, none, other) in [
        ("refuse", "false", default.clone(), refused("unknown channel")),
        ("refuse", "true", refused("no channel"), refused("unknown channel")),
        ("default", "false", default.clone(), default.clone()),
        ("default", "true", refused("no channel"), default.clone()),
    ] {
        let settings = all_channels(&[("AUTH_UNKNOWN_CHANNEL", unknown), ("AUTH_CHANNEL_REQUIRED", required)]);
        let asks = |name: Option<&str>| {
            let mut headers = json!({"authorization": "Bearer a"});
            if let Some(name) = name {
                headers["x-auth-channel"] = json!(name);
            }
            ask(&settings, &event(&headers)).map(|question| question.channel().to_owned())
        };
        let text = |expected: &Result<&str, Denial>| expected.clone().map(ToOwned::to_owned);
        assert_eq!((asks(None), asks(Some(""))), (text(&none), text(&none)), "{unknown} {required}");
        assert_eq!(asks(Some("web")), text(&other), "{unknown} {required}");
        assert_eq!(asks(Some("default")).as_deref(), Ok("default"));
        assert_eq!(asks(Some("mobile-app")).as_deref(), Ok("mobile-app"));
        assert_eq!(settings.channels.unknown == UnknownChannel::Default, unknown == "default");
    }
}

#[test]
fn events_that_make_no_sense_are_no_ones_login() {
    let headers = json!({"authorization": "Bearer a"});
    for event in [
        json!(null),
        json!({"type": "TOKEN", "methodArn": METHOD, "authorizationToken": "Bearer a"}),
        json!({"type": "REQUEST", "headers": headers}),
        json!({"type": "REQUEST", "headers": headers, "methodArn": "arn:aws:s3:::bucket"}),
        json!({"type": "REQUEST", "headers": headers, "methodArn": "arn:aws:execute-api:*:*:*/*/GET/"}),
    ] {
        assert!(matches!(ask(&settings(&[]), &event), Err(Denial::Failed(Cause::Event, _))), "{event}");
    }
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let settings = all_channels(&[]);
    for row in rows() {
        let mut printed = vec![format!("{:?}", ask(&settings, &row.event()).unwrap())];
        let bodies =
            [row.yes.to_string(), row.no.to_string(), "s3cret".to_owned(), json!({"code": "s3cret"}).to_string()];
        for (status, body) in
            [200, 401, 403, 500].iter().flat_map(|status| bodies.iter().map(move |body| (*status, body)))
        {
            let reply = Reply { status, body: body.as_bytes() };
            printed.push(format!("{reply:?}"));
            printed.push(match ask(&settings, &row.event()).unwrap().judge(&reply) {
                Ok(allow) => format!("{allow:?}"),
                Err(denial) => format!("{denial} {denial:?} {}", denial.reason()),
            });
        }
        for secret in ["s3cret", TOKEN, row.user[0]] {
            assert!(printed.iter().all(|text| !text.contains(secret)), "{printed:?}");
        }
    }
}

/// Any JSON, so that every shape of an event, a configuration or a reply comes by.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("0")),
    ];
    leaf.prop_recursive(3, 32, 5, |inner| {
        let name = "data|jwt|code|headers|type|default|path|host|yes_when|pointer|equals|context|.*";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Events near enough to real ones that a good part of them gets as far as a question.
fn any_event() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("Authorization".to_owned()), Just("x-auth-channel".to_owned()), ".{0,12}"];
    let value = prop_oneof!["Bearer [a-z0-9]{1,9}", "default|one|two", ".{0,20}"];
    let headers = prop::collection::btree_map(name, value, 0..4).prop_map(|headers| json!(headers));
    let headers = prop_oneof![3 => headers, 1 => any_json()];
    let good = ("[a-z0-9]{1,9}", prop::option::of("default|one|two"))
        .prop_map(|(token, channel)| json!({"authorization": format!("Bearer {token}"), "x-auth-channel": channel}));
    let headers = prop_oneof![good, headers];
    let arn = prop_oneof![3 => Just(METHOD.to_owned()), 1 => "arn:.*", 1 => "arn:aws:execute-api:r:1:a/s/.{0,700}"];
    let repeats = prop_oneof![3 => Just(Value::Null), 1 => any_json()];
    let real = (headers, repeats, arn).prop_map(
        |(one, many, arn)| json!({"type": "REQUEST", "methodArn": arn, "headers": one, "multiValueHeaders": many}),
    );
    prop_oneof![8 => real, 1 => any_json()]
}

/// Pointers into small answers, their escapes included, and what is none.
fn any_pointer() -> impl Strategy<Value = String> {
    prop_oneof![4 => "(/(a|b|0|a~1b|a~0b)){1,3}", 1 => ".{0,6}"]
}

/// Channels of which a good part is good.
fn any_channels() -> impl Strategy<Value = Value> {
    let member = |name: &'static str, good: BoxedStrategy<Value>| {
        let value = prop_oneof![30 => good, 1 => any_json()];
        prop::option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let text = |pattern: &'static str| pattern.prop_map(Value::from).boxed();
    let pointer = || any_pointer().prop_map(Value::from).boxed();
    let scalar = prop_oneof![Just(json!("0")), Just(json!(0)), any::<bool>().prop_map(Value::from)];
    let yes_when = (any_pointer(), scalar).prop_map(|(pointer, equals)| json!({"pointer": pointer, "equals": equals}));
    let context =
        prop::collection::btree_map("x-user-scope|x-auth-type|x-[a-z]{1,4}", "[!-~]{1,20}( [!-~]{1,5})?", 0..4);
    let members = (
        member("host", text("[a-z.-]{1,9}(:[0-9+]{1,4})?(/[a-z]{1,4}){0,2}/?")),
        member("path", text("/[a-z0-9%!$&'()*+,;=:@/~._-]{0,20}")),
        member("token_in", text("(query|header):[a-z.~_-]{1,9}|header:authorization")),
        member("yes_when", yes_when.boxed()),
        member("user_id", pointer()),
        member("scope", pointer()),
        member("context", context.prop_map(|context| json!(context)).boxed()),
    );
    let channel =
        members.prop_map(|(a, b, c, d, e, f, g)| Value::Object([a, b, c, d, e, f, g].into_iter().flatten().collect()));
    let scoped = channel.prop_map(|mut channel| {
        // Without a scope it is refused, which the others show often enough.
        if channel.get("context").is_none() && channel.get("scope").is_none() {
            channel["scope"] = json!("/a");
        }
        channel
    });
    let all = prop::collection::btree_map("default|one|two", scoped, 1..3).prop_map(|channels| json!(channels));
    prop_oneof![9 => all, 1 => any_json()]
}

/// Answers that the pointers above lead into, and others.
fn any_answer() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("0")),
        Just(json!(0)),
        any::<bool>().prop_map(Value::from),
        "[!-~]{1,20}".prop_map(Value::from),
        prop::collection::vec("[a-z]{1,5}", 0..3).prop_map(Value::from),
    ];
    let small = leaf.prop_recursive(3, 24, 5, |inner| {
        prop::collection::btree_map("a|b|0|a/b|a~b|code|data|jwt", inner, 1..5).prop_map(|members| json!(members))
    });
    prop_oneof![6 => small, 1 => any_json()]
}

/// What RFC 6901 says, written a second time.
fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(&step.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) if step == "0" || !step.starts_with(['0', '+']) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// An answer that holds what the channel wants to see, as far as its pointers leave room for each other.
fn yes_of(when: &YesWhen, user_id: &str, scope: Option<&str>) -> Value {
    fn put(into: &mut Value, pointer: &str, value: Value) {
        let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        let mut place = into;
        for step in steps {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[step];
        }
        *place = value;
    }
    let mut answer = json!({});
    if let Some(scope) = scope {
        put(&mut answer, scope, json!("read write"));
    }
    put(&mut answer, user_id, json!("user-1"));
    put(&mut answer, &when.pointer, when.equals.clone());
    answer
}

/// What holds for every `Allow`, whatever the channel.
fn check_allow(answer: &Value, event: &Value, cached: bool) -> Result<(), TestCaseError> {
    let statement = &answer["policyDocument"]["Statement"];
    prop_assert_eq!(statement.as_array().unwrap().len(), 1);
    let resource = statement[0]["Resource"].as_str().unwrap();
    prop_assert!(resource.len() <= 512);
    let called = event["methodArn"].as_str().unwrap();
    if cached {
        let stage = called.split('/').take(2).collect::<Vec<_>>().join("/");
        prop_assert_eq!(resource, format!("{}/*", stage));
    } else {
        let cut = resource.strip_suffix('*').unwrap_or(resource);
        prop_assert!(resource == called || called.len() > 512 && called.starts_with(cut));
        prop_assert!(cut.matches('/').count() >= 2, "the stage, and something of the method");
    }
    let mut bytes = 0;
    for (name, value) in answer["context"].as_object().unwrap() {
        let value = value.as_str().expect("a string");
        prop_assert!(!value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        prop_assert_eq!(value.trim(), value);
        bytes += name.len() + value.len();
    }
    prop_assert!(bytes <= MAX_CONTEXT_BYTES);
    Ok(())
}

/// A question, an answer and its status by any channels: an `Allow` is one for good reason.
fn only_a_yes_allows(settings: &Settings, event: &Value, status: u16, reply: &str) -> Result<bool, TestCaseError> {
    let Ok(answer) = judge(settings, event, status, reply) else { return Ok(false) };
    let question = ask(settings, event).unwrap();
    let channel = settings.channels.get(question.channel()).expect("a configured channel");
    let said: Value = serde_json::from_str(reply).unwrap();
    prop_assert_eq!(status, 200);
    prop_assert_eq!(at(&said, &channel.yes_when.pointer), Some(&channel.yes_when.equals));
    prop_assert!(at(&said, &channel.user_id).is_some());
    check_allow(&answer, event, settings.result_cached)?;
    let context = &answer["context"];
    prop_assert_eq!(&context["x-auth-channel"], &channel.name);
    prop_assert!(context["x-auth-type"].is_string() && context["x-user-scope"].is_string());
    let token = context["x-user-token"].as_str().unwrap();
    let sent = question.header().map_or(question.url(), |(_, value)| value);
    prop_assert!(sent.ends_with(token), "the token of the context is the one that was asked about");
    prop_assert!(event.to_string().contains(token));
    Ok(true)
}

fn read(channels: &str, cached: bool) -> Option<Settings> {
    let variable = |name: &str| match name {
        "AUTH_HOST" => Some("auth.example.com/dev".to_owned()),
        "AUTH_CHANNELS" => Some(channels.to_owned()),
        "RESULT_CACHED" => Some(cached.to_string()),
        _ => None,
    };
    Settings::read(variable).ok()
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics_and_only_a_yes_allows(
        channels in any_channels(), event in any_event(), cached: bool,
        status in prop_oneof![4 => Just(200_u16), 1 => any::<u16>()],
        reply in prop_oneof![4 => any_answer().prop_map(|json| json.to_string()), 1 => ".*", 1 => Just(YES.to_owned())],
    ) {
        let settings = [settings(&[("RESULT_CACHED", if cached { "true" } else { "false" })])];
        for settings in read(&channels.to_string(), cached).into_iter().chain(settings) {
            only_a_yes_allows(&settings, &event, status, &reply)?;
        }
    }

    #[test]
    fn every_channel_can_say_yes_and_with_no_other_status(
        channels in any_channels(), cached: bool, token in "[a-z0-9]{1,20}", other in 100..600_u16,
    ) {
        let Some(settings) = read(&channels.to_string(), cached) else { return Ok(()) };
        for channel in settings.channels.iter() {
            let headers = json!({"authorization": format!("Bearer {token}"), "x-auth-channel": channel.name});
            let answer = yes_of(&channel.yes_when, &channel.user_id, channel.scope.as_deref());
            let allowed = only_a_yes_allows(&settings, &event(&headers), 200, &answer.to_string())?;
            // Where one pointer leads through what another one found, there is nothing to find.
            let all_there = at(&answer, &channel.user_id) == Some(&json!("user-1"))
                && channel.scope.as_deref().is_none_or(|scope| at(&answer, scope) == Some(&json!("read write")));
            prop_assert!(allowed || !all_there, "{answer} {channel:?}");
            prop_assert!(other == 200 || !only_a_yes_allows(&settings, &event(&headers), other, &answer.to_string())?);
        }
    }

    #[test]
    fn every_token_that_is_asked_about_arrives_whole(token in "[A-Za-z0-9._~+/-]{1,60}={0,2}") {
        for row in rows() {
            let mut event = row.event();
            event["headers"]["Authorization"] = json!(format!("Bearer {token}"));
            let settings = all_channels(&[]);
            let question = ask(&settings, &event).unwrap();
            if let Some((name, value)) = question.header() {
                let scheme = if name == "authorization" { "Bearer " } else { "" };
                prop_assert_eq!(value, format!("{scheme}{token}"));
                prop_assert!(!question.url().contains('?'));
            } else {
                let (_, query) = question.url().split_once("token=").unwrap();
                prop_assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
                prop_assert_eq!(query.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="), token.as_str());
            }
        }
    }

    #[test]
    fn no_text_of_a_denial_holds_what_came_in(
        secret in "s3cret[a-z0-9]{6}", shape in any_answer(), status in prop_oneof![Just(200_u16), 200..600_u16],
    ) {
        let settings = all_channels(&[]);
        // The secret stands at every place where there was a text, and as a name.
        let reply = format!("{}{secret}", shape.to_string().replace(":\"", &format!(":\"{secret}")));
        for body in [reply.as_str(), reply.trim_end_matches(&secret), &json!({&secret: shape}).to_string()] {
            for row in rows() {
                let mut event = row.event();
                event["headers"]["Authorization"] = json!(format!("Bearer {secret}"));
                let question = ask(&settings, &event).unwrap();
                let mut printed = format!("{question:?}");
                let reply = Reply { status, body: body.as_bytes() };
                let judged = match question.judge(&reply) {
                    Ok(allow) => format!("{allow:?} {reply:?}"),
                    Err(denial) => format!("{denial} {denial:?} {reply:?} {}", denial.reason()),
                };
                printed.push_str(&judged);
                prop_assert!(!printed.contains(&secret), "{}", printed);
            }
        }
    }

    #[test]
    fn settings_of_any_text_are_read_or_refused(
        texts in prop::array::uniform8(prop::option::of(prop_oneof![
            ".*", "[a-z.]{1,9}", "/[a-z]{0,9}", "[0-9]{1,6}", "true|false|refuse|default", any_json().prop_map(|json| json.to_string()),
        ])),
    ) {
        let find = |name: &str| texts[VARIABLES.iter().position(|variable| *variable == name)?].clone();
        match Settings::read(find) {
            Ok(settings) => prop_assert!((100..=14_000).contains(&settings.timeout.as_millis())),
            Err(faults) => {
                prop_assert!(!faults.0.is_empty());
                prop_assert!(faults.0.iter().all(|fault| VARIABLES.contains(&fault.variable) && !fault.hint.is_empty()));
                prop_assert!(!faults.to_string().is_empty());
            }
        }
    }

    #[test]
    fn no_key_but_the_configured_gets_an_allow(
        keys in prop::collection::btree_set("[a-z0-9]{1,12}", 1..6), other in "[a-zA-Z0-9._~+/-]{1,70}",
        event in any_event(), cached: bool,
    ) {
        let digest = |key: &str| Sha256::digest(key).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let keys: Vec<&String> = keys.iter().collect();
        let (first, second) = keys.split_at(keys.len().div_ceil(2));
        let digests = |keys: &[&String]| keys.iter().map(|key| digest(key)).collect::<Vec<_>>();
        let mut all = json!({"first": digests(first)});
        if !second.is_empty() {
            all["second"] = json!(digests(second));
        }
        let variable = |name: &str| match name {
            "CALLERS" => Some(all.to_string()),
            _ => Some(cached.to_string()),
        };
        let callers = Callers::read(variable).unwrap();
        let with = |key: &str| self::event(&json!({"authorization": format!("Bearer {key}")}));
        for (known, caller) in [(first, "first"), (second, "second")] {
            for key in known {
                let answer = callers.decide(&with(key)).unwrap().response();
                prop_assert_eq!(&answer["context"], &json!({"x-caller": caller}));
                check_allow(&answer, &with(key), cached)?;
                prop_assert!(callers.decide(&with(&digest(key))).is_err());
            }
        }
        if !keys.contains(&&other) {
            prop_assert_eq!(callers.decide(&with(&other)).unwrap_err(), Denial::Unauthorized("unknown key"));
        }
        if let Ok(allow) = callers.decide(&event) {
            check_allow(&allow.response(), &event, cached)?;
            let held = event["headers"].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
            let held = held.filter_map(|value| value.split_once(' '));
            prop_assert!(held.into_iter().any(|(_, key)| keys.iter().any(|known| *known == key)), "{event}");
        }
    }

    #[test]
    fn callers_of_any_text_are_read_or_refused(text in prop_oneof![".*", any_json().prop_map(|json| json.to_string())]) {
        let read = Callers::read(|name| (name == "CALLERS").then(|| text.clone()));
        // No text that is made at random is a digest.
        prop_assert!(read.unwrap_err().0.iter().all(|fault| fault.variable == "CALLERS" && !fault.hint.is_empty()));
    }
}

/// Settings that pass the check have to make URLs that the client takes: at deploy time is the time to say so.
#[cfg(feature = "function")]
mod urls {
    use super::*;

    proptest! {
        #[test]
        fn every_question_has_a_url(
            host in "[a-z0-9.-]{1,12}(:[0-9+]{1,5})?(/[a-z0-9%!$&'()*+,;=:@/~._-]{0,12})?", channels in any_channels(),
        ) {
            let variable = |name: &str| match name {
                "AUTH_HOST" => Some(host.clone()),
                "AUTH_CHANNELS" => Some(channels.to_string()),
                _ => None,
            };
            let Ok(settings) = Settings::read(variable) else { return Ok(()) };
            for channel in settings.channels.iter() {
                let headers = json!({"authorization": "Bearer a", "x-auth-channel": channel.name});
                let question = ask(&settings, &event(&headers)).unwrap();
                let url: Result<hyper::Uri, _> = question.url().parse();
                prop_assert!(url.is_ok(), "{}", question.url());
                let url = url.unwrap();
                prop_assert_eq!(url.to_string(), question.url());
                let own = channel.host.as_ref().unwrap_or(&settings.auth_host);
                let port = own.split('/').next().unwrap().split_once(':').map(|(_, port)| port.parse().unwrap());
                prop_assert_eq!(url.port_u16(), port);
            }
        }
    }
}
