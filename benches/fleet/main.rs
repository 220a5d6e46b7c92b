//! What many environments cost: calls, rounds, time beside what AWS's quotas allow, processor time and memory.
//!
//! ```text
//! cargo bench --bench fleet                                       1, 10, 100 and 400 environments of 40 and 300 routes
//! cargo bench --bench fleet -- --sizes 1,10 --routes 40           fewer
//! cargo bench --bench fleet -- --spread four                      one account for each of dev, staging, preprod, prod
//! cargo bench --bench fleet -- --spread 4x3                       the same, in three Regions
//! cargo bench --bench fleet -- --gateways 2                       with internal gateways
//! cargo bench --bench fleet -- --only time                        without processor time and memory; or `--only machine`
//! cargo bench --bench fleet -- --plot FILE                        an SVG of it
//! cargo bench --bench fleet -- --peers                            one environment, beside other deployers
//! ```
//!
//! Each fleet is applied to an empty sandbox, planned, looked at for drift, and applied again after one route of every
//! environment has changed, by the commands that users run (`gwctl apply --all`, …). The sandbox has the quotas that AWS
//! documents and answers after 50 ms, on tokio's paused clock: time on the clock is what AWS would take, and passes at once.
//! The same again, for processor time and memory, in processes that do nothing else, with the sandbox behind a socket.
//!
//! No program can be done before the quotas let it: the *bound* is the longest time that one bucket takes to grant the calls
//! that were made, or what one environment takes alone where nothing is limited, whichever is longer. *Rounds* are the calls
//! on the longest chain of calls that wait for each other: by how many latencies the time grows when latency does.
//!
//! The table goes to stderr, the figures as JSON to stdout.

mod bound;
mod cost;
mod estate;
mod peers;
mod plot;
#[path = "../../tests/support/python.rs"]
mod python;
mod report;
mod run;
#[path = "../fixture/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use estate::{Shape, Spread};
use report::{Cost, Figures, Row};
use run::{Alone, Phase};

