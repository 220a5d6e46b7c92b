//! What web ACLs, sets and rule groups have in common: name, id, scope, lock token, tags, and the five operations.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::faults::{self, Answer, invalid, required, violations};
use super::{State, associations, check, tags};
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;

/// One resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entity<T> {
    /// The name, unique in its scope.
    pub name: String,
    /// A UUID.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// The description.
    pub description: Option<String>,
    /// Changes with every update; an update has to name it.
    pub lock_token: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// What makes it what it is.
    pub body: T,
}

/// What tells one kind of resource from another.
pub(super) trait Kind: Sized {
    /// `WebACL`, as answers name it.
    const NAME: &'static str;
    /// `WebACLs`, as lists name it.
    const PLURAL: &'static str;
    /// `webacl`, as ARNs name it.
    const WORD: &'static str;
    /// How many a Region may have (developer guide, "AWS WAF quotas").
    const LIMIT: usize;

    /// Where they are kept.
    fn store(state: &State) -> &Vec<Entity<Self>>;
    /// Where they are kept.
    fn store_mut(state: &mut State) -> &mut Vec<Entity<Self>>;
    /// Reads and checks what a create or an update says of it; an update has the `previous` one.
    fn read(input: Map<String, Value>, previous: Option<&Self>, state: &State) -> Answer<Self>;
    /// The members that only this kind shows.
    fn shown(entity: &Entity<Self>, caller: &Caller, state: &State) -> Map<String, Value>;
}

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    limit: Option<i64>,
    next_marker: Option<String>,
}

impl Page {
    /// The page of items that are given by their markers, which have to rise.
    pub(super) fn of(&self, member: &str, items: Vec<(String, Value)>) -> Answer<Value> {
        let limit = match self.limit {
            None => 100,
            Some(limit) if (1..=100).contains(&limit) => usize::try_from(limit).unwrap_or(100),
            Some(limit) => {
                return Err(violations(&limit.to_string(), "limit", &["have value between 1 and 100".into()]));
            }
        };
        let after = self.next_marker.as_deref();
        let mut left = items.into_iter().filter(|(marker, _)| after.is_none_or(|after| marker.as_str() > after));
        let page: Vec<(String, Value)> = left.by_ref().take(limit).collect();
        let more = left.next().is_some();
        let next = page.last().map(|(marker, _)| marker.clone()).filter(|_| more);
        let mut body = json!({ member: page.into_iter().map(|(_, item)| item).collect::<Vec<_>>() });
        if let Some(next) = next {
            body["NextMarker"] = json!(next);
        }
        Ok(body)
    }
}

impl<T> Entity<T> {
    /// Whether it is of a scope: `regional` or `global`.
    fn is_in(&self, scope: &str) -> bool {
        self.arn.rsplit(':').next().is_some_and(|path| path.split('/').next() == Some(scope))
    }

    fn summary(&self) -> Value {
        json!({
            "Name": self.name, "Id": self.id, "ARN": self.arn, "LockToken": self.lock_token,
            "Description": self.description.as_deref().unwrap_or_default(),
        })
    }
}

/// The word that stands for a scope in ARNs, where the caller may use it.
pub(super) fn scope(text: &str, caller: &Caller) -> Answer<&'static str> {
    match text {
        "REGIONAL" => Ok("regional"),
        // "To work with CloudFront, you must specify the Region US East (N. Virginia)" (API reference).
        "CLOUDFRONT" if caller.region == "us-east-1" => Ok("global"),
        "CLOUDFRONT" => Err(invalid("The scope is not valid.", "SCOPE_VALUE", text)),
        _ => Err(violations(text, "scope", &["satisfy enum value set: [CLOUDFRONT, REGIONAL]".into()])),
    }
}

pub(super) fn create<K: Kind>(view: &mut View<'_>, caller: &Caller, mut input: Map<String, Value>) -> Answer<Value> {
    let (name, scope) = (name(&mut input)?, self::scope(&needed::<String>(&mut input, "Scope")?, caller)?);
    let description = description(&mut input)?;
    let tags = tags::read(take(&mut input, "Tags")?.unwrap_or_default(), BTreeMap::new())?;
    let body = K::read(input, None, &view.region.wafv2)?;
    let (id, lock_token) = (view.new_uuid(), view.new_uuid());
    let store = K::store_mut(&mut view.region.wafv2);
    if store.iter().any(|other| other.is_in(scope) && other.name == name) {
        return Err(faults::duplicate());
    }
    if store.iter().filter(|other| other.is_in(scope)).count() >= K::LIMIT {
        return Err(faults::limit(&K::NAME.to_uppercase()));
    }
    let place = format!("arn:{}:wafv2:{}:{}:{scope}", caller.partition(), caller.region, caller.account);
    let arn = format!("{place}/{}/{name}/{id}", K::WORD);
    let entity = Entity { name, id, arn, description, lock_token, tags, body };
    let summary = entity.summary();
    store.push(entity);
    Ok(json!({ "Summary": summary }))
}

