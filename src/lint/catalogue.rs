//! Every lint: its name, what it says, why that matters, and what to do. `gwctl check --lints` lists them.

/// One lint.
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    /// The name, as `--deny`, `--allow` and an entry's `allow` take it.
    pub name: &'static str,
    /// What it warns of, in one sentence.
    pub summary: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the entry of a route can allow it.
    pub by_route: bool,
}

/// A through route that no authorizer stands before.
pub static UNAUTHENTICATED_THROUGH: Lint = Lint {
    name: "unauthenticated-through",
    summary: "a route passes requests on to another host without authentication",
    why: "everybody on the internet reaches that host through the gateway, which is its first and maybe only guard",
    remedy: "put an authorizer into its template, or add `\"allow\": [\"unauthenticated-through\"]` to the entry if that host asks who calls",
    by_route: true,
};

/// A through route over plain HTTP.
pub static PLAIN_HTTP_TARGET: Lint = Lint {
    name: "plain-http-target",
    summary: "a route passes requests on over plain HTTP",
    why: "the request leaves the network of the gateway, and everybody on the way reads and changes tokens and data",
    remedy: "write `https://`",
    by_route: true,
};

/// A Deny for a path but not for what is below it, or the other way round.
pub static DENY_LIST_GAP: Lint = Lint {
    name: "deny-list-gap",
    summary: "the resource policy denies a path but not what is below it, or the other way round",
    why: "routing ignores a trailing slash, and AWS does not document which form of `/x/`, `//x`, `%2F` or mixed case the \
          policy matches: one spelling that is not denied walks around the list",
    remedy: "deny both, `/x` and `/x/*`; what must not be reached has to be closed in the service too",
    by_route: false,
};

/// A Deny that no request can meet.
pub static DENY_MATCHES_NOTHING: Lint = Lint {
    name: "deny-matches-nothing",
    summary: "the resource policy denies what no route of any environment serves",
    why: "the pattern is `STAGE/METHOD/path`, case-sensitive: one that leaves a part out, or misspells it, denies nothing \
          (one that begins with `*` is taken for a precaution and not looked at)",
    remedy: "write it as `execute-api:/*/*/path`, or take it away",
    by_route: false,
};

/// Management endpoints that clients can reach.
pub static ACTUATOR_NOT_DENIED: Lint = Lint {
    name: "actuator-not-denied",
    summary: "management or documentation endpoints of services can be reached from outside",
    why: "a `{proxy+}` right behind the name of a service passes everything on, with what its framework serves unasked",
    remedy: "deny it in the resource policy, both `/x` and `/x/*`",
    by_route: false,
};

/// A route that loses requests to another one which treats them otherwise.
pub static SHADOWED_ROUTE: Lint = Lint {
    name: "shadowed-route",
    summary: "a route loses requests to another one that treats them otherwise",
    why: "at the first part in which two paths differ, text goes before `{x}` and `{x}` before `{x+}`: where neither path lies \
          inside the other, requests that both match get the authentication of the one that wins",
    remedy: "give both the same type, or write the path that both match as a route of its own",
    by_route: true,
};

/// An authorized route inside an open one.
pub static PROTECTED_IN_OPEN: Lint = Lint {
    name: "protected-in-open",
    summary: "a route with authentication lies inside one that is open and goes to the same service",
    why: "only the exact spelling asks the authorizer: another case, or an escape, takes the open route to the same service",
    remedy: "open single paths below a route with authentication, and not the other way round",
    by_route: true,
};

/// A kept answer before what changes state.
pub static CACHED_STATE_CHANGE: Lint = Lint {
    name: "cached-state-change",
    summary: "a route that sounds as if it changed or ended something lets the authorizer's answer be kept",
    why: "for the TTL, whoever was logged out, blocked or merged away still passes; the name of the path is all this goes by",
    remedy: "move it to `normal_non_ttl_path`, or allow it if an old answer does no harm there",
    by_route: true,
};

/// A route that some environments of a product lack.
pub static ROUTE_IN_SOME_ENVIRONMENTS: Lint = Lint {
    name: "route-in-some-environments",
    summary: "a route is in some environments of the product and not in others",
    why: "what was not tried in one environment fails in the next; on its way through them a route is rightly so for a while",
    remedy: "add it where it is missing, or allow it; `gwctl check --compare` shows all differences",
    by_route: true,
};

/// An `allow` that nothing is held back by.
pub static UNUSED_ALLOW: Lint = Lint {
    name: "unused-allow",
    summary: "an entry allows a warning that there is not",
    why: "it would hide the warning when it comes",
    remedy: "take it away",
    by_route: false,
};

/// All of them.
pub static LINTS: [&Lint; 10] = [
    &UNAUTHENTICATED_THROUGH,
    &PLAIN_HTTP_TARGET,
    &CACHED_STATE_CHANGE,
    &SHADOWED_ROUTE,
    &PROTECTED_IN_OPEN,
    &ROUTE_IN_SOME_ENVIRONMENTS,
    &DENY_LIST_GAP,
    &DENY_MATCHES_NOTHING,
    &ACTUATOR_NOT_DENIED,
    &UNUSED_ALLOW,
];

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    LINTS.iter().map(|lint| lint.name)
}
