//! Graphs as text that others draw: Mermaid and DOT.

use std::fmt::Write as _;

use super::{Graph, Mood, Node, Shape};

/// A text inside quotes of Mermaid: what means something there is written as an entity (Mermaid's documentation, "Entity codes to
/// escape characters").
fn in_mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            '\\' => out.push_str("#92;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn mood_name(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Waiting => "waiting",
        Mood::Bad => "bad",
        Mood::Absent => "absent",
    }
}

fn lines(node: &Node) -> impl Iterator<Item = &str> {
    std::iter::once(node.label.as_str()).chain(node.details.iter().map(String::as_str))
}

/// A graph as a Mermaid flow chart.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut page = format!("---\ntitle: {}\n---\nflowchart LR\n", serde_json::Value::from(graph.title.as_str()));
    let node = |page: &mut String, indent: &str, at: usize| {
        let node = &graph.nodes[at];
        let (open, close) = match node.shape {
            Shape::Resource => ("[", "]"),
            Shape::Party => ("([", "])"),
            Shape::Decision => ("{{", "}}"),
        };
        let label = lines(node).map(in_mermaid).collect::<Vec<_>>().join("<br/>");
        let class = node.mood.map(|mood| format!(":::{}", mood_name(mood))).unwrap_or_default();
        // Writing to a string can't fail.
        let _ = writeln!(page, "{indent}n{at}{open}\"{label}\"{close}{class}");
    };
    for (index, (group, members)) in graph.groups().into_iter().enumerate() {
        let Some(group) = group else {
            for at in members {
                node(&mut page, "  ", at);
            }
            continue;
        };
        let _ = writeln!(page, "  subgraph g{index}[\"{}\"]", in_mermaid(group));
        for at in members {
            node(&mut page, "    ", at);
        }
        page.push_str("  end\n");
    }
    for edge in &graph.edges {
        let label = edge.label.as_ref().map(|label| format!("|\"{}\"|", in_mermaid(label))).unwrap_or_default();
        let _ = writeln!(page, "  n{} -->{label} n{}", edge.from, edge.to);
    }
    for (mood, style) in [
        (Mood::Good, "stroke:#2e7d32,stroke-width:2px"),
        (Mood::Waiting, "stroke:#b26a00,stroke-width:2px"),
        (Mood::Bad, "stroke:#c62828,stroke-width:3px"),
        (Mood::Absent, "stroke-dasharray:5 4"),
    ] {
        if graph.nodes.iter().any(|node| node.mood == Some(mood)) {
            let _ = writeln!(page, "  classDef {} {style}", mood_name(mood));
        }
    }
    page
}

/// A text inside quotes of DOT, where only quotes and backslashes mean something (Graphviz's documentation, "The DOT Language").
fn in_dot(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A graph for Graphviz.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut page = format!(
        "digraph gwctl {{\n  label=\"{}\";\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n",
        in_dot(&graph.title)
    );
    let node = |page: &mut String, indent: &str, at: usize| {
        let node = &graph.nodes[at];
        let shape = match node.shape {
            Shape::Resource => "box",
            Shape::Party => "oval",
            Shape::Decision => "hexagon",
        };
        let label = lines(node).map(in_dot).collect::<Vec<_>>().join("\\n");
        let style = match node.mood {
            Some(Mood::Good) => ", color=\"#2e7d32\"",
            Some(Mood::Waiting) => ", color=\"#b26a00\"",
            Some(Mood::Bad) => ", color=\"#c62828\", penwidth=2",
            Some(Mood::Absent) => ", style=dashed",
            None => "",
        };
        let _ = writeln!(page, "{indent}n{at} [label=\"{label}\", shape={shape}{style}];");
    };
    for (index, (group, members)) in graph.groups().into_iter().enumerate() {
        let Some(group) = group else {
            for at in members {
                node(&mut page, "  ", at);
            }
            continue;
        };
        let _ = writeln!(page, "  subgraph cluster_{index} {{\n    label=\"{}\";", in_dot(group));
        for at in members {
            node(&mut page, "    ", at);
        }
        page.push_str("  }\n");
    }
    for edge in &graph.edges {
        let label = edge.label.as_ref().map(|label| format!(" [label=\"{}\"]", in_dot(label))).unwrap_or_default();
        let _ = writeln!(page, "  n{} -> n{}{label};", edge.from, edge.to);
    }
    page.push_str("}\n");
    page
}
