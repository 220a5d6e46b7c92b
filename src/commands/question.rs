//! What is asked before something is changed, and of whom. Answers come from a terminal only: what is piped in was not
//! meant as an answer.

use std::io::IsTerminal as _;

use super::output::notice;
use crate::aws::AskCode;
use crate::cli::Global;
use crate::error::{Failure, FailureKind, Result};
use crate::model::{Owner, Place};

/// What the command line says yes to.
#[derive(Debug, Clone, Default)]
pub(super) struct Consent {
    /// To whatever is not protected.
    pub(super) yes: bool,
    /// To these protected environments: ENV, or PRODUCT/ENV.
    pub(super) confirmed: Vec<String>,
}

impl Consent {
    /// Refuses the names of what is not in the run: a slip of the pen, which must not be taken for care.
    pub(super) fn check(&self, owners: &[&Owner]) -> Result<()> {
        let Some(name) = self.confirmed.iter().find(|name| !owners.iter().any(|owner| names(name, owner))) else {
            return Ok(());
        };
        let known: Vec<String> = owners.iter().map(ToString::to_string).collect();
        Err(Failure::new(FailureKind::Usage, format!("--confirm names `{name}`, which is not selected"))
            .hint(format!("selected: {}", known.join(", "))))
    }

    /// Refuses a protected environment that nobody named.
    pub(super) fn to_protected(&self, owner: &Owner) -> Result<()> {
        if self.confirmed.iter().any(|name| names(name, owner)) {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Refused, format!("{owner} is protected, and --yes alone does not change it"))
            .hint(format!("look at the plan; if it is what you want, add --confirm {}", owner.environment)))
    }
}

fn names(name: &str, owner: &Owner) -> bool {
    name == owner.environment || name == owner.to_string()
}

/// An environment that is about to be changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed<'a> {
    pub(super) owner: &'a Owner,
    pub(super) place: &'a Place,
    pub(super) protected: bool,
}

/// Whether somebody sits there.
fn can_ask(global: &Global) -> bool {
    global.host.is_none() && std::io::stdin().is_terminal()
}

/// Asks once for all of them, whose names follow the question: `Apply this plan to`. What has to be typed is `yes`, or the
/// names of the protected ones.
pub(super) fn confirm(global: &Global, question: &str, all: &[Changed<'_>]) -> Result<()> {
    if !can_ask(global) {
        let hint = if all.iter().any(|one| one.protected) {
            "look at what is shown, then run this with --yes, and --confirm ENV for what is protected"
        } else {
            "look at what is shown, then run this with --yes"
        };
        return Err(refused("nobody can be asked: stdin is no terminal").hint(hint));
    }
    let wanted = wanted(all);
    notice(global, |out| {
        let at = |one: &Changed<'_>| format!("{} in {} {}", one.owner, one.place.account, one.place.region);
        if let [one] = all {
            write!(out, "\n{question} {}? Type `{wanted}`: ", at(one))?;
        } else {
            writeln!(out, "\n{question}")?;
            for one in all {
                writeln!(out, "  {}{}", at(one), if one.protected { " (protected)" } else { "" })?;
            }
            write!(out, "Type `{wanted}`: ")?;
        }
        out.flush()
    })?;
    if answer()?.trim() == wanted { Ok(()) } else { Err(refused("not confirmed; nothing was changed")) }
}

fn wanted(all: &[Changed<'_>]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for one in all.iter().filter(|one| one.protected) {
        if !names.contains(&one.owner.environment.as_str()) {
            names.push(&one.owner.environment);
        }
    }
    if names.is_empty() { "yes".to_owned() } else { names.join(" ") }
}

fn answer() -> Result<String> {
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| Failure::io("failed to read the answer", &error))?;
    Ok(answer)
}

fn refused(message: &str) -> Failure {
    Failure::new(FailureKind::Refused, message)
}

/// Whoever sits at the terminal, for codes of MFA devices.
#[derive(Debug, Clone)]
pub(super) struct Terminal(Global);

impl Terminal {
    pub(super) fn of(global: &Global) -> Self {
        Self(global.clone())
    }
}

impl AskCode for Terminal {
    fn ask(&self, device: &str, role: &str) -> Result<String> {
        if !can_ask(&self.0) {
            return Err(refused(&format!(
                "{role} wants a code of {device}, and nobody can be asked: stdin is no terminal"
            ))
            .hint("run this on a terminal, or give it a session: AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or SSO"));
        }
        notice(&self.0, |out| {
            write!(out, "code of {device} for {role}: ")?;
            out.flush()
        })?;
        answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(product: &str, environment: &str) -> Owner {
        Owner { product: product.to_owned(), environment: environment.to_owned() }
    }

    #[test]
    fn a_protected_environment_wants_its_own_name() {
        let (prod, dev) = (owner("a", "prod"), owner("a", "dev"));
        let consent =
            |names: &[&str]| Consent { yes: true, confirmed: names.iter().map(|&name| name.to_owned()).collect() };
        for names in [&["prod"][..], &["a/prod"], &["dev", "prod"]] {
            assert!(consent(names).to_protected(&prod).is_ok(), "{names:?}");
        }
        for names in [&[][..], &["dev"], &["b/prod"], &["PROD"], &["a"]] {
            let failure = consent(names).to_protected(&prod).unwrap_err();
            assert!(failure.hints()[0].contains("--confirm prod"), "{failure}");
        }
        assert!(consent(&["prod", "a/dev"]).check(&[&prod, &dev]).is_ok());
        for name in ["prd", "b/prod", ""] {
            let failure = consent(&[name]).check(&[&prod, &dev]).unwrap_err();
            assert_eq!((failure.kind(), failure.hints()[0].as_str()), (FailureKind::Usage, "selected: a/prod, a/dev"));
        }
    }

    #[test]
    fn what_is_typed_names_all_that_is_protected() {
        let place = Place { account: String::new(), region: String::new(), partition: String::new() };
        let owners = [owner("a", "dev"), owner("a", "prod"), owner("b", "prod"), owner("b", "live")];
        let with = |protected: [bool; 4]| {
            let all: Vec<Changed<'_>> = owners
                .iter()
                .zip(protected)
                .map(|(owner, protected)| Changed { owner, place: &place, protected })
                .collect();
            wanted(&all)
        };
        assert_eq!(with([false; 4]), "yes");
        assert_eq!(with([false, true, true, false]), "prod");
        assert_eq!(with([false, true, true, true]), "prod live");
    }
}
