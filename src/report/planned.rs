//! The plans of environments as they are shown, or why one has none.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::Format;
use super::json::{PlanJson, PlansJson, about_failed};
use super::markdown::plan_markdown;
use super::text::{TextOptions, plan_text};
use crate::error::{Failure, Result};
use crate::model::{Owner, Place};
use crate::plan::Plan;

/// How plans are shown.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// In which format.
    pub format: Format,
    /// How text is laid out.
    pub options: TextOptions,
    /// There are several environments, so that programs have to be told whose each resource is.
    pub several: bool,
}

/// What planning one environment came to, laid out: of the plan itself, which is large, nothing is kept.
#[derive(Debug, Clone)]
pub struct Planned {
    owner: Owner,
    place: Place,
    shown: Result<Shown>,
}

#[derive(Debug, Clone)]
enum Shown {
    Words(Vec<u8>),
    Json(PlanJson),
}

impl Planned {
    /// Lays out a plan, or why there is none.
    #[must_use]
    pub fn new(owner: &Owner, place: &Place, plan: Result<&Plan, &Failure>, manner: Manner) -> Self {
        let shown = plan.map_err(Failure::clone).and_then(|plan| Shown::of(plan, manner));
        Self { owner: owner.clone(), place: place.clone(), shown }
    }

    /// Lays out a plan.
    #[must_use]
    pub fn of(plan: &Plan, manner: Manner) -> Self {
        Self::new(&plan.owner, &plan.place, Ok(plan), manner)
    }

    /// For JSON: the plan, or what the environment is known by without one.
    fn json(&self) -> Option<Result<&PlanJson, Value>> {
        match &self.shown {
            Ok(Shown::Json(plan)) => Some(Ok(plan)),
            Ok(Shown::Words(_)) => None,
            Err(failure) => Some(Err(about_failed(&self.owner, &self.place, failure))),
        }
    }

    fn words(&self) -> Option<&[u8]> {
        match &self.shown {
            Ok(Shown::Words(words)) => Some(words),
            Ok(Shown::Json(_)) | Err(_) => None,
        }
    }
}

impl Shown {
    fn of(plan: &Plan, manner: Manner) -> Result<Self> {
        let mut words = Vec::new();
        match manner.format {
            Format::Json if manner.several => return Ok(Self::Json(PlanJson::among_several(plan))),
            Format::Json => return Ok(Self::Json(PlanJson::of(plan))),
            Format::Markdown => words.extend(plan_markdown(plan).into_bytes()),
            Format::Text => plan_text(plan, &mut words, &manner.options)
                .map_err(|error| Failure::io("failed to lay the plan out", &error))?,
        }
        Ok(Self::Words(words))
    }
}

/// Writes plans as they were laid out: text and Markdown one below the other, JSON as one object (see [`plans_json`]). Of an
/// environment without a plan only JSON tells.
pub fn plans(planned: &[Planned], format: Format, out: &mut dyn Write) -> io::Result<()> {
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &plans_json(planned))?;
        return writeln!(out);
    }
    for (index, words) in planned.iter().filter_map(Planned::words).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        out.write_all(words)?;
    }
    Ok(())
}

/// Plans, laid out as JSON, as one object. With more than one, `gwctl` holds the `summary` of all and, under `plans`, what it
/// holds for one. An environment without a plan has the status `failed` and says why.
pub fn plans_json(planned: &[Planned]) -> impl Serialize {
    PlansJson(planned.iter().filter_map(Planned::json).collect())
}

/// A failure as programs read it.
#[must_use]
pub(super) fn failure_json(failure: &Failure) -> Value {
    json!({ "message": failure.to_string(), "hints": failure.hints() })
}
