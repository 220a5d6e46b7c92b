//! The table: one change by hand each, and what drift says of it. Every change is made by plain SDK calls, classified with and
//! without a record of the last apply, settled, and gone.

use std::collections::BTreeSet;

use gwctl::drift::Standing::{self, Drifted, Missing, Unmanaged};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use serde_json::json;

use crate::by_hand::Hand;
use crate::support::project::{DEV, Project};
use crate::support::{Session, connect};
use crate::{Found, classify, found, record};

/// How a change ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ends {
    /// By an apply.
    Apply,
    /// By whoever made it, with this.
    ByHand(&'static str),
}
use Ends::{Apply, ByHand};

const API: &str = "gate/rest-api/gateway";
const STAGE: &str = "gate/stage/gateway";
const FUNCTION: &str = "gate/lambda-function/authorizer";
const ALIAS: &str = "gate/function-alias/authorizer";
const ROLE: &str = "gate/iam-role/authorizer";
const INVOCATION: &str = "gate/iam-role/authorizer-invocation";
const ACCESS: &str = "gate/log-group/access";

/// A change, what is found of it, and what ends it.
type Row = (&'static str, &'static [(&'static str, Standing, &'static [&'static str])], Ends);

const IN_THE_API: &[Row] = &[
    ("api: sent elsewhere", &[(API, Drifted, &["routes|/order-service/{proxy+}|ANY|integration|uri"])], Apply),
    ("api: less time", &[(API, Drifted, &["routes|/order-service/{proxy+}|ANY|integration|timeout_ms"])], Apply),
    (
        "api: another header",
        &[(
            API,
            Drifted,
            &["routes|/order-service/{proxy+}|ANY|integration|request_parameters|integration.request.header.x-by-hand"],
        )],
        Apply,
    ),
    (
        "api: method opened",
        &[(
            API,
            Drifted,
            &["routes|/order-service/{proxy+}|ANY|authorization", "routes|/order-service/{proxy+}|ANY|authorizer"],
        )],
        Apply,
    ),
    ("api: key asked for", &[(API, Drifted, &["routes|/order-service/{proxy+}|ANY|api_key_required"])], Apply),
    ("api: method added", &[(API, Drifted, &["routes|/order-service/{proxy+}|GET"])], Apply),
    ("api: method deleted", &[(API, Drifted, &["routes|/order-service/{proxy+}|OPTIONS"])], Apply),
    ("api: answer declared", &[(API, Drifted, &["routes|/order-service/{proxy+}|ANY|responses|418"])], Apply),
    ("api: path added", &[(API, Drifted, &["routes|/by-hand"])], Apply),
    ("api: path deleted", &[(API, Drifted, &["routes|/order-service/{proxy+}"])], Apply),
    ("api: response changed", &[(API, Drifted, &["gateway_responses|UNAUTHORIZED|status_code"])], Apply),
    ("api: response deleted", &[(API, Drifted, &["gateway_responses|UNAUTHORIZED"])], Apply),
    ("api: response added", &[(API, Drifted, &["gateway_responses|INTEGRATION_TIMEOUT"])], Apply),
    ("api: authorizer added", &[(API, Drifted, &["authorizers|by-hand"])], Apply),
    (
        "api: authorizer kept longer",
        &[(API, Drifted, &["authorizers|product-a-api-authorizer-dev|ttl_seconds"])],
        Apply,
    ),
    ("api: statement added", &[(API, Drifted, &["policy|statements|ByHand"])], Apply),
    ("api: statement removed", &[(API, Drifted, &["policy|statements|deny-list"])], Apply),
    ("api: statement widened", &[(API, Drifted, &["policy|statements|deny-list|Resource"])], Apply),
    ("api: media type", &[(API, Drifted, &["binary_media_types"])], Apply),
    ("api: compressed", &[(API, Drifted, &["minimum_compression_size"])], Apply),
    ("api: described", &[(API, Drifted, &["description"])], Apply),
    ("api: renamed", &[(API, Drifted, &["name"])], Apply),
    ("api: endpoint off", &[(API, Drifted, &["disable_execute_api_endpoint"])], Apply),
    ("api: tag less", &[(API, Drifted, &["tags|team"])], Apply),
    ("api: tag more", &[(API, Drifted, &["tags|by"])], Apply),
    ("api: digest lost", &[(API, Drifted, &["tags|gwctl:digest"])], Apply),
    ("api: digest changed", &[(API, Drifted, &["tags|gwctl:digest"])], Apply),
    ("api: owner lost", &[(API, Drifted, &[])], ByHand("api: owner given back")),
    ("api: system method added", &[("system/rest-api/gateway", Drifted, &["routes|/"])], Apply),
];

const ON_THE_STAGE: &[Row] = &[
    ("stage: slower", &[(STAGE, Drifted, &["method_settings|*/*|throttling_rate_limit"])], Apply),
    ("stage: smaller", &[(STAGE, Drifted, &["method_settings|*/*|throttling_burst_limit"])], Apply),
    ("stage: louder", &[(STAGE, Drifted, &["method_settings|*/*|logging_level"])], Apply),
    ("stage: untraced data", &[(STAGE, Drifted, &["method_settings|*/*|data_trace"])], Apply),
    ("stage: unmeasured", &[(STAGE, Drifted, &["method_settings|*/*|metrics"])], Apply),
    ("stage: one method", &[(STAGE, Drifted, &["method_settings|~1order-service~1{proxy+}/GET"])], Apply),
    ("stage: untraced", &[(STAGE, Drifted, &["xray"])], Apply),
    ("stage: unlogged", &[(STAGE, Drifted, &["access_log"])], Apply),
    ("stage: logged otherwise", &[(STAGE, Drifted, &["access_log|format"])], Apply),
    ("stage: variable", &[(STAGE, Drifted, &["variables|color"])], Apply),
    ("stage: described", &[(STAGE, Drifted, &["description"])], Apply),
    ("stage: cached", &[(STAGE, Drifted, &["cache_size"])], Apply),
    ("stage: certificate", &[(STAGE, Drifted, &["client_certificate"])], Apply),
    ("stage: moved", &[(STAGE, Drifted, &["deployment"])], Apply),
    ("stage: tag less", &[(STAGE, Drifted, &["tags|team"])], Apply),
    ("stage: unprotected", &[(STAGE, Drifted, &["web_acl"])], Apply),
    ("stage: by hand", &[("gate/stage/by-hand", Unmanaged, &[])], ByHand("stage: by hand goes")),
];

const IN_THE_FUNCTIONS: &[Row] = &[
    ("function: larger", &[(FUNCTION, Drifted, &["memory_mb"])], Apply),
    ("function: less time", &[(FUNCTION, Drifted, &["timeout_seconds"])], Apply),
    ("function: described", &[(FUNCTION, Drifted, &["description"])], Apply),
    ("function: more disk", &[(FUNCTION, Drifted, &["ephemeral_storage_mb"])], Apply),
    ("function: dead letters", &[(FUNCTION, Drifted, &["dead_letters"])], Apply),
    ("function: logs in JSON", &[(FUNCTION, Drifted, &["log_format"])], Apply),
    ("function: variable", &[(FUNCTION, Drifted, &["environment|AUTH_HOST"])], Apply),
    ("function: code", &[(FUNCTION, Drifted, &["code_sha256"])], Apply),
    ("function: reserved", &[(FUNCTION, Drifted, &["reserved_concurrency"])], Apply),
    ("function: tag less", &[(FUNCTION, Drifted, &["tags|team"])], Apply),
    ("function: permission", &[(FUNCTION, Drifted, &["permissions|by-hand"])], Apply),
    ("function: permission of the alias", &[(ALIAS, Drifted, &["permissions|by-hand"])], Apply),
    ("function: alias moved", &[(ALIAS, Drifted, &["version"]), (FUNCTION, Drifted, &["description"])], Apply),
    ("function: alias cold", &[(ALIAS, Drifted, &["provisioned_concurrency"])], Apply),
    (
        "function: alias by hand",
        &[("gate/function-alias/product-a-api-authorizer-dev:by-hand", Unmanaged, &[])],
        ByHand("function: alias by hand goes"),
    ),
    (
        "function: deleted",
        &[(ALIAS, Missing, &[]), ("gate/function-version/*", Missing, &[]), (FUNCTION, Missing, &[])],
        Apply,
    ),
];

const AROUND: &[Row] = &[
    (
        "role: widened",
        &[(
            INVOCATION,
            Drifted,
            &[
                "inline_policies|authorizer-invocation|statements|CallAliases",
                "inline_policies|authorizer-invocation|statements|CallAuthorizers|Resource",
            ],
        )],
        Apply,
    ),
    ("role: given a policy of its own", &[(ROLE, Drifted, &["inline_policies|by-hand"])], Apply),
    ("role: given a managed policy", &[(ROLE, Drifted, &["managed_policies"])], Apply),
    ("role: policy deleted", &[(INVOCATION, Drifted, &["inline_policies|authorizer-invocation"])], Apply),
    (
        "role: trusts others",
        &[(ROLE, Drifted, &["assume_role_policy|statements|AssumedByService|Principal|Service"])],
        Apply,
    ),
    ("role: longer sessions", &[(ROLE, Drifted, &["max_session_seconds"])], Apply),
    ("role: tag less", &[(ROLE, Drifted, &["tags|team"])], Apply),
    ("role: deleted", &[(INVOCATION, Missing, &[])], Apply),
    ("logs: kept longer", &[(ACCESS, Drifted, &["retention_in_days"])], Apply),
    ("logs: kept for ever", &[("gate/execution-log-group/gateway", Drifted, &["retention_in_days"])], Apply),
    ("logs: tag less", &[(ACCESS, Drifted, &["tags|team"])], Apply),
    ("logs: subscribed", &[(ACCESS, Drifted, &["subscription_filters|by-hand"])], Apply),
    ("logs: counted", &[(ACCESS, Drifted, &["metric_filters|by-hand"])], Apply),
    ("logs: deleted", &[(ACCESS, Missing, &[])], Apply),
    ("around: address let in", &[("gate/ip-set/deny-ipv4", Drifted, &["addresses"])], Apply),
    ("around: rule removed", &[("gate/web-acl/gateway", Drifted, &["rules|rate-limit"])], Apply),
    ("around: alarm dulled", &[("gate/alarm/authorizer-throttled", Drifted, &["threshold"])], Apply),
    ("around: alarm silenced", &[("gate/alarm/authorizer-throttled", Drifted, &["actions_enabled"])], Apply),
    ("around: alarm deleted", &[("gate/alarm/authorizer-throttled", Missing, &[])], Apply),
    ("around: mapping deleted", &[("gate/base-path-mapping/gateway", Missing, &[])], Apply),
    // Its marker still says that there is one: it is out of DNS.
    (
        "around: record deleted",
        &[(
            "gate/dns-record/gateway",
            Drifted,
            &["in_service", "leads_to|alias|target", "leads_to|alias|target_zone_id", "leads_to|alias|types"],
        )],
        Apply,
    ),
];

/// A gate with all that it can have beside it, and the internal gateway.
fn project() -> Project {
    let project = Project::whole();
    project.edit(DEV, |env| {
        env["waf"] = json!({
            "deny_addresses": ["192.0.2.0/24"], "rate_limit": {"limit": 1000},
            "managed_rule_groups": [{"name": "AWSManagedRulesCommonRuleSet"}], "logging": {},
        });
        env["alarms"] = json!({"error_rate_percent": 1, "authorizer_errors": 5, "authorizer_throttles": 5});
        env["domain"] = json!({"name": "api.example.com"});
        env["authorizer"]["provisioned_concurrency"] = json!(2);
    });
    project
}

async fn furnish(hand: &Hand) {
    let acm = &hand.aws.acm;
    acm.request_certificate().domain_name("api.example.com").send().await.unwrap();
    let dns = &hand.aws.route53;
    dns.create_hosted_zone().name("example.com").caller_reference("example").send().await.unwrap();
}

/// Names that say what they hold say nothing here.
fn shown(found: Vec<Found>) -> BTreeSet<String> {
    let short = |(address, standing, fields): Found| {
        let address = match address.split('/').collect::<Vec<_>>().as_slice() {
            [stack, kind @ ("deployment" | "function-version"), _] => format!("{stack}/{kind}/*"),
            _ => address,
        };
        format!("{address} {standing:?} {}", fields.join(" "))
    };
    found.into_iter().map(short).collect()
}

/// One row; what is wrong with it.
async fn check(row: &Row, session: &Session, hand: &Hand) -> String {
    let (what, expected, ends) = *row;
    let before = session.observe().await.unwrap();
    let applied = record(&before);
    let clean = found(&classify(session, &before, Some(&applied)));
    if !clean.is_empty() {
        return format!("  before {what}: {clean:?}\n");
    }
    hand.does(what).await;
    let live = session.observe().await.unwrap();
    let expected: BTreeSet<String> = shown(
        expected
            .iter()
            .map(|(address, standing, fields)| {
                ((*address).to_owned(), *standing, fields.iter().map(|field| (*field).to_owned()).collect())
            })
            .collect(),
    );
    let mut wrong: Vec<String> = Vec::new();
    for (words, applied) in [("with a record", Some(&applied)), ("without a record", None)] {
        let drift = classify(session, &live, applied);
        let all = found(&drift);
        let once: BTreeSet<&String> = all.iter().map(|(address, ..)| address).collect();
        if once.len() != all.len() {
            wrong.push(format!("  {what}, {words}: told twice: {all:?}"));
        }
        let all = shown(all);
        if all != expected {
            wrong.push(format!("  {what}, {words}: {all:#?}"));
        }
        let pending: Vec<String> = drift.pending.iter().map(|one| one.address.to_string()).collect();
        if !pending.is_empty() {
            wrong.push(format!("  {what}, {words}: taken for a change of the configuration: {pending:?}"));
        }
        for finding in drift.found().filter(|one| one.settle.is_empty()) {
            wrong.push(format!("  {what}, {words}: nothing settles {}", finding.address));
        }
    }
    match ends {
        Apply => drop(session.apply().await),
        ByHand(undo) => hand.does(undo).await,
    }
    let live = session.observe().await.unwrap();
    for applied in [Some(&record(&live)), None] {
        let drift = classify(session, &live, applied);
        if drift.found().next().is_some() || !drift.pending.is_empty() {
            wrong.push(format!("  {what}: is still there: {:?} {:?}", found(&drift), drift.pending));
        }
    }
    wrong.iter().fold(String::new(), |all, one| all + one + "\n")
}

async fn check_all(rows: &[Row]) {
    let (project, sandbox) = (project(), Sandbox::in_memory());
    let place = gwctl::stack::place(&crate::support::load(project.root(), "product-a", "dev").environments[0].target);
    let client = Connector::new(sandbox.clone()).client();
    let hand = Hand { aws: connect(&place, client).await.write, place };
    furnish(&hand).await;
    let session = Session::open(project.root(), "product-a", "dev", &sandbox).await;
    session.apply().await;
    let mut wrong = String::new();
    for row in rows {
        wrong += &Box::pin(check(row, &session, &hand)).await;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_to_the_api_is_found_and_named() {
    check_all(IN_THE_API).await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_to_the_stage_is_found_and_named() {
    check_all(ON_THE_STAGE).await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_to_the_functions_is_found_and_named() {
    check_all(IN_THE_FUNCTIONS).await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_around_them_is_found_and_named() {
    check_all(AROUND).await;
}
