//! The same random policies and requests, asked of this evaluator and of the crate `iam-rs`: both must say the same.
//!
//! Where `iam-rs` differs from what AWS documents, exactly that case is left out, and the documentation named ("guide"
//! is the IAM user guide). Those cases are held by the tests beside the code.

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, PrincipalId};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;

const ACCOUNTS: [&str; 2] = ["123456789012", "210987654321"];

/// A request, as both evaluators can be told of it.
#[derive(Debug, Clone)]
struct Asked {
    account: &'static str,
    /// `root`, or a user.
    who: &'static str,
    action: &'static str,
    resource: String,
    keys: Vec<(&'static str, Vec<&'static str>)>,
}

/// The names of keys that have one value, and values for them. One name, so that conditions and requests often meet.
const TEXT: [&str; 6] = ["a", "A", "ab", "abc", "team-a", ""];
const NUMBERS: [&str; 6] = ["1", "1.0", "2", "-3.5", "1e3", "few"];
const DATES: [&str; 5] = ["2026-01-01T00:00:00Z", "1767225600", "2025-06-30T12:00:00+02:00", "1751277601", "soon"];
const ADDRESSES: [&str; 6] = ["10.0.0.1", "10.255.255.255", "11.0.0.0", "2001:db8::1", "2001:db9::1", "nowhere"];
const ARNS: [&str; 3] =
    ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/path/b", "arn:aws:sts::210987654321:x/a"];
const BOOLS: [&str; 2] = ["true", "false"];
/// No two of these differ only by case.
const BINARY: [&str; 3] = ["QmluYXJ5", "AAECAw==", "c29tZXRoaW5n"];

fn resource() -> impl Strategy<Value = String> {
    let path = prop_oneof![4 => "(/[ab]{1,2}){0,3}", 1 => "/[ab]:[ab]"];
    let words = (select(&["eu-central-1", "us-east-1"][..]), select(&ACCOUNTS[..]), select(&["abc", "xyz"][..]));
    (words, select(&["dev", "prod"][..]), select(&["GET", "POST"][..]), path).prop_map(
        |((region, account, api), stage, method, path)| {
            format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}{path}")
        },
    )
}

/// A pattern that has a chance: an ARN of the same kind with some of its pieces made wild.
fn pattern() -> impl Strategy<Value = String> {
    let wild = |from: String, cuts: Vec<(prop::sample::Index, u8)>| {
        let mut letters: Vec<char> = from.chars().collect();
        for (index, how) in cuts {
            // The first twenty letters are `arn:aws:execute-api:`; a wild service is tested beside the glob.
            let at = 20 + index.index(letters.len() - 20);
            match how {
                0 if letters[at] != ':' => letters[at] = '?',
                1 => letters.insert(at, '*'),
                2 => letters.truncate(at.max(60).min(letters.len())),
                3 => {
                    let end = letters[at..].iter().position(|letter| ":/".contains(*letter));
                    letters.splice(at..end.map_or(letters.len(), |end| at + end), ['*']);
                }
                _ => {}
            }
        }
        letters.into_iter().collect::<String>()
    };
    let cut = (any::<prop::sample::Index>(), 0..6_u8);
    let variable = select(&["${k:text}", "${K:Text, 'a'}", "${k:none, 'ab'}"][..]);
    prop_oneof![
        1 => Just("*".to_owned()),
        8 => (resource(), prop::collection::vec(cut, 0..5)).prop_map(move |(from, cuts)| wild(from, cuts)),
        2 => variable.prop_map(|variable| format!("arn:aws:execute-api:*:*:*/*/*/{variable}*")),
    ]
}

fn several<T: Strategy<Value = String> + 'static>(one: T) -> impl Strategy<Value = Value> {
    prop::collection::vec(one, 1..3).prop_map(|mut list| match list.len() {
        1 => json!(list.remove(0)),
        _ => json!(list),
    })
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    several(select(values).prop_map(str::to_owned))
}

