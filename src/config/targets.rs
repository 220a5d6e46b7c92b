//! `environments/targets.toml`: which AWS account, Region and credentials an environment goes to.
//!
//! ```toml
//! [dev]
//! account = "111122223333"
//! region = "ap-southeast-1"
//! profile = "dev_admin"
//!
//! [products.product-b.dev]     # lies on [dev] key by key
//! region = "cn-north-1"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::fault::Faults;
use super::fields::{Fields, Text, Type, wrong_type};
use super::files;
use super::merge::layer;
use super::nearest::suggestion;
use super::node::{Member, Node};
use super::parse::parse_toml;
use super::rates;
use crate::rates::Allowance;

/// The file, relative to the root.
pub const TARGETS: &str = "environments/targets.toml";

/// The table of overrides; no environment can have its name.
pub(super) const PRODUCTS: &str = "products";

/// Where an environment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The AWS account: twelve digits.
    pub account: String,
    /// The Region: `ap-southeast-1`.
    pub region: String,
    /// The partition the Region belongs to: `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The profile of the AWS configuration files to take credentials from.
    pub profile: Option<String>,
    /// The ARN of a role to assume with them.
    pub role: Option<String>,
    /// The external id that role asks for.
    pub external_id: Option<String>,
    /// The name that role's session gets, for the other account's trail.
    pub session_name: Option<String>,
    /// The MFA device whose code that role asks for: its ARN, or the serial number of a hardware one.
    pub mfa_serial: Option<String>,
    /// Whether a change has to be confirmed more than usual.
    pub protected: bool,
    /// The endpoint all requests go to instead of AWS's own.
    pub endpoint_url: Option<String>,
    /// How much of AWS's request rates gwctl may use there.
    pub rates: Allowance,
}

impl Target {
    /// The same account, in another Region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), partition: partition_of(region).to_owned(), ..self.clone() }
    }
}

/// All targets.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    general: BTreeMap<String, Target>,
    products: BTreeMap<(String, String), Target>,
    /// Tables that are there but faulty, by product (none: for all) and environment.
    broken: BTreeSet<(Option<String>, String)>,
    unreadable: bool,
}

impl Targets {
    /// Where `environment` of `product` goes: its own table if it has one, else the environment's.
    #[must_use]
    pub fn get(&self, product: &str, environment: &str) -> Option<&Target> {
        let own = self.products.get(&(product.to_owned(), environment.to_owned()));
        own.or_else(|| self.general.get(environment))
    }

    /// The environments that have a table of their own.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.general.keys().map(String::as_str)
    }

    /// Whether a missing target has been reported already, as a fault of the file.
    pub(super) fn is_broken(&self, product: &str, environment: &str) -> bool {
        let environment = environment.to_owned();
        self.unreadable
            || self.broken.contains(&(Some(product.to_owned()), environment.clone()))
            || self.broken.contains(&(None, environment))
    }
}

/// Reads the targets; `known` are the environments there are files for, by product.
pub(super) fn load(root: &Path, known: &BTreeMap<String, Vec<String>>, faults: &mut Faults) -> Targets {
    let mut targets = Targets::default();
    let hint = "write one table an environment: `[dev]` with `account` and `region`";
    let node = files::read(root, Path::new(TARGETS), hint, faults).and_then(|file| parse_toml(&file, faults));
    let Some(node) = node else {
        targets.unreadable = true;
        return targets;
    };
    for table in node.members().unwrap_or_default() {
        if table.key == PRODUCTS {
            continue;
        }
        if !known.values().flatten().any(|environment| *environment == table.key) {
            unused(table, "no product has an environment", known.values().flatten(), faults);
        }
        match read_target(&table.key, &table.value, faults) {
            Some(target) => drop(targets.general.insert(table.key.clone(), target)),
            None => drop(targets.broken.insert((None, table.key.clone()))),
        }
    }
    if let Some(products) = node.get(PRODUCTS) {
        read_products(&mut targets, &node, products, known, faults);
    }
    targets
}

