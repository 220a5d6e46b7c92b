//! Answers of AWS, spoilt on their way to a plan: the plan fails and says at which call, or it is not moved to make, replace or
//! delete anything by what an answer lacks.

use std::collections::BTreeSet;
use std::sync::Arc;

use gwctl::error::Result;
use gwctl::plan::{Action, Plan};
use gwctl::sandbox::connector::Connector;

use crate::spoil::{Deed, Way, ways};
use crate::stand::Stand;
use crate::support::Session;
use crate::support::world::accounts;
use crate::transport::{Answer, Spoiling};
use crate::{asked_for, chosen, words};

async fn plans(stand: &Stand, transport: &Spoiling) -> Result<Vec<Plan>> {
    let client = transport.client();
    let sessions = Session::found_in_regions(stand.project.root(), stand.product, stand.env, client).await?;
    let mut plans = Vec::new();
    for session in sessions {
        session.aws.read.check_account().await?;
        plans.push(session.plan().await?);
    }
    Ok(plans)
}

/// What a spoilt answer may say: resources without their tags are not ours, as those are whose tags somebody took away; an
/// address in another account is another address.
fn may_mean_it(call: &str, way: &Way) -> bool {
    let tags = way.label.contains("/tags") || way.label.contains("Tag") || way.label == "another account";
    // Our digest stands in descriptions that anybody may take away.
    let description = way.label.to_lowercase().contains("/description");
    let lack = way.label.trim_end_matches(" null");
    tags || description || LESS_IS_NOTHING.iter().any(|(of, what)| call.contains(of) && lack.ends_with(what))
}

/// Answers, by the call and what they lack, which say as well that there is nothing: by what AWS is known to answer then, or because an XML list
/// without items is an empty one. A mapping without a key is one of the root.
const LESS_IS_NOTHING: [(&str, &str); 15] = [
    ("/basepathmappings", "/item"),
    ("/basepathmappings", "`{}`"),
    ("/apimappings", "/items"),
    ("/apimappings", "/apiMappingKey"),
    ("/apimappings", "`{}`"),
    ("wafv2 GetWebACLForResource", "/WebACL"),
    ("wafv2 GetWebACLForResource", "`{}`"),
    ("logs ListTagsForResource", "`{}`"),
    ("route53 GET /2013-04-01/healthcheck", "/HealthChecks/HealthCheck"),
    ("route53 GET /2013-04-01/healthcheck", "/HealthChecks"),
    ("route53 GET /2013-04-01/hostedzone", "/HostedZones/HostedZone"),
    ("route53 GET /2013-04-01/hostedzone", "/HostedZones"),
    ("elasticloadbalancing DescribeLoadBalancers", "/SecurityGroups/member"),
    ("elasticloadbalancing DescribeLoadBalancers", "/AvailabilityZones/member"),
    ("elasticloadbalancing DescribeListeners", "/Listeners"),
];

async fn look(stand: &Stand, few: usize) {
    let before = accounts(&stand.sandbox);
    let inner = || Connector::new(stand.sandbox.clone());
    let undisturbed = Spoiling::nothing(inner());
    assert!(plans(stand, &undisturbed).await.unwrap().iter().all(Plan::is_empty));
    let cases: Vec<(Answer, Way)> = undisturbed
        .answers()
        .into_iter()
        .flat_map(|answer| ways(&answer, &stand.account).into_iter().map(move |way| (answer.clone(), way)))
        .filter(|(answer, way)| asked_for(&format!("{} #{}: {}", answer.which.0, answer.which.1, way.label)))
        .collect();
    let (mut errors, mut unmoved, mut moved, mut wrong) = (0, 0, 0, BTreeSet::new());
    let all = cases.len();
    for (answer, way) in chosen(cases, few) {
        let which = answer.which.clone();
        let transport = Spoiling::new(inner(), move |one, _| *one == which, Arc::clone(&way.change));
        let when = format!("{} #{}: {}", answer.which.0, answer.which.1, way.label);
        match plans(stand, &transport).await {
            Err(failure) => {
                errors += 1;
                if let Some(lack) = words(&failure) {
                    wrong.insert(format!("{when}: {lack}: {failure}"));
                }
            }
            Ok(plans) => {
                let steps: Vec<_> = plans.iter().flat_map(|plan| &plan.steps).collect();
                if steps.is_empty() {
                    unmoved += 1;
                } else {
                    moved += 1;
                }
                // That a member is of another value, and so another resource, nobody can tell from the truth.
                let lacks =
                    matches!(way.deed, Deed::Without | Deed::Null | Deed::Whole) && !may_mean_it(&answer.which.0, &way);
                for step in steps.iter().filter(|step| lacks && step.action != Action::Update) {
                    wrong.insert(format!("{when}: {:?} {} {:?}", step.action, step.address, step.reason));
                }
            }
        }
    }
    assert_eq!(accounts(&stand.sandbox), before, "a plan wrote something");
    println!("{} of {all}: {errors} errors, {unmoved} unmoved, {moved} moved", errors + unmoved + moved);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn no_spoilt_answer_makes_a_plan_for_rest_apis() {
    look(&Stand::rest().await, 70).await;
}

#[tokio::test(start_paused = true)]
async fn no_spoilt_answer_makes_a_plan_for_http_apis() {
    look(&Stand::edge().await, 50).await;
}
