//! Settings that the authorizer's own code judges, and what only gwctl can know of them.

use super::*;

const OWN: &str = "\"app_group\"";

/// A certificate that signs itself.
fn certificate() -> String {
    let key = rcgen::KeyPair::generate().expect("a key");
    rcgen::CertificateParams::default().self_signed(&key).expect("a certificate").pem()
}

/// The environment of a good configuration whose `authorizer` is this, and its defaults' `channels` that.
fn with(channels: &str, authorizer: &str) -> (TempDir, Configuration, Faults) {
    let root = good();
    let identity = r#""identity_source""#;
    edit(&root, DEFAULTS, identity, &format!("\"channels\": {channels},\n    {identity}"));
    edit(&root, DEV, OWN, &format!("\"authorizer\": {authorizer}, {OWN}"));
    let (configuration, faults) = load(root.path());
    (root, configuration, faults)
}

#[test]
fn channels_are_judged_by_the_authorizers_own_code_at_their_place() {
    check_cases(&[
        (
            DEV,
            OWN,
            r#""authorizer": {"channels": {"default": {«"path": "x", "scope": "/s"}}}, "app_group""#,
            r#"`channels.default.path` is "x""#,
            "begins with /",
        ),
        (
            DEV,
            OWN,
            "\"authorizer\": {\"channels\": {\"default\": {\"scope\": \"/s\"},\n  «\"Big\": {\"scope\": \"/s\"}}}, \"app_group\"",
            "`channels.Big` can't name a channel",
            "a-z",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"channels": {"default": {"scope": "/s", «"pth": {}}}}, "app_group""#,
            "`channels.default.pth` is unknown",
            "a channel has host, path",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"channels": {«"default": {}}}, "app_group""#,
            "`channels.default` gives no scope",
            "`x-user-scope` to `context`",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"channels": {"default": {"scope": "/s", "context": {«"X-User-Id": "me"}}}}, "app_group""#,
            "`channels.default.context.X-User-Id` is set by the authorizer itself",
            "leave it out",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"channels": {"default": {"scope": "/s", "context": {«"a/b~": "c"}}}}, "app_group""#,
            "`channels.default.context.a/b~` can't name",
            "use letters",
        ),
        (DEV, OWN, r#""authorizer": {«"channels": {}}, "app_group""#, "`channels` is empty", "name a channel"),
        (DEV, OWN, r#""authorizer": {«"channels": "all"}, "app_group""#, "`channels` is no object", "write {"),
        (
            DEV,
            OWN,
            r#""authorizer": {«"channels": {"mobile-app": {"scope": "/s"}}}, "app_group""#,
            "`channels` has no default channel, for requests that name none",
            "let `channel_required` be `true`",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {«"unknown_channel": "maybe"}, "app_group""#,
            "`unknown_channel` says what nobody knows",
            "write `refuse`",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"channel_required": «"yes"}, "app_group""#,
            "`channel_required` is a string",
            "write `true` or `false`",
        ),
        (
            DEFAULTS,
            r#""identity_source""#,
            r#""channels": {"default": {«"user_id": "sub", "scope": "/s"}}, "identity_source""#,
            r#"`channels.default.user_id` is "sub""#,
            "JSON pointer",
        ),
    ]);
}

