//! Statements: what a rule looks for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FieldToMatch, Forwarded, Label, RateBased, RuleAction, Transformation};

wire! {
    /// What a rule looks for: exactly one member is set.
    #[derive(Default)]
    Statement {
        /// A string in a part of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        byte_match_statement: Option<ByteMatch>,
        /// SQL code; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sqli_match_statement: Option<Sqli>,
        /// Scripts; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        xss_match_statement: Option<Xss>,
        /// The size of a part of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_constraint_statement: Option<SizeConstraint>,
        /// The country of the client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        geo_match_statement: Option<GeoMatch>,
        /// The rules of a rule group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule_group_reference_statement: Option<GroupReference>,
        /// The address of the client.
        #[serde(default, rename = "IPSetReferenceStatement", skip_serializing_if = "Option::is_none")]
        ip_set_reference_statement: Option<IpSetReference>,
        /// One of the patterns of a set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex_pattern_set_reference_statement: Option<RegexSetReference>,
        /// Too many requests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate_based_statement: Option<Box<RateBased>>,
        /// All of several statements.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        and_statement: Option<Nested>,
        /// One of several statements.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        or_statement: Option<Nested>,
        /// The opposite of a statement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_statement: Option<Not>,
        /// The rules of a vendor; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        managed_rule_group_statement: Option<Box<Managed>>,
        /// A label that an earlier rule added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label_match_statement: Option<LabelMatch>,
        /// A pattern.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        regex_match_statement: Option<RegexMatch>,
        /// The network of the client; not evaluated here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asn_match_statement: Option<AsnMatch>,
    }
    /// A string in a part of the request.
    ByteMatch {
        /// In base64.
        search_string: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
        /// Where in the part.
        positional_constraint: Position,
    }
    /// SQL code in a part of the request.
    Sqli {
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
        /// How suspicious.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sensitivity_level: Option<Sensitivity>,
    }
    /// Scripts in a part of the request.
    Xss {
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// The size of a part of the request, in bytes.
    SizeConstraint {
        /// Of what.
        field_to_match: FieldToMatch,
        /// How it compares.
        comparison_operator: Comparison,
        /// With how much.
        size: u64,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// The country of the client.
    GeoMatch {
        /// Two capital letters each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        country_codes: Vec<String>,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "ForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
    }
    /// The network of the client.
    AsnMatch {
        /// Numbers of networks.
        asn_list: Vec<u32>,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "ForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
    }
    /// The rules of a rule group.
    GroupReference {
        /// Its ARN.
        #[serde(rename = "ARN")]
        arn: String,
        /// Rules that only count.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_rules: Vec<Label>,
        /// Rules with another action.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rule_action_overrides: Vec<ActionOverride>,
    }
    /// A rule with another action.
    ActionOverride {
        /// The rule.
        name: String,
        /// The action.
        action_to_use: RuleAction,
    }
    /// The address of the client in a set.
    IpSetReference {
        /// The ARN of the set.
        #[serde(rename = "ARN")]
        arn: String,
        /// Where the address is, if not in the connection.
        #[serde(default, rename = "IPSetForwardedIPConfig", skip_serializing_if = "Option::is_none")]
        forwarded: Option<ForwardedIn>,
    }
    /// A header with addresses.
    ForwardedIn {
        /// The header.
        header_name: String,
        /// What a header without a valid address means.
        fallback_behavior: Fallback,
        /// Which of its addresses count.
        position: Place,
    }
    /// One of the patterns of a set.
    RegexSetReference {
        /// The ARN of the set.
        #[serde(rename = "ARN")]
        arn: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// A pattern.
    RegexMatch {
        /// The pattern.
        regex_string: String,
        /// Where.
        field_to_match: FieldToMatch,
        /// What is done to the part first.
        text_transformations: Vec<Transformation>,
    }
    /// Several statements.
    Nested {
        /// At least two.
        statements: Vec<Statement>,
    }
    /// The opposite of a statement.
    Not {
        /// The statement.
        statement: Box<Statement>,
    }
    /// The rules of a vendor.
    Managed {
        /// `AWS`, or a seller.
        vendor_name: String,
        /// `AWSManagedRulesCommonRuleSet`.
        name: String,
        /// The version, if it is pinned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Rules that only count.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded_rules: Vec<Label>,
        /// Which requests are looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope_down_statement: Option<Statement>,
        /// Settings of the group.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        managed_rule_group_configs: Vec<Value>,
        /// Rules with another action.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rule_action_overrides: Vec<ActionOverride>,
    }
    /// A label that an earlier rule added.
    LabelMatch {
        /// Whether the key is a label or a namespace.
        scope: LabelScope,
        /// The label or its end, or a namespace.
        key: String,
    }
}

names! {
    /// Where in a part of the request.
    Position {
        /// It is the part.
        Exactly,
        /// At its beginning.
        StartsWith,
        /// At its end.
        EndsWith,
        /// Anywhere.
        Contains,
        /// Anywhere, with no letter, digit or underscore around it.
        ContainsWord,
    }
    /// How sizes compare.
    Comparison {
        /// Equal.
        Eq,
        /// Not equal.
        Ne,
        /// Less or equal.
        Le,
        /// Less.
        Lt,
        /// Greater or equal.
        Ge,
        /// Greater.
        Gt,
    }
    /// What a header without a valid address means.
    Fallback {
        /// A match.
        Match,
        /// No match.
        NoMatch,
    }
    /// Which addresses of a header count.
    Place {
        /// The first.
        First,
        /// The last.
        Last,
        /// Any.
        Any,
    }
    /// Whether a key is a label or a namespace.
    LabelScope {
        /// A label.
        Label,
        /// A namespace.
        Namespace,
    }
    /// How suspicious the search for SQL is.
    Sensitivity {
        /// A little.
        Low,
        /// Very.
        High,
    }
}

impl Statement {
    /// How many members are set; one is right.
    pub(in crate::sandbox) fn members(&self) -> usize {
        let Self {
            byte_match_statement,
            sqli_match_statement,
            xss_match_statement,
            size_constraint_statement,
            geo_match_statement,
            rule_group_reference_statement,
            ip_set_reference_statement,
            regex_pattern_set_reference_statement,
            rate_based_statement,
            and_statement,
            or_statement,
            not_statement,
            managed_rule_group_statement,
            label_match_statement,
            regex_match_statement,
            asn_match_statement,
        } = self;
        let set = [
            byte_match_statement.is_some(),
            sqli_match_statement.is_some(),
            xss_match_statement.is_some(),
            size_constraint_statement.is_some(),
            geo_match_statement.is_some(),
            rule_group_reference_statement.is_some(),
            ip_set_reference_statement.is_some(),
            regex_pattern_set_reference_statement.is_some(),
            rate_based_statement.is_some(),
            and_statement.is_some(),
            or_statement.is_some(),
            not_statement.is_some(),
            managed_rule_group_statement.is_some(),
            label_match_statement.is_some(),
            regex_match_statement.is_some(),
            asn_match_statement.is_some(),
        ];
        set.iter().filter(|set| **set).count()
    }

    /// The statements directly inside this one.
    pub(in crate::sandbox) fn inner(&self) -> impl Iterator<Item = &Self> {
        let lists = self.and_statement.iter().chain(&self.or_statement).flat_map(|nested| &nested.statements);
        let not = self.not_statement.iter().map(|not| &*not.statement);
        let rate = self.rate_based_statement.iter().filter_map(|rate| rate.scope_down_statement.as_ref());
        let managed = self.managed_rule_group_statement.iter().filter_map(|group| group.scope_down_statement.as_ref());
        lists.chain(not).chain(rate).chain(managed)
    }

    /// The ARNs that the statement and those inside it refer to.
    pub(in crate::sandbox) fn references<'a>(&'a self, found: &mut Vec<&'a str>) {
        found.extend(self.ip_set_reference_statement.iter().map(|set| set.arn.as_str()));
        found.extend(self.regex_pattern_set_reference_statement.iter().map(|set| set.arn.as_str()));
        found.extend(self.rule_group_reference_statement.iter().map(|group| group.arn.as_str()));
        self.inner().for_each(|inner| inner.references(found));
    }

    /// The part of the request that the statement itself looks at, and what is done to it first.
    pub(in crate::sandbox) fn field(&self) -> Option<(&FieldToMatch, &[Transformation])> {
        let byte = self.byte_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let sqli = self.sqli_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let xss = self.xss_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let size = self.size_constraint_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        let set = self.regex_pattern_set_reference_statement.as_ref();
        let set = set.map(|s| (&s.field_to_match, &s.text_transformations));
        let regex = self.regex_match_statement.as_ref().map(|s| (&s.field_to_match, &s.text_transformations));
        byte.or(sqli).or(xss).or(size).or(set).or(regex).map(|(field, list)| (field, list.as_slice()))
    }
}
