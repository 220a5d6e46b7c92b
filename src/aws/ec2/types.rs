//! What the calls take and give.

use std::collections::BTreeMap;

/// A filter of a list: the entry has one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

impl Filter {
    /// The filter of that name: `group-id`, `tag:gwctl:product`.
    pub fn new<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(|value| plain(&value.into())).collect() }
    }
}

/// The value as a text that stands for itself: `*`, `?` and `\` are signs in a filter's value (EC2 user guide, "Use
/// filtering with the AWS CLI and API").
fn plain(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Whose way a rule opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the group.
    Ingress,
    /// Out of the group.
    Egress,
}

impl Direction {
    pub(super) fn authorize(self) -> &'static str {
        match self {
            Self::Ingress => "AuthorizeSecurityGroupIngress",
            Self::Egress => "AuthorizeSecurityGroupEgress",
        }
    }

    pub(super) fn revoke(self) -> &'static str {
        match self {
            Self::Ingress => "RevokeSecurityGroupIngress",
            Self::Egress => "RevokeSecurityGroupEgress",
        }
    }

    pub(super) fn update_descriptions(self) -> &'static str {
        match self {
            Self::Ingress => "UpdateSecurityGroupRuleDescriptionsIngress",
            Self::Egress => "UpdateSecurityGroupRuleDescriptionsEgress",
        }
    }
}

/// The other end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// An IPv4 range, `10.0.0.0/8`.
    Ipv4(String),
    /// An IPv6 range, `::/0`.
    Ipv6(String),
    /// A prefix list, `pl-…`.
    PrefixList(String),
    /// Another security group, `sg-…`.
    Group(String),
}

impl Peer {
    /// The peer that a text is, by its form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.to_owned();
        if text.starts_with("pl-") {
            Self::PrefixList(text)
        } else if text.starts_with("sg-") {
            Self::Group(text)
        } else if text.contains(':') {
            Self::Ipv6(text)
        } else {
            Self::Ipv4(text)
        }
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) | Self::Group(text) => text,
        }
    }
}

/// One rule of a security group: one protocol, one range of ports, one peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    /// The first port, or the ICMP type. None for all protocols.
    pub from_port: Option<i32>,
    /// The last port, or the ICMP code.
    pub to_port: Option<i32>,
    /// The other end.
    pub peer: Peer,
    /// What it is for.
    pub description: Option<String>,
}

/// A security group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-…`
    pub id: String,
    /// Its ARN, where the answer has it.
    pub arn: Option<String>,
    /// Unique in its VPC.
    pub name: String,
    /// Never changes.
    pub description: String,
    /// The VPC.
    pub vpc_id: String,
    /// The account.
    pub owner_id: String,
    /// Rules into it.
    pub ingress: Vec<Permission>,
    /// Rules out of it.
    pub egress: Vec<Permission>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-…`
    pub id: String,
    /// The VPC.
    pub vpc_id: String,
    /// `ap-southeast-1a`
    pub availability_zone: String,
    /// `10.0.1.0/24`
    pub cidr: String,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkInterface {
    /// `eni-…`
    pub id: String,
    /// The subnet.
    pub subnet_id: String,
    /// `lambda` for those of functions, `interface` for plain ones, and many more.
    pub interface_type: String,
    /// `AWS Lambda VPC ENI-product-a-api-authorizer-dev-…`
    pub description: String,
    /// `in-use`, `available`, …
    pub status: String,
    /// Its security groups.
    pub groups: Vec<String>,
}

impl NetworkInterface {
    /// Whether Lambda made it for functions. Those of before `interface_type` told it have it in their description alone.
    #[must_use]
    pub fn is_of_lambda(&self) -> bool {
        self.interface_type == "lambda" || self.description.starts_with("AWS Lambda VPC ENI")
    }
}

/// A VPC endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// `vpce-…`
    pub id: String,
    /// The VPC.
    pub vpc_id: String,
    /// `com.amazonaws.ap-southeast-1.execute-api`
    pub service_name: String,
    /// `available`, `pending`, …
    pub state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_s_value_stands_for_itself() {
        assert_eq!(Filter::new("group-name", ["a*b?c\\d"]).values, ["a\\*b\\?c\\\\d"]);
    }

    #[test]
    fn peers_are_told_by_their_form() {
        for text in ["0.0.0.0/0", "::/0", "pl-63a5400a", "sg-0a1b2c3d"] {
            assert_eq!(Peer::parse(text).as_str(), text);
        }
        assert!(matches!(Peer::parse("fd00::/8"), Peer::Ipv6(_)));
        assert!(matches!(Peer::parse("10.0.0.0/8"), Peer::Ipv4(_)));
    }
}
