//! One trial: a run with a fault, the run that repairs it, and what has to be true after that.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use gwctl::error::exit;
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::conditions::Conditions;
use gwctl::sandbox::world::World;
use serde_json::Value;

use crate::deed::Ended;
use crate::sameness::{differences, locks, normal};
use crate::scenario::Scenario;
use crate::watch::{Call, Course, Trace, Watch};

/// What goes wrong at one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// (a) The process dies before it.
    DiesBefore,
    /// (b) The process dies after it took effect.
    DiesAfter,
    /// (c) It takes effect, and its answer is lost.
    LostAnswer,
    /// (d) It is refused for its rate, and so are the next two tries.
    Throttled,
    /// (e) It fails on AWS's side, once.
    Broken,
    /// (e) It fails on AWS's side, and so do all of its kind from then on.
    BrokenForGood,
    /// (f) It is denied, and so are all of its kind from then on.
    Denied,
    /// The user presses Ctrl-C while it is in flight.
    Interrupted,
}

impl Fault {
    pub(crate) const ALL: [Self; 8] = [
        Self::DiesBefore,
        Self::DiesAfter,
        Self::LostAnswer,
        Self::Throttled,
        Self::Broken,
        Self::BrokenForGood,
        Self::Denied,
        Self::Interrupted,
    ];

    /// The head of its column.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::DiesBefore => "(a) dies before",
            Self::DiesAfter => "(b) dies after",
            Self::LostAnswer => "(c) answer lost",
            Self::Throttled => "(d) throttled, 3 tries",
            Self::Broken => "(e) 500 once",
            Self::BrokenForGood => "(e) 500 from then on",
            Self::Denied => "(f) denied from then on",
            Self::Interrupted => "Ctrl-C",
        }
    }

    const fn kills(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }

    /// A run takes it without giving up.
    pub(crate) const fn is_borne(self) -> bool {
        matches!(self, Self::LostAnswer | Self::Throttled | Self::Broken)
    }

    /// As `--sandbox-fault` takes it, but for what the user does.
    fn at(self, call: &Call) -> String {
        let Call { service, operation, number, .. } = call;
        let which = format!("{service}.{operation}#{number}");
        match self {
            Self::DiesBefore => format!("crash-before:{which}"),
            Self::DiesAfter => format!("crash-after:{which}"),
            Self::LostAnswer => format!("cut-after:{which}"),
            Self::Throttled => format!("throttle:{which}..{}", number + 2),
            Self::Broken => format!("error:{which}"),
            Self::BrokenForGood => format!("error:{which}.."),
            Self::Denied => format!("deny:{which}.."),
            Self::Interrupted => format!("interrupt-at:{which}"),
        }
    }
}

/// A fault, and the call that it hits.
pub(crate) type Point = (Fault, usize);

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trial {
    /// One fault. A death is taken from the trace of the undisturbed run: what AWS holds when a process dies does not depend on
    /// the process.
    One(Point),
    /// One fault that a run bears, at each of these calls, which are of different operations.
    Each(Fault, Vec<usize>),
    /// A death in a run of its own.
    Really(Point),
    /// Two faults in one run. Calls take their time, so that others are under way when one fails, and what is new is unknown to
    /// some calls at first.
    Two(Point, Point),
    /// A fault, and another one in the run that was to repair it, on the same day.
    Again(Point, Point),
}

/// A scenario, and what an undisturbed run makes of it.
pub(crate) struct Case {
    pub(crate) scenario: Scenario,
    pub(crate) trace: Trace,
    course: Course,
    end: Value,
    /// Worlds from which one more run has led to the end.
    repaired: Mutex<HashSet<String>>,
    /// The places in the trace of those of them that a run may die in.
    survived: Mutex<HashSet<usize>>,
}

impl Case {
    /// Runs it undisturbed.
    pub(crate) async fn of(mut scenario: Scenario) -> Self {
        let sandbox = Sandbox::holding(scenario.world.clone()).under(Conditions::none());
        // Accounts and Regions that hold nothing are in a world once somebody has looked for them.
        scenario.left(&sandbox).await;
        scenario.world = sandbox.world().unwrap();
        let sandbox = sandbox.under(Conditions::none());
        let watch = Watch::new(&sandbox, &scenario.probes, None);
        watch.look().await;
        watch.record();
        let ended = scenario.carry_out(&sandbox, watch.by(&sandbox, Vec::new())).await;
        assert!(ended.is_well(), "{}: {ended:?}", scenario.name);
        assert_eq!(watch.wrong(), [""; 0], "{}", scenario.name);
        let case = Self {
            trace: watch.trace(),
            course: watch.course(),
            end: normal(&sandbox.world().unwrap()),
            repaired: Mutex::default(),
            survived: Mutex::default(),
            scenario,
        };
        let left = case.scenario.left(&sandbox).await;
        assert_eq!(left, [""; 0], "{}", case.scenario.name);
        case
    }

    /// How many worlds were repaired.
    pub(crate) fn repairs(&self) -> usize {
        self.repaired.lock().unwrap().len()
    }

