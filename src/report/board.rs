//! The progress of several environments at once: on a terminal a line for each of them, everywhere else the lines of
//! [`super::progress`] with the environment in front.

use std::io::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::progress::{Mode, Reporter, TICK, has_color, line, lines_out, spinners_out, style};
use super::style::{Tone, visible};
use crate::apply::Event;
use crate::model::Address;

/// Turns the events of several applies into what people see. One environment alone is shown as ever, a line a step.
pub struct Board {
    to: To,
    rows: Vec<Row>,
}

enum To {
    One(Reporter),
    Lines(Box<dyn Write + Send>),
    Bars { multi: MultiProgress, color: bool },
}

struct Row {
    name: String,
    /// What each running step is doing, oldest first: `creating`.
    doing: Vec<(Address, String)>,
    bar: ProgressBar,
}

/// A running environment.
const BAR: &str = "{spinner:.cyan} {prefix}: {pos}/{len} {wide_msg} {elapsed:.dim}";

impl Board {
    /// A board on stderr for environments of these names, in this order.
    #[must_use]
    pub fn new(mode: Mode, names: &[String]) -> Self {
        match (mode, names) {
            (mode, [_]) => Self::with(To::One(Reporter::new(mode)), names),
            (Mode::Lines, _) => Self::lines(lines_out(), names),
            (Mode::Spinners, _) => Self::bars(spinners_out(), names),
        }
    }

    /// A board that writes lines to `out`.
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, names: &[String]) -> Self {
        match names {
            [_] => Self::with(To::One(Reporter::to(out)), names),
            _ => Self::lines(out, names),
        }
    }

    fn lines(out: Box<dyn Write + Send>, names: &[String]) -> Self {
        Self::with(To::Lines(out), names)
    }

    fn bars(target: ProgressDrawTarget, names: &[String]) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        Self::with(To::Bars { multi, color: has_color() }, names)
    }

    fn with(to: To, names: &[String]) -> Self {
        let row = |name: &String| Row { name: visible(name), doing: Vec::new(), bar: ProgressBar::hidden() };
        Self { to, rows: names.iter().map(row).collect() }
    }

    /// Writes something else to the terminal, which the bars would be drawn over.
    pub fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.to {
            To::Bars { multi, .. } => multi.suspend(write),
            // One environment has been told of before its first step.
            To::One(_) | To::Lines(_) => write(),
        }
    }

    /// Shows an event of the environment with that number. Progress that can't be written stops nothing.
    pub fn event(&mut self, index: usize, event: &Event) {
        let Some(row) = self.rows.get_mut(index) else { return };
        let done = row.follow(event);
        match &mut self.to {
            To::One(reporter) => reporter.event(event),
            To::Lines(out) => {
                if let Some((_, line)) = line(event, done.as_deref()) {
                    let _ = writeln!(out, "{}: {line}", row.name).and_then(|()| out.flush());
                }
            }
            To::Bars { multi, color } => row.draw(multi, event, line(event, done.as_deref()), *color),
        }
    }
}

impl Row {
    /// Keeps what is running; what the step that ended was doing.
    fn follow(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::StepStarted { address, what, .. } => self.doing.push((address.clone(), what.clone())),
            Event::StepDone { address, .. }
            | Event::StepFailed { address, .. }
            | Event::StepInterrupted { address, .. } => {
                let at = self.doing.iter().position(|(other, _)| other == address)?;
                return Some(self.doing.remove(at).1);
            }
            _ => {}
        }
        None
    }

    fn draw(&mut self, multi: &MultiProgress, event: &Event, line: Option<(Tone, String)>, color: bool) {
        match event {
            Event::Started { steps } => {
                let bar = ProgressBar::new(*steps as u64).with_style(style(BAR)).with_prefix(self.name.clone());
                self.bar = multi.add(bar);
                self.bar.enable_steady_tick(TICK);
            }
            Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::StepInterrupted { .. }
            | Event::StepSkipped { .. } => self.bar.inc(1),
            Event::Finished { .. } => {
                self.bar.finish_and_clear();
                multi.remove(&self.bar);
            }
            Event::Note { .. } | Event::Ending { .. } | Event::StepStarted { .. } | Event::StepProgress { .. } => {}
        }
        self.bar.set_message(self.running());
        // What went well shows in the counts; only the end and what went wrong stay on the screen.
        let sign = match event {
            Event::Finished { failed: 0, skipped: 0, .. } => Tone::Added.paint("✓ ", color),
            Event::StepFailed { .. } | Event::Finished { .. } => Tone::Error.paint("✗ ", color),
            Event::Note { .. } | Event::Ending { .. } => String::new(),
            _ => return,
        };
        if let Some((tone, line)) = line {
            let _ = multi.println(format!("{sign}{}", tone.paint(&format!("{}: {line}", self.name), color)));
        }
    }

    fn running(&self) -> String {
        let more = match self.doing.len() {
            0 => return String::new(),
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let (address, what) = &self.doing[0];
        visible(&format!("{what} {address}{more}"))
    }
}

