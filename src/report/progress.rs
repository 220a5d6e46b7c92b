//! The progress of an apply, on stderr: a spinner for each running step on a terminal, one plain line for each event
//! everywhere else.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::{Tone, visible};
use crate::apply::Event;
use crate::model::Address;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Spinners that move; for a terminal that somebody looks at.
    Spinners,
    /// A line for each event; for logs.
    Lines,
}

impl Mode {
    /// Spinners where stderr is a terminal, unless this is a CI job (`CI` is set) or the user said `--no-progress`.
    #[must_use]
    pub fn choose(no_progress: bool) -> Self {
        // An empty variable is how people unset one for a single command.
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        if no_progress || ci || !io::stderr().is_terminal() { Self::Lines } else { Self::Spinners }
    }
}

/// Turns the events of an apply into what people see.
pub struct Reporter {
    to: To,
    /// What each running step is doing: `creating`.
    doing: BTreeMap<Address, String>,
}

enum To {
    Lines(Box<dyn Write + Send>),
    Spinners(Spinners),
}

impl Reporter {
    /// A reporter on stderr.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        match mode {
            Mode::Lines => Self::to(lines_out()),
            Mode::Spinners => Self::on(spinners_out()),
        }
    }

    /// A reporter that writes a line for each event to `out`.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Self { to: To::Lines(out), doing: BTreeMap::new() }
    }

    fn on(target: ProgressDrawTarget) -> Self {
        Self { to: To::Spinners(Spinners::on(target)), doing: BTreeMap::new() }
    }

    /// Shows one event. Progress that can't be written is not worth stopping an apply for, so errors are passed over.
    pub fn event(&mut self, event: &Event) {
        if let Event::StepStarted { address, what, .. } = event {
            self.doing.insert(address.clone(), what.clone());
        }
        let doing = match event {
            Event::StepDone { address, .. } | Event::StepFailed { address, .. } => self.doing.remove(address),
            _ => None,
        };
        let line = line(event, doing.as_deref());
        match &mut self.to {
            To::Lines(out) => {
                if let Some((_, line)) = line {
                    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
                }
            }
            To::Spinners(spinners) => spinners.event(event, line),
        }
    }
}

/// Where lines go.
pub(super) fn lines_out() -> Box<dyn Write + Send> {
    Box::new(anstream::stderr())
}

/// Where spinners turn.
pub(super) fn spinners_out() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr()
}

/// Whether what is printed above the spinners may have colours.
pub(super) fn has_color() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// What there is to say, and in which tone a terminal shows it.
pub(super) fn line(event: &Event, doing: Option<&str>) -> Option<(Tone, String)> {
    let doing = doing.map_or_else(String::new, |doing| format!("{doing}… "));
    let (tone, line) = match event {
        Event::Started { steps: 0 } => return None,
        Event::Started { steps } => (Tone::Faint, format!("applying {steps} step{}", plural(*steps))),
        Event::Note { message } => (Tone::Plain, message.clone()),
        Event::Ending { running } => (Tone::Changed, ending(running)),
        Event::StepStarted { address, what, .. } => (Tone::Plain, format!("{address}: {what}…")),
        Event::StepProgress { address, message } => (Tone::Plain, format!("{address}: {message}")),
        Event::StepDone { address, elapsed } => {
            (Tone::Plain, format!("{address}: {doing}done in {}", seconds(*elapsed)))
        }
        Event::StepFailed { address, failure, elapsed } => {
            (Tone::Error, format!("{address}: {doing}failed after {}: {failure}", seconds(*elapsed)))
        }
        Event::StepSkipped { address, because: Some(other) } => {
            (Tone::Changed, format!("{address}: skipped, as {other} was not done"))
        }
        Event::StepSkipped { address, because: None } => (Tone::Changed, format!("{address}: not begun")),
        Event::Finished { done, failed, skipped, elapsed } => {
            let tone = if *failed == 0 { Tone::Strong } else { Tone::Error };
            let counts = [(*done, "done"), (*failed, "failed"), (*skipped, "skipped")].into_iter();
            let counts = counts.filter(|&(count, word)| count > 0 || word == "done");
            let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
            (tone, format!("Apply: {} in {}.", counts.join(", "), seconds(*elapsed)))
        }
    };
    // A failure may have more than one line; those after the first stand to the right.
    Some((tone, line.trim_end().split('\n').map(visible).collect::<Vec<_>>().join("\n    ")))
}

fn ending(running: &[Address]) -> String {
    let running: Vec<&str> = running.iter().map(Address::as_str).collect();
    format!("ending: finishing {}; Ctrl-C again ends it at once, and leaves the lock", running.join(", "))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// `1.2s`, `48s`, `3m07s`: as exact as it is worth reading.
fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole < 10 {
        // Cut, not rounded, so that 9.97 s does not become the `10.0s` that the next line would call `10s`.
        format!("{whole}.{}s", elapsed.subsec_millis() / 100)
    } else if whole < 60 {
        format!("{whole}s")
    } else {
        format!("{}m{:02}s", whole / 60, whole % 60)
    }
}

/// One spinner a running step, finished steps above them, a bar with the counts below.
struct Spinners {
    multi: MultiProgress,
    total: ProgressBar,
    running: BTreeMap<Address, ProgressBar>,
    /// Whether the finished lines may have colours; indicatif decides for the spinners by itself.
    color: bool,
}

