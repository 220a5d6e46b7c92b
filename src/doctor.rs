//! What is checked before anything goes wrong, and how a number becomes a verdict. Pure: `commands::doctor` asks AWS.

use crate::error::Failure;

/// What a check came to, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Nobody could tell: a permission is missing, or AWS did not answer.
    Unknown,
    /// It works, and will not for ever.
    Warning,
    /// An apply or a request will fail.
    Failed,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "could not tell",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `VPC link`.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Check {
    /// A check that came to something.
    #[must_use]
    pub fn new(name: &str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), verdict, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A check that could not be made, or whose failure is the answer.
    #[must_use]
    pub fn of_failure(name: &str, verdict: Verdict, failure: &Failure) -> Self {
        let hint = (!failure.hints().is_empty()).then(|| failure.hints().join("; "));
        Self { name: name.to_owned(), verdict, message: failure.to_string(), hint }
    }
}

/// A quota of an account or of one of its resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The service that Service Quotas knows it by.
    pub service: &'static str,
    /// Its code there; none for one that can't be raised, which Service Quotas may not list.
    pub code: Option<&'static str>,
    /// What is counted.
    pub what: &'static str,
    /// The default (API Gateway's and Lambda's developer guides).
    pub default: u32,
}

/// Regional REST and HTTP APIs of a Region (API Gateway's guide, "Quotas for configuring and running a REST API").
pub const APIS: Quota = Quota { service: "apigateway", code: None, what: "Regional APIs", default: 600 };
/// Stages of one API. Codes: `gruntwork-io/terraform-aws-utilities`, `docs/quotas.md`, listed from the live service.
pub const STAGES: Quota = Quota { service: "apigateway", code: Some("L-379E48B0"), what: "stages", default: 10 };
/// Resources of one REST API.
pub const RESOURCES: Quota = Quota { service: "apigateway", code: Some("L-01C8A9E0"), what: "resources", default: 300 };
/// VPC links of REST APIs.
pub const VPC_LINKS: Quota = Quota { service: "apigateway", code: Some("L-A4C7274F"), what: "VPC links", default: 20 };
/// Custom domain names.
pub const DOMAIN_NAMES: Quota =
    Quota { service: "apigateway", code: Some("L-A93447B8"), what: "custom domain names", default: 120 };
/// Executions of all functions at once.
pub const CONCURRENCY: Quota =
    Quota { service: "lambda", code: Some("L-B99A9384"), what: "concurrent executions", default: 1000 };

/// Executions that Lambda keeps for functions without a reservation (its guide, "Reserved concurrency").
const UNRESERVED: u32 = 100;

/// From this share on, a quota is worth a thought.
const NEARLY: f64 = 0.8;

/// Whether what there is, and what is yet to come, fits a quota. `of` names what it is counted in: `API abc`.
#[must_use]
pub fn headroom(quota: Quota, of: &str, used: usize, limit: f64) -> Check {
    let used = f64::from(u32::try_from(used).unwrap_or(u32::MAX));
    let message = format!("{of}: {used} of {limit} {}", quota.what);
    let verdict = if used > limit {
        Verdict::Failed
    } else if used >= limit * NEARLY {
        Verdict::Warning
    } else {
        Verdict::Ok
    };
    let check = Check::new("quota", verdict, message);
    match (verdict, quota.code) {
        (Verdict::Ok, _) => check,
        (_, Some(code)) => check.hint(format!(
            "ask for more: aws service-quotas request-service-quota-increase --service-code {} --quota-code {code} \
             --desired-value N",
            quota.service
        )),
        (_, None) => check.hint("AWS raises this one for nobody: use another account or Region"),
    }
}

/// Whether reservations leave other functions what Lambda insists on.
#[must_use]
pub fn reservations(reserved: u32, limit: f64) -> Check {
    let message = format!("{reserved} of {limit} concurrent executions are reserved by this environment");
    if f64::from(reserved + UNRESERVED) > limit {
        return Check::new("quota", Verdict::Failed, message)
            .hint(format!("Lambda keeps {UNRESERVED} for all other functions: reserve less, or ask for more"));
    }
    Check::new("quota", Verdict::Ok, message)
}

/// A certificate with less than this is renewed in haste. ACM renews its own 60 days before they expire.
const DAYS_LEFT: i64 = 30;

/// How long a certificate is still good, in seconds since the epoch.
#[must_use]
pub fn certificate(domain: &str, expires: i64, now: i64) -> Check {
    let days = (expires - now).div_euclid(86_400);
    let hint = "ACM renews its own only while DNS shows their validation record; import the others anew";
    if expires <= now {
        return Check::new("certificate", Verdict::Failed, format!("that of {domain} has expired")).hint(hint);
    }
    let message = format!("that of {domain} is good for {days} more days");
    if days < DAYS_LEFT {
        return Check::new("certificate", Verdict::Warning, message).hint(hint);
    }
    Check::new("certificate", Verdict::Ok, message)
}

/// Runtimes that Lambda no longer mends, and since when (its guide, "Lambda runtimes", table of deprecated runtimes). After a
/// while such functions can't be updated any more, which AWS dates anew from time to time.
const DEPRECATED: [(&str, &str); 13] = [
    ("provided", "January 2024"),
    ("provided.al2", "July 2026"),
    ("go1.x", "January 2024"),
    ("nodejs12.x", "March 2023"),
    ("nodejs14.x", "December 2023"),
    ("nodejs16.x", "June 2024"),
    ("nodejs18.x", "September 2025"),
    ("python3.6", "July 2022"),
    ("python3.7", "December 2023"),
    ("python3.8", "October 2024"),
    ("python3.9", "December 2025"),
    ("java8", "January 2024"),
    ("dotnet6", "December 2024"),
];

