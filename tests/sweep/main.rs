//! Every call of a run meets every fault, and the next run finishes the work: nothing twice, nothing left over, and nobody who is
//! served notices.
//!
//! A trial is a run on a sandbox in which something goes wrong at one call; then one more run, undisturbed. After that a plan is
//! empty, and the whole world of the sandbox is that of an undisturbed run, but for ids and times ([`sameness`]): what is left over
//! is seen whether it has tags or not. Meanwhile, after every call that may have changed something, requests are sent to what is
//! served, and no stage may be without its deployment ([`watch`]).
//!
//! | variable | |
//! |---|---|
//! | `GWCTL_SWEEP` | `all`: every call of every scenario; a number: percent of them; none: an even sample of operations and faults |
//! | `GWCTL_SWEEP_REPORT` | the file for the report: JSON if it ends so, Markdown otherwise |
//! | `GWCTL_SWEEP_ONLY` | trials that have this text in their names, to repeat one |
//! | `GWCTL_SWEEP_SEED` | what samples and pairs are drawn from |

mod deed;
mod extent;
mod report;
mod sameness;
mod scenario;
#[path = "../support/mod.rs"]
mod support;
mod sweep;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use extent::Extent;
use report::Report;
use sweep::{Case, Trial};

/// Bytes of stack, as the first thread of a process has them, in which a command runs otherwise: without optimisations a command wants more than
/// the 2 MiB of the other threads.
const STACK: usize = 8 * 1024 * 1024;

/// A clock that stands still unless everybody waits, for one trial.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// What is wrong with how a trial ended.
fn outcome(case: &Case, trial: &Trial) -> Result<(), String> {
    let tried = catch_unwind(AssertUnwindSafe(|| runtime().block_on(Box::pin(case.try_out(trial)))));
    tried.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    })
}

#[test]
fn every_call_may_fail() {
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(sweep_all)
        .unwrap()
        .join()
        .unwrap_or_else(|panic| resume_unwind(panic));
}

fn sweep_all() {
    let (extent, begun) = (Extent::asked(), Instant::now());
    let scenarios = runtime().block_on(Box::pin(scenario::all()));
    let cases: Vec<Case> =
        scenarios.into_iter().map(|scenario| runtime().block_on(Box::pin(Case::of(scenario)))).collect();
    let trials = extent.trials(&cases);
    let (next, report, failed) = (AtomicUsize::new(0), Mutex::new(Report::default()), Mutex::new(Vec::new()));
    let write = |report: &Report, extent: &str| {
        if let Some(file) = std::env::var_os("GWCTL_SWEEP_REPORT") {
            report.write(Path::new(&file), &cases, extent, begun.elapsed());
        }
    };
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((place, trial)) = trials.get(number) else { break };
            if number.is_multiple_of(100) {
                println!("{number} of {} trials, {} s", trials.len(), begun.elapsed().as_secs());
            }
            let outcome = outcome(&cases[*place], trial);
            let mut report = report.lock().unwrap();
            report.add(*place, trial, outcome.is_ok());
            // What a whole sweep has tried is not lost when it is ended.
            if number > 0 && number.is_multiple_of(1000) {
                write(&report, &format!("{number} of {}, the rest still to come", trials.len()));
            }
            drop(report);
            if let Err(why) = outcome {
                let told = format!("{}: {why}", cases[*place].label(trial));
                println!("{told}");
                failed.lock().unwrap().push(told);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    let (report, failed) = (report.into_inner().unwrap(), failed.into_inner().unwrap());
    println!("{}", report.markdown(&cases, &extent.told(), begun.elapsed()));
    write(&report, &extent.told());
    assert!(failed.is_empty(), "{}:\n{}", report.line(), failed.join("\n"));
}
