//! Reads EC2's XML. Unknown elements are skipped: EC2 adds some every few months.

use std::collections::BTreeMap;

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::Builder;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::types::{NetworkInterface, Peer, Permission, SecurityGroup, Subnet, VpcEndpoint};

type Read<T> = Result<T, XmlDecodeError>;

/// A page of a list, and the token of the next one.
type Page<T> = (Vec<T>, Option<String>);

/// A scope in the document.
type Element<'inp, 'a> = ScopedDecoder<'inp, 'a>;

/// The beginning of an error that is no refusal of EC2's.
pub(super) fn metadata() -> Builder {
    ErrorMetadata::builder()
}

/// The code and message of a refusal: `<Response><Errors><Error><Code>…`. What is no such document, a proxy's page
/// perhaps, is a refusal without a code.
pub(super) fn refusal(text: &str) -> ErrorMetadata {
    let mut found = metadata();
    let _ = read_refusal(text, &mut found);
    found.build()
}

fn read_refusal(text: &str, found: &mut Builder) -> Read<()> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    while let Some(mut part) = root.next_tag() {
        match part.start_el().local() {
            "Errors" => {
                while let Some(mut error) = part.next_tag() {
                    while let Some(mut member) = error.next_tag() {
                        let name = member.start_el().local().to_owned();
                        let value = data(&mut member)?;
                        *found = match name.as_str() {
                            "Code" => std::mem::take(found).code(value),
                            "Message" => std::mem::take(found).message(value),
                            _ => continue,
                        };
                    }
                }
            }
            "RequestID" => *found = std::mem::take(found).custom("aws_request_id", data(&mut part)?),
            _ => {}
        }
    }
    Ok(())
}

/// An answer that only says that it was done. EC2 has had answers of 200 that say `<return>false</return>`.
pub(super) fn nothing(text: &str) -> Read<()> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    while let Some(mut member) = root.next_tag() {
        if member.start_el().matches("return") && data(&mut member)? == "false" {
            return Err(XmlDecodeError::custom("EC2 answered that it did not do it"));
        }
    }
    Ok(())
}

/// The id of a new security group.
pub(super) fn group_id(text: &str) -> Read<String> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    while let Some(mut member) = root.next_tag() {
        if member.start_el().matches("groupId") {
            return data(&mut member);
        }
    }
    Err(XmlDecodeError::custom("the answer has no groupId"))
}

pub(super) fn security_groups(text: &str) -> Read<Page<SecurityGroup>> {
    let found = page(text, "securityGroupInfo", |group: &mut SecurityGroup, name, element| {
        match name {
            "groupId" => group.id = data(element)?,
            "securityGroupArn" => group.arn = Some(data(element)?),
            "groupName" => group.name = data(element)?,
            "groupDescription" => group.description = data(element)?,
            "vpcId" => group.vpc_id = data(element)?,
            "ownerId" => group.owner_id = data(element)?,
            "ipPermissions" => group.ingress = permissions(element)?,
            "ipPermissionsEgress" => group.egress = permissions(element)?,
            "tagSet" => group.tags = tags(element)?,
            _ => {}
        }
        Ok(())
    })?;
    // A group that lacks what can't be changed would be replaced.
    let lacks = |group: &SecurityGroup| {
        [&group.id, &group.name, &group.description, &group.vpc_id].into_iter().any(String::is_empty)
    };
    if found.0.iter().any(lacks) {
        return Err(XmlDecodeError::custom("the answer has a security group without its id, name, description or VPC"));
    }
    Ok(found)
}

pub(super) fn subnets(text: &str) -> Read<Page<Subnet>> {
    page(text, "subnetSet", |subnet: &mut Subnet, name, element| {
        match name {
            "subnetId" => subnet.id = data(element)?,
            "vpcId" => subnet.vpc_id = data(element)?,
            "availabilityZone" => subnet.availability_zone = data(element)?,
            "cidrBlock" => subnet.cidr = data(element)?,
            _ => {}
        }
        Ok(())
    })
}

pub(super) fn network_interfaces(text: &str) -> Read<Page<NetworkInterface>> {
    page(text, "networkInterfaceSet", |interface: &mut NetworkInterface, name, element| {
        match name {
            "networkInterfaceId" => interface.id = data(element)?,
            "subnetId" => interface.subnet_id = data(element)?,
            "interfaceType" => interface.interface_type = data(element)?,
            "description" => interface.description = data(element)?,
            "status" => interface.status = data(element)?,
            "groupSet" => {
                let groups = items(element, |id: &mut String, name, element| {
                    if name == "groupId" {
                        *id = data(element)?;
                    }
                    Ok(())
                });
                interface.groups = groups?;
            }
            _ => {}
        }
        Ok(())
    })
}