/// Whether Lambda still mends the runtime of a function.
#[must_use]
pub fn runtime(function: &str, runtime: &str) -> Check {
    match DEPRECATED.iter().find(|(name, _)| *name == runtime) {
        Some((_, since)) => {
            Check::new("runtime", Verdict::Warning, format!("{function} runs on {runtime}, deprecated since {since}"))
                .hint("set `authorizer.runtime` to `provided.al2023`, with code built for it")
        }
        None => Check::new("runtime", Verdict::Ok, format!("{function} runs on {runtime}")),
    }
}

/// AWS refuses a signature that is five minutes off (AWS's IAM guide, "Troubleshoot signed requests").
const SKEW: i64 = 300;

/// How far this machine's clock is from AWS's, in seconds.
#[must_use]
pub fn clock(ours: i64, theirs: i64) -> Check {
    let off = ours - theirs;
    let message = match off {
        0 => "as AWS's".to_owned(),
        _ => format!("{} seconds {} AWS's", off.abs(), if off > 0 { "ahead of" } else { "behind" }),
    };
    let verdict = match off.abs() {
        0..=60 => Verdict::Ok,
        61..SKEW => Verdict::Warning,
        _ => Verdict::Failed,
    };
    let check = Check::new("clock", verdict, message);
    if verdict == Verdict::Ok {
        check
    } else {
        check.hint("let this machine follow a time server: AWS refuses signatures by it")
    }
}

/// What simulated decisions come to: `(action, decision)` as IAM writes them.
#[must_use]
pub fn permissions(principal: &str, decisions: &[(String, String)]) -> Check {
    let with = |wanted: &str| -> Vec<&str> {
        decisions.iter().filter(|(_, decision)| decision == wanted).map(|(action, _)| action.as_str()).collect()
    };
    let (denied, silent) = (with("explicitDeny"), with("implicitDeny"));
    let asked = decisions.len();
    if !denied.is_empty() {
        let message = format!("{principal} is denied {}", denied.join(", "));
        return Check::new("permissions", Verdict::Failed, message).hint("a policy of it, or one above it, says Deny");
    }
    if !silent.is_empty() {
        let message = format!(
            "{principal} has no permission on every resource for {} of {asked}: {}",
            silent.len(),
            silent.join(", ")
        );
        return Check::new("permissions", Verdict::Warning, message).hint(
            "one that is limited to resources is told so, too: compare it with the names in `gwctl render resources`",
        );
    }
    Check::new("permissions", Verdict::Ok, format!("{principal} may do all {asked} things that were simulated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_warns_before_it_fails() {
        for (used, verdict) in
            [(0, Verdict::Ok), (15, Verdict::Ok), (16, Verdict::Warning), (20, Verdict::Warning), (21, Verdict::Failed)]
        {
            assert_eq!(headroom(VPC_LINKS, "the Region", used, 20.0).verdict, verdict, "{used}");
        }
        assert!(headroom(VPC_LINKS, "x", 20, 20.0).hint.unwrap().contains("--quota-code L-A4C7274F"));
        assert!(headroom(APIS, "x", 600, 600.0).hint.unwrap().contains("for nobody"));
        assert_eq!(
            (reservations(900, 1000.0).verdict, reservations(901, 1000.0).verdict),
            (Verdict::Ok, Verdict::Failed)
        );
    }

    #[test]
    fn a_certificate_warns_for_a_month() {
        let day = 86_400;
        for (expires, verdict) in
            [(0, Verdict::Failed), (1, Verdict::Warning), (29 * day, Verdict::Warning), (30 * day, Verdict::Ok)]
        {
            assert_eq!(certificate("a", expires, 0).verdict, verdict, "{expires}");
        }
    }

    #[test]
    fn a_clock_may_be_a_minute_off() {
        for (ours, verdict) in [(0, Verdict::Ok), (-60, Verdict::Ok), (61, Verdict::Warning), (-300, Verdict::Failed)] {
            assert_eq!(clock(ours, 0).verdict, verdict, "{ours}");
        }
        assert_eq!(clock(-90, 0).message, "90 seconds behind AWS's");
    }

    #[test]
    fn runtimes_grow_old() {
        assert_eq!(runtime("f", "provided.al2023").verdict, Verdict::Ok);
        assert_eq!(runtime("f", "provided.al2").verdict, Verdict::Warning);
    }

    #[test]
    fn a_denial_is_worse_than_silence() {
        let of = |decisions: &[(&str, &str)]| {
            let decisions: Vec<(String, String)> =
                decisions.iter().map(|(action, decision)| ((*action).to_owned(), (*decision).to_owned())).collect();
            permissions("role r", &decisions)
        };
        assert_eq!(of(&[("a:B", "allowed")]).verdict, Verdict::Ok);
        assert_eq!(of(&[("a:B", "allowed"), ("a:C", "implicitDeny")]).verdict, Verdict::Warning);
        let denied = of(&[("a:B", "explicitDeny"), ("a:C", "implicitDeny")]);
        assert_eq!((denied.verdict, denied.message.as_str()), (Verdict::Failed, "role r is denied a:B"));
    }
}