    /// What a trial is called.
    pub(crate) fn label(&self, trial: &Trial) -> String {
        let at = |(fault, call): Point| fault.at(&self.trace.calls[call]);
        let how = match trial {
            Trial::One(point) => at(*point),
            Trial::Each(fault, calls) => calls.iter().map(|call| at((*fault, *call))).collect::<Vec<_>>().join(" "),
            Trial::Really(point) => format!("{} really", at(*point)),
            Trial::Two(one, other) => format!("{} and {}", at(*one), at(*other)),
            Trial::Again(one, other) => format!("{}, then {}", at(*one), at(*other)),
        };
        format!("{}: {how}", self.scenario.name)
    }

    /// Tries it; what is wrong with how it ended.
    pub(crate) async fn try_out(&self, trial: &Trial) -> std::result::Result<(), String> {
        match *trial {
            Trial::One((fault, call)) if fault.kills() => {
                let place = self.place_of_death(fault, call);
                if self.survived.lock().unwrap().contains(&place) {
                    return Ok(());
                }
                let sandbox = Sandbox::holding(self.trace.worlds[place].clone());
                self.repair(&sandbox, &self.watch(&sandbox, &[fault])).await?;
                self.survived.lock().unwrap().insert(place);
                Ok(())
            }
            Trial::One(point) => self.disturbed(&[&[point]], Day::Good).await,
            Trial::Each(fault, ref calls) => {
                let points: Vec<Point> = calls.iter().map(|call| (fault, *call)).collect();
                self.disturbed(&[&points], Day::Good).await
            }
            Trial::Really((fault, call)) => {
                let sandbox = Sandbox::holding(self.scenario.world.clone());
                let watch = self.watch(&sandbox, &[fault]);
                self.run(&sandbox, &watch, &[(fault, call)], Day::Good).await;
                let (traced, left) = (self.place_of_death(fault, call), normal(&sandbox.world().unwrap()));
                let differ = differences(&normal(&self.trace.worlds[traced]), &left);
                // Where a lock is renewed meanwhile, it depends on the second which call comes first.
                let next = traced.saturating_sub(1)..(traced + 2).min(self.trace.worlds.len());
                if !differ.is_empty() && self.trace.worlds[next].iter().all(|world| normal(world) != left) {
                    return Err(format!("it left what the trace has not: {differ:#?}"));
                }
                self.repair(&sandbox, &watch).await
            }
            Trial::Two(one, other) => self.disturbed(&[&[one, other]], Day::bad(one, other)).await,
            Trial::Again(one, other) => self.disturbed(&[&[one], &[other]], Day::bad(one, other)).await,
        }
    }

    /// Which of the worlds of the trace AWS is when a run dies.
    fn place_of_death(&self, fault: Fault, call: usize) -> usize {
        let left = |call: usize| self.trace.calls[call].leaves;
        match (fault, call) {
            (Fault::DiesAfter, call) => left(call),
            (_, 0) => 0,
            (_, call) => left(call - 1),
        }
    }

    fn watch(&self, sandbox: &Sandbox, faults: &[Fault]) -> Arc<Watch> {
        // Whoever is denied half of what an apply needs may be left with half of it.
        let allowed = (!faults.contains(&Fault::Denied)).then(|| self.course.clone());
        Watch::new(sandbox, &self.scenario.probes, allowed)
    }

    /// Runs one after the other, each with its faults, and then the one that repairs it.
    async fn disturbed(&self, runs: &[&[Point]], day: Day) -> std::result::Result<(), String> {
        let sandbox = Sandbox::holding(self.scenario.world.clone());
        let faults: Vec<Fault> = runs.iter().flat_map(|points| points.iter().map(|(fault, _)| *fault)).collect();
        let watch = self.watch(&sandbox, &faults);
        for (number, points) in runs.iter().enumerate() {
            if number > 0 {
                self.unlock(&sandbox, day.is_even()).await;
            }
            let of_dead = locks(&sandbox.world().unwrap());
            let ended = self.run(&sandbox, &watch, points, day).await;
            // Two at once may meet the same call.
            let alone = points.len() == 1 || matches!(day, Day::Good);
            let borne = alone && points.iter().all(|(fault, _)| fault.is_borne());
            let Some((ended, interrupted)) = ended else { continue };
            if borne && ended.code != exit::DONE {
                return Err(format!("one is no reason to give up: {}", ended.said));
            }
            let world = sandbox.world().unwrap();
            if number == 0 && !interrupted && matches!(points, [(Fault::Interrupted, _)]) {
                return Err("it never came to the call at which it was to be interrupted".to_owned());
            }
            // A run that repairs may not come to the call.
            if alone && interrupted {
                let (code, left) = (ended.code, new_locks(&world, &of_dead));
                // Near its end a run may have begun all that there was to do.
                let near = |call: usize| self.trace.calls[call].leaves * 4 >= self.trace.worlds.len() * 3;
                let may_be_done = points.iter().all(|(_, call)| near(*call));
                let expected = code == exit::INTERRUPTED || code == exit::DONE && may_be_done;
                if !expected || !left.is_empty() {
                    return Err(format!("interrupted, it ended with {code} and left {left:?}: {}", ended.said));
                }
            }
            if ended.is_well() {
                let differ = [differences(&self.end, &normal(&world)), new_locks(&world, &of_dead)].concat();
                if !differ.is_empty() {
                    return Err(format!("it said that it was done: {differ:#?}"));
                }
            }
        }
        self.repair(&sandbox, &watch).await
    }

