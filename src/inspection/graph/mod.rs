//! Graphs of an environment: its resources with what they refer to, and the way of requests through them.
//!
//! A graph is data ([`Graph`]). It is made of desired resources ([`resources`], [`requests`]) or of what the layers of a gateway
//! decided about one request ([`request`]), and written as Mermaid ([`mermaid`]), for Graphviz ([`dot`]), as a picture ([`svg`])
//! or as a page with that picture ([`html`]).

mod layout;
mod picture;
mod request;
mod resources;
mod text;
mod ways;

use serde::Serialize;

pub use picture::{html, svg};
pub use request::request;
pub use resources::{annotate, resources};
pub use text::{dot, mermaid};
pub use ways::requests;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A resource.
    Resource,
    /// Who asks or is asked: clients, backends, functions.
    Party,
    /// What decides about a request.
    Decision,
}

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mood {
    /// As it should be; a request passes.
    Good,
    /// Something waits to be changed.
    Waiting,
    /// Changed by somebody; a request ends here.
    Bad,
    /// It is not there.
    Absent,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The first line.
    pub label: String,
    /// The lines below.
    pub details: Vec<String>,
    /// Nodes of one group stand in one frame.
    pub group: Option<String>,
    /// What it is.
    pub shape: Shape,
    /// How it stands, where that is known.
    pub mood: Option<Mood>,
}

/// From one node to another, by their places in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The node that refers, or that a request comes from.
    pub from: usize,
    /// The node referred to, or that a request goes to.
    pub to: usize,
    /// What of it is used.
    pub label: Option<String>,
}

/// A graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// What it shows.
    pub title: String,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The edges.
    pub edges: Vec<Edge>,
}

impl Graph {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    fn node(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The place of a node that is made where there is none like it.
    fn shared(&mut self, node: Node) -> usize {
        match self.nodes.iter().position(|known| *known == node) {
            Some(at) => at,
            None => self.node(node),
        }
    }

    /// One edge between two nodes is enough.
    fn edge(&mut self, from: usize, to: usize, label: Option<String>) {
        if !self.edges.iter().any(|edge| edge.from == from && edge.to == to) {
            self.edges.push(Edge { from, to, label });
        }
    }

    /// The groups in the order in which they come, each with its nodes; first those without a group.
    fn groups(&self) -> Vec<(Option<&str>, Vec<usize>)> {
        let mut groups: Vec<(Option<&str>, Vec<usize>)> = vec![(None, Vec::new())];
        for (at, node) in self.nodes.iter().enumerate() {
            let name = node.group.as_deref();
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, members)) => members.push(at),
                None => groups.push((name, vec![at])),
            }
        }
        groups.retain(|(_, members)| !members.is_empty());
        groups
    }
}

impl Node {
    fn new(shape: Shape, label: impl Into<String>) -> Self {
        Self { label: label.into(), details: Vec::new(), group: None, shape, mood: None }
    }

    fn with(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    fn within(self, group: Option<&str>) -> Self {
        Self { group: group.map(str::to_owned), ..self }
    }
}

#[cfg(test)]
mod tests;
