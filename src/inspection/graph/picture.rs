//! Graphs as a picture that needs nothing else: no font, no script, no address is loaded. Light or dark is the viewer's choice.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::layout::{Layout, layout};
use super::{Graph, Mood, Node, Shape};

/// Around the picture.
const MARGIN: f64 = 24.0;

/// Where the title stands.
const TITLE: f64 = 32.0;

/// From one line of text to the next.
const LINE: f64 = 16.0;

/// Around the text of a node.
const PADDING: f64 = 12.0;

/// What a column of text takes: an upper bound for common faces at 12 pixels, so that text stays in its node.
const LETTER: f64 = 7.2;

/// How much more bold text takes.
const BOLD: f64 = 1.1;

/// Columns of a line before it is cut; the whole stands in the node's tooltip.
const WIDEST: usize = 46;

/// Lines of a node before the rest is left to its tooltip.
const LINES: usize = 6;

const STYLE: &str = "
svg.gwctl{--paper:#ffffff;--ink:#1f2328;--faint:#656d76;--line:#8c959f;--fill:#f6f8fa;--decision:#eef4ff;--party:#f3effc;
--good:#2e7d32;--waiting:#b26a00;--bad:#c62828;background:var(--paper);font-family:ui-sans-serif,system-ui,sans-serif;font-size:12px}
@media (prefers-color-scheme:dark){svg.gwctl{--paper:#0d1117;--ink:#e6edf3;--faint:#8d96a0;--line:#6e7681;--fill:#161b22;
--decision:#152238;--party:#221a36;--good:#57ab5a;--waiting:#d29922;--bad:#f47067}}
svg.gwctl text{fill:var(--ink)}
svg.gwctl .title{font-size:16px;font-weight:600}
svg.gwctl .label{font-weight:600}
svg.gwctl .detail,svg.gwctl .group{fill:var(--faint)}
svg.gwctl .group{font-size:10px}
svg.gwctl .node{fill:var(--fill);stroke:var(--line)}
svg.gwctl .decision{fill:var(--decision)}
svg.gwctl .party{fill:var(--party)}
svg.gwctl .good{stroke:var(--good);stroke-width:2}
svg.gwctl .waiting{stroke:var(--waiting);stroke-width:2}
svg.gwctl .bad{stroke:var(--bad);stroke-width:3}
svg.gwctl .absent{stroke-dasharray:5 4}
svg.gwctl .edge{fill:none;stroke:var(--line);stroke-width:1.2}
svg.gwctl .tip{fill:var(--line)}
";

/// A text inside XML, in an element or in an attribute's quotes. Characters that XML has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The line, or as much of it as there is room for.
fn cut(line: &str) -> String {
    if line.width() <= WIDEST {
        return line.to_owned();
    }
    let mut short = line.to_owned();
    while short.width() >= WIDEST {
        short.pop();
    }
    short + "…"
}

/// The lines of a node and their classes.
fn lines(node: &Node) -> Vec<(&'static str, String)> {
    let label = std::iter::once(("label", cut(&node.label)));
    let details = node.details.iter().map(|line| ("detail", cut(line)));
    let group = node.group.iter().map(|group| ("group", cut(group)));
    let mut all: Vec<(&'static str, String)> = group.chain(label).chain(details).collect();
    if all.len() > LINES {
        all.truncate(LINES - 1);
        all.push(("detail", "…".to_owned()));
    }
    all
}

// Counts of lines and columns are small numbers.
#[allow(clippy::cast_precision_loss)]
fn size(lines: &[(&'static str, String)]) -> (f64, f64) {
    let bold = |class: &str| if class == "label" { BOLD } else { 1.0 };
    let widest = lines.iter().map(|(class, line)| line.width() as f64 * bold(class)).fold(0.0, f64::max);
    (widest * LETTER + 2.0 * PADDING, lines.len() as f64 * LINE + 2.0 * PADDING - 4.0)
}

/// A graph as an SVG document.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let texts: Vec<Vec<(&'static str, String)>> = graph.nodes.iter().map(lines).collect();
    let sizes: Vec<(f64, f64)> = texts.iter().map(|lines| size(lines)).collect();
    let edges: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let places = layout(&sizes, &edges);
    let title = size(&[("title", graph.title.clone())]).0 * 1.3;
    let (width, height) = (places.width.max(title) + 2.0 * MARGIN, places.height + TITLE + 2.0 * MARGIN);
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gwctl\" role=\"img\" aria-labelledby=\"gwctl-title\" \
         width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <title id=\"gwctl-title\">{0}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"gwctl-tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto-start-reverse\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{1}\">{0}</text>\n<g transform=\"translate({MARGIN} {2})\">\n",
        escaped(&graph.title),
        MARGIN + 8.0,
        MARGIN + TITLE,
    );
    draw_edges(graph, &places, &mut page);
    for ((node, texts), at) in graph.nodes.iter().zip(&texts).zip(0..) {
        draw_node(node, texts, at, &places, &mut page);
    }
    page.push_str("</g>\n</svg>\n");
    page
}

fn draw_edges(graph: &Graph, places: &Layout, page: &mut String) {
    for (edge, points) in graph.edges.iter().zip(&places.edges) {
        let Some((first, rest)) = points.split_first() else { continue };
        let mut path = format!("M{:.1} {:.1}", first.0, first.1);
        let mut last = *first;
        for (step, point) in rest.iter().enumerate() {
            // Writing to a string can't fail.
            let _ = if step % 2 == 0 {
                let middle = f64::midpoint(last.0, point.0);
                write!(path, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", last.1, point.1, point.0, point.1)
            } else {
                write!(path, "L{:.1} {:.1}", point.0, point.1)
            };
            last = *point;
        }
        let (from, to) = (&graph.nodes[edge.from].label, &graph.nodes[edge.to].label);
        let label = edge.label.as_ref().map(|label| format!(": {label}")).unwrap_or_default();
        let tip = escaped(&format!("{from} → {to}{label}"));
        let _ = writeln!(
            page,
            "<path class=\"edge\" marker-end=\"url(#gwctl-tip)\" d=\"{path}\"><title>{tip}</title></path>"
        );
    }
}

fn draw_node(node: &Node, texts: &[(&'static str, String)], at: usize, places: &Layout, page: &mut String) {
    let place = places.nodes[at];
    let shape = match node.shape {
        Shape::Resource => "resource",
        Shape::Party => "party",
        Shape::Decision => "decision",
    };
    let mood = match node.mood {
        Some(Mood::Good) => " good",
        Some(Mood::Waiting) => " waiting",
        Some(Mood::Bad) => " bad",
        Some(Mood::Absent) => " absent",
        None => "",
    };
    let round = if node.shape == Shape::Party { place.height / 2.0 } else { 6.0 };
    let whole: Vec<&str> =
        std::iter::once(node.label.as_str()).chain(node.details.iter().map(String::as_str)).collect();
    let _ = write!(
        page,
        "<g><title>{}</title><rect class=\"node {shape}{mood}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{:.1}\"/>",
        escaped(&whole.join(" | ")),
        place.x,
        place.y,
        place.width,
        place.height,
        round.min(24.0)
    );
    let mut y = place.y + PADDING + 8.0;
    for (class, line) in texts {
        let _ = write!(
            page,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            place.x + PADDING,
            escaped(line)
        );
        y += LINE;
    }
    page.push_str("</g>\n");
}

/// A graph as a page: the picture, and all it says as a table.
#[must_use]
pub fn html(graph: &Graph) -> String {
    let title = escaped(&graph.title);
    let mut rows = String::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        let next = graph.edges.iter().filter(|edge| edge.from == at).map(|edge| graph.nodes[edge.to].label.as_str());
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(node.group.as_deref().unwrap_or_default()),
            escaped(&node.label),
            node.details.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>"),
            next.map(escaped).collect::<Vec<_>>().join("<br/>"),
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n\
         <title>{title}</title>\n<style>\n:root{{color-scheme:light dark}}\nbody{{font-family:ui-sans-serif,system-ui,sans-serif;margin:1.5rem}}\n\
         figure{{margin:0;overflow:auto}}\ntable{{border-collapse:collapse;font-size:13px}}\n\
         th,td{{text-align:left;vertical-align:top;padding:4px 12px;border-bottom:1px solid #8c959f55;overflow-wrap:anywhere}}\n\
         </style>\n</head>\n<body>\n<figure>\n{}</figure>\n<details>\n<summary>The same as a table</summary>\n<table>\n\
         <tr><th>group</th><th>what</th><th>more</th><th>leads to</th></tr>\n{rows}</table>\n</details>\n</body>\n</html>\n",
        svg(graph)
    )
}