pub(super) fn get<K: Kind>(view: &View<'_>, caller: &Caller, mut input: Map<String, Value>) -> Answer<Value> {
    let state = &view.region.wafv2;
    let by_arn = matches!(K::NAME, "WebACL" | "RuleGroup") && input.contains_key("ARN");
    let entity = if by_arn {
        let arn: String = needed(&mut input, "ARN")?;
        K::store(state).iter().find(|one| one.arn == arn).ok_or_else(faults::nonexistent)?
    } else {
        let at = place::<K>(state, caller, &mut input)?;
        &K::store(state)[at]
    };
    let mut answer = json!({ "LockToken": entity.lock_token });
    answer[K::NAME] = shown(entity, caller, state);
    Ok(answer)
}

pub(super) fn list<K: Kind>(view: &View<'_>, caller: &Caller, mut input: Map<String, Value>) -> Answer<Value> {
    let scope = self::scope(&needed::<String>(&mut input, "Scope")?, caller)?;
    let page = Page { limit: take(&mut input, "Limit")?, next_marker: take(&mut input, "NextMarker")? };
    let store = K::store(&view.region.wafv2).iter().filter(|one| one.is_in(scope));
    let mut items: Vec<(String, Value)> = store.map(|one| (one.name.clone(), one.summary())).collect();
    items.sort_by(|one, other| one.0.cmp(&other.0));
    page.of(K::PLURAL, items)
}

pub(super) fn update<K: Kind>(view: &mut View<'_>, caller: &Caller, mut input: Map<String, Value>) -> Answer<Value> {
    let at = locked::<K>(&view.region.wafv2, caller, &mut input)?;
    // What an update leaves out is cleared, the description too.
    let description = description(&mut input)?;
    let previous = &K::store(&view.region.wafv2)[at].body;
    let body = K::read(input, Some(previous), &view.region.wafv2)?;
    let lock_token = view.new_uuid();
    let entity = &mut K::store_mut(&mut view.region.wafv2)[at];
    (entity.description, entity.body, entity.lock_token) = (description, body, lock_token.clone());
    Ok(json!({ "NextLockToken": lock_token }))
}

pub(super) fn delete<K: Kind>(view: &mut View<'_>, caller: &Caller, mut input: Map<String, Value>) -> Answer<Value> {
    let at = locked::<K>(&view.region.wafv2, caller, &mut input)?;
    let arn = K::store(&view.region.wafv2)[at].arn.clone();
    let stages = view.region.apigateway.apis.iter().flat_map(|api| api.stages.values());
    let in_use = stages.filter_map(|stage| stage.web_acl_arn.as_deref()).any(|other| other == arn);
    let before_balancer = associations::balancers(view, &arn).next().is_some();
    if in_use || before_balancer || view.region.wafv2.refers(&arn) {
        return Err(faults::associated());
    }
    K::store_mut(&mut view.region.wafv2).remove(at);
    view.region.wafv2.logging.remove(&arn);
    Ok(json!({}))
}

/// A resource as `Get…` shows it.
pub(super) fn shown<K: Kind>(entity: &Entity<K>, caller: &Caller, state: &State) -> Value {
    let mut members = K::shown(entity, caller, state);
    for (name, value) in [("Name", &entity.name), ("Id", &entity.id), ("ARN", &entity.arn)] {
        members.insert(name.into(), json!(value));
    }
    if let Some(text) = &entity.description {
        members.insert("Description".into(), json!(text));
    }
    Value::Object(members)
}

/// Where the resource is that an input names, if the input knows its lock token.
fn locked<K: Kind>(state: &State, caller: &Caller, input: &mut Map<String, Value>) -> Answer<usize> {
    let token: String = needed(input, "LockToken")?;
    let at = place::<K>(state, caller, input)?;
    if K::store(state)[at].lock_token == token { Ok(at) } else { Err(faults::stale()) }
}

/// Where the resource is that an input names by name, scope and id.
fn place<K: Kind>(state: &State, caller: &Caller, input: &mut Map<String, Value>) -> Answer<usize> {
    let name = name(input)?;
    let scope = self::scope(&needed::<String>(input, "Scope")?, caller)?;
    let id: String = needed(input, "Id")?;
    let same = |one: &Entity<K>| one.id == id && one.name == name && one.is_in(scope);
    K::store(state).iter().position(same).ok_or_else(faults::nonexistent)
}

fn name(input: &mut Map<String, Value>) -> Answer<String> {
    let name: String = needed(input, "Name")?;
    check::entity_name(&name, "name")?;
    Ok(name)
}

fn description(input: &mut Map<String, Value>) -> Answer<Option<String>> {
    let text: Option<String> = take(input, "Description")?;
    text.as_deref().map_or(Ok(()), check::description)?;
    Ok(text)
}

fn needed<T: DeserializeOwned>(input: &mut Map<String, Value>, member: &str) -> Answer<T> {
    let mut letters = member.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    take(input, member)?.ok_or_else(|| required(&first.into_iter().chain(letters).collect::<String>()))
}

fn take<T: DeserializeOwned>(input: &mut Map<String, Value>, member: &str) -> Answer<Option<T>> {
    match input.remove(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).map_err(|error| faults::unreadable(&error)),
    }
}
