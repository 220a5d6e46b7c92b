//! The words that every part of gwctl speaks: addresses, specs, outputs, references between resources, digests.
//!
//! A resource's *spec* is everything gwctl decides about it, typed per kind; its *outputs* are what AWS decides. Desired
//! and live state wear the same spec type. Between the kinds, a spec travels as canonical JSON; in it, a value that another
//! resource's output will give is the object `{"$output": "gate/rest-api/gateway#id"}`, an [`Input::From`] in the typed
//! form. Dependencies between resources are those references and nothing else.

pub mod diff;
mod health;
mod lookup;
pub mod policy;

pub use health::Health;
pub use lookup::{Found, LoadBalancerPart, Lookup};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The name of one resource inside an environment: `gate/lambda-function/authorizer`. Where a stack spans Regions, the Region
/// stands in front: `eu-west-1/edge/http-api/orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// `stack/kind/name`.
    #[must_use]
    pub fn new(stack: &str, kind: &str, name: &str) -> Self {
        Self(format!("{stack}/{kind}/{name}"))
    }

    /// Reads an address from a tag; `None` unless it has three parts, or four with a Region, none empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        ((3..=4).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty())).then(|| Self(text.to_owned()))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the kind, the kind, and the name.
    fn parts(&self) -> (&str, &str, &str) {
        let (rest, name) = self.0.rsplit_once('/').unwrap_or_default();
        let (stack, kind) = rest.rsplit_once('/').unwrap_or_default();
        (stack, kind, name)
    }

    /// `gate`, or `eu-west-1/edge`
    #[must_use]
    pub fn stack(&self) -> &str {
        self.parts().0
    }

    /// The Region in front, where the stack spans several.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.stack().split_once('/').map(|(region, _)| region)
    }

    /// `lambda-function`
    #[must_use]
    pub fn kind(&self) -> &str {
        self.parts().1
    }

    /// `authorizer`
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().2
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What AWS decides about a resource: ids, ARNs, URLs, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// The output `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The output `name`, which every resource of the kind has.
    pub fn required(&self, name: &str) -> crate::error::Result<&str> {
        self.get(name).ok_or_else(|| crate::error::Failure::internal(format!("a resource has no output `{name}`")))
    }

    /// The outputs in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The member that marks a reference in canonical JSON.
const OUTPUT: &str = "$output";

/// One output of one resource: `gate/rest-api/gateway#id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The resource.
    pub address: Address,
    /// Its output.
    pub output: String,
}

impl Reference {
    fn parse(text: &str) -> Option<Self> {
        let (address, output) = text.split_once('#')?;
        Some(Self { address: Address::parse(address)?, output: output.to_owned() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.address, self.output)
    }
}

/// A string in a spec: known, or an output of another resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Input {
    /// The string itself. In live state, every input is known.
    Known(String),
    /// What another resource's output will be.
    From {
        /// The reference, `gate/rest-api/gateway#id`.
        #[serde(rename = "$output")]
        reference: String,
    },
}

impl Input {
    /// The output of another resource.
    #[must_use]
    pub fn output(address: &Address, output: &str) -> Self {
        Self::From { reference: format!("{address}#{output}") }
    }

    /// The same as a JSON value, for documents that are JSON all through.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Known(text) => Value::String(text.clone()),
            Self::From { reference } => serde_json::json!({ OUTPUT: reference }),
        }
    }

    /// The reference that stands for the string.
    #[must_use]
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Self::Known(_) => None,
            Self::From { reference } => Reference::parse(reference),
        }
    }

    /// The string, or an error that names the reference. The executor resolves every reference before a kind sees it.
    pub fn known(&self) -> crate::error::Result<&str> {
        match self {
            Self::Known(text) => Ok(text),
            Self::From { reference } => {
                Err(crate::error::Failure::internal(format!("`{reference}` was used before it was known")))
            }
        }
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Known(text)
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Known(text.to_owned())
    }
}

/// The reference that a JSON value is, if it is one.
#[must_use]
pub fn as_reference(value: &Value) -> Option<Reference> {
    let object = value.as_object()?;
    if object.len() != 1 {
        return None;
    }
    Reference::parse(object.get(OUTPUT)?.as_str()?)
}