#[test]
fn hosts_paths_and_times_are_said_once_by_whoever_says_it_better() {
    check_cases(&[
        (
            DEV,
            OWN,
            r#""authorizer": {«"auth_host": "auth_service.example.com"}, "app_group""#,
            "`auth_host` is no host",
            "auth.example.com/dev",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {«"auth_path": "/validate?x=y"}, "app_group""#,
            "`auth_path` is no path",
            "has no query",
        ),
        (DEV, OWN, r#""authorizer": {"auth_path": «"a?x"}, "app_group""#, "has no leading slash", "write `/a?x`"),
        (
            DEV,
            OWN,
            r#""authorizer": {«"auth_timeout_ms": 99}, "app_group""#,
            "`auth_timeout_ms` is no time-out",
            "from 100 to 14000",
        ),
        (DEV, OWN, r#""authorizer": {"auth_timeout_ms": «-1}, "app_group""#, "must be at least 0", "in milliseconds"),
        (
            DEV,
            OWN,
            r#""authorizer": {"auth_timeout_ms": «15000}, "app_group""#,
            "waited for 15000 ms, but the function is stopped after 15 s",
            "shorter",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"timeout": «5}, "app_group""#,
            "waited for 5000 ms, but the function is stopped after 5 s",
            "make `auth_timeout_ms` shorter",
        ),
    ]);
}

#[test]
fn what_is_kept_is_kept_by_the_token() {
    check_cases(&[
        (
            DEV,
            OWN,
            r#""authorizer": {«"identity_source": ["method.request.header.X-Token"]}, "app_group""#,
            "one user's would be given to another",
            "add `method.request.header.Authorization`",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"identity_source":
              ["method.request.header.authorization", «"method.request.header.X-Auth-Channel"]}, "app_group""#,
            "refuses every request without `x-auth-channel`",
            r#"write `"channel_required": true`"#,
        ),
    ]);
    // A function of one's own may look at whatever it likes, and what is not kept is given to nobody.
    let token = r#""identity_source": ["method.request.header.X-Token"]"#;
    for (ttl, own) in [("10", format!(r#"{{"zip": "own.zip", {token}}}"#)), ("0", format!("{{{token}}}"))] {
        let root = good();
        edit(&root, DEV, r#""authorizer_result_ttl": 10"#, &format!(r#""authorizer_result_ttl": {ttl}"#));
        edit(&root, DEV, OWN, &format!("\"authorizer\": {own}, {OWN}"));
        assert_eq!(
            load_good(&root).gate.as_ref().unwrap().settings.authorizer.identity_source,
            ["method.request.header.X-Token"]
        );
    }
}

#[test]
fn a_required_channel_is_part_of_what_answers_are_kept_by() {
    let (_root, configuration, faults) = with("null", r#"{"channel_required": true}"#);
    assert!(faults.is_empty(), "{}", faults.render(false));
    let authorizer = &configuration.environments[0].gate.as_ref().unwrap().settings.authorizer;
    assert_eq!(authorizer.identity_source, ["method.request.header.Authorization", CHANNEL_SOURCE]);
    assert_eq!(authorizer.variables(true)["AUTH_CHANNEL_REQUIRED"], "true");
    let own = r#"{"channel_required": true, "identity_source":
      ["method.request.header.X-Auth-Channel", "method.request.header.Authorization"]}"#;
    let (_root, configuration, faults) = with("null", own);
    assert!(faults.is_empty(), "{}", faults.render(false));
    assert_eq!(
        configuration.environments[0].gate.as_ref().unwrap().settings.authorizer.identity_source.len(),
        2,
        "it is there already"
    );
}

#[test]
fn a_product_adds_changes_and_takes_away_channels() {
    let inherited = r#"{"default": {"context": {"x-auth-type": "standard", "x-user-scope": "customer"}},
      "wechat-mini": {"path": "/wechat", "scope": "/s"}, "gone": null}"#;
    let own = r#"{"channels": {"default": {"path": "/own", "context": {"x-auth-type": null, "tenant": "b"}},
      "wechat-mini": null, "never-there": null, "partner": {"scope": "/p", "user_id": null}}}"#;
    let (_root, configuration, faults) = with(inherited, own);
    assert!(faults.is_empty(), "{}", faults.render(false));
    let authorizer = &configuration.environments[0].gate.as_ref().unwrap().settings.authorizer;
    let expected =
        r#"{"default":{"context":{"tenant":"b","x-user-scope":"customer"},"path":"/own"},"partner":{"scope":"/p"}}"#;
    assert_eq!(authorizer.variables(true)["AUTH_CHANNELS"], expected);
    let (_root, configuration, faults) = with(inherited, r#"{"channels": null}"#);
    assert!(faults.is_empty(), "{}", faults.render(false));
    assert_eq!(configuration.environments[0].gate.as_ref().unwrap().settings.authorizer.channels, None);
    // What stays has to make sense without what is taken away.
    let (_root, _, faults) = with(inherited, r#"{"channels": {"default": null}}"#);
    assert!(faults.render(false).contains("`channels` has no default channel"), "{}", faults.render(false));
}

#[test]
fn variables_with_a_setting_are_set_by_it() {
    check_cases(&[
        (
            DEV,
            OWN,
            r#""authorizer": {"environment": {«"AUTH_CHANNEL_REQUIRED": "true"}}, "app_group""#,
            "`AUTH_CHANNEL_REQUIRED` has a setting of its own",
            "write `authorizer.channel_required` instead",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"environment": {«"RESULT_CACHED": "true"}}, "app_group""#,
            "gwctl sets `RESULT_CACHED` itself",
            "take it away",
        ),
    ]);
    let (_root, configuration, faults) = with("null", r#"{"metrics": false, "environment": {"COLOR": "blue"}}"#);
    assert!(faults.is_empty(), "{}", faults.render(false));
    let variables = configuration.environments[0].gate.as_ref().unwrap().settings.authorizer.variables(false);
    assert_eq!(json!(variables), json!({"COLOR": "blue", "METRICS": "false", "RESULT_CACHED": "false"}));
}

#[test]
fn certificates_come_from_a_file_beside_the_configuration() {
    let root = good();
    let own = r#""authorizer": {"auth_ca": "environments/product-a/auth-ca.pem"}, "app_group""#;
    edit(&root, DEV, OWN, own);
    let pem = certificate().replace("\r\n", "\n");
    write(root.path(), "environments/product-a/auth-ca.pem", &format!("our CA\n{pem}"));
    let variables = load_good(&root).gate.as_ref().unwrap().settings.authorizer.variables(true);
    assert_eq!(variables["AUTH_CA_PEM"].trim(), pem.trim());
    write(root.path(), "environments/product-a/auth-ca.pem", "our CA\n");
    let (configuration, faults) = load(root.path());
    assert!(faults.render(false).contains("auth-ca.pem` holds no certificate"), "{}", faults.render(false));
    assert!(configuration.environments.is_empty());
    check_cases(&[
        (
            DEV,
            OWN,
            r#""authorizer": {"auth_ca": «"no-such.pem"}, "app_group""#,
            "`no-such.pem` is not there",
            "correct its name",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"auth_ca": «"../ca.pem"}, "app_group""#,
            "`../ca.pem` is not below the configuration root",
            "environments/PRODUCT/auth-ca.pem",
        ),
        (
            DEV,
            OWN,
            r#""authorizer": {"auth_ca": «"/etc/ssl/ca.pem"}, "app_group""#,
            "is not below the configuration root",
            "beside",
        ),
    ]);
}

#[test]
fn all_variables_together_have_to_fit() {
    let root = good();
    write(root.path(), "ca.pem", &certificate().repeat(4));
    let context: Vec<String> = (0..4).map(|n| format!("\"c{n}\": \"{}\"", "x".repeat(400))).collect();
    let authorizer = |channels: &str| {
        format!(
            "\"authorizer\": {{\n\"environment\": {{\"COLOR\": \"{}\"}},\n\"auth_ca\": \"ca.pem\"{channels}}}, {OWN}",
            "b".repeat(1000)
        )
    };
    edit(&root, DEV, OWN, &authorizer(""));
    let alone = load_good(&root).gate.as_ref().unwrap().settings.authorizer.variables(false);
    let channels =
        format!(",\n\"channels\": {{\"default\": {{\"scope\": \"/s\", \"context\": {{{}}}}}}}", context.join(", "));
    write(root.path(), DEV, &DEV_TEXT.replace(OWN, &authorizer(&channels)));
    let (_, faults) = load(root.path());
    let shown = faults.render(false);
    assert_eq!(faults.len(), 1, "{shown}");
    let fault = faults.iter().next().expect("one fault");
    assert!(fault.message.starts_with("the environment variables of the functions take "), "{shown}");
    // The largest is named first, and pointed at.
    let ca = serde_json::to_string(&alone["AUTH_CA_PEM"]).expect("a string").len();
    assert!(fault.message.contains(&format!(": `AUTH_CA_PEM` {ca}, `AUTH_CHANNELS` ")), "{shown}");
    assert_eq!(fault.span.as_ref().map(Span::text), Some("\"auth_ca\""), "{shown}");
}
