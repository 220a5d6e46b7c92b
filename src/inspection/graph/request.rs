//! The way of one request, as the layers of the gateway decided about it.

use super::{Graph, Mood, Node, Shape};
use crate::sandbox::execute_api::explain::{Explanation, Outcome};

/// A node for each layer that the request reaches, and one for where it ends.
#[must_use]
pub fn request(title: &str, explanation: &Explanation) -> Graph {
    let mut graph = Graph::new(title);
    let mut last = graph.node(Node::new(Shape::Party, "client").with([title.to_owned()]));
    for layer in &explanation.layers {
        let mood = if layer.passes { Mood::Good } else { Mood::Bad };
        let node = Node::new(Shape::Decision, layer.name).with([layer.why.clone()]).with(layer.notes.clone());
        let next = graph.node(Node { mood: Some(mood), ..node });
        graph.edge(last, next, None);
        last = next;
    }
    let end = match (&explanation.outcome, &explanation.backend) {
        (Outcome::Refused { status, response, message, .. }, _) => {
            let response = response.map(|response| format!(" {response}")).unwrap_or_default();
            let node = Node::new(Shape::Party, format!("the client gets {status}{response}")).with([message.clone()]);
            Node { mood: Some(Mood::Bad), ..node }
        }
        (Outcome::Preflight { status }, _) => {
            Node::new(Shape::Party, "the gateway answers the preflight").with([status.to_string()])
        }
        (Outcome::Mock, _) => Node::new(Shape::Party, "the gateway answers").with(["mock integration".to_owned()]),
        (Outcome::Backend, backend) => {
            if let Some(link) = backend.as_ref().and_then(|backend| backend.vpc_link.as_ref()) {
                let link = graph.node(Node::new(Shape::Resource, "VPC link").with([link.clone()]));
                graph.edge(last, link, None);
                last = link;
            }
            let asked = backend.as_ref().map(|backend| format!("{} {}", backend.method, backend.url));
            Node::new(Shape::Party, "backend").with(asked)
        }
    };
    let end = graph.node(end);
    graph.edge(last, end, None);
    graph
}