/// Anything that can go wrong ends the benchmark.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// How often other deployers are compared with.
const ROUNDS: usize = 5;

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Options {
    sizes: Vec<usize>,
    routes: Vec<usize>,
    spreads: Vec<Spread>,
    gateways: usize,
    plot: Option<PathBuf>,
    /// Measure time and calls.
    time: bool,
    /// Measure processor time and memory.
    machine: bool,
    /// Compare with other deployers instead.
    peers: bool,
    /// A single measurement instead, for the process that asked for it; what came of it goes to the file.
    single: Option<PathBuf>,
    /// Which: how much of the time of an environment is distance; without it, a fleet with quotas.
    alone: bool,
    /// Or one command, by its number, on a sandbox that listens.
    command: Option<usize>,
    endpoint: String,
    root: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::read()?;
    if let Some(file) = &options.single {
        return Ok(fs::write(file, options.single_measurement()?.to_string())?);
    }
    if options.peers {
        let all: Result<Vec<Value>> = options.routes.iter().map(|routes| peers::compare(*routes, ROUNDS)).collect();
        println!("{}", serde_json::to_string_pretty(&all?)?);
        return Ok(());
    }
    let mut figures = Figures::default();
    if options.time {
        options.measure_time(&mut figures)?;
    }
    if options.machine {
        options.measure_machine(&mut figures)?;
    }
    eprintln!("\n{}", figures.text());
    if let Some(file) = &options.plot {
        fs::write(file, plot::svg(&figures))?;
    }
    println!("{}", serde_json::to_string_pretty(&figures.json())?);
    Ok(())
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            sizes: vec![1, 10, 100, 400],
            routes: vec![40, 300],
            spreads: vec![Spread::ONE, Spread::FOUR],
            gateways: 1,
            plot: None,
            time: true,
            machine: true,
            peers: false,
            single: None,
            alone: false,
            command: None,
            endpoint: String::new(),
            root: PathBuf::new(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| wrong(&format!("{argument} wants a value")));
            match argument.as_str() {
                // cargo says so.
                "--bench" => {}
                "--sizes" => options.sizes = numbers(&value()?)?,
                "--routes" => options.routes = numbers(&value()?)?,
                "--spread" => options.spreads = vec![value()?.parse()?],
                "--gateways" => options.gateways = value()?.parse()?,
                "--plot" => options.plot = Some(value()?.into()),
                "--only" => match value()?.as_str() {
                    "time" => options.machine = false,
                    "machine" => options.time = false,
                    other => return Err(wrong(&format!("`{other}` is neither time nor machine"))),
                },
                "--peers" => options.peers = true,
                "--single" => options.single = Some(value()?.into()),
                "--alone" => options.alone = true,
                "--command" => options.command = Some(value()?.parse()?),
                "--endpoint" => options.endpoint = value()?,
                "--root" => options.root = value()?.into(),
                other => return Err(wrong(&format!("`{other}` is no option"))),
            }
        }
        Ok(options)
    }

    fn shapes(&self, spread: impl Fn(usize) -> Spread) -> Vec<Shape> {
        let Self { sizes, routes, gateways, .. } = self;
        let of = |routes: usize| {
            let spread = &spread;
            let gateways = *gateways;
            sizes.iter().map(move |&environments| Shape {
                environments,
                routes,
                spread: spread(environments),
                gateways,
            })
        };
        routes.iter().flat_map(|routes| of(*routes)).collect()
    }

    fn single_measurement(&self) -> Result<Value> {
        if let Some(number) = self.command {
            return cost::single(number, &self.endpoint, &self.root);
        }
        let shapes = self.shapes(|_| self.spreads[0]);
        let shape = shapes.first().ok_or_else(|| wrong("no fleet to measure"))?;
        if self.alone { run::alone(shape) } else { run::measure(shape) }
    }

    fn measure_time(&self, figures: &mut Figures) -> Result<()> {
        let mut alone = BTreeMap::new();
        for &routes in &self.routes {
            let one = Shape { environments: 1, routes, spread: Spread::ONE, gateways: self.gateways };
            alone.insert(routes, in_a_process_of_its_own(&one, &["--alone"])?);
        }
        for shape in self.spreads.iter().flat_map(|spread| self.shapes(|_| *spread)) {
            eprintln!("{shape} …");
            let measured = in_a_process_of_its_own(&shape, &[])?;
            for phase in Phase::ALL {
                let name = phase.name();
                let row = Row::new(shape, phase, &measured[name], Alone::from(&alone[&shape.routes][name]));
                eprintln!("{}", row.line());
                figures.rows.push(row);
            }
        }
        Ok(())
    }

    fn measure_machine(&self, figures: &mut Figures) -> Result<()> {
        for shape in self.shapes(Spread::over_accounts) {
            eprintln!("{shape}, processor and memory …");
            let measured = cost::measure(&shape)?;
            for phase in Phase::ALL {
                let cost = Cost::new(shape, phase, &measured[phase.name()]);
                eprintln!("{}", cost.line());
                figures.costs.push(cost);
            }
        }
        Ok(())
    }
}

fn numbers(text: &str) -> Result<Vec<usize>> {
    text.split(',').map(|number| number.parse().map_err(|_| wrong(&format!("`{number}` is no number")))).collect()
}

/// What one fleet leaves behind is no other one's burden.
fn in_a_process_of_its_own(shape: &Shape, more: &[&str]) -> Result<Value> {
    let file = tempfile::NamedTempFile::new()?;
    let Shape { environments, routes, spread, gateways } = shape;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--sizes", &environments.to_string(), "--routes", &routes.to_string()]);
    command.args(["--spread", &spread.to_string(), "--gateways", &gateways.to_string()]).args(more);
    command.arg("--single").arg(file.path()).stdin(Stdio::null()).stdout(Stdio::null());
    succeeded(&shape.to_string(), &mut command)?;
    Ok(serde_json::from_str(&fs::read_to_string(file.path())?)?)
}

/// Runs a process to its end. What it says is read by nobody unless it fails.
pub(crate) fn succeeded(what: &str, command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(20)..].join("\n");
    Err(wrong(&format!("{what}: the process ended with {}:\n{last}", output.status)))
}

pub(crate) fn wrong(message: &str) -> Box<dyn std::error::Error + Send + Sync> {
    message.into()
}
