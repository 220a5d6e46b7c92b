//! How long it takes from a loaded configuration to the document: what every command does first.
//!
//! ```text
//! cargo bench --bench render                                    the figures
//! cargo bench --bench render -- --save-baseline before          keep them, …
//! cargo bench --bench render -- --baseline before               … and compare with them
//! cargo bench --bench render -- load                            only what has this in its name
//! ```
//!
//! `render/N` expands the environment into all desired resources and writes its OpenAPI document, as `gwctl render` does,
//! for N routes; the aim is 2 ms for 300. `load/N` is what comes before it: reading and checking the files.

mod fixture;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use gwctl::config::{self, GatewayStack};
use gwctl::error::{Failure, Result};
use gwctl::model::Found;
use gwctl::stack::{self, Zips};

use fixture::{Fixture, SIZES};

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let fixtures = SIZES.map(Fixture::with_routes);
    for (count, fixture) in SIZES.into_iter().zip(fixtures) {
        let fixture = fixture?;
        // The figure of a render that failed would be worth nothing.
        render(&fixture)?;
        measure(&mut criterion, count, &fixture);
    }
    criterion.final_summary();
    Ok(())
}

fn measure(criterion: &mut Criterion, count: usize, fixture: &Fixture) {
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(BenchmarkId::from_parameter(count), |bencher| bencher.iter(|| black_box(render(fixture))));
    group.finish();
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
        let (product, environment) = (["product-a".to_owned()], ["dev".to_owned()]);
        bencher.iter(|| black_box(config::load_selected(fixture.root.path(), &product, &environment, false)));
    });
    group.finish();
}

/// The document as text.
fn render(fixture: &Fixture) -> Result<String> {
    // Any digest will do: nothing reads the zip.
    let expansion = stack::expand(&fixture.configuration, fixture.environment(), &Zips::UNBUILT, &Found::nothing())?;
    let expansion = expansion.map_err(|faults| faults.to_failure())?;
    let document = expansion.gateway(GatewayStack::Gate).map(|gateway| &gateway.document);
    serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::internal("the document is no JSON").because(&error))
}
