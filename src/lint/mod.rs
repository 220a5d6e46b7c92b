//! What is legal in a configuration and probably not meant: the warnings of `gwctl check`.
//!
//! Beside the pipeline in [`crate`], after stages 2 and 3: pure, over environments that are right and the documents that
//! they become. A lint has a name in the [`catalogue`] and speaks of a line of a file. Lints of routes go over one gateway,
//! those of the resource policy over all gateways that a stack's file makes. [`compare`] shows how environments differ.

pub mod catalogue;
pub mod compare;
mod environments;
mod overlap;
mod pattern;
mod policy;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;

use self::catalogue::{LINTS, Lint, UNUSED_ALLOW};
use crate::config::{self, Configuration, Environment, Fault, Faults, GatewayStack, Route, Severity, Span, suggestion};
use crate::stack;

/// One environment with what it becomes.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// Its gateways as documents.
    pub gateways: Vec<stack::Gateway>,
}

/// What the command line makes of warnings.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// Every warning is an error.
    pub deny_warnings: bool,
    /// Lints whose findings are errors.
    pub deny: Vec<String>,
    /// Lints whose findings are not shown.
    pub allow: Vec<String>,
}

impl Levels {
    /// Makes warnings errors, or takes them away.
    pub fn apply(&self, faults: &mut Faults) {
        let Self { deny_warnings, deny, allow } = self;
        let names = |list: &[String], fault: &Fault| list.iter().any(|name| fault.lint == Some(name.as_str()));
        faults.retain_mut(|fault| {
            if names(deny, fault) || *deny_warnings && !names(allow, fault) {
                fault.severity = Severity::Error;
                return true;
            }
            !names(allow, fault)
        });
    }
}

/// Everything that looks wrong, as warnings; an unknown name in an entry's `allow` is an error.
#[must_use]
pub fn run(configuration: &Configuration, checked: &[Checked<'_>]) -> Faults {
    let mut findings = Findings::default();
    for stack in GatewayStack::ALL {
        let subjects: Vec<Subject<'_>> = checked.iter().filter_map(|one| Subject::of(one, stack)).collect();
        for subject in &subjects {
            routes::check(subject, &mut findings);
            overlap::check(subject, &mut findings);
        }
        environments::check(&subjects, &mut findings);
        if let Some(files) = configuration.stacks.of(stack) {
            policy::check(stack, files, &subjects, &mut findings);
        }
    }
    let gateways = checked.iter().flat_map(|one| one.environment.gateways());
    for route in gateways.flat_map(|gateway| &gateway.routes) {
        findings.check_allow(route);
    }
    let mut faults = findings.faults;
    faults.sort();
    faults
}

/// One gateway of one environment.
struct Subject<'a> {
    environment: &'a Environment,
    gateway: &'a config::Gateway,
    document: &'a Value,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Everybody, with one method at least.
    Open,
    /// Whom an authorizer lets, whose answer is kept for `ttl` seconds.
    Authorized {
        /// 0: it is asked for every request.
        ttl: u64,
    },
}

impl<'a> Subject<'a> {
    fn of(checked: &'a Checked<'_>, stack: GatewayStack) -> Option<Self> {
        let environment = checked.environment;
        let gateway = environment.gateway(stack)?;
        let document = &checked.gateways.iter().find(|one| one.stack == stack)?.document;
        Some(Self { environment, gateway, document })
    }

    /// Who may call a route. An API key is no authentication (AWS's developer guide, "Usage plans and API keys": "Don't
    /// use API keys for authentication or authorization"), and a browser's preflight has none.
    fn access(&self, route: &Route) -> Access {
        let operations = self.document["paths"][&route.path].as_object().into_iter().flatten();
        let ttls = operations.filter(|(method, _)| *method != "options").map(|(_, operation)| self.ttl(operation));
        // The longest time of any method; an open one goes before.
        ttls.collect::<Option<Vec<u64>>>()
            .and_then(|ttls| ttls.into_iter().max())
            .map_or(Access::Open, |ttl| Access::Authorized { ttl })
    }

    /// For how many seconds the authorizer's answer is kept; nothing without an authorizer.
    fn ttl(&self, operation: &Value) -> Option<u64> {
        let schemes = &self.document["components"]["securitySchemes"];
        let names = operation["security"].as_array()?.iter().filter_map(Value::as_object).flat_map(|one| one.keys());
        let authorizers = names.filter_map(|name| schemes[name].get("x-amazon-apigateway-authorizer"));
        authorizers.map(|one| one["authorizerResultTtlInSeconds"].as_u64().unwrap_or_default()).max()
    }
}

/// What was found, and which allowances held something back.
#[derive(Default)]
struct Findings {
    faults: Faults,
    used: HashSet<(PathBuf, usize)>,
}

impl Findings {
    /// A finding about a line.
    fn add(&mut self, lint: &'static Lint, span: &Span, message: String, hint: String) -> &mut Fault {
        let fault = self.faults.warning(span, message, hint);
        fault.lint = Some(lint.name);
        fault
    }

    /// A finding about routes, unless the entry of one of them allows it.
    fn add_for(
        &mut self,
        lint: &'static Lint,
        routes: &[&Route],
        span: &Span,
        message: String,
        hint: String,
    ) -> Option<&mut Fault> {
        let allowances = routes.iter().flat_map(|route| &route.allow).filter(|allowed| allowed.name == lint.name);
        let used: Vec<_> = allowances.map(|allowed| place(&allowed.span)).collect();
        if used.is_empty() {
            return Some(self.add(lint, span, message, hint));
        }
        self.used.extend(used);
        None
    }

    /// What is wrong with what an entry allows. Comes after all lints.
    fn check_allow(&mut self, route: &Route) {
        for allowed in &route.allow {
            let Some(lint) = LINTS.iter().find(|lint| lint.name == allowed.name) else {
                let known: Vec<&str> = LINTS.iter().filter(|lint| lint.by_route).map(|lint| lint.name).collect();
                let message = format!("there is no lint `{}`", allowed.name);
                self.faults.error(&allowed.span, message, suggestion(&allowed.name, &known));
                continue;
            };
            if !lint.by_route {
                let message = format!("`{}` is not about routes, so that no entry can allow it", lint.name);
                self.add(&UNUSED_ALLOW, &allowed.span, message, "allow it on the command line: `--allow`".to_owned());
            } else if !self.used.contains(&place(&allowed.span)) {
                let message = format!("`{}` is allowed here, where it warns of nothing", lint.name);
                self.add(&UNUSED_ALLOW, &allowed.span, message, UNUSED_ALLOW.remedy.to_owned());
            }
        }
    }
}

fn place(span: &Span) -> (PathBuf, usize) {
    (span.path().to_owned(), span.start)
}
