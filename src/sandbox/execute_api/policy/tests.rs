//! Policies as they are written, and what they say.

use super::*;

const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc/dev/GET/orders/42";

fn ask<'p>(policy: &'p Policy, principal: Principal<'_>, resource: &str, has: &[(&str, &str)]) -> Verdict<'p> {
    let keys = Pairs(has.to_vec());
    policy.evaluate(&Question { action: "execute-api:Invoke", resource, principal, keys: &keys })
}

fn sid<'p>(verdict: &Verdict<'p>) -> Option<&'p str> {
    match verdict {
        Verdict::Denied(found) | Verdict::Allowed(found) => found.sid,
        Verdict::Silent => None,
    }
}

#[test]
fn a_deny_goes_before_every_allow_and_says_which_pattern_matched() {
    let policy = Policy::parse(
        r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"all","Effect":"Allow","Principal":"*","Action":"execute-api:invoke","Resource":"*"},
            {"Sid":"deny-list","Effect":"Deny","Principal":"*","Action":"execute-api:*",
             "Resource":["arn:aws:execute-api:*:*:abc/*/GET/admin*","arn:aws:execute-api:*:*:abc/*/GET/orders/*"]}]}"#,
    )
    .unwrap();
    let denied = ask(&policy, Principal::Anonymous, ARN, &[]);
    let pattern = "arn:aws:execute-api:*:*:abc/*/GET/orders/*";
    let found = StatementRef { index: 1, sid: Some("deny-list"), resource: Some(pattern) };
    assert_eq!(denied, Verdict::Denied(found));
    assert_eq!(found.to_string(), format!("statement `deny-list` (resource pattern `{pattern}`)"));
    let allowed = ask(&policy, Principal::Anonymous, &ARN.replace("orders", "carts"), &[]);
    assert_eq!(allowed, Verdict::Allowed(StatementRef { index: 0, sid: Some("all"), resource: Some("*") }));
}

#[test]
fn the_not_elements_turn_a_list_round() {
    let policy = Policy::parse(
        r#"{"Statement":[
            {"Sid":"others","Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"*","NotResource":"*/open/*"},
            {"Sid":"rest","Effect":"Allow","Principal":"*","NotAction":"execute-api:ManageConnections","Resource":"*"}]}"#,
    )
    .unwrap();
    let own = Principal::Aws { account: "123456789012", arn: "arn:aws:iam::123456789012:user/a", role: None };
    assert_eq!(sid(&ask(&policy, own, ARN, &[])), Some("rest"));
    let other = Principal::Aws { account: "210987654321", arn: "arn:aws:iam::210987654321:user/a", role: None };
    assert!(matches!(ask(&policy, other, ARN, &[]), Verdict::Denied(found) if found.resource.is_none()));
    assert_eq!(sid(&ask(&policy, other, &ARN.replace("orders", "open"), &[])), Some("rest"));
    let managing = Question { action: "EXECUTE-API:manageconnections", resource: ARN, principal: own, keys: &NoKeys };
    assert_eq!(policy.evaluate(&managing), Verdict::Silent);
}

#[test]
fn principals_are_accounts_arns_roles_of_sessions_and_services() {
    let session = Principal::Aws {
        account: "123456789012",
        arn: "arn:aws:sts::123456789012:assumed-role/caller/me",
        role: Some("arn:aws:iam::123456789012:role/path/caller"),
    };
    let service = Principal::Service("apigateway.amazonaws.com");
    for (listed, principal, expected) in [
        (r#""*""#, Principal::Anonymous, true),
        (r#"{"AWS":"*"}"#, Principal::Anonymous, true),
        (r#"{"AWS":"123456789012"}"#, Principal::Anonymous, false),
        (r#"{"AWS":"123456789012"}"#, session, true),
        (r#"{"AWS":["1","arn:aws:iam::123456789012:root"]}"#, session, true),
        (r#"{"AWS":"arn:aws:iam::123456789012:role/path/caller"}"#, session, true),
        (r#"{"AWS":"arn:aws:sts::123456789012:assumed-role/caller/me"}"#, session, true),
        (r#"{"AWS":"arn:aws:iam::123456789012:role/*"}"#, session, false),
        (r#"{"AWS":"210987654321"}"#, session, false),
        (r#"{"Service":"apigateway.amazonaws.com"}"#, service, true),
        (r#"{"Service":"lambda.amazonaws.com"}"#, service, false),
        (r#"{"Federated":"cognito-identity.amazonaws.com"}"#, session, false),
    ] {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{listed},"Action":"*","Resource":"*"}}}}"#);
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(ask(&policy, principal, ARN, &[]) != Verdict::Silent, expected, "{listed} {principal:?}");
        assert!(policy.names_principals());
    }
}

#[test]
fn all_conditions_of_a_statement_have_to_hold() {
    let policy = Policy::parse(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke",
            "Resource":"arn:aws:execute-api:*:*:abc/*/GET/${aws:PrincipalTag/team, 'orders'}/*","Condition":{
            "IpAddress":{"aws:SourceIp":["10.0.0.0/8"]},"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}}}"#,
    )
    .unwrap();
    let inside = [("aws:sourceip", "10.1.1.1"), ("aws:sourcevpce", "vpce-2")];
    assert_ne!(ask(&policy, Principal::Anonymous, ARN, &inside), Verdict::Silent);
    assert_eq!(ask(&policy, Principal::Anonymous, ARN, &inside[..1]), Verdict::Silent);
    let tagged = [inside[0], inside[1], ("aws:principaltag/team", "carts")];
    assert_eq!(ask(&policy, Principal::Anonymous, ARN, &tagged), Verdict::Silent);
}

#[test]
fn what_is_no_policy_says_why() {
    let wrap = |inner: &str| format!(r#"{{"Statement":[{{{inner}}}]}}"#);
    for (text, words) in [
        ("{".into(), "no JSON"),
        ("[]".into(), "no object"),
        ("{}".into(), "no Statement"),
        (r#"{"Version":"2020-01-01","Statement":[]}"#.into(), "no version"),
        (r#"{"Statements":[]}"#.into(), "`Statements` is no element"),
        (wrap(r#""Effect":"allow","Action":"*","Resource":"*""#), "statement 1: Effect"),
        (wrap(r#""Effect":"Allow","Resource":"*""#), "neither Action nor NotAction"),
        (wrap(r#""Effect":"Allow","Action":"*""#), "neither Resource nor NotResource"),
        (wrap(r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#), "exclude each other"),
        (wrap(r#""Effect":"Allow","Action":[1],"Resource":"*""#), "Action is no string"),
        (wrap(r#""Effect":"Allow","Principal":"me","Action":"*","Resource":"*""#), "a principal is"),
        (wrap(r#""Effect":"Allow","Principal":{"Me":"x"},"Action":"*","Resource":"*""#), "`Me` is no kind"),
        (wrap(r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Is":{"a":"b"}}"#), "`Is` is no condition"),
    ] {
        let error = Policy::parse(&text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}
