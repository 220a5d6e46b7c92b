//! The managed rule groups that can be named: AWS's own. Their rules are a secret of AWS's, so they are listed, counted
//! and stored, and never match (see `execute_api::waf`).

use serde_json::{Value, json};

/// A managed rule group.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name.
    pub(super) name: &'static str,
    /// What it costs (developer guide, "AWS Managed Rules rule groups list").
    pub(super) capacity: u64,
    /// Whether it has versions to pin.
    versioned: bool,
    description: &'static str,
}

const fn group(name: &'static str, capacity: u64, versioned: bool, description: &'static str) -> Group {
    Group { name, capacity, versioned, description }
}

const GROUPS: [Group; 15] = [
    group("AWSManagedRulesACFPRuleSet", 50, false, "Account creation fraud prevention."),
    group("AWSManagedRulesATPRuleSet", 50, false, "Account takeover prevention."),
    group("AWSManagedRulesAdminProtectionRuleSet", 100, true, "Blocks external access to exposed admin pages."),
    group("AWSManagedRulesAmazonIpReputationList", 25, false, "Addresses that Amazon's threat intelligence knows."),
    group("AWSManagedRulesAnonymousIpList", 50, false, "Services that hide who a viewer is."),
    group("AWSManagedRulesAntiDDoSRuleSet", 50, false, "Layer 7 denial of service."),
    group("AWSManagedRulesBotControlRuleSet", 50, true, "Automated bots."),
    group("AWSManagedRulesCommonRuleSet", 700, true, "Rules that apply to web applications in general."),
    group("AWSManagedRulesKnownBadInputsRuleSet", 200, true, "Request patterns that are known to be invalid."),
    group("AWSManagedRulesLinuxRuleSet", 200, true, "Attacks on Linux, such as local file inclusion."),
    group("AWSManagedRulesPHPRuleSet", 100, true, "Attacks on PHP."),
    group("AWSManagedRulesSQLiRuleSet", 200, true, "SQL injection."),
    group("AWSManagedRulesUnixRuleSet", 100, true, "Attacks on POSIX systems."),
    group("AWSManagedRulesWindowsRuleSet", 200, true, "Attacks on Windows."),
    group("AWSManagedRulesWordPressRuleSet", 100, true, "Attacks on WordPress."),
];

/// A managed rule group by vendor and name.
pub(super) fn find(vendor: &str, name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| vendor == "AWS" && group.name == name)
}

/// The groups as the service lists them, with their names.
pub(super) fn summaries() -> Vec<(String, Value)> {
    let summary = |group: &Group| {
        let value = json!({
            "VendorName": "AWS", "Name": group.name, "VersioningSupported": group.versioned,
            "Description": group.description,
        });
        (group.name.to_owned(), value)
    };
    GROUPS.iter().map(summary).collect()
}
