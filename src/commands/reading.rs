//! What `show`, `routes` and `graph` have in common: an environment as it is in AWS, and how it stands to what is wanted.

use std::collections::BTreeSet;

use super::work::{Work, look_up};
use crate::aws::{Lists, ReadAws};
use crate::config::{Configuration, Environment};
use crate::error::Result;
use crate::inspection::standing::Standing;
use crate::model::{Desired, Found, Live};
use crate::plan::build::Input;
use crate::plan::{self, Plan};
use crate::stack::{self, Zips};

/// An environment that is looked at.
pub(super) struct Reading<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) environment: &'a Environment,
    pub(super) work: &'a Work,
    /// Shared by all that are looked at.
    pub(super) lists: &'a Lists,
}

/// What an environment holds, and how it stands to what is wanted.
pub(super) struct Compared {
    pub(super) live: Live,
    pub(super) desired: Vec<Desired>,
    pub(super) standing: Standing,
}

impl Reading<'_> {
    /// A session that remembers nothing but what all share.
    pub(super) fn session(&self) -> ReadAws {
        self.work.aws.read.anew_beside(self.lists)
    }

    /// Reads what is there and compares it with what the configuration wants. The code of functions is taken to be what they
    /// run: nothing is built to look at something.
    pub(super) async fn compared(&self, read: &ReadAws) -> Result<Compared> {
        let Self { environment, work, .. } = self;
        let (account, found) = futures::join!(read.check_account(), look_up(read, environment));
        account?;
        // Whoever looks at what there is needs names only, and what they named may be gone.
        let (found, lost) = match found {
            Ok(found) => (found, None),
            Err(failure) => (Found::nothing(), Some(failure)),
        };
        let desired = self.desired(Zips::UNBUILT, &found)?;
        let live = work.registry.observe(read, &work.owner, &desired).await?;
        let rules = work.registry.rules();
        let shared: BTreeSet<&str> =
            rules.iter().filter(|(_, one)| one.only_if_missing).map(|(name, _)| *name).collect();
        let mut standing = Standing::of_live(&live, &shared);
        let code = |stack: &str| code_of(&live, stack).unwrap_or(Zips::UNBUILT.gate);
        let desired = self.desired(Zips { gate: code("gate"), system: code("system") }, &found)?;
        let planned = match lost {
            Some(failure) => Err(failure),
            None => self.plan(&desired, &live),
        };
        match planned {
            Ok(plan) => {
                standing = standing.with_plan(&plan);
                standing.notes.extend(plan.warnings.iter().map(|warning| warning.message.clone()));
            }
            Err(failure) => standing.notes.push(format!("it is not compared with the configuration: {failure}")),
        }
        standing.notes.extend(read.take_notes());
        Ok(Compared { live, desired, standing })
    }

    fn desired(&self, zips: Zips<'_>, found: &Found) -> Result<Vec<Desired>> {
        let expansion = stack::expand(self.configuration, self.environment, &zips, found)?;
        Ok(expansion.map_err(|faults| faults.to_failure())?.desired)
    }

    fn plan(&self, desired: &[Desired], live: &Live) -> Result<Plan> {
        let Work { owner, place, registry, .. } = self.work;
        let (predicted, rules) = (registry.predict(place, desired)?, registry.rules());
        plan::build(&Input { owner, place, desired, predicted: &predicted, live, rules: &rules })
    }
}

/// The code that the functions of a stack run.
fn code_of<'l>(live: &'l Live, stack: &str) -> Option<&'l str> {
    let functions = live.get("lambda-function")?.iter();
    let mut own = functions.filter(|one| one.address().is_some_and(|at| at.stack() == stack));
    own.find_map(|one| one.spec.get("code_sha256")?.as_str())
}
