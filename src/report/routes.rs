//! The table of routes, for people, programs and comments.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::Format;
use super::style::{Tone, columns, visible};
use super::text::TextOptions;
use crate::inspection::routes::{Line, State};
use crate::model::{Owner, Place};

/// The routes of one environment in one Region.
#[derive(Debug, Clone)]
pub struct RouteTable {
    /// Whose.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// The lines, those of an API together.
    pub lines: Vec<Line>,
}

/// Stands for what a route has not got.
const NONE: &str = "-";

/// The heads of the columns; that of the state is left out where AWS was not looked at.
const HEADS: [&str; 7] = ["METHOD", "PATH", "TYPE", "TARGET", "AUTHORIZER", "LIMITS", "STATE"];

fn cells(line: &Line) -> [String; 7] {
    let text = |value: Option<&str>| visible(value.unwrap_or(NONE));
    let facts = &line.facts;
    let target = facts.target.as_deref().or_else(|| Some(facts.integration.as_str()).filter(|kind| !kind.is_empty()));
    let key = if facts.api_key { " + API key" } else { "" };
    let limits: Vec<&str> = line.throttling.as_deref().into_iter().chain(line.cached.then_some("cached")).collect();
    let limits = if limits.is_empty() { NONE.to_owned() } else { limits.join(", ") };
    [
        visible(&line.method),
        visible(&line.path),
        text(line.kind.as_deref()),
        text(target),
        format!("{}{key}", text(facts.authorizer.as_deref())),
        limits,
        line.state.words().to_owned(),
    ]
}

fn tone(state: State) -> Tone {
    match state {
        State::Live => Tone::Added,
        State::NotDeployed => Tone::Changed,
        State::OnlyInAws | State::Differs => Tone::Removed,
        State::Wanted => Tone::Plain,
    }
}

/// How many of the columns there is something to say in: limits are rare, and states need a look at AWS.
fn kept(lines: &[Line]) -> Vec<usize> {
    let limits = lines.iter().any(|line| line.throttling.is_some() || line.cached);
    let states = lines.iter().any(|line| line.state != State::Wanted);
    (0..HEADS.len()).filter(|at| (*at != 5 || limits) && (*at != 6 || states)).collect()
}

/// Writes tables of routes, one below the other; JSON as one object.
pub fn route_tables(all: &[RouteTable], format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &tables_json(all))?;
            writeln!(out)
        }
        Format::Markdown => out.write_all(all.iter().map(markdown).collect::<Vec<_>>().join("\n").as_bytes()),
        Format::Text => {
            for (index, table) in all.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                text(table, out, options)?;
            }
            Ok(())
        }
    }
}

fn text(table: &RouteTable, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let RouteTable { owner, place, lines } = table;
    let title = Tone::Strong.paint(&owner.to_string(), options.color);
    writeln!(out, "{title} in {} {}", place.account, place.region)?;
    if lines.is_empty() {
        return writeln!(out, "No routes.");
    }
    let kept = kept(lines);
    for api in lines.chunk_by(|a, b| a.api == b.api) {
        let [first, ..] = api else { continue };
        let rows: Vec<[String; 7]> = std::iter::once(HEADS.map(str::to_owned)).chain(api.iter().map(cells)).collect();
        let width = |at: usize| rows.iter().map(|row| columns(&row[at])).max().unwrap_or_default();
        let name = Tone::Strong.paint(first.api.as_str(), options.color);
        writeln!(out, "\n{name} ({})", visible(&first.api_name))?;
        for (index, row) in rows.iter().enumerate() {
            let mut shown = String::new();
            for at in &kept {
                let pad = " ".repeat(width(*at) - columns(&row[*at]));
                let cell = match (index, *at) {
                    (0, _) => Tone::Faint.paint(&row[*at], options.color),
                    (index, 6) => tone(api[index - 1].state).paint(&row[*at], options.color),
                    _ => row[*at].clone(),
                };
                // Writing to a string can't fail.
                let _ = write!(shown, "{cell}{pad}  ");
            }
            writeln!(out, "{}", shown.trim_end())?;
            if let Some(line) = index.checked_sub(1).and_then(|index| api.get(index)) {
                for difference in &line.differences {
                    writeln!(out, "        {}", Tone::Faint.paint(&visible(difference), options.color))?;
                }
            }
        }
    }
    Ok(())
}

fn markdown(table: &RouteTable) -> String {
    let RouteTable { owner, place, lines } = table;
    let kept = kept(lines);
    let mut page = format!("### {owner} in {} {}\n", place.account, place.region);
    for api in lines.chunk_by(|a, b| a.api == b.api) {
        let [first, ..] = api else { continue };
        let heads: Vec<&str> = kept.iter().map(|at| HEADS[*at]).collect();
        let _ = writeln!(
            page,
            "\n`{}`\n\n| {} |\n|{}",
            first.api,
            heads.join(" | ").to_lowercase(),
            "---|".repeat(kept.len())
        );
        for line in api {
            let mut row = cells(line);
            if !line.differences.is_empty() {
                row[6] = format!("{}: {}", row[6], line.differences.join("; "));
            }
            let cells: Vec<String> = kept.iter().map(|at| row[*at].replace('|', "\\|")).collect();
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
    }
    page
}

fn tables_json(all: &[RouteTable]) -> Value {
    let tables = all.iter().map(|RouteTable { owner, place, lines }| {
        json!({"product": owner.product, "environment": owner.environment, "account": place.account,
            "region": place.region, "routes": lines})
    });
    json!({ "format_version": "1.0", "environments": tables.collect::<Vec<_>>() })
}