/// Every reference inside a spec.
#[must_use]
pub fn references(spec: &Value) -> BTreeSet<Reference> {
    fn walk(value: &Value, found: &mut BTreeSet<Reference>) {
        if let Some(reference) = as_reference(value) {
            found.insert(reference);
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => members.values().for_each(|member| walk(member, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(spec, &mut found);
    found
}

/// The spec with every reference that `known` can answer replaced by the output's value. Others stay as they are.
#[must_use]
pub fn resolve(spec: &Value, known: &dyn Fn(&Reference) -> Option<String>) -> Value {
    if let Some(reference) = as_reference(spec) {
        return known(&reference).map_or_else(|| spec.clone(), Value::String);
    }
    match spec {
        Value::Array(items) => Value::Array(items.iter().map(|item| resolve(item, known)).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, member)| (key.clone(), resolve(member, known))).collect())
        }
        other => other.clone(),
    }
}

/// Canonical JSON: compact, members sorted by name at every level. Equal specs give equal bytes.
#[must_use]
pub fn canonical(value: &Value) -> String {
    String::from_utf8_lossy(&json_bytes(&Canonical { value, nulls: true })).into_owned()
}

/// What is serialised here is JSON already, and memory takes every write: it can't fail.
fn json_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A value that is written with its members in the order of their names, and without those that are null if so wanted.
/// Writing it so is a fraction of the work of making such a value first.
struct Canonical<'a> {
    value: &'a Value,
    nulls: bool,
}

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nulls = self.nulls;
        match self.value {
            Value::Object(members) => {
                let written = members
                    .iter()
                    .filter(|(_, value)| nulls || !value.is_null())
                    .map(|(name, value)| (name, Canonical { value, nulls }));
                // serde_json keeps another order than this if any crate of the build asks it to.
                if members.keys().is_sorted() {
                    serializer.collect_map(written)
                } else {
                    serializer.collect_map(written.collect::<BTreeMap<_, _>>())
                }
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(|value| Canonical { value, nulls })),
            other => other.serialize(serializer),
        }
    }
}

/// SHA-256 of a spec's canonical JSON, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a spec. A member that is null counts as absent, so that a new optional field changes no digest.
    #[must_use]
    pub fn of(spec: &Value) -> Self {
        Self::of_bytes(&json_bytes(&Canonical { value: spec, nulls: false }))
    }

    /// The digest of the object that has these members.
    #[must_use]
    pub fn of_members(members: &BTreeMap<&str, &Value>) -> Self {
        let members: BTreeMap<_, _> = members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, Canonical { value, nulls: false }))
            .collect();
        Self::of_bytes(&json_bytes(&members))
    }

    /// The digest of bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits: enough to tell deployments of one API apart.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an environment lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The twelve digits of the account.
    pub account: String,
    /// `ap-southeast-1`
    pub region: String,
    /// `aws`, `aws-cn`, …
    pub partition: String,
}

impl Place {
    /// The suffix of AWS host names in the partition (aws-facts H).
    #[must_use]
    pub fn dns_suffix(&self) -> &'static str {
        if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// An ARN in this place. IAM's ARNs carry no Region; pass `""` for it.
    #[must_use]
    pub fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition, self.account)
    }
}

/// Whose a resource is: the product and environment in its tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// `product-a`
    pub product: String,
    /// `dev`
    pub environment: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.product, self.environment)
    }
}

/// Whose a new resource is: what its tags will say.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Product and environment.
    pub owner: Owner,
    /// The resource.
    pub address: Address,
    /// The place it is made in.
    pub place: Place,
}

/// A resource as the configuration wants it.
#[derive(Debug, Clone)]
pub struct Desired {
    /// Its name inside the environment.
    pub address: Address,
    /// Its spec, references and all.
    pub spec: Value,
    /// Words for the reader of a plan, by the field they stand at: the route type of each path.
    pub labels: BTreeMap<String, String>,
}

impl Desired {
    /// The name AWS knows the resource by, where the kind has one: the spec's `name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.spec.get("name").and_then(Value::as_str)
    }
}

/// What the tags of a live resource say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// Tagged as this product's and environment's.
    Ours {
        /// The address in the tag.
        address: Address,
        /// The digest of what was last applied; absent while the first apply has not finished it.
        digest: Option<String>,
    },
    /// Tagged as another product's or environment's.
    Others {
        /// Whose.
        owner: Owner,
    },
    /// Without our tags.
    Nobody,
}

/// A live resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed<S = Value> {
    /// The name AWS knows it by: role name, function name, stage name, API name.
    pub name: String,
    /// The resource it lives in, by address: a stage's API.
    pub within: Option<Address>,
    /// Its state, in the type that desired wears.
    pub spec: S,
    /// What AWS decided about it.
    pub outputs: Outputs,
    /// What its tags say.
    pub ownership: Ownership,
    /// When it was made, in seconds since the epoch, where AWS tells.
    pub created: Option<i64>,
    /// Something that is not ours uses it, so that it can't go: a deployment that somebody's stage points at.
    pub in_use_by: Option<String>,
}

