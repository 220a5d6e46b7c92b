//! IAM policies as they decide about one request: resource policies, what an authorizer returns, a role's permissions.
//!
//! A [`Policy`] is compiled once and asked with a [`Question`] for every request. It tells which statement decided, and
//! by which of its resource patterns, so that `gwctl explain` can say why. How several policies and an authorizer add
//! up is not decided here: that is the data plane's to know (aws-facts E).

mod condition;
mod glob;
mod keys;
mod parse;

use std::fmt;

pub use keys::{Keys, NoKeys, Pairs, Values};

use condition::Condition;
use glob::Glob;
use parse::Principals;

/// A policy document, compiled.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone)]
struct Statement {
    sid: Option<String>,
    denies: bool,
    /// Absent in policies that belong to their principal.
    principals: Option<Either<Principals>>,
    actions: Either<Vec<Glob>>,
    resources: Either<Vec<Glob>>,
    conditions: Vec<Condition>,
}

/// An element or its `Not…` form.
#[derive(Debug, Clone)]
struct Either<T> {
    negated: bool,
    listed: T,
}

/// What is asked: may this principal do this to that?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The action, `execute-api:Invoke`.
    pub action: &'a str,
    /// The ARN of the resource.
    pub resource: &'a str,
    /// Who asks.
    pub principal: Principal<'a>,
    /// The condition keys of the request.
    pub keys: &'a dyn Keys,
}

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal<'a> {
    /// Nobody AWS knows: the request is not signed.
    Anonymous,
    /// A user, a role's session, or an account.
    Aws {
        /// Twelve digits.
        account: &'a str,
        /// The ARN of the user or the session.
        arn: &'a str,
        /// The ARN of the role, for a session of one: `arn:aws:sts::…:assumed-role/…` does not have the role's path.
        role: Option<&'a str>,
    },
    /// A service of AWS, `apigateway.amazonaws.com`.
    Service(&'a str),
}

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'p> {
    /// A statement denies.
    Denied(StatementRef<'p>),
    /// A statement allows, and none denies.
    Allowed(StatementRef<'p>),
    /// No statement applies.
    Silent,
}

/// The statement that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementRef<'p> {
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<&'p str>,
    /// The pattern in `Resource` that matched; none where the statement has `NotResource`.
    pub resource: Option<&'p str>,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// A statement's name: its `Sid`, or its place counted from 1, and the pattern that matched.
impl fmt::Display for StatementRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sid {
            Some(sid) => write!(f, "statement `{sid}`")?,
            None => write!(f, "statement {}", self.index + 1)?,
        }
        self.resource.map_or(Ok(()), |resource| write!(f, " (resource pattern `{resource}`)"))
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, principal, keys: _ } = self;
        f.debug_struct("Question")
            .field("action", action)
            .field("resource", resource)
            .field("principal", principal)
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// Compiles a policy document. Elements that IAM does not know, and values it could not compare, are errors.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::policy(text).map_err(PolicyError)
    }

    /// What the policy says to a request: a statement that denies goes before every one that allows.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>) -> Verdict<'_> {
        let mut allowed = None;
        for (index, statement) in self.statements.iter().enumerate() {
            if !statement.denies && allowed.is_some() {
                continue;
            }
            if !statement.applies(question) {
                continue;
            }
            let resource = statement.pattern(question).map(Glob::source);
            let found = StatementRef { index, sid: statement.sid.as_deref(), resource };
            if statement.denies {
                return Verdict::Denied(found);
            }
            allowed = Some(found);
        }
        allowed.map_or(Verdict::Silent, Verdict::Allowed)
    }

    /// The same with every condition taken as met: for questions that no request stands behind.
    #[must_use]
    pub fn without_conditions(mut self) -> Self {
        self.statements.iter_mut().for_each(|statement| statement.conditions.clear());
        self
    }

    /// Whether the policy names principals: one that belongs to a resource does, one that belongs to a role does not.
    #[must_use]
    pub fn names_principals(&self) -> bool {
        self.statements.iter().any(|statement| statement.principals.is_some())
    }
}

impl Statement {
    /// Whether the statement applies.
    fn applies(&self, question: &Question<'_>) -> bool {
        let Question { action, resource: _, principal, keys } = *question;
        let by_principal = self.principals.as_ref().is_none_or(|either| either.holds(either.listed.include(principal)));
        by_principal
            && self.actions.holds(self.actions.listed.iter().any(|glob| glob.matches(action, keys)))
            && self.resources.holds(self.pattern(question).is_some())
            && self.conditions.iter().all(|condition| condition.holds(keys))
    }

    /// The pattern in `Resource` or `NotResource` that matches.
    fn pattern(&self, question: &Question<'_>) -> Option<&Glob> {
        self.resources.listed.iter().find(|glob| glob.matches(question.resource, question.keys))
    }
}

impl<T> Either<T> {
    const fn holds(&self, listed: bool) -> bool {
        listed != self.negated
    }
}

#[cfg(test)]
mod against_iam_rs;
#[cfg(test)]
mod tests;