    /// One run with faults, and whether the user interrupted it; nothing if it died.
    async fn run(&self, sandbox: &Sandbox, watch: &Arc<Watch>, points: &[Point], day: Day) -> Option<(Ended, bool)> {
        let (by_user, by_aws): (Vec<&Point>, Vec<&Point>) =
            points.iter().partition(|(fault, _)| *fault == Fault::Interrupted);
        let faults = by_aws.into_iter().map(|(fault, call)| fault.at(&self.trace.calls[*call]).parse().unwrap());
        let shaken = sandbox.clone().under(faults.fold(day.conditions(!by_user.is_empty()), Conditions::fault));
        let interrupts = by_user.into_iter().map(|(_, call)| self.trace.calls[*call].clone()).collect();
        let by = watch.by(&shaken, interrupts);
        let told = by.interrupt.clone();
        let run = self.scenario.carry_out(&shaken, by);
        let ended = tokio::select! {
            ended = Box::pin(run) => Some(ended),
            () = shaken.conditions().crashed() => None,
        };
        watch.look().await;
        let interrupted = *told.borrow();
        ended.map(|ended| (ended, interrupted))
    }

    /// One more run, undisturbed, has to lead to where an undisturbed one leads.
    async fn repair(&self, sandbox: &Sandbox, watch: &Arc<Watch>) -> std::result::Result<(), String> {
        let wrong = watch.wrong();
        if !wrong.is_empty() {
            return Err(format!("while it was disturbed: {wrong:#?}"));
        }
        let found = normal(&sandbox.world().unwrap());
        let begun = found.to_string();
        if self.repaired.lock().unwrap().contains(&begun) {
            return Ok(());
        }
        let sandbox = sandbox.clone().under(Conditions::none());
        // Whoever finds a lock either waits until it expires or takes it away; half of the worlds see the one, half the other.
        self.unlock(&sandbox, begun.len().is_multiple_of(2)).await;
        let of_dead = locks(&sandbox.world().unwrap());
        let ended = self.scenario.carry_out(&sandbox, watch.by(&sandbox, Vec::new())).await;
        if ended.code != exit::DONE {
            return Err(format!("the repair failed: {}", ended.said));
        }
        let wrong = [watch.wrong(), ended.warnings, self.scenario.left(&sandbox).await].concat();
        if !wrong.is_empty() {
            return Err(format!("after the repair: {wrong:#?}"));
        }
        let mut world = sandbox.world().unwrap();
        let left = new_locks(&world, &of_dead);
        if !left.is_empty() {
            return Err(format!("the repair left {left:?}"));
        }
        if !locks(&world).is_empty() {
            // In that Region there was nothing to do but to die: who has nothing to change takes no lock, and leaves an expired one to
            // `unlock`.
            self.unlock(&sandbox, false).await;
            world = sandbox.world().unwrap();
        }
        let differ = [differences(&self.end, &normal(&world)), locks(&world)].concat();
        if !differ.is_empty() {
            return Err(format!("the repair left another world: {differ:#?}"));
        }
        self.repaired.lock().unwrap().insert(begun);
        Ok(())
    }

    async fn unlock(&self, sandbox: &Sandbox, waits: bool) {
        if !locks(&sandbox.world().unwrap()).is_empty() {
            self.scenario.unlock(sandbox, waits).await;
        }
    }
}

/// The locks in a world that were not there before.
fn new_locks(world: &World, before: &[String]) -> Vec<String> {
    locks(world).into_iter().filter(|lock| !before.contains(lock)).collect()
}

/// How AWS is besides the faults.
#[derive(Debug, Clone, Copy)]
enum Day {
    /// Quick, and of one mind.
    Good,
    /// Calls are slow, and what is new takes a while to be known; drawn from this.
    Bad(u64),
}

impl Day {
    /// The bad day of a pair.
    fn bad(one: Point, other: Point) -> Self {
        Self::Bad((one.1 * 1000 + other.1) as u64)
    }

    fn is_even(self) -> bool {
        matches!(self, Self::Bad(seed) if seed.is_multiple_of(2))
    }

    /// What takes no time can't be interrupted.
    fn conditions(self, interrupted: bool) -> Conditions {
        match self {
            Self::Good if interrupted => Conditions::none().latency("10ms".parse().unwrap()),
            Self::Good => Conditions::none(),
            Self::Bad(seed) => Conditions::none().latency("20ms..2s".parse().unwrap()).eventual(2).seed(seed),
        }
    }
}

/// The operations of a case, each with the places of its calls in the trace.
pub(crate) fn operations(case: &Case) -> BTreeMap<String, Vec<usize>> {
    let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, call) in case.trace.calls.iter().enumerate() {
        all.entry(format!("{}.{}", call.service, call.operation)).or_default().push(place);
    }
    all
}