pub(super) fn vpc_endpoints(text: &str) -> Read<Page<VpcEndpoint>> {
    page(text, "vpcEndpointSet", |endpoint: &mut VpcEndpoint, name, element| {
        match name {
            "vpcEndpointId" => endpoint.id = data(element)?,
            "vpcId" => endpoint.vpc_id = data(element)?,
            "serviceName" => endpoint.service_name = data(element)?,
            "state" => endpoint.state = data(element)?,
            _ => {}
        }
        Ok(())
    })
}

/// A list below the root, and `nextToken`.
fn page<T: Default>(
    text: &str,
    list: &str,
    member: impl Fn(&mut T, &str, &mut Element<'_, '_>) -> Read<()>,
) -> Read<Page<T>> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    let (mut all, mut next) = (None, None);
    while let Some(mut part) = root.next_tag() {
        if part.start_el().matches(list) {
            all = Some(items(&mut part, &member)?);
        } else if part.start_el().matches("nextToken") {
            next = Some(data(&mut part)?).filter(|token| !token.is_empty());
        }
    }
    match all {
        Some(all) => Ok((all, next)),
        // An answer without its list is no answer: "there are none" would be a dangerous thing to take it for.
        None => Err(XmlDecodeError::custom(format!("the answer has no {list}"))),
    }
}

/// The entries of a list, each made of its members.
fn items<T: Default>(
    list: &mut Element<'_, '_>,
    member: impl Fn(&mut T, &str, &mut Element<'_, '_>) -> Read<()>,
) -> Read<Vec<T>> {
    let mut all = Vec::new();
    while let Some(mut item) = list.next_tag() {
        let mut one = T::default();
        while let Some(mut element) = item.next_tag() {
            let name = element.start_el().local().to_owned();
            member(&mut one, &name, &mut element)?;
        }
        all.push(one);
    }
    Ok(all)
}

fn tags(list: &mut Element<'_, '_>) -> Read<BTreeMap<String, String>> {
    let pairs = items(list, |(key, value): &mut (String, String), name, element| {
        match name {
            "key" => *key = data(element)?,
            "value" => *value = data(element)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(pairs.into_iter().collect())
}

/// Protocol and ports with all their peers, as EC2 puts rules together.
#[derive(Default)]
struct Bundle {
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
    peers: Vec<(Option<Peer>, Option<String>)>,
}

fn permissions(list: &mut Element<'_, '_>) -> Read<Vec<Permission>> {
    let bundles = items(list, |bundle: &mut Bundle, name, element| {
        match name {
            "ipProtocol" => bundle.protocol = data(element)?,
            "fromPort" => bundle.from_port = Some(number(element)?),
            "toPort" => bundle.to_port = Some(number(element)?),
            "ipRanges" => bundle.peers.extend(peers(element, "cidrIp", Peer::Ipv4)?),
            "ipv6Ranges" => bundle.peers.extend(peers(element, "cidrIpv6", Peer::Ipv6)?),
            "prefixListIds" => bundle.peers.extend(peers(element, "prefixListId", Peer::PrefixList)?),
            "groups" => bundle.peers.extend(peers(element, "groupId", Peer::Group)?),
            _ => {}
        }
        Ok(())
    })?;
    let mut all = Vec::new();
    for Bundle { protocol, from_port, to_port, peers } in bundles {
        for (peer, description) in peers {
            let peer = peer.ok_or_else(|| XmlDecodeError::custom("a rule has no peer"))?;
            all.push(Permission { protocol: protocol.clone(), from_port, to_port, peer, description });
        }
    }
    Ok(all)
}

fn peers(list: &mut Element<'_, '_>, id: &str, kind: fn(String) -> Peer) -> Read<Vec<(Option<Peer>, Option<String>)>> {
    items(list, |(peer, description): &mut (Option<Peer>, Option<String>), name, element| {
        if name == id {
            *peer = Some(kind(data(element)?));
        } else if name == "description" {
            *description = Some(data(element)?).filter(|text| !text.is_empty());
        }
        Ok(())
    })
}

fn data(element: &mut Element<'_, '_>) -> Read<String> {
    Ok(try_data(element)?.into_owned())
}

fn number(element: &mut Element<'_, '_>) -> Read<i32> {
    let text = data(element)?;
    text.parse().map_err(|_| XmlDecodeError::custom(format!("`{text}` is no number")))
}
