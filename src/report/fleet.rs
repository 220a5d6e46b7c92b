//! Many environments at one look: product by environment, a cell each.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::Format;
use super::inventory::Inventory;
use super::style::{Tone, columns, visible};
use super::text::TextOptions;
use crate::error::Failure;
use crate::inspection::standing::Cell;
use crate::model::{Owner, Place};

/// One environment in one Region.
#[derive(Debug, Clone)]
pub struct FleetRow {
    owner: Owner,
    place: Place,
    cell: Cell,
    /// Why it could not be read.
    failure: Option<String>,
}

/// Stands where a product has no such environment.
const NONE: &str = "-";

impl FleetRow {
    /// What came of a look at an environment.
    #[must_use]
    pub fn new(owner: &Owner, place: &Place, seen: Result<&Inventory, &Failure>) -> Self {
        let cell = match seen {
            Ok(inventory) => inventory.stands().map_or(Cell::NotDeployed, crate::inspection::standing::Standing::cell),
            Err(_) => Cell::Unreachable,
        };
        Self { owner: owner.clone(), place: place.clone(), cell, failure: seen.err().map(ToString::to_string) }
    }

    fn to_json(&self) -> Value {
        let Self { owner, place, cell, failure } = self;
        json!({"product": owner.product, "environment": owner.environment, "account": place.account, "region": place.region,
            "state": cell.words(), "failure": failure})
    }
}

/// The rows as data.
#[must_use]
pub(super) fn rows_json(rows: &[FleetRow]) -> Value {
    rows.iter().map(FleetRow::to_json).collect()
}

/// Inventories as JSON: every resource with its spec and outputs; and how each environment stands, those that could not be read
/// included.
#[must_use]
pub fn inventories_json(inventories: &[Inventory], rows: &[FleetRow]) -> Value {
    let all: Vec<Value> = inventories.iter().map(Inventory::to_json).collect();
    json!({ "gwctl_version": env!("CARGO_PKG_VERSION"), "fleet": rows_json(rows), "environments": all })
}

/// The names in the order in which they come, each once.
fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Writes the table: a line a product, a column an environment. The Regions of one environment share a cell, the worst of them.
pub fn fleet(rows: &[FleetRow], format: Format, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let environments = once(rows.iter().map(|row| row.owner.environment.as_str()));
    let products = once(rows.iter().map(|row| row.owner.product.as_str()));
    let cell = |product: &str, environment: &str| {
        let here = rows.iter().filter(|row| row.owner.product == product && row.owner.environment == environment);
        here.map(|row| row.cell).reduce(Cell::worse)
    };
    let words = |cell: Option<Cell>| cell.map_or(NONE.to_owned(), Cell::words);
    if format == Format::Markdown {
        let mut page =
            format!("| product | {} |\n|---|{}\n", environments.join(" | "), "---|".repeat(environments.len()));
        for product in &products {
            let cells: Vec<String> = environments.iter().map(|environment| words(cell(product, environment))).collect();
            // Writing to a string can't fail.
            let _ = writeln!(page, "| {product} | {} |", cells.join(" | "));
        }
        return out.write_all(page.as_bytes());
    }
    let first = products.iter().map(|name| columns(name)).chain([columns("product")]).max().unwrap_or_default();
    let width = |environment: &str| {
        let cells = products.iter().map(|product| columns(&words(cell(product, environment))));
        cells.chain([columns(environment)]).max().unwrap_or_default()
    };
    let padded =
        |text: &str, width: usize| format!("{}{}", visible(text), " ".repeat(width.saturating_sub(columns(text))));
    let head: Vec<String> = environments.iter().map(|name| padded(name, width(name))).collect();
    let head = format!("{}  {}", padded("product", first), head.join("  "));
    writeln!(out, "{}", Tone::Strong.paint(head.trim_end(), options.color))?;
    for product in &products {
        write!(out, "{}", padded(product, first))?;
        for (at, environment) in environments.iter().enumerate() {
            let cell = cell(product, environment);
            let last = at + 1 == environments.len();
            let text = if last { words(cell) } else { padded(&words(cell), width(environment)) };
            write!(out, "  {}", tone(cell).paint(&text, options.color))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn tone(cell: Option<Cell>) -> Tone {
    match cell {
        None | Some(Cell::NotDeployed) => Tone::Faint,
        Some(Cell::InSync) => Tone::Added,
        Some(Cell::Changes(_)) => Tone::Changed,
        Some(Cell::Drifted(_)) => Tone::Removed,
        Some(Cell::Unreachable) => Tone::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(product: &str, environment: &str, region: &str, cell: Cell) -> FleetRow {
        FleetRow {
            owner: Owner { product: product.into(), environment: environment.into() },
            place: Place { account: "1".into(), region: region.into(), partition: "aws".into() },
            cell,
            failure: None,
        }
    }

    fn written(format: Format, color: bool) -> String {
        let rows = [
            row("product-a", "dev", "r", Cell::InSync),
            row("product-a", "prod", "r", Cell::Drifted(2)),
            row("shop", "prod", "r", Cell::InSync),
            row("shop", "prod", "s", Cell::Changes(3)),
            row("shop", "lab", "s", Cell::Unreachable),
        ];
        let mut out = Vec::new();
        fleet(&rows, format, &mut out, &TextOptions { color, ..TextOptions::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_cell_is_an_environment_and_regions_share_one() {
        let expected = "product    dev      prod       lab\n\
                        product-a  in sync  drifted 2  -\n\
                        shop       -        changes 3  unreachable\n";
        assert_eq!(written(Format::Text, false), expected);
        assert_eq!(anstream::adapter::strip_str(&written(Format::Text, true)).to_string(), expected);
        let markdown = written(Format::Markdown, false);
        assert!(
            markdown.starts_with("| product | dev | prod | lab |\n|---|---|---|---|\n| product-a | in sync |"),
            "{markdown}"
        );
    }
}
