//! Who holds locks, and whether they were taken away.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::style::visible;
use crate::lock::{self, Holder};
use crate::model::{Owner, Place};

/// The lock of an environment in a Region.
#[derive(Debug, Clone)]
pub struct Locked {
    /// Whose environment.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// Who has it, if anybody does.
    pub holder: Option<Holder>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stands.
    Stays,
    /// It was taken away.
    TakenAway,
    /// It was another one by then, and was left as it is.
    Another,
}

/// Writes who holds a lock, and since when, or that nobody does.
pub fn locked_text(locked: &Locked, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let Locked { owner, place, holder, fate: _ } = locked;
    let place = format!("{owner} in {} {}", place.account, place.region);
    let Some(holder) = holder else { return writeln!(out, "{place} is not locked") };
    writeln!(out, "{place} is locked")?;
    writeln!(out, "  {}", visible(&holder.who()))?;
    writeln!(out, "  {}", visible(&holder.since_when(now)))
}

/// Writes what became of it, if there was one.
pub fn unlocked_text(locked: &Locked, out: &mut dyn Write) -> io::Result<()> {
    let owner = &locked.owner;
    match locked.fate {
        Fate::Stays => Ok(()),
        Fate::TakenAway => writeln!(out, "Unlocked {owner}."),
        Fate::Another => writeln!(out, "The lock of {owner} is not that one any more; it was left as it is."),
    }
}

/// The same for programs.
#[must_use]
pub fn locks_json(all: &[Locked], now: Timestamp) -> Value {
    let one = |locked: &Locked| {
        let Locked { owner, place, holder, fate } = locked;
        json!({
            "product": owner.product,
            "environment": owner.environment,
            "account": place.account,
            "region": place.region,
            "lock": lock::name(owner),
            "unlocked": *fate == Fate::TakenAway,
            "holder": holder.as_ref().map(|holder| json!({
                "purpose": holder.purpose,
                "by": holder.by,
                "since": holder.since.to_string(),
                "seen": holder.seen.to_string(),
                "expired": holder.is_expired(now),
                "over": holder.is_gone(),
            })),
        })
    };
    json!({ "format_version": "1.0", "locks": all.iter().map(one).collect::<Vec<_>>() })
}
