//! What has to be done to an API's children, in an order in which no request fails on the way: pure.
//!
//! Authorizers and integrations are made before a route moves to them, and go after the last route has left. An integration
//! that all its routes want changed alike is changed in place; one whose routes want different things stays for those that want it
//! as it is, and the others get one of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Children, LiveRoute};
use super::spec::{HttpApiSpec, Integration, JwtAuthorizer, Route};

/// One call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change<'a> {
    CreateAuthorizer { name: &'a str, jwt: &'a JwtAuthorizer },
    UpdateAuthorizer { id: &'a str, name: &'a str, jwt: &'a JwtAuthorizer },
    CreateIntegration { integration: &'a Integration },
    UpdateIntegration { id: &'a str, from: &'a Integration, to: &'a Integration },
    CreateRoute { key: &'a str, route: &'a Route },
    UpdateRoute { key: &'a str, live: &'a LiveRoute, route: &'a Route },
    DeleteRoute { key: &'a str, id: &'a str },
    DeleteIntegration { id: &'a str },
    DeleteAuthorizer { id: &'a str, name: &'a str },
}

/// All calls, in order, and the ids that are known before them.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    pub(super) steps: Vec<Change<'a>>,
    /// The ids of the integrations that stay, by what they will be.
    pub(super) integrations: BTreeMap<&'a Integration, &'a str>,
    /// The ids of the authorizers that stay, by name.
    pub(super) authorizers: BTreeMap<&'a str, &'a str>,
}

/// What turns an API's children into those that a spec wants. Every reference in the spec is known.
pub(super) fn changes<'a>(live: &'a Children, wanted: &'a HttpApiSpec) -> Changes<'a> {
    let mut all = Changes::default();
    all.guard(live, wanted);
    all.integrate(live, wanted);
    all.route(live, wanted);
    for (key, route) in live.routes.iter().filter(|(key, _)| !wanted.routes.contains_key(*key)) {
        all.steps.push(Change::DeleteRoute { key, id: &route.id });
    }
    let kept: BTreeSet<&str> = all.integrations.values().copied().collect();
    let gone = live.integrations.keys().filter(|id| !kept.contains(id.as_str()));
    all.steps.extend(gone.map(|id| Change::DeleteIntegration { id }));
    let kept: BTreeSet<&str> = all.authorizers.values().copied().collect();
    let gone = live.authorizers.iter().filter(|(id, _)| !kept.contains(id.as_str()));
    all.steps.extend(gone.map(|(id, one)| Change::DeleteAuthorizer { id, name: &one.name }));
    all
}

impl<'a> Changes<'a> {
    fn guard(&mut self, live: &'a Children, wanted: &'a HttpApiSpec) {
        for (name, jwt) in &wanted.authorizers {
            // Names are unique in an API.
            match live.authorizers.iter().find(|(_, one)| one.name == *name) {
                None => self.steps.push(Change::CreateAuthorizer { name, jwt }),
                Some((id, one)) => {
                    self.authorizers.insert(name, id);
                    if one.jwt.as_ref() != Some(jwt) {
                        self.steps.push(Change::UpdateAuthorizer { id, name, jwt });
                    }
                }
            }
        }
    }

    fn integrate(&mut self, live: &'a Children, wanted: &'a HttpApiSpec) {
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        let contents: BTreeSet<&Integration> = wanted.routes.values().map(|route| &route.integration).collect();
        for content in &contents {
            let equal = live.integrations.iter().filter(|(_, one)| one == content);
            // Of several, the one that most routes lead to already.
            let id =
                equal.map(|(id, _)| id.as_str()).max_by_key(|id| (users(live, id).count(), std::cmp::Reverse(*id)));
            if let Some(id) = id {
                taken.insert(id);
                self.integrations.insert(content, id);
            }
        }
        let missing: Vec<&Integration> =
            contents.into_iter().filter(|content| !self.integrations.contains_key(content)).collect();
        for to in missing {
            let targets = wanted.routes.iter().filter(|(_, route)| route.integration == *to);
            let targets: BTreeSet<&str> =
                targets.filter_map(|(key, _)| live.routes.get(key)?.target.as_deref()).collect();
            let fit = targets.into_iter().find_map(|id| {
                let (id, from) = live.integrations.get_key_value(id)?;
                let free = !taken.contains(id.as_str()) && can_become(from, to);
                let alike = users(live, id).filter_map(|key| wanted.routes.get(key)).all(|one| one.integration == *to);
                (free && alike).then_some((id.as_str(), from))
            });
            match fit {
                Some((id, from)) => {
                    taken.insert(id);
                    self.integrations.insert(to, id);
                    self.steps.push(Change::UpdateIntegration { id, from, to });
                }
                None => self.steps.push(Change::CreateIntegration { integration: to }),
            }
        }
    }

    fn route(&mut self, live: &'a Children, wanted: &'a HttpApiSpec) {
        for (key, route) in &wanted.routes {
            let Some(before) = live.routes.get(key) else {
                self.steps.push(Change::CreateRoute { key, route });
                continue;
            };
            // What is yet to be made has no id, and is nobody's target.
            let target = self.integrations.get(&route.integration).copied();
            let guard = |name: &String| self.authorizers.get(name.as_str()).copied().unwrap_or_default();
            let authorizer = route.authorizer.as_ref().map(guard);
            let same = target.is_some()
                && before.target.as_deref() == target
                && before.authorizer.as_deref() == authorizer
                && before.scopes == route.scopes
                && before.foreign_settings.is_empty();
            if !same {
                self.steps.push(Change::UpdateRoute { key, live: before, route });
            }
        }
    }
}

/// The keys of the routes that lead to an integration.
fn users<'a>(live: &'a Children, id: &'a str) -> impl Iterator<Item = &'a String> {
    live.routes.iter().filter(move |(_, route)| route.target.as_deref() == Some(id)).map(|(key, _)| key)
}

/// Whether an update can turn one integration into another. Whether it takes away a VPC link or a server name is nowhere
/// written; a new integration surely has none. The same goes for what somebody set by hand.
fn can_become(from: &Integration, to: &Integration) -> bool {
    from.foreign_settings.is_empty()
        && (from.connection.is_none() || to.connection.is_some())
        && (from.server_name_to_verify.is_none() || to.server_name_to_verify.is_some())
}

#[cfg(test)]
mod tests {
    use super::super::read::LiveAuthorizer;
    use super::*;

    fn integration(link: &str, path: &str) -> Integration {
        let parameters = [("overwrite:path".to_owned(), path.to_owned())].into();
        Integration { parameters, ..Integration::through(link.into(), "arn:listener") }
    }

    fn live(integrations: &[(&str, Integration)], routes: &[(&str, Option<&str>)]) -> Children {
        let route = |(key, target): &(&str, Option<&str>)| {
            let route = LiveRoute {
                id: format!("id of {key}"),
                target: target.map(str::to_owned),
                authorizer: None,
                scopes: BTreeSet::new(),
                foreign_settings: BTreeSet::new(),
            };
            ((*key).to_owned(), route)
        };
        Children {
            authorizers: BTreeMap::new(),
            integrations: integrations.iter().map(|(id, one)| ((*id).to_owned(), one.clone())).collect(),
            routes: routes.iter().map(route).collect(),
        }
    }

    fn wanted(routes: &[(&str, &Integration)]) -> HttpApiSpec {
        HttpApiSpec {
            name: "a".into(),
            description: None,
            disable_execute_api_endpoint: false,
            ip_address_type: "ipv4".into(),
            cors: None,
            authorizers: BTreeMap::new(),
            routes: routes.iter().map(|(key, one)| ((*key).to_owned(), Route::open((*one).clone()))).collect(),
            unused_integrations: BTreeSet::new(),
            foreign_authorizers: BTreeSet::new(),
            tags: BTreeMap::new(),
        }
    }

    fn shown(live: &Children, wanted: &HttpApiSpec) -> Vec<String> {
        let path = |one: &Integration| {
            format!(
                "{} {}",
                one.connection.as_ref().map_or("-", |id| id.known().unwrap()),
                one.parameters["overwrite:path"]
            )
        };
        let steps = changes(live, wanted).steps.into_iter().map(|step| match step {
            Change::CreateAuthorizer { name, .. } => format!("create authorizer {name}"),
            Change::UpdateAuthorizer { id, .. } => format!("update authorizer {id}"),
            Change::CreateIntegration { integration } => format!("create {}", path(integration)),
            Change::UpdateIntegration { id, from, to } => format!("update {id} from {} to {}", path(from), path(to)),
            Change::CreateRoute { key, route } => format!("create {key} to {}", path(&route.integration)),
            Change::UpdateRoute { key, route, .. } => format!("move {key} to {}", path(&route.integration)),
            Change::DeleteRoute { key, .. } => format!("delete {key}"),
            Change::DeleteIntegration { id } => format!("delete {id}"),
            Change::DeleteAuthorizer { id, .. } => format!("delete authorizer {id}"),
        });
        steps.collect()
    }

    #[test]
    fn a_new_api_has_one_integration_for_all_routes_that_want_the_same() {
        let (a, b) = (integration("l", "/a"), integration("l", "/b"));
        let wanted = wanted(&[("GET /1", &a), ("GET /2", &a), ("GET /3", &b)]);
        let expected =
            ["create l /a", "create l /b", "create GET /1 to l /a", "create GET /2 to l /a", "create GET /3 to l /b"];
        assert_eq!(shown(&live(&[], &[]), &wanted), expected);
    }

    #[test]
    fn what_is_as_wanted_is_left_alone() {
        let a = integration("l", "/a");
        let there = live(&[("i1", a.clone())], &[("GET /1", Some("i1"))]);
        assert_eq!(shown(&there, &wanted(&[("GET /1", &a)])), [""; 0]);
    }

    #[test]
    fn another_link_is_one_update_of_each_integration_and_moves_no_route() {
        let there = live(
            &[("i1", integration("old", "/a")), ("i2", integration("old", "/b"))],
            &[("GET /1", Some("i1")), ("GET /2", Some("i1")), ("GET /3", Some("i2"))],
        );
        let (a, b) = (integration("new", "/a"), integration("new", "/b"));
        let wanted = wanted(&[("GET /1", &a), ("GET /2", &a), ("GET /3", &b)]);
        assert_eq!(shown(&there, &wanted), ["update i1 from old /a to new /a", "update i2 from old /b to new /b"]);
    }

    #[test]
    fn one_whose_routes_want_different_things_is_split_before_anything_moves() {
        let a = integration("l", "/a");
        let there = live(&[("i1", a.clone())], &[("GET /1", Some("i1")), ("GET /2", Some("i1"))]);
        let b = integration("l", "/b");
        let one_stays = wanted(&[("GET /1", &a), ("GET /2", &b)]);
        assert_eq!(shown(&there, &one_stays), ["create l /b", "move GET /2 to l /b"]);
        let c = integration("l", "/c");
        let none_stays = wanted(&[("GET /1", &c), ("GET /2", &b)]);
        let expected = ["create l /b", "create l /c", "move GET /1 to l /c", "move GET /2 to l /b", "delete i1"];
        assert_eq!(shown(&there, &none_stays), expected);
    }

    #[test]
    fn routes_that_go_hold_up_no_change_and_go_before_what_they_used() {
        let there = live(
            &[("i1", integration("old", "/a")), ("i2", integration("old", "/b"))],
            &[("GET /1", Some("i1")), ("GET /by-hand", Some("i1")), ("GET /gone", Some("i2")), ("GET /nowhere", None)],
        );
        let a = integration("new", "/a");
        let expected = [
            "update i1 from old /a to new /a",
            "delete GET /by-hand",
            "delete GET /gone",
            "delete GET /nowhere",
            "delete i2",
        ];
        assert_eq!(shown(&there, &wanted(&[("GET /1", &a)])), expected);
    }

    #[test]
    fn what_an_apply_that_died_has_left_is_used_or_goes() {
        let (a, b) = (integration("l", "/a"), integration("l", "/b"));
        let there = live(&[("i1", a.clone()), ("i2", b.clone()), ("i3", b.clone())], &[("GET /1", Some("i1"))]);
        assert_eq!(shown(&there, &wanted(&[("GET /1", &b)])), ["move GET /1 to l /b", "delete i1", "delete i3"]);
    }

    #[test]
    fn what_an_update_may_not_take_away_is_made_anew() {
        let mut named = integration("l", "/a");
        named.server_name_to_verify = Some("backend.example.com".into());
        let mut by_hand = integration("l", "/a");
        by_hand.foreign_settings = ["type AWS_PROXY".to_owned()].into();
        let open = Integration { connection: None, ..integration("l", "/a") };
        for (from, to) in
            [(named, integration("l", "/a")), (by_hand, integration("l", "/a")), (integration("l", "/a"), open)]
        {
            let there = live(&[("i1", from)], &[("GET /1", Some("i1"))]);
            let steps = shown(&there, &wanted(&[("GET /1", &to)]));
            assert!(
                steps[0].starts_with("create ") && steps[1].starts_with("move ") && steps[2] == "delete i1",
                "{steps:?}"
            );
        }
    }

    #[test]
    fn authorizers_stand_before_routes_need_them_and_go_after() {
        let a = integration("l", "/a");
        let jwt = JwtAuthorizer {
            issuer: "https://login.example.com".into(),
            audience: ["me".to_owned()].into(),
            identity_sources: BTreeSet::new(),
        };
        let mut there = live(&[("i1", a.clone())], &[("GET /1", Some("i1"))]);
        let mut guarded = wanted(&[("GET /1", &a)]);
        guarded.authorizers.insert("login".into(), jwt.clone());
        guarded.routes.insert("GET /1".into(), Route::guarded(a.clone(), "login", BTreeSet::new()));
        assert_eq!(shown(&there, &guarded), ["create authorizer login", "move GET /1 to l /a"]);
        there.authorizers.insert("z1".into(), LiveAuthorizer { name: "login".into(), jwt: Some(jwt) });
        assert_eq!(shown(&there, &guarded), ["move GET /1 to l /a"]);
        there.routes.get_mut("GET /1").unwrap().authorizer = Some("z1".into());
        assert_eq!(shown(&there, &guarded), [""; 0]);
        assert_eq!(shown(&there, &wanted(&[("GET /1", &a)])), ["move GET /1 to l /a", "delete authorizer z1"]);
        // One of that name and another type, made by hand.
        there.authorizers.get_mut("z1").unwrap().jwt = None;
        assert_eq!(shown(&there, &guarded), ["update authorizer z1"]);
    }
}
