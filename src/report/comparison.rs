//! How environments differ, as tables.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Format;
use super::mask::masked_setting;
use super::style::{columns, visible};
use crate::lint::compare::{Comparison, Row};

/// Columns of a value before it is cut; JSON and Markdown have it whole.
const WIDEST_VALUE: usize = 48;

/// Stands for a value that an environment does not have.
const NOTHING: &str = "-";

/// Writes comparisons, one below the other; JSON as one list.
pub fn comparisons(all: &[Comparison], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &comparisons_json(all))?;
            writeln!(out)
        }
        Format::Text => out.write_all(joined(all, text).as_bytes()),
        Format::Markdown => out.write_all(joined(all, markdown).as_bytes()),
    }
}

fn joined(all: &[Comparison], show: fn(&Comparison) -> String) -> String {
    all.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// Comparisons as data: each difference with the value of every environment, `null` where it has none.
#[must_use]
pub fn comparisons_json(all: &[Comparison]) -> Value {
    let rows = |comparison: &Comparison, rows: &[Row]| -> Value {
        let row = |row: &Row| {
            let values = row.values.iter().map(|value| value.as_ref().map(|value| masked_setting(&row.name, value)));
            let values: Map<String, Value> =
                comparison.environments.iter().cloned().zip(values.map(|value| json!(value))).collect();
            json!({ "name": row.name, "values": values })
        };
        rows.iter().map(row).collect()
    };
    let comparison = |one: &Comparison| {
        json!({
            "product": one.product,
            "environments": one.environments,
            "settings": rows(one, &one.settings),
            "routes": rows(one, &one.routes),
        })
    };
    all.iter().map(comparison).collect()
}

/// The tables of a comparison: a title, and rows of cells.
fn tables(comparison: &Comparison) -> impl Iterator<Item = (&'static str, Vec<Vec<String>>)> {
    let table = |name: &'static str, rows: &[Row]| {
        let head = std::iter::once(name.to_owned()).chain(comparison.environments.iter().cloned()).collect();
        let body = rows.iter().map(|row| {
            let values = row.values.iter().map(|value| match value {
                None => NOTHING.to_owned(),
                Some(value) => match masked_setting(&row.name, value) {
                    Value::String(text) => visible(&text),
                    other => other.to_string(),
                },
            });
            std::iter::once(row.name.clone()).chain(values).collect()
        });
        (name, std::iter::once(head).chain(body).collect::<Vec<Vec<String>>>())
    };
    [table("setting", &comparison.settings), table("route", &comparison.routes)]
        .into_iter()
        .filter(|(_, rows)| rows.len() > 1)
}

fn text(comparison: &Comparison) -> String {
    let mut page = format!("{}: {}\n", comparison.product, comparison.environments.join(", "));
    let before = page.len();
    for (_, rows) in tables(comparison) {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
        let count = comparison.environments.len() + 1;
        let widths: Vec<usize> = (0..count)
            .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell)).max().unwrap_or(0))
            .collect();
        page.push('\n');
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell}{}  ", " ".repeat(width - columns(cell)));
            }
            let _ = writeln!(page, "{}", line.trim_end());
        }
    }
    if page.len() == before {
        page.push_str("No differences.\n");
    }
    page
}

fn cut(cell: &str) -> String {
    if columns(cell) <= WIDEST_VALUE {
        return cell.to_owned();
    }
    let mut short: String = cell.to_owned();
    while columns(&short) >= WIDEST_VALUE {
        short.pop();
    }
    short + "…"
}

fn markdown(comparison: &Comparison) -> String {
    let mut page = format!("### {}: {}\n", comparison.product, comparison.environments.join(", "));
    let before = page.len();
    for (_, rows) in tables(comparison) {
        for (index, row) in rows.iter().enumerate() {
            let cell = |cell: &String| match (index, cell.as_str()) {
                (0, _) | (_, NOTHING) => cell.clone(),
                (_, cell) => super::markdown::code(cell),
            };
            let cells: Vec<String> = row.iter().map(cell).collect();
            if index == 0 {
                let _ = write!(page, "\n| {} |\n|{}\n", cells.join(" | "), "---|".repeat(cells.len()));
            } else {
                let _ = writeln!(page, "| {} |", cells.join(" | "));
            }
        }
    }
    if page.len() == before {
        page.push_str("\nNo differences.\n");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let row = |name: &str, values: [Option<Value>; 2]| Row { name: name.to_owned(), values: values.into() };
        Comparison {
            product: "product-a".to_owned(),
            environments: vec!["dev".to_owned(), "prod".to_owned()],
            settings: vec![
                row("authorizer.environment.API_KEY", [Some(json!("k1")), Some(json!("k2"))]),
                row("authorizer_result_ttl", [Some(json!(10)), Some(json!(300))]),
                row("private_subnet", [None, Some(json!(["subnet-1", "subnet-2"]))]),
            ],
            routes: vec![row("gate /a|b/{proxy+}", [Some(json!("normal_path")), None])],
        }
    }

    fn shown(all: &[Comparison], format: Format) -> String {
        let mut out = Vec::new();
        comparisons(all, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn differences_are_columns_of_text() {
        insta::assert_snapshot!(shown(&[comparison()], Format::Text), @r#"
        product-a: dev, prod

        setting                         dev          prod
        authorizer.environment.API_KEY  (sensitive)  (sensitive)
        authorizer_result_ttl           10           300
        private_subnet                  -            ["subnet-1","subnet-2"]

        route               dev          prod
        gate /a|b/{proxy+}  normal_path  -
        "#);
    }

    #[test]
    fn differences_are_a_table_of_markdown() {
        insta::assert_snapshot!(shown(&[comparison()], Format::Markdown), @r#"
        ### product-a: dev, prod

        | setting | dev | prod |
        |---|---|---|
        | `authorizer.environment.API_KEY` | `(sensitive)` | `(sensitive)` |
        | `authorizer_result_ttl` | `10` | `300` |
        | `private_subnet` | - | `["subnet-1","subnet-2"]` |

        | route | dev | prod |
        |---|---|---|
        | `gate /a\|b/{proxy+}` | `normal_path` | - |
        "#);
    }

    #[test]
    fn differences_are_data_and_secrets_are_not_in_it() {
        let value: Value = serde_json::from_str(&shown(&[comparison()], Format::Json)).unwrap();
        assert_eq!(value[0]["settings"][1]["values"], json!({"dev": 10, "prod": 300}));
        assert_eq!(value[0]["settings"][2]["values"]["dev"], Value::Null);
        assert_eq!(value[0]["settings"][0]["values"]["dev"], "(sensitive)");
        assert_eq!(value[0]["routes"][0]["name"], "gate /a|b/{proxy+}");
    }

    #[test]
    fn a_long_value_is_cut_and_no_difference_is_said() {
        let mut long = comparison();
        (long.settings, long.routes) = (vec![], vec![]);
        assert_eq!(shown(&[long.clone()], Format::Text), "product-a: dev, prod\nNo differences.\n");
        long.settings = vec![Row { name: "x".to_owned(), values: vec![Some(json!("y".repeat(60))), None] }];
        let text = shown(&[long], Format::Text);
        assert!(text.contains(&format!("{}…  -", "y".repeat(47))), "{text}");
    }
}