impl Drop for Board {
    /// Nothing is left behind on the terminal, however the command ends.
    fn drop(&mut self) {
        self.rows.iter().for_each(|row| row.bar.finish_and_clear());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use indicatif::ProgressStyle;

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

    fn names() -> [String; 2] {
        ["dev", "prod"].map(|name| format!("product-a/{name}"))
    }

    fn events() -> Vec<(usize, Event)> {
        let api = Address::new("gate", "rest-api", "gateway");
        let role = Address::new("gate", "iam-role", "authorizer");
        let started = |address: &Address, action, what: &str| Event::StepStarted {
            address: address.clone(),
            action,
            what: what.to_owned(),
        };
        let (second, finished) = (Duration::from_secs(1), |done, failed| Event::Finished {
            done,
            failed,
            skipped: 0,
            elapsed: Duration::from_secs(2),
        });
        vec![
            (0, Event::Started { steps: 2 }),
            (1, Event::Started { steps: 1 }),
            (0, started(&api, Action::Create, "creating")),
            (1, started(&api, Action::Delete, "deleting")),
            (0, started(&role, Action::Update, "updating")),
            (0, Event::StepDone { address: api.clone(), elapsed: second }),
            (1, Event::StepFailed { address: api, failure: "AccessDenied".into(), elapsed: second }),
            (0, Event::StepDone { address: role, elapsed: second }),
            (1, finished(0, 1)),
            (0, finished(2, 0)),
        ]
    }

    #[test]
    fn each_line_of_a_log_says_whose_it_is() {
        let page = Page::default();
        let mut board = Board::lines(Box::new(page.clone()), &names());
        for (index, event) in events() {
            board.event(index, &event);
        }
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        insta::assert_snapshot!(text, @r"
        product-a/dev: applying 2 steps
        product-a/prod: applying 1 step
        product-a/dev: gate/rest-api/gateway: creating…
        product-a/prod: gate/rest-api/gateway: deleting…
        product-a/dev: gate/iam-role/authorizer: updating…
        product-a/dev: gate/rest-api/gateway: creating… done in 1.0s
        product-a/prod: gate/rest-api/gateway: deleting… failed after 1.0s: AccessDenied
        product-a/dev: gate/iam-role/authorizer: updating… done in 1.0s
        product-a/prod: Apply: 0 done, 1 failed in 2.0s.
        product-a/dev: Apply: 2 done in 2.0s.
        ");
    }

    #[test]
    fn each_environment_has_one_line_on_a_terminal() {
        let mut board = Board::bars(ProgressDrawTarget::hidden(), &names());
        let mut seen = BTreeMap::new();
        for (index, event) in events() {
            board.event(index, &event);
            seen.insert(board.rows[0].running(), board.rows[0].bar.position());
        }
        let expected = [
            (String::new(), 2),
            ("creating gate/rest-api/gateway".into(), 0),
            ("creating gate/rest-api/gateway and 1 more".into(), 0),
            ("updating gate/iam-role/authorizer".into(), 1),
        ];
        assert_eq!(seen, BTreeMap::from(expected));
        assert!(board.rows.iter().all(|row| row.bar.is_finished()));
        assert_eq!(board.rows[1].bar.position(), 1);
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