/// `(operator, key, values)`, with the operators that `iam-rs` knows.
fn condition() -> impl Strategy<Value = (String, &'static str, Value)> {
    let named = |operators: &'static [&'static str]| select(operators).prop_map(str::to_owned);
    let if_exists = |operator: String, suffix: bool| if suffix { operator + "IfExists" } else { operator };
    let text = named(&["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]);
    let orders = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
    let like = named(&["StringLike", "StringNotLike"]);
    let globs = several("[abt?*-]{0,4}");
    // Values that the policy compares with have to be comparable, or AWS would not have taken the policy.
    let plain = prop_oneof![
        (text, one_of(&TEXT)).prop_map(|(operator, values)| (operator, "k:text", values)),
        (like, globs).prop_map(|(operator, values)| (operator, "k:text", values)),
        (select(orders.to_vec()), one_of(&NUMBERS[..5])).prop_map(|(o, values)| (format!("Numeric{o}"), "k:n", values)),
        (select(orders.to_vec()), one_of(&DATES[..4])).prop_map(|(o, values)| (format!("Date{o}"), "k:date", values)),
        (Just("Bool".to_owned()), one_of(&BOOLS)).prop_map(|(operator, values)| (operator, "k:bool", values)),
        // `iam-rs` compares base64 text and ignores case; the guide: "tests the value byte for byte".
        (Just("BinaryEquals".to_owned()), one_of(&BINARY)).prop_map(|(operator, values)| (operator, "k:bytes", values)),
        (
            named(&["IpAddress", "NotIpAddress"]),
            one_of(&["10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "0.0.0.0/0", "11.0.0.0/32"])
        )
            .prop_map(|(operator, values)| (operator, "k:ip", values)),
        // `iam-rs` takes `ArnEquals` for plain equality and lets a `*` cross colons; the guide: ArnEquals and ArnLike
        // "behave identically", and "each of the six colon-delimited components of the ARN is checked separately".
        (named(&["ArnEquals", "ArnNotEquals"]), one_of(&ARNS))
            .prop_map(|(operator, values)| (operator, "k:arn", values)),
        (
            named(&["ArnLike", "ArnNotLike"]),
            one_of(&["arn:aws:iam::*:role/*", "arn:*:iam::123456789012:role/?", "arn:aws:sts::2*:x/a", ARNS[0]])
        )
            .prop_map(|(operator, values)| (operator, "k:arn", values)),
    ];
    // One value: of several, `iam-rs` takes the first alone; the guide ("Multiple values"): they are alternatives.
    let null = (select(&["k:text", "k:none"][..]), select(&BOOLS[..]).prop_map(Value::from));
    let sets = (
        select(&["ForAnyValue:", "ForAllValues:"][..]),
        select(&["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"][..]),
        // Without `IfExists`, which `iam-rs` does not know beside a set operator.
        several("[abA*]{1,2}"),
    );
    prop_oneof![
        8 => (plain, any::<bool>()).prop_map(move |((name, key, values), end)| (if_exists(name, end), key, values)),
        1 => null.prop_map(|(key, values)| ("Null".to_owned(), key, values)),
        3 => sets.prop_map(|(set, name, values)| (format!("{set}{name}"), "k:set", values)),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = ["execute-api:Invoke", "EXECUTE-API:inv?ke", "execute-api:*", "*", "execute-api:Manage*", "lambda:*"];
    let principals = vec![
        json!("*"),
        json!({ "AWS": "*" }),
        json!({ "AWS": ["arn:aws:iam::123456789012:user/a", "arn:aws:iam::210987654321:user/a"] }),
        json!({ "AWS": "arn:aws:iam::123456789012:user/a" }),
        json!({ "AWS": "123456789012" }),
        json!({ "AWS": "arn:aws:iam::210987654321:root" }),
        json!({ "Service": "apigateway.amazonaws.com" }),
    ];
    let elements = (select(principals), several(select(actions.to_vec()).prop_map(str::to_owned)), several(pattern()));
    let turned = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (elements, turned, prop::collection::vec(condition(), 0..3)).prop_map(
        |((principal, action, resource), (denies, not_principal, not_action, not_resource), conditions)| {
            let mut members = serde_json::Map::new();
            let name = |not: bool, name: &str| if not { format!("Not{name}") } else { name.to_owned() };
            members.insert("Effect".into(), json!(if denies { "Deny" } else { "Allow" }));
            members.insert(name(not_principal, "Principal"), principal);
            members.insert(name(not_action, "Action"), action);
            members.insert(name(not_resource, "Resource"), resource);
            let mut block = json!({});
            for (operator, key, values) in conditions {
                block[operator][key] = values;
            }
            members.insert("Condition".into(), block);
            Value::Object(members)
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    let key = |name: &'static str, values: &'static [&'static str]| {
        prop::option::weighted(0.8, select(values)).prop_map(move |value| value.map(|value| (name, vec![value])))
    };
    let keys = (
        key("k:text", &TEXT),
        key("k:n", &NUMBERS),
        key("k:date", &DATES),
        key("k:ip", &ADDRESSES),
        key("k:arn", &ARNS),
        key("k:bool", &BOOLS),
        key("k:bytes", &BINARY),
        prop::option::of(prop::collection::vec(select(&["a", "b", "ab", "A"][..]), 2..4)),
    );
    let keys = keys.prop_map(|(a, b, c, d, e, f, g, set)| {
        let set = set.map(|values| ("k:set", values));
        [a, b, c, d, e, f, g, set].into_iter().flatten().collect::<Vec<_>>()
    });
    let actions = ["execute-api:Invoke", "execute-api:invoke", "execute-api:ManageConnections"];
    (select(&ACCOUNTS[..]), select(&["root", "user/a"][..]), select(actions.to_vec()), resource(), keys)
        .prop_map(|(account, who, action, resource, keys)| Asked { account, who, action, resource, keys })
}

fn ours(policy: &str, asked: &Asked) -> Decision {
    let pairs = asked.keys.iter().flat_map(|(name, values)| values.iter().map(|value| (*name, *value)));
    let keys = Pairs(pairs.collect());
    let arn = format!("arn:aws:iam::{}:{}", asked.account, asked.who);
    let principal = Principal::Aws { account: asked.account, arn: &arn, role: None };
    let question = Question { action: asked.action, resource: &asked.resource, principal, keys: &keys };
    match Policy::parse(policy).unwrap().evaluate(&question) {
        Verdict::Denied(_) => Decision::Deny,
        Verdict::Allowed(_) => Decision::Allow,
        Verdict::Silent => Decision::NotApplicable,
    }
}

fn theirs(policy: &str, asked: &Asked) -> Decision {
    let data = asked.keys.iter().map(|(name, values)| {
        let value = match (*name, values.as_slice()) {
            // `iam-rs` compares a boolean with nothing but a boolean.
            ("k:bool", [one]) => ContextValue::Boolean(*one == "true"),
            (_, [one]) => ContextValue::String((*one).to_owned()),
            (_, many) => ContextValue::StringList(many.iter().map(|one| (*one).to_owned()).collect()),
        };
        ((*name).to_owned(), value)
    });
    let arn = format!("arn:aws:iam::{}:{}", asked.account, asked.who);
    let request = IAMRequest::new_with_context(
        iam_rs::Principal::Aws(PrincipalId::String(arn)),
        asked.action,
        Arn::parse(&asked.resource).unwrap(),
        Context::with_data(data.collect()),
    );
    let policy = IAMPolicy::from_json(policy).unwrap();
    PolicyEvaluator::with_policies(vec![policy]).evaluate(&request).unwrap().decision
}

/// Whether a case is one where `iam-rs` is known to differ from what AWS documents.
fn documented_otherwise(statements: &[Value], asked: &Asked) -> bool {
    statements.iter().any(|statement| {
        let principal = statement.get("Principal").or(statement.get("NotPrincipal")).unwrap();
        // `iam-rs` takes an account for its root user alone; the guide ("AWS account principals"): an account and its
        // `:root` ARN stand for all principals of the account.
        let names_account = principal["AWS"].as_str().is_some_and(|name| name.len() == 12 || name.ends_with(":root"));
        if names_account && asked.who != "root" {
            return true;
        }
        let text = statement.get("Resource").or(statement.get("NotResource")).unwrap().to_string();
        // `iam-rs` puts the empty text for a variable without a value; the guide ("Policy variables with no value"):
        // there is no equal or like value.
        if text.contains("${k:text}") && !asked.keys.iter().any(|(name, _)| *name == "k:text") {
            return true;
        }
        // `iam-rs` stops a `*` at colons. The guide ("Resource"): one that ends its segment can go beyond. It can only
        // where the ARN has more colons than the pattern.
        text.contains("*:") && asked.resource.matches(':').count() > 5
    })
}

fn config() -> ProptestConfig {
    // Cases that are left out are many: every second principal, for one.
    ProptestConfig { failure_persistence: None, max_global_rejects: 100_000, ..ProptestConfig::with_cases(1500) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_say_the_same(statements in prop::collection::vec(statement(), 1..4), asked in asked()) {
        prop_assume!(!documented_otherwise(&statements, &asked));
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        prop_assert_eq!(ours(&policy, &asked), theirs(&policy, &asked), "{}", policy);
    }

    #[test]
    fn every_pattern_matches_the_same(pattern in pattern(), asked in asked()) {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": pattern });
        prop_assume!(!documented_otherwise(std::slice::from_ref(&statement), &asked));
        let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        prop_assert_eq!(ours(&policy, &asked), theirs(&policy, &asked), "{}", policy);
    }

    #[test]
    fn every_condition_holds_for_the_same((operator, key, values) in condition(), asked in asked()) {
        let mut statement = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
        statement["Condition"][operator][key] = values;
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        prop_assert_eq!(ours(&policy, &asked), theirs(&policy, &asked), "{}", policy);
    }
}