impl<S> Observed<S> {
    /// The address in the tags, if it is ours.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match &self.ownership {
            Ownership::Ours { address, .. } => Some(address),
            _ => None,
        }
    }

    /// The same resource with another form of its spec.
    pub fn map<T>(self, spec: impl FnOnce(S) -> T) -> Observed<T> {
        let Self { name, within, spec: old, outputs, ownership, created, in_use_by } = self;
        Observed { name, within, spec: spec(old), outputs, ownership, created, in_use_by }
    }
}

/// What the planner has to know about a kind.
#[derive(Debug, Clone, Copy)]
pub struct KindRules {
    /// Dotted spec paths that AWS can't change in place.
    pub replace_on: &'static [&'static str],
    /// How many resources of the kind stay when no longer wanted, the wanted one included, newest first; of those that live
    /// in another resource, so many in each. 0: none stay.
    pub keep: usize,
    /// Made where it is missing, else left as it is, whoever made it.
    pub only_if_missing: bool,
    /// Kinds whose steps come before those of this kind, although no output of theirs goes into it.
    pub after: &'static [&'static str],
    /// Whether AWS refuses a second one of the same name.
    pub names_are_unique: bool,
    /// Whether a name is a place that one resource after the other may take: whatever is ours there is turned into what is
    /// wanted there.
    pub name_is_place: bool,
    /// What helps where somebody else's resource is in the way of the one with the address: hints, or none of its own.
    pub way_out: WayOut,
    /// Kinds build on kinds of a lower rank; what goes, goes from the highest rank down.
    pub rank: usize,
    /// A spec as its type writes it. Filling references in can leave a set in another order than AWS's answer is read in.
    pub canonical: fn(Value) -> crate::error::Result<Value>,
}

/// What helps where somebody else's resource stands under the name of a wanted one: the resource, the address that is wanted,
/// and whose that is.
pub type WayOut = fn(&Observed, &Address, &Owner) -> Vec<String>;

/// The rules of every kind, by name.
pub type Rules = BTreeMap<&'static str, KindRules>;

/// Live resources, by kind.
pub type Live = BTreeMap<&'static str, Vec<Observed>>;

/// A spec as its digest is taken: a member that is null counts as absent.
#[must_use]
pub fn without_nulls(value: &Value) -> Value {
    let mut value = value.clone();
    drop_nulls(&mut value);
    value
}

/// The same, in place.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_json_does_not_depend_on_the_order_of_members() {
        let one: Value = serde_json::from_str(r#"{"b":[{"z":1,"a":2}],"a":"\u00e9\n"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"é\n","b":[{"a":2,"z":1}]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&two));
        assert_eq!(canonical(&one), r#"{"a":"é\n","b":[{"a":2,"z":1}]}"#);
        assert_ne!(Digest::of(&one), Digest::of(&json!({"a": "é\n", "b": [{"a": 2, "z": 2}]})));
    }

    #[test]
    fn a_null_is_shown_but_counts_for_no_digest() {
        let (with, without) = (json!({"a": [{"b": null}, null], "c": null}), json!({"a": [{}, null]}));
        assert_eq!(canonical(&with), r#"{"a":[{"b":null},null],"c":null}"#);
        assert_eq!(without_nulls(&with), without);
        assert_eq!(Digest::of(&with), Digest::of(&without));
        let members = BTreeMap::from([("c", &with["c"]), ("a", &with["a"])]);
        assert_eq!(Digest::of_members(&members), Digest::of(&without));
        assert_eq!(Digest::of(&without), Digest::of_bytes(br#"{"a":[{},null]}"#));
    }

    #[test]
    fn references_are_found_and_resolved_wherever_they_stand() {
        let api = Address::new("gate", "rest-api", "gateway");
        let spec = json!({"rest_api": Input::output(&api, "id"), "list": [{"deep": Input::output(&api, "arn")}], "plain": {"$output": 3}});
        let found: Vec<String> = references(&spec).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["gate/rest-api/gateway#arn", "gate/rest-api/gateway#id"]);
        let half = resolve(&spec, &|reference| (reference.output == "id").then(|| "abc123".to_owned()));
        assert_eq!(half["rest_api"], "abc123");
        assert_eq!(references(&half).len(), 1);
    }

    #[test]
    fn an_address_has_three_parts_or_a_region_and_three() {
        let role = Address::parse("gate/iam-role/authorizer").unwrap();
        assert_eq!((role.region(), role.stack(), role.kind(), role.name()), (None, "gate", "iam-role", "authorizer"));
        let api = Address::parse("eu-west-1/edge/http-api/orders").unwrap();
        assert_eq!((api.region(), api.stack(), api.kind()), (Some("eu-west-1"), "eu-west-1/edge", "http-api"));
        for wrong in ["", "gate", "gate/iam-role", "gate//x", "a/b/c/d/e"] {
            assert!(Address::parse(wrong).is_none(), "{wrong}");
        }
    }
}
