//! The resources of an environment and what they refer to.

use std::collections::BTreeMap;

use super::{Graph, Mood, Node, Shape};
use crate::inspection::standing::{Standing, State};
use crate::model::{Address, Desired, Live, references};

/// A node for each resource, and an edge to each that it refers to.
#[must_use]
pub fn resources(title: &str, desired: &[Desired]) -> Graph {
    let mut graph = Graph::new(title);
    let mut places = BTreeMap::new();
    for one in desired {
        let node = node(&one.address, one.name());
        places.insert(&one.address, graph.node(node));
    }
    for one in desired {
        let mut used: BTreeMap<Address, Vec<String>> = BTreeMap::new();
        for reference in references(&one.spec) {
            used.entry(reference.address).or_default().push(reference.output);
        }
        for (address, outputs) in used {
            if let (Some(from), Some(to)) = (places.get(&one.address), places.get(&address)) {
                graph.edge(*from, *to, Some(outputs.join(", ")));
            }
        }
    }
    graph
}

fn node(address: &Address, name: Option<&str>) -> Node {
    let name = name.filter(|name| *name != address.name()).map(str::to_owned);
    Node::new(Shape::Resource, format!("{} {}", address.kind(), address.name()))
        .with(name)
        .within(Some(address.stack()))
}

/// Adds to each resource its id and how it stands, and the resources that are there and in no configuration.
#[must_use]
pub fn annotate(mut graph: Graph, desired: &[Desired], live: &Live, standing: &Standing) -> Graph {
    let own: BTreeMap<&Address, _> = live.values().flatten().filter_map(|one| Some((one.address()?, one))).collect();
    for (node, one) in graph.nodes.iter_mut().zip(desired) {
        if let Some(id) = own.get(&one.address).and_then(|live| live.outputs.get("id")) {
            node.details.push(id.to_owned());
        }
        let state = standing.of(&one.address);
        node.details.extend(state.map(|state| state.words().to_owned()));
        node.mood = state.map(mood);
    }
    for (address, one) in own {
        // Deployments and versions that are kept for a rollback are nobody's concern here.
        let state = standing.of(address).filter(|state| *state == State::NotWanted);
        if let Some(state) = state.filter(|_| !desired.iter().any(|wanted| wanted.address == *address)) {
            let node = node(address, Some(&one.name)).with([state.words().to_owned()]);
            graph.node(Node { mood: Some(mood(state)), ..node });
        }
    }
    graph
}

fn mood(state: State) -> Mood {
    match state {
        State::InSync => Mood::Good,
        State::Drifted => Mood::Bad,
        State::Changes | State::Unfinished | State::NotWanted => Mood::Waiting,
        State::NotDeployed => Mood::Absent,
    }
}
