//! The form that a call sends: names with dots and numbers that begin at 1, as EC2 flattens lists
//! (`Filter.1.Value.2=…`).

use std::collections::BTreeMap;

use super::types::{Filter, Peer, Permission};

/// The version of EC2's API that names and answers follow.
const VERSION: &str = "2016-11-15";

/// One call's parameters, in order.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// The form of an operation.
    pub(super) fn new(action: &str) -> Self {
        Self { pairs: vec![("Action".into(), action.into()), ("Version".into(), VERSION.into())] }
    }

    /// Sets a parameter.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// Sets the filters of a list.
    pub(super) fn filters(&mut self, filters: &[Filter]) {
        for (at, filter) in numbered(filters) {
            self.put(&format!("Filter.{at}.Name"), &filter.name);
            for (value_at, value) in numbered(&filter.values) {
                self.put(&format!("Filter.{at}.Value.{value_at}"), value);
            }
        }
    }

    /// Sets tags, each a key and a value below `list`.
    pub(super) fn tags(&mut self, list: &str, tags: &BTreeMap<String, String>) {
        for (at, (key, value)) in numbered(tags) {
            self.put(&format!("{list}.{at}.Key"), key);
            self.put(&format!("{list}.{at}.Value"), value);
        }
    }

    /// Sets the tags that a resource is made with. None at all are refused, so that none are sent.
    pub(super) fn tag_specification(&mut self, resource: &str, tags: &BTreeMap<String, String>) {
        if !tags.is_empty() {
            self.put("TagSpecification.1.ResourceType", resource);
            self.tags("TagSpecification.1.Tag", tags);
        }
    }

    /// Sets rules of a security group, each a permission of its own: EC2 puts those of one protocol and port together.
    pub(super) fn permissions(&mut self, rules: &[Permission]) {
        for (at, rule) in numbered(rules) {
            let base = format!("IpPermissions.{at}");
            self.put(&format!("{base}.IpProtocol"), &rule.protocol);
            if let Some(port) = rule.from_port {
                self.put(&format!("{base}.FromPort"), &port.to_string());
            }
            if let Some(port) = rule.to_port {
                self.put(&format!("{base}.ToPort"), &port.to_string());
            }
            let (list, member, value) = match &rule.peer {
                Peer::Ipv4(cidr) => ("IpRanges", "CidrIp", cidr),
                Peer::Ipv6(cidr) => ("Ipv6Ranges", "CidrIpv6", cidr),
                Peer::PrefixList(id) => ("PrefixListIds", "PrefixListId", id),
                Peer::Group(id) => ("Groups", "GroupId", id),
            };
            self.put(&format!("{base}.{list}.1.{member}"), value);
            if let Some(description) = &rule.description {
                self.put(&format!("{base}.{list}.1.Description"), description);
            }
        }
    }

    /// The form as it travels.
    pub(super) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }
}

fn numbered<T>(list: impl IntoIterator<Item = T>) -> impl Iterator<Item = (usize, T)> {
    list.into_iter().enumerate().map(|(at, item)| (at + 1, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_flattened_and_texts_escaped() {
        let mut form = Form::new("Describe");
        form.filters(&[Filter::new("tag:a b", ["x", "y&z"]), Filter::new("vpc-id", ["vpc-1"])]);
        assert_eq!(
            form.encode(),
            "Action=Describe&Version=2016-11-15&Filter.1.Name=tag%3Aa+b&Filter.1.Value.1=x&Filter.1.Value.2=y%26z\
             &Filter.2.Name=vpc-id&Filter.2.Value.1=vpc-1"
        );
    }

    #[test]
    fn a_rule_says_its_peer_in_the_list_of_its_kind() {
        let rule = |peer: &str| Permission {
            protocol: "tcp".into(),
            from_port: Some(443),
            to_port: Some(444),
            peer: Peer::parse(peer),
            description: (peer == "::/0").then(|| "all".to_owned()),
        };
        let mut form = Form::new("A");
        form.permissions(&["10.0.0.0/8", "::/0", "pl-1", "sg-1"].map(rule));
        let text = form.encode();
        for pair in [
            "IpPermissions.1.FromPort=443&IpPermissions.1.ToPort=444&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8",
            "IpPermissions.2.Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0&IpPermissions.2.Ipv6Ranges.1.Description=all",
            "IpPermissions.3.PrefixListIds.1.PrefixListId=pl-1",
            "IpPermissions.4.Groups.1.GroupId=sg-1",
        ] {
            assert!(text.contains(pair), "{text}");
        }
        assert!(!text.contains("IpPermissions.1.IpRanges.1.Description"), "{text}");
    }
}
