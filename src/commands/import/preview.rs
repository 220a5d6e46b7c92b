//! What the plan after an import will do, told before anything is written: what it would make anew is not taken over.

use super::search::{Whose, search};
use crate::commands::work::Work;
use crate::error::{Failure, FailureKind, Result};
use crate::kinds::Kind as _;
use crate::kinds::rest_api::RestApi;
use crate::kinds::security_group::SecurityGroup;
use crate::kinds::stage::Stage;
use crate::model::{Address, Digest, Live, Ownership};
use crate::plan::{self, Action, Plan, Step};
use crate::takeover::Candidate;
use crate::takeover::matching::{Left, Settled};

/// What is to be taken over, and what comes of it.
pub(in crate::commands) struct Prepared {
    pub(in crate::commands) settled: Settled,
    /// The plan that follows, or why there will be none.
    pub(in crate::commands) next: Result<Plan>,
}

/// Finds what is to be taken over, and leaves out what the next plan would replace.
pub(in crate::commands) async fn prepare(work: &Work, said: &[Candidate], whose: Whose) -> Result<Prepared> {
    let (mut settled, live) = search(work, said, whose).await?;
    leave_other_stages(&mut settled, &live, work);
    loop {
        let next = work.plan_from(&supposed(&live, &settled), plan::build);
        let replaced: Vec<&Step> = next.iter().flat_map(|plan| &plan.steps).filter(|step| replaces(step)).collect();
        let left: Vec<Left> = replaced.iter().filter_map(|step| leave(step, &settled)).collect();
        if left.is_empty() {
            return Ok(Prepared { settled, next });
        }
        settled.taken.retain(|taken| !left.iter().any(|left| left.address == taken.address));
        settled.left.extend(left);
    }
}

/// What was shown has to be what is written.
pub(super) async fn check_unchanged(work: &Work, said: &[Candidate], shown: &Prepared) -> Result<()> {
    let now = prepare(work, said, Whose::Nobody).await?;
    if now.settled.taken == shown.settled.taken {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Refused, "AWS changed while you were asked, so that what you saw no longer fits")
        .hint("nothing was changed; run this again to see it anew"))
}

fn replaces(step: &Step) -> bool {
    matches!(step.action, Action::ReplaceCreateFirst | Action::ReplaceDeleteFirst)
}

/// Why a resource that would be made anew is left as it is; nothing for one that is ours already.
fn leave(step: &Step, settled: &Settled) -> Option<Left> {
    let taken = settled.taken.iter().find(|taken| taken.address == step.address)?;
    let fields = step.forced_by.join("` and `");
    let by_name =
        step.forced_by.iter().all(|field| field == "name" || field == "path") && step.address.kind() != Stage::NAME;
    let hint = match step.address.kind() {
        SecurityGroup::NAME => {
            let id = taken.live.outputs.get("id").unwrap_or_default();
            format!("to keep it, use it without owning it: \"security_group_ids\": [\"{id}\"]")
        }
        Stage::NAME => "a stage can't be moved or renamed: set `gateway_stage_name`".to_owned(),
        _ if by_name => "to keep it, give it its name in `names`, and run this again".to_owned(),
        _ => format!("to keep it, set `{fields}` as AWS has it, and run this again"),
    };
    Some(Left {
        address: step.address.clone(),
        found: Some(taken.live.clone()),
        why: format!("the next plan would make it anew, because AWS can't change its `{fields}`"),
        hint: Some(hint),
        by_name,
    })
}

/// An API whose stages have other names than the configuration's is served by them, and would get one more.
fn leave_other_stages(settled: &mut Settled, live: &Live, work: &Work) {
    let stages = live.get(Stage::NAME).map(Vec::as_slice).unwrap_or_default();
    for one in work.desired.iter().filter(|one| one.address.kind() == Stage::NAME) {
        if settled.at(&one.address).is_some() {
            continue;
        }
        let api = Address::new(one.address.stack(), RestApi::NAME, one.address.name());
        for stage in stages.iter().filter(|stage| stage.within.as_ref() == Some(&api)) {
            settled.missing.retain(|missing| *missing != one.address);
            settled.left.push(Left {
                address: one.address.clone(),
                found: Some(stage.clone()),
                why: format!("the configuration calls the stage `{}`", one.name().unwrap_or_default()),
                hint: Some(format!("to keep it, write \"gateway_stage_name\": \"{}\"", stage.name)),
                by_name: false,
            });
        }
    }
}

/// What AWS will hold once the tags are written.
fn supposed(live: &Live, settled: &Settled) -> Live {
    let mut live = live.clone();
    for taken in &settled.taken {
        let all = live.get_mut(taken.address.kind()).map(Vec::as_mut_slice).unwrap_or_default();
        for one in all.iter_mut().filter(|one| **one == taken.live) {
            let digest = Some(Digest::of(&one.spec).as_str().to_owned());
            one.ownership = Ownership::Ours { address: taken.address.clone(), digest };
        }
    }
    live
}
