//! What of a live gateway does not fit the file that was written of it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::style::{Text, Tone};
use super::text::TextOptions;
use crate::takeover::export::Misfit;

/// As many fields of one place as a reader takes in at once.
const FIELDS: usize = 6;

/// Writes what does not fit, for people.
pub fn export(misfits: &[Misfit], variables: usize, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
    let page = options.page();
    for Misfit { place, why, hint, fields } in misfits {
        let more = fields.len().saturating_sub(FIELDS);
        let mut fields: Vec<&str> = fields.iter().take(FIELDS).map(String::as_str).collect();
        let more = format!("{more} more");
        fields.extend((more != "0 more").then_some(more.as_str()));
        let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
        page.paragraph(&Text::of(Tone::Warning, place).plain(": ").plain(why).plain(&fields).hanging(2), out)?;
        page.paragraph(&Text::of(Tone::Faint, "  ").plain(hint).hanging(2), out)?;
    }
    if variables > 0 {
        let text = format!(
            "{variables} environment variables of the functions are in the file, under `authorizer.environment`: look for \
             secrets before you commit it."
        );
        page.paragraph(&Text::of(Tone::Warning, "note").plain(": ").plain(&text).hanging(2), out)?;
    }
    let count = misfits.len();
    let text = match count {
        0 => "It fits: after `gwctl import`, a plan changes nothing but the functions' code, which was not compared."
            .to_owned(),
        _ => format!(
            "{count} parts do not fit the stack; a plan after `gwctl import` shows each before anything is done."
        ),
    };
    page.paragraph(&Text::of(Tone::Strong, &text), out)
}

/// The file, and what does not fit it, as JSON.
#[must_use]
pub fn export_json(file: &Value, misfits: &[Misfit]) -> Value {
    let misfits: Vec<Value> = misfits
        .iter()
        .map(|Misfit { place, why, hint, fields }| json!({"place": place, "why": why, "hint": hint, "fields": fields}))
        .collect();
    json!({"gwctl_version": env!("CARGO_PKG_VERSION"), "environment_file": file, "fits": misfits.is_empty(), "misfits": misfits})
}
