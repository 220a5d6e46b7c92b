//! A picture: how long each command takes by the size of the fleet, beside what the quotas allow.

use std::fmt::Write as _;

use super::bound::as_f64;
use super::report::{Figures, Row};
use super::run::Phase;

/// Of one panel, in pixels.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
/// Around the axes, for labels.
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
/// Below the panels, for the legend.
const LEGEND: f64 = 40.0;

/// Both axes are logarithmic: straight lines of one slope are linear growth.
struct Panel {
    x: f64,
    sizes: (f64, f64),
    seconds: (f64, f64),
}

impl Panel {
    fn at(&self, size: usize, seconds: f64) -> (f64, f64) {
        let along = |value: f64, (least, most): (f64, f64)| (value.ln() - least.ln()) / (most.ln() - least.ln());
        let x = self.x + LEFT + along(as_f64(size), self.sizes) * (WIDTH - LEFT - 20.0);
        let y = TOP + (1.0 - along(seconds, self.seconds)) * (HEIGHT - TOP - 30.0);
        (x, y)
    }
}

fn colour(phase: Phase) -> &'static str {
    match phase {
        Phase::FirstApply => "#b2182b",
        Phase::Plan => "#2166ac",
        Phase::Drift => "#1b7837",
        Phase::OneRoute => "#e08214",
    }
}

/// A panel for each spread and number of routes.
pub(crate) fn svg(figures: &Figures) -> String {
    let groups = figures.groups();
    let (width, height) = (as_f64(groups.len()) * WIDTH, HEIGHT + LEGEND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let sizes = range(figures.rows.iter().map(|row| as_f64(row.shape.environments)));
    let seconds = range(figures.rows.iter().flat_map(|row| [row.seconds, row.bound]));
    for (number, (spread, routes)) in groups.into_iter().enumerate() {
        let panel = Panel { x: as_f64(number) * WIDTH, sizes, seconds };
        let rows: Vec<&Row> = figures.group(spread, routes).collect();
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"20\">{routes} routes, accounts x Regions: {spread}</text>",
            panel.x + LEFT
        );
        axes(&mut svg, &panel, &rows);
        for phase in Phase::ALL {
            let of_phase: Vec<&Row> = rows.iter().copied().filter(|row| row.phase == phase).collect();
            line(&mut svg, &panel, colour(phase), "", of_phase.iter().map(|row| (row.shape.environments, row.seconds)));
            let dashed = " stroke-dasharray=\"4 4\"";
            line(
                &mut svg,
                &panel,
                colour(phase),
                dashed,
                of_phase.iter().map(|row| (row.shape.environments, row.bound)),
            );
        }
    }
    for (number, phase) in Phase::ALL.into_iter().enumerate() {
        let x = LEFT + as_f64(number) * 150.0;
        let _ =
            writeln!(svg, "<text x=\"{x}\" y=\"{}\" fill=\"{}\">{}</text>", HEIGHT + 20.0, colour(phase), phase.name());
    }
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\">dashed: the bound</text>\n</svg>", HEIGHT + 36.0);
    svg
}

/// The powers of ten around all values.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let known = values.filter(|value| *value > 0.0);
    let (least, most) = known.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
    let (least, most) = (10f64.powf(least.log10().floor()), 10f64.powf(most.log10().ceil()));
    if least < most { (least, most) } else { (least / 10.0, most * 10.0) }
}

fn axes(svg: &mut String, panel: &Panel, rows: &[&Row]) {
    let mut tick = panel.seconds.0;
    while tick <= panel.seconds.1 * 1.01 {
        let (x, y) = panel.at(1, tick);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {y:.1} H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{tick} s</text>",
            panel.x + WIDTH - 20.0,
            x - 4.0,
            y + 4.0
        );
        tick *= 10.0;
    }
    let mut sizes: Vec<usize> = rows.iter().map(|row| row.shape.environments).collect();
    sizes.dedup();
    for size in sizes {
        let (x, y) = panel.at(size, panel.seconds.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{size}</text>", y + 18.0);
    }
}

fn line(svg: &mut String, panel: &Panel, colour: &str, style: &str, points: impl Iterator<Item = (usize, f64)>) {
    let points = points.map(|(size, seconds)| {
        let (x, y) = panel.at(size, seconds);
        format!("{x:.1},{y:.1}")
    });
    let points = points.collect::<Vec<_>>().join(" ");
    let _ =
        writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{style}/>");
}
