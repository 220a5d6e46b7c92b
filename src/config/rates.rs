//! What a target says of AWS's request rates: how much of them gwctl may use there.
//!
//! ```toml
//! [dev.rates]
//! percent = 50                              # of every documented rate: another tool works there, too
//! "apigateway:CreateDeployment" = "1/10s"   # a rate of its own
//! ```

use super::fields::{Fields, text};
use super::nearest::suggestion;
use super::node::Member;
use crate::rates::{self, Allowance, Rate};

/// The key of a target.
pub(super) const RATES: &str = "rates";

const PERCENT: &str = "percent";

/// Reads the rates of a target; all of AWS's without any.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Allowance {
    let Some(member) = fields.get(RATES) else { return Allowance::default() };
    let Some(mut inside) = fields.inside("`rates`", member) else { return Allowance::default() };
    let percent = inside.get(PERCENT);
    let hint = "100 is all that AWS documents; leave it out for that";
    let percent = inside.whole(percent, &(1..=100), "", hint).and_then(|percent| u8::try_from(percent).ok());
    let names = rates::names();
    let known: Vec<&str> = names.iter().map(String::as_str).chain([PERCENT]).collect();
    let mut allowance = Allowance { percent, ..Allowance::default() };
    for entry in member.value.members().unwrap_or_default().iter().filter(|entry| entry.key != PERCENT) {
        if !names.contains(&entry.key) {
            let message = format!("no rate of AWS's is known by the name `{}`", entry.key);
            fields.faults.error(&entry.key_span, message, named(&entry.key, &known));
        } else if let Some(rate) = read_rate(entry, fields) {
            allowance.rates.insert(entry.key.clone(), rate);
        }
    }
    allowance
}

/// The nearest name; all of them would be a page.
fn named(word: &str, known: &[&str]) -> String {
    let near = suggestion(word, known);
    if near.starts_with("known") {
        "write it like `apigateway:CreateDeployment`, or `apigateway` for what all its operations share".to_owned()
    } else {
        near
    }
}

fn read_rate(entry: &Member, fields: &mut Fields<'_, '_>) -> Option<Rate> {
    let given = text(&format!("{RATES}.{}", entry.key), &entry.value, fields.faults)?;
    let rate = Rate::parse(given.value);
    if rate.is_none() {
        let message = format!("`{}` is no rate", given.value);
        fields.faults.error(&given.node.span, message, "write calls and seconds: `10/s`, `1/5s`");
    }
    rate
}
