//! The ways that requests can go through the APIs of an environment, routes of one kind together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Graph, Node, Shape};
use crate::inspection::routes::{Facts, Routes, of_http_api, of_rest_api};
use crate::model::{Desired, as_reference};

/// As many paths as a node names.
const NAMED: usize = 3;

/// Web ACL, resource policy, authorizer, routes, VPC link and backend of each API.
#[must_use]
pub fn requests(title: &str, desired: &[Desired]) -> Graph {
    let mut graph = Graph::new(title);
    let client = graph.node(Node::new(Shape::Party, "client"));
    for api in desired {
        let routes = match api.address.kind() {
            "rest-api" => of_rest_api(&api.spec),
            "http-api" => of_http_api(&api.spec),
            _ => None,
        };
        if let Some(routes) = routes {
            Way { graph: &mut graph, desired, api }.draw(client, &routes);
        }
    }
    graph
}

/// One API on its way into a graph.
struct Way<'a> {
    graph: &'a mut Graph,
    desired: &'a [Desired],
    api: &'a Desired,
}

/// What routes have in common that stand in one node.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Together {
    kind: String,
    authorizer: Option<String>,
    api_key: bool,
    link: Option<String>,
    integration: String,
}

impl Way<'_> {
    fn draw(mut self, client: usize, routes: &Routes) {
        let mut last = client;
        if let Some(domain) = self.mapped() {
            last = self.follow(last, Node::new(Shape::Party, domain));
        }
        let stage = self.stage();
        if let Some(acl) = stage.and_then(|stage| stage.spec.get("web_acl")).filter(|acl| !acl.is_null()) {
            let name = as_reference(acl).and_then(|reference| self.name_of(&reference.address.to_string()));
            let name = name.or_else(|| acl.as_str().map(str::to_owned));
            last = self.follow(last, Node::new(Shape::Decision, "web ACL").with(name));
        }
        if let Some(statements) = self.api.spec.pointer("/policy/statements").and_then(Value::as_object) {
            let names = statements.keys().cloned();
            last = self.follow(last, Node::new(Shape::Decision, "resource policy").with(names));
        }
        for (together, members) in self.groups(routes) {
            self.routes(last, &together, &members);
        }
    }

    fn routes(&mut self, before: usize, together: &Together, members: &[(String, &Facts)]) {
        let mut last = before;
        if let Some(name) = &together.authorizer {
            let node = Node::new(Shape::Decision, "authorizer").with([name.clone()]).with(self.kept(name));
            last = self.follow(last, node);
        }
        let mut details: Vec<String> = members.iter().take(NAMED).map(|(route, _)| route.clone()).collect();
        if members.len() > NAMED {
            details.push(format!("and {} more", members.len() - NAMED));
        }
        if together.api_key {
            details.push("with an API key".to_owned());
        }
        let count = match members.len() {
            1 => "1 route".to_owned(),
            count => format!("{count} routes"),
        };
        let label = if together.kind.is_empty() { count } else { format!("{}: {count}", together.kind) };
        last = self.follow(last, Node::new(Shape::Decision, label).with(details));
        if let Some(link) = &together.link {
            let link = self.name_of(link.split('#').next().unwrap_or(link)).unwrap_or_else(|| link.clone());
            last = self.follow(last, Node::new(Shape::Resource, "VPC link").with([link]));
        }
        if let Some(acl) = self.before_the_balancer() {
            last = self.follow(last, Node::new(Shape::Decision, "web ACL of the load balancer").with([acl]));
        }
        let mut hosts: Vec<String> = members.iter().map(|(_, facts)| host(facts)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        for host in hosts {
            let backend = self.graph.shared(Node::new(Shape::Party, host));
            self.graph.edge(last, backend, Some(together.integration.clone()));
        }
    }

    /// A node of the API behind another one; the same one where it is there already.
    fn follow(&mut self, before: usize, node: Node) -> usize {
        let group = format!("{}: {}", self.api.address.stack(), self.api.name().unwrap_or_default());
        let at = self.graph.shared(node.within(Some(&group)));
        self.graph.edge(before, at, None);
        at
    }

    fn groups<'r>(&self, routes: &'r Routes) -> Vec<(Together, Vec<(String, &'r Facts)>)> {
        let mut groups: BTreeMap<Together, Vec<(String, &Facts)>> = BTreeMap::new();
        for ((path, method), route) in routes {
            let facts = &route.facts;
            let together = Together {
                kind: self.api.labels.get(&format!("routes.{path}")).cloned().unwrap_or_default(),
                authorizer: facts.authorizer.clone(),
                api_key: facts.api_key,
                link: facts.link.clone(),
                integration: facts.integration.clone(),
            };
            groups.entry(together).or_default().push((format!("{method} {path}"), facts));
        }
        groups.into_iter().collect()
    }

    /// The web ACL before the load balancer that an HTTP API leads to: these APIs can have none themselves.
    fn before_the_balancer(&self) -> Option<String> {
        let associations = self.desired.iter().filter(|one| one.address.kind() == "web-acl-association");
        let mut own = associations.filter(|one| one.address.stack() == self.api.address.stack());
        let association = own.next().filter(|_| self.api.address.kind() == "http-api")?;
        let referred = crate::model::references(&association.spec);
        let acl = referred.iter().find(|reference| reference.address.kind() == "web-acl")?;
        self.name_of(acl.address.as_str())
    }

    fn stage(&self) -> Option<&Desired> {
        let stages = self.desired.iter().filter(|one| ["stage", "http-stage"].contains(&one.address.kind()));
        let mut own = stages.filter(|one| one.address.stack() == self.api.address.stack());
        own.find(|one| one.address.name() == self.api.address.name())
    }

    /// The domain name, and the path below it, that lead to the API.
    fn mapped(&self) -> Option<String> {
        let mappings =
            self.desired.iter().filter(|one| ["base-path-mapping", "api-mapping"].contains(&one.address.kind()));
        let here = self.api.address.to_string();
        let mut own = mappings.filter(|one| {
            crate::model::references(&one.spec).iter().any(|reference| reference.address.to_string() == here)
        });
        own.find_map(Desired::name).map(str::to_owned)
    }

    fn name_of(&self, address: &str) -> Option<String> {
        let one = self.desired.iter().find(|one| one.address.as_str() == address)?;
        Some(one.name().unwrap_or_else(|| one.address.name()).to_owned())
    }

    /// How long an authorizer's answers are kept.
    fn kept(&self, name: &str) -> Option<String> {
        let seconds = self.api.spec.get("authorizers")?.get(name)?.get("ttl_seconds")?.as_i64()?;
        Some(if seconds == 0 { "asked each time".to_owned() } else { format!("answers kept for {seconds} s") })
    }
}

/// The host of a backend; of what is no URL, all of it.
fn host(facts: &Facts) -> String {
    let Some(target) = &facts.target else {
        return if facts.integration == "MOCK" { "the gateway itself".to_owned() } else { "nowhere".to_owned() };
    };
    let host = target.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    host.unwrap_or(target).to_owned()
}
