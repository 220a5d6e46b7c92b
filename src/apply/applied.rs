//! How an apply ended.

use std::collections::BTreeMap;

use crate::error::{Failure, FailureKind};
use crate::model::{Address, Digest, Outputs};

/// What became of one step.
#[derive(Debug, Clone)]
pub enum Ended {
    /// It was done. What stands since then has this digest; none if nothing stands.
    Done(Option<Digest>),
    /// It failed.
    Failed(Failure),
    /// The new resource of a replacement stands, with this digest; the old one could not be deleted.
    OldStays(Option<Digest>, Failure),
    /// The user ended it while it waited for AWS: what it began may stand.
    Interrupted,
    /// It was not begun.
    NotBegun,
}

/// How an apply ended.
#[derive(Debug)]
pub struct Applied {
    /// The outputs of everything that is there now, steps and unchanged resources alike.
    pub outputs: BTreeMap<Address, Outputs>,
    /// Steps that failed, with why.
    pub failed: Vec<(Address, Failure)>,
    /// What became of each step of the plan, in its order.
    pub ended: Vec<Ended>,
    /// How many steps were done.
    pub done: usize,
    /// How many were not begun, or were ended in a wait.
    pub skipped: usize,
    /// The user interrupted it.
    pub interrupted: bool,
    /// What ended it before its time, where it was not the user: the lock was lost.
    pub ended_by: Option<Failure>,
}

impl Applied {
    /// Whether it did all it should.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.failed.is_empty() && self.skipped == 0 && !self.interrupted
    }

    /// Whether nothing was begun.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.done == 0 && self.ended.iter().all(|ended| matches!(ended, Ended::NotBegun))
    }

    /// The same with `hide` over the texts of its failures.
    #[must_use]
    pub fn without(mut self, hide: &dyn Fn(&str) -> String) -> Self {
        self.failed = self.failed.into_iter().map(|(address, failure)| (address, failure.without(hide))).collect();
        let ended = self.ended.into_iter().map(|ended| match ended {
            Ended::Failed(failure) => Ended::Failed(failure.without(hide)),
            Ended::OldStays(digest, failure) => Ended::OldStays(digest, failure.without(hide)),
            other => other,
        });
        self.ended = ended.collect();
        self
    }

    fn counts(&self) -> String {
        let waited = self.ended.iter().filter(|ended| matches!(ended, Ended::Interrupted)).count();
        let waits = if waited == 0 { String::new() } else { format!("{waited} ended while AWS was at work, ") };
        let steps = if self.done == 1 { "step" } else { "steps" };
        format!("{} {steps} done, {waits}{} not begun", self.done, self.skipped.saturating_sub(waited))
    }

    /// Says that it was not the user who ended it. What was done to the end was not ended by anything.
    #[must_use]
    pub fn ended_by(self, failure: Option<Failure>) -> Self {
        let early = self.interrupted && failure.is_some();
        Self { interrupted: self.interrupted && !early, ended_by: failure.filter(|_| early), ..self }
    }

    /// The one failure to end the process with, if the apply did not do all it should.
    #[must_use]
    pub fn into_failure(mut self) -> Option<Failure> {
        let rest = "nothing is lost: run the same command again, and it goes on where this one ended";
        let counts = self.counts();
        let mut all = if self.interrupted {
            Failure::new(FailureKind::Interrupted, format!("interrupted: {counts}"))
        } else if let Some(failure) = self.ended_by {
            failure.context(format!("ended early: {counts}"))
        } else if self.failed.len() == 1 {
            let (address, failure) = self.failed.remove(0);
            return Some(failure.context(format!("{address} was not applied")).hint(rest));
        } else if self.failed.is_empty() && self.skipped == 0 {
            return None;
        } else if self.failed.is_empty() {
            // Nothing failed, and steps are left: each waits for another one of them.
            return Some(Failure::internal(format!("the plan can't be carried out: {counts}")));
        } else {
            Failure::new(FailureKind::Aws, format!("{} resources were not applied", self.failed.len()))
        };
        let mut hints: Vec<String> = Vec::new();
        for (address, failure) in self.failed {
            hints.extend(failure.hints().iter().filter(|hint| !hints.contains(hint)).cloned().collect::<Vec<_>>());
            all = all.cause(format!("{address}: {failure}"));
        }
        Some(hints.into_iter().fold(all, Failure::hint).hint(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(ended: Vec<Ended>, interrupted: bool) -> Applied {
        Applied {
            outputs: BTreeMap::new(),
            failed: Vec::new(),
            skipped: ended.len(),
            ended,
            done: 0,
            interrupted,
            ended_by: None,
        }
    }

    #[test]
    fn what_was_ended_in_a_wait_was_begun() {
        assert!(applied(vec![Ended::NotBegun], true).is_untouched());
        let waited = applied(vec![Ended::Interrupted, Ended::NotBegun], true);
        assert!(!waited.is_untouched());
        let told = waited.into_failure().unwrap().to_string();
        assert_eq!(told, "interrupted: 0 steps done, 1 ended while AWS was at work, 1 not begun");
    }

    #[test]
    fn a_lost_lock_is_why_it_ended_only_where_it_ended_early() {
        let lost = || Some(Failure::new(FailureKind::Refused, "the lock was taken away"));
        let early = applied(vec![Ended::NotBegun], true).ended_by(lost());
        assert!(!early.interrupted && !early.is_done());
        assert!(
            early.into_failure().unwrap().to_string().starts_with("ended early: 0 steps done, 1 not begun: the lock")
        );
        assert!(applied(Vec::new(), false).ended_by(lost()).ended_by.is_none());
    }

    #[test]
    fn what_aws_repeats_of_a_secret_is_hidden() {
        let failure = Failure::new(FailureKind::Aws, "refused hunter22").cause("it is hunter22").hint("not hunter22");
        let ended = vec![Ended::Failed(failure.clone()), Ended::OldStays(None, failure.clone())];
        let address = Address::new("gate", "stage", "gateway");
        let applied = Applied { failed: vec![(address, failure)], ..applied(ended, false) };
        let told = format!("{:?}", applied.without(&|text| text.replace("hunter22", "(sensitive)")));
        assert_eq!((told.matches("hunter22").count(), told.matches("(sensitive)").count()), (0, 9), "{told}");
    }

    #[test]
    fn steps_that_wait_for_each_other_are_no_success() {
        let told = applied(vec![Ended::NotBegun, Ended::NotBegun], false).into_failure().unwrap();
        assert_eq!((told.kind(), told.to_string().contains("2 not begun")), (FailureKind::Internal, true), "{told}");
    }
}