fn read_products(
    targets: &mut Targets,
    root: &Node,
    products: &Member,
    known: &BTreeMap<String, Vec<String>>,
    faults: &mut Faults,
) {
    let Some(tables) = products.value.members() else {
        wrong_type(PRODUCTS, &products.value, Type::Object, faults);
        return;
    };
    for product in tables {
        let Some(files) = known.get(&product.key) else {
            unused(product, "there is no product", known.keys(), faults);
            continue;
        };
        let name = format!("{PRODUCTS}.{}", product.key);
        let Some(overrides) = product.value.members() else {
            wrong_type(&name, &product.value, Type::Object, faults);
            continue;
        };
        for table in overrides {
            if !files.contains(&table.key) {
                unused(table, &format!("`{}` has no environment", product.key), files.iter(), faults);
            }
            let name = format!("{name}.{}", table.key);
            let merged = match root.get(&table.key) {
                Some(under) if table.key != PRODUCTS && table.value.members().is_some() => {
                    layer(&under.value, &table.value)
                }
                _ => table.value.clone(),
            };
            let key = (product.key.clone(), table.key.clone());
            match read_target(&name, &merged, faults) {
                Some(target) => drop(targets.products.insert(key, target)),
                None => drop(targets.broken.insert((Some(key.0), key.1))),
            }
        }
    }
}

fn unused<'a>(table: &Member, what: &str, known: impl Iterator<Item = &'a String>, faults: &mut Faults) {
    let mut known: Vec<&str> = known.map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    let message = format!("{what} `{}`, so that this target is unused", table.key);
    faults.warning(&table.key_span, message, suggestion(&table.key, &known));
}

