//! Which lines of an access log somebody wants to see.

use std::str::FromStr;

use super::line::Line;
use crate::inspection::Glob;

/// Statuses: `403`, `5xx`, `400-499`, several with commas between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no status: write 403, 5xx, 400-499, or several with commas between");
        let number = |text: &str| text.parse::<u16>().ok().filter(|number| (100..600).contains(number));
        let range = |part: &str| match part.split_once('-') {
            Some((from, to)) => Some((number(from)?, number(to)?)).filter(|(from, to)| from <= to),
            None => match part.to_ascii_lowercase().strip_suffix("xx") {
                Some(class) => {
                    class.parse::<u16>().ok().filter(|n| (1..6).contains(n)).map(|n| (n * 100, n * 100 + 99))
                }
                None => number(part).map(|one| (one, one)),
            },
        };
        text.split(',').map(|part| range(part.trim()).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}

impl Statuses {
    fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

/// A bound of a latency: `>500ms`, `<=2s`; without a sign it is the least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    sign: Sign,
    milliseconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no bound of a latency: write >500ms, >=2s or <20ms");
        let signs = [(">=", Sign::AtLeast), (">", Sign::Above), ("<=", Sign::AtMost), ("<", Sign::Below)];
        let found = signs.into_iter().find_map(|(sign, kind)| Some((kind, text.strip_prefix(sign)?)));
        let (sign, rest) = found.unwrap_or((Sign::AtLeast, text));
        let (number, unit) = match rest.trim().strip_suffix("ms") {
            Some(number) => (number, 1.0),
            None => match rest.trim().strip_suffix('s') {
                Some(number) => (number, 1000.0),
                None => (rest.trim(), 1.0),
            },
        };
        let number: f64 = number.trim().parse().map_err(|_| wrong())?;
        if !number.is_finite() || number < 0.0 {
            return Err(wrong());
        }
        Ok(Self { sign, milliseconds: number * unit })
    }
}

impl Latency {
    fn holds(self, milliseconds: f64) -> bool {
        match self.sign {
            Sign::Above => milliseconds > self.milliseconds,
            Sign::AtLeast => milliseconds >= self.milliseconds,
            Sign::Below => milliseconds < self.milliseconds,
            Sign::AtMost => milliseconds <= self.milliseconds,
        }
    }
}

/// Which lines are wanted: all conditions have to hold. A line that does not say what a condition is about fails it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The status.
    pub statuses: Option<Statuses>,
    /// The path, with or without the stage, or the route's.
    pub path: Option<Glob>,
    /// The latency.
    pub latency: Option<Latency>,
    /// The request id or the extended one.
    pub request_id: Option<String>,
    /// The method.
    pub method: Option<String>,
}

impl Filter {
    /// Whether a line of a stage is wanted.
    #[must_use]
    pub fn wants(&self, line: &Line, stage: &str) -> bool {
        let Self { statuses, path, latency, request_id, method } = self;
        statuses.as_ref().is_none_or(|all| line.status().is_some_and(|status| all.contain(status)))
            && path.as_ref().is_none_or(|glob| line.paths(stage).any(|path| glob.matches(path)))
            && latency.is_none_or(|bound| line.latency_ms().is_some_and(|took| bound.holds(took)))
            && request_id.as_ref().is_none_or(|id| line.ids().any(|known| known == id))
            && method.as_ref().is_none_or(|name| line.method().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    fn line(status: &str, took: &str) -> Line {
        let format = Format::parse(
            "$context.status $context.responseLatency $context.httpMethod $context.path $context.requestId",
        );
        format.decode(&format!("{status} {took} GET /dev/orders/1 r-1")).unwrap()
    }

    #[test]
    fn statuses_are_numbers_classes_and_ranges() {
        let wants = |text: &str, status: &str| {
            let filter = Filter { statuses: Some(text.parse().unwrap()), ..Filter::default() };
            filter.wants(&line(status, "1"), "dev")
        };
        assert!(wants("5xx", "503") && !wants("5XX", "499"));
        assert!(wants("403", "403") && !wants("403", "404"));
        assert!(wants("400-499", "400") && wants("400-499", "499") && !wants("400-499", "500"));
        assert!(wants("200,5xx", "502") && wants("200, 5xx", "200") && !wants("200,5xx", "201"));
        assert!(!wants("200", "-"), "a line without a status has none that is wanted");
        for wrong in ["", "x", "9xx", "499-400", "99", "600", "5x", "200,", "4-5"] {
            assert!(wrong.parse::<Statuses>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn latencies_have_signs_and_units() {
        let wants = |text: &str, took: &str| {
            let filter = Filter { latency: Some(text.parse().unwrap()), ..Filter::default() };
            filter.wants(&line("200", took), "dev")
        };
        assert!(wants(">500ms", "501") && !wants(">500ms", "500"));
        assert!(wants("500", "500") && wants(">= 0.5s", "500") && !wants("1s", "999"));
        assert!(wants("<20ms", "19") && !wants("<20ms", "20") && wants("<=20", "20"));
        assert!(!wants(">0", "-"));
        for wrong in ["", "fast", ">", ">-1", ">1m", "NaN"] {
            assert!(wrong.parse::<Latency>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_condition_has_to_hold() {
        let filter = Filter {
            path: Some("/orders/*".parse().unwrap()),
            method: Some("get".into()),
            request_id: Some("r-1".into()),
            ..Filter::default()
        };
        assert!(filter.wants(&line("200", "1"), "dev"));
        assert!(!Filter { method: Some("POST".into()), ..filter.clone() }.wants(&line("200", "1"), "dev"));
        assert!(!Filter { request_id: Some("r".into()), ..filter.clone() }.wants(&line("200", "1"), "dev"));
        assert!(!Filter { path: Some("/users/*".parse().unwrap()), ..filter }.wants(&line("200", "1"), "dev"));
    }
}