/// The bar below the spinners.
const TOTAL: &str = "  {pos}/{len} steps  {elapsed}";

/// A running step.
const STEP: &str = "{spinner:.cyan} {prefix}: {wide_msg} {elapsed:.dim}";

/// How often a spinner turns.
pub(super) const TICK: Duration = Duration::from_millis(120);

impl Spinners {
    fn on(target: ProgressDrawTarget) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        let total = multi.add(ProgressBar::new(0).with_style(style(TOTAL)));
        Self { multi, total, running: BTreeMap::new(), color: has_color() }
    }

    fn event(&mut self, event: &Event, line: Option<(Tone, String)>) {
        match event {
            Event::Started { steps } => {
                self.total.set_length(*steps as u64);
                self.total.enable_steady_tick(TICK);
                return;
            }
            Event::StepStarted { address, what, .. } => {
                let bar = ProgressBar::new_spinner()
                    .with_style(style(STEP))
                    .with_prefix(visible(address.as_str()))
                    .with_message(visible(&format!("{what}…")));
                let bar = self.multi.insert_before(&self.total, bar);
                bar.enable_steady_tick(TICK);
                self.running.insert(address.clone(), bar);
                return;
            }
            Event::StepProgress { address, message } => {
                if let Some(bar) = self.running.get(address) {
                    bar.set_message(visible(message));
                }
                return;
            }
            Event::StepDone { address, .. } | Event::StepFailed { address, .. } => self.stop(address),
            Event::StepSkipped { .. } => self.total.inc(1),
            Event::Note { .. } | Event::Ending { .. } => {}
            Event::Finished { .. } => {
                self.running.values().for_each(ProgressBar::finish_and_clear);
                self.running.clear();
            }
        }
        if let Some((tone, line)) = line {
            let sign = match event {
                Event::StepDone { .. } => Tone::Added.paint("✓ ", self.color),
                Event::StepFailed { .. } => Tone::Error.paint("✗ ", self.color),
                Event::StepSkipped { .. } => Tone::Changed.paint("- ", self.color),
                _ => String::new(),
            };
            let _ = self.multi.println(format!("{sign}{}", tone.paint(&line, self.color)));
        }
        if matches!(event, Event::Finished { .. }) {
            self.total.finish_and_clear();
        }
    }

    fn stop(&mut self, address: &Address) {
        if let Some(bar) = self.running.remove(address) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
        self.total.inc(1);
    }
}

impl Drop for Spinners {
    /// An apply that is interrupted leaves no spinner behind on the terminal.
    fn drop(&mut self) {
        self.running.values().for_each(ProgressBar::finish_and_clear);
        self.total.finish_and_clear();
    }
}

/// A template of indicatif's; the plain spinner if it is none, which a test rules out.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::plan::Action;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn events() -> Vec<Event> {
        let function = Address::new("gate", "lambda-function", "authorizer");
        let api = Address::new("gate", "rest-api", "gateway");
        let stage = Address::new("gate", "stage", "stage");
        let started = |address: &Address, what: &str| Event::StepStarted {
            address: address.clone(),
            action: Action::Create,
            what: what.to_owned(),
        };
        vec![
            Event::Started { steps: 3 },
            started(&function, "creating"),
            started(&api, "updating"),
            Event::StepProgress { address: function.clone(), message: "waiting for the role".to_owned() },
            Event::StepDone { address: function, elapsed: Duration::from_millis(1234) },
            Event::StepFailed {
                address: api.clone(),
                failure: "failed to put the document:\nBadRequestException".to_owned(),
                elapsed: Duration::from_secs(187),
            },
            Event::StepSkipped { address: stage, because: Some(api) },
            Event::Finished { done: 1, failed: 1, skipped: 1, elapsed: Duration::from_secs(12) },
        ]
    }

    #[test]
    fn a_log_gets_one_line_for_each_event() {
        let page = Page::default();
        let mut reporter = Reporter::to(Box::new(page.clone()));
        for event in events() {
            reporter.event(&event);
        }
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        insta::assert_snapshot!(text, @r"
        applying 3 steps
        gate/lambda-function/authorizer: creating…
        gate/rest-api/gateway: updating…
        gate/lambda-function/authorizer: waiting for the role
        gate/lambda-function/authorizer: creating… done in 1.2s
        gate/rest-api/gateway: updating… failed after 3m07s: failed to put the document:
            BadRequestException
        gate/stage/stage: skipped, as gate/rest-api/gateway was not done
        Apply: 1 done, 1 failed, 1 skipped in 12s.
        ");
    }

    #[test]
    fn each_running_step_has_a_spinner_until_it_ends() {
        let mut spinners = Spinners::on(ProgressDrawTarget::hidden());
        let running: Vec<usize> = events()
            .iter()
            .map(|event| {
                spinners.event(event, line(event, None));
                spinners.running.len()
            })
            .collect();
        assert_eq!(running, [0, 1, 2, 2, 1, 0, 0, 0]);
        assert_eq!((spinners.total.position(), spinners.total.length()), (3, Some(3)));
        assert!(spinners.total.is_finished());
    }

    #[test]
    fn the_templates_are_templates() {
        for template in [TOTAL, STEP] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn time_is_as_exact_as_worth_reading() {
        let cases = [(40, "0.0s"), (1234, "1.2s"), (9990, "9.9s"), (48_900, "48s"), (187_000, "3m07s")];
        for (millis, expected) in cases {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
    }
}