fn read_target(name: &str, node: &Node, faults: &mut Faults) -> Option<Target> {
    let before = faults.errors();
    // The same words for a table and for what lies on it: a fault in the lower one is found twice and shown once.
    let mut fields = Fields::of(name, "this target", node, faults)?;
    let account = read_account(&mut fields);
    let (region, partition) = read_region(&mut fields).unzip();
    let profile = fields.get("profile");
    let profile = fields.text(profile).map(|text| text.value.to_owned());
    let role = read_role(&mut fields, account.as_deref(), partition.as_deref());
    let [external_id, session_name, mfa_serial] = read_role_options(&mut fields, node, partition.as_deref());
    let protected = fields.get("protected");
    let protected = fields.flag(protected).unwrap_or(false);
    let endpoint_url = fields.get("endpoint_url");
    let endpoint_url = fields.text(endpoint_url);
    if let Some(url) = endpoint_url
        && !url::Url::parse(url.value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    {
        let message = format!("`endpoint_url` is `{}`, which is no http or https URL", url.value);
        fields.faults.error(&url.node.span, message, "write it like `http://127.0.0.1:4566`");
    }
    let rates = rates::read(&mut fields);
    fields.finish();
    let target = Target {
        account: account?,
        region: region?,
        partition: partition?,
        profile,
        role,
        external_id,
        session_name,
        mfa_serial,
        protected,
        endpoint_url: endpoint_url.map(|text| text.value.to_owned()),
        rates,
    };
    (faults.errors() == before).then_some(target)
}

/// What goes with a role and is of no use without one: the external id, the session's name, the MFA device. Their forms are
/// those of `AssumeRole` in the API reference of AWS STS.
fn read_role_options(fields: &mut Fields<'_, '_>, node: &Node, partition: Option<&str>) -> [Option<String>; 3] {
    let has_role = node.get("role").is_some();
    let options: [(&str, std::ops::RangeInclusive<usize>, &str, &str); 3] = [
        ("external_id", 2..=1224, "_+=,.@:/-", "write what the owner of the role gave you"),
        ("session_name", 2..=64, "_+=,.@-", "use 2 to 64 letters, digits and `_+=,.@-`"),
        ("mfa_serial", 9..=256, "_+=/:,.@-", "write it like `arn:aws:iam::111122223333:mfa/anna`"),
    ];
    options.map(|(key, lengths, signs, hint)| {
        let member = fields.get(key);
        let text = fields.text(member)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
        if !has_role {
            let message = format!("`{key}` is of no use without a `role`");
            fields.faults.error(&text.node.span, message, "add the `role` it is for, or take it away");
        } else if !lengths.contains(&text.value.len()) || !text.value.chars().all(allowed) {
            fields.faults.error(&text.node.span, format!("`{}` can't be a `{key}`", text.value), hint);
        } else if let (Some(in_partition), Some(partition)) = (arn_partition(text.value), partition)
            && key == "mfa_serial"
            && in_partition != partition
        {
            let message = format!("the MFA device is in the partition `{in_partition}`, the Region in `{partition}`");
            fields.faults.error(&text.node.span, message, format!("name a device of a user in `{partition}`"));
        }
        Some(text.value.to_owned())
    })
}

fn arn_partition(text: &str) -> Option<&str> {
    text.strip_prefix("arn:")?.split(':').next()
}

fn read_account(fields: &mut Fields<'_, '_>) -> Option<String> {
    let account = fields.required("account");
    let account = fields.text(account)?;
    if is_account(account.value) {
        return Some(account.value.to_owned());
    }
    let message = format!("`{}` is no AWS account id", account.value);
    fields.faults.error(&account.node.span, message, "an account id has twelve digits: `\"111122223333\"`");
    None
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Region and partition.
fn read_region(fields: &mut Fields<'_, '_>) -> Option<(String, String)> {
    let region = fields.required("region");
    let region = fields.text(region);
    let partition = fields.get("partition");
    let partition = fields.text(partition);
    let region = region?;
    if !is_region(region.value) {
        let message = format!("`{}` is no AWS Region", region.value);
        fields.faults.error(&region.node.span, message, "write it like `ap-southeast-1`, without a zone's letter");
        return None;
    }
    let derived = partition_of(region.value);
    if let Some(partition) = partition.filter(|partition| partition.value != derived) {
        let message = format!("the Region `{}` is not in the partition `{}`", region.value, partition.value);
        let hint = format!("it is in `{derived}`; leave `partition` out to have it found");
        fields.faults.error(&partition.node.span, message, hint).relate(&region.node.span, "the Region");
    }
    Some((region.value.to_owned(), derived.to_owned()))
}

/// Whether a text has the form of a Region's name, words and a number: `us-gov-west-1`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 => {
            words.iter().all(word) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// The partition a Region belongs to, by its name as AWS gives them.
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

fn read_role(fields: &mut Fields<'_, '_>, account: Option<&str>, partition: Option<&str>) -> Option<String> {
    let role = fields.get("role");
    let role = fields.text(role)?;
    let parts: Vec<&str> = role.value.splitn(6, ':').collect();
    let ["arn", in_partition, "iam", "", of_account, resource] = parts.as_slice() else {
        return wrong_role(fields, role);
    };
    if !is_account(of_account) || resource.strip_prefix("role/").is_none_or(str::is_empty) {
        return wrong_role(fields, role);
    }
    if let Some(account) = account.filter(|account| account != of_account) {
        let message = format!("the role is of the account {of_account}, the target of {account}");
        fields.faults.error(&role.node.span, message, "name a role of the target's account: resources are made there");
    }
    if let Some(partition) = partition.filter(|partition| partition != in_partition) {
        let message = format!("the role is in the partition `{in_partition}`, the Region in `{partition}`");
        fields.faults.error(&role.node.span, message, format!("begin it with `arn:{partition}:iam::`"));
    }
    Some(role.value.to_owned())
}

fn wrong_role(fields: &mut Fields<'_, '_>, role: Text<'_>) -> Option<String> {
    let message = format!("`{}` is no ARN of a role", role.value);
    fields.faults.error(&role.node.span, message, "write it like `arn:aws:iam::111122223333:role/deployer`");
    None
}
