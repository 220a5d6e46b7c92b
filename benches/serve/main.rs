//! How fast `gwctl serve` is, beside serverless-offline, which people use for the same purpose.
//!
//! ```text
//! cargo bench --bench serve                                      builds gwctl with optimisations, and measures
//! cargo bench --bench serve -- --rounds 3 --seconds 1            shorter
//! cargo bench --bench serve -- --gwctl PATH                      another gwctl than the one just built
//! cargo bench --bench serve -- --in-process                      serverless-offline with functions in its own process
//! cargo bench --bench serve -- --without-offline                 gwctl alone
//! ```
//!
//! Both gateways stand in front of the same upstream, under the same load, in one run, and take turns: what else the machine
//! does hits both. Two routes are measured:
//!
//! - `open`: passed on to the upstream, nobody is asked
//! - `authorizer`: a REQUEST authorizer whose answer is kept for 300 s; serverless-offline keeps none and asks each time
//!
//! Figures: requests a second over 32 connections that are kept, processor time of the gateway a request, latency at a low
//! fixed rate beside the upstream's own, and resident memory. The load generator and the upstream run in this process,
//! on the same cores; what they reach without a gateway is in the figures too. serverless-offline is installed by npm below
//! `target/serve-bench`; without node and npm it is left out. The table goes to stderr, the figures as JSON to stdout.

mod gateways;
mod http;
mod load;
mod report;
mod upstream;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateways::Gateway;
use load::{Aim, Throughput};
use report::{Figures, Measured};
use upstream::Upstream;

/// Anything that can go wrong ends the benchmark.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// The open route.
pub(crate) const MENU: &str = "/dev/menu-service/today";

/// The route behind the authorizer.
pub(crate) const ORDERS: &str = "/dev/order-service/orders";

/// Who the authorizer says it is.
pub(crate) const USER: &str = "u-7";

/// Requests a second when latency is measured.
const CALM_RATE: u32 = 200;

/// The names of the routes in the figures.
const ROUTES: [&str; 2] = ["open", "authorizer"];

#[derive(Debug)]
struct Options {
    rounds: usize,
    time: Duration,
    gwctl: PathBuf,
    offline: bool,
    in_process: bool,
}

fn main() -> Result<()> {
    let options = Options::read()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/serve-bench");
    let upstream = Upstream::start()?;
    let node = gateways::node();
    let mut all = vec![gateways::gwctl(&options.gwctl, &folder, upstream.address)?];
    match &node {
        _ if !options.offline => {}
        Some(_) => all.push(gateways::offline(&folder, upstream.address, options.in_process)?),
        None => eprintln!("node or npm is not here: gwctl is measured alone"),
    }
    check(&all)?;
    let mut figures = Figures::default();
    figures.node = node.unwrap_or_default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        measure(&all, &upstream, options.time, &mut figures)?;
        // The other one first in the next round.
        all.reverse();
    }
    for gateway in &all {
        figures.memory.insert(gateway.name, gateway.cost()?.peak);
    }
    figures.authorizer_calls = upstream.asked();
    eprintln!("{}", figures.table());
    println!("{}", serde_json::to_string_pretty(&figures.json())?);
    Ok(())
}

impl Options {
    fn read() -> Result<Self> {
        let mut options = Self {
            rounds: 5,
            time: Duration::from_secs(3),
            gwctl: env!("CARGO_BIN_EXE_gwctl").into(),
            offline: true,
            in_process: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| wrong(&format!("{argument} wants a value")));
            match argument.as_str() {
                // cargo says so.
                "--bench" => {}
                "--rounds" => options.rounds = value()?.parse()?,
                "--seconds" => options.time = Duration::from_secs(value()?.parse()?),
                "--gwctl" => options.gwctl = value()?.into(),
                "--in-process" => options.in_process = true,
                "--without-offline" => options.offline = false,
                other => return Err(wrong(&format!("`{other}` is no option"))),
            }
        }
        Ok(options)
    }
}

/// Both routes of a gateway.
fn aims(gateway: &Gateway) -> [Aim; 2] {
    let authorization = [("authorization", "Bearer bench")];
    [Aim::get(gateway.address, MENU, &[]), Aim::get(gateway.address, ORDERS, &authorization)]
}

/// Nothing is measured that does not do what it should: the route behind the authorizer is closed without a token, and with
/// one the upstream hears from the authorizer, not from the client, who it is.
fn check(all: &[Gateway]) -> Result<()> {
    for gateway in all {
        let closed = load::status(&Aim::get(gateway.address, ORDERS, &[]))?;
        let headers = [("authorization", "Bearer bench"), ("x-user-id", "forged")];
        let answer = load::probe(&Aim::get(gateway.address, "/dev/order-service/probe", &headers))?;
        let user = load::user(&answer);
        if closed != 401 || user != Some(USER) {
            return Err(wrong(&format!("{}: {closed} without a token, and with one it is {user:?}", gateway.name)));
        }
    }
    Ok(())
}

/// One round: everything once.
fn measure(all: &[Gateway], upstream: &Upstream, time: Duration, figures: &mut Figures) -> Result<()> {
    let direct = Aim::get(upstream.address, MENU, &[]);
    figures.direct.push(load::saturate(&direct, time)?.rate());
    for (number, route) in ROUTES.into_iter().enumerate() {
        for gateway in all {
            let aim = &aims(gateway)[number];
            // Connections to the upstream are made, and what is compiled at run time is.
            load::saturate(aim, time / 3)?;
            let before = gateway.cost()?;
            let throughput = load::saturate(aim, time)?;
            let processor = gateway.cost()?.processor - before.processor;
            figures.at(gateway.name, route).push(measured(throughput, processor));
        }
    }
    // At the same rate for all, and twice as long: a percentile wants many.
    figures.calm("upstream alone", "direct").push(load::calmly(&direct, CALM_RATE, time * 2)?);
    for (number, route) in ROUTES.into_iter().enumerate() {
        for gateway in all {
            let latencies = load::calmly(&aims(gateway)[number], CALM_RATE, time * 2)?;
            figures.calm(gateway.name, route).push(latencies);
        }
    }
    Ok(())
}

fn measured(throughput: Throughput, processor: f64) -> Measured {
    Measured { rate: throughput.rate(), processor: processor / f64::from(throughput.requests.max(1)) }
}

/// A failure in words.
pub(crate) fn wrong(why: &str) -> Box<dyn std::error::Error + Send + Sync> {
    why.into()
}
