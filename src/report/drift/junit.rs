//! Drift as JUnit XML, which every CI system shows: one suite an environment, one test case a resource.

use std::fmt::Write as _;

use super::super::layout::Page;
use super::{entry, standing};
use crate::drift::{Drift, Finding, Looked, Standing};

/// The whole report. What drifted is a failure, what could not be read an error.
#[must_use]
pub fn junit(all: &[Looked]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    let mut suites = String::new();
    for one in all {
        let suite = match &one.drift {
            Ok(drift) => suite(&one.label, drift),
            Err(failure) => {
                let message = escaped(&failure.to_string());
                let case = format!(
                    "    <testcase classname=\"{0}\" name=\"{0}\">\n      <error message=\"{message}\"/>\n    </testcase>\n",
                    escaped(&one.label)
                );
                Suite { tests: 1, failures: 0, errors: 1, cases: case }
            }
        };
        tests += suite.tests;
        failures += suite.failures;
        errors += suite.errors;
        // Writing to a string can't fail.
        let _ = write!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}  </testsuite>\n",
            escaped(&one.label),
            suite.tests,
            suite.failures,
            suite.errors,
            suite.cases
        );
    }
    let _ = write!(
        xml,
        "<testsuites name=\"gwctl drift\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{suites}</testsuites>\n"
    );
    xml
}

struct Suite {
    tests: usize,
    failures: usize,
    errors: usize,
    cases: String,
}

fn suite(label: &str, drift: &Drift) -> Suite {
    let summary = drift.summary();
    let cases = drift.findings.iter().map(|finding| case(label, finding)).collect();
    Suite { tests: drift.findings.len(), failures: summary.drift(), errors: summary.unknown, cases }
}

fn case(label: &str, finding: &Finding) -> String {
    let head = format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(label), escaped(finding.address.as_str()));
    let element = match finding.standing {
        Standing::InSync => return format!("{head}/>\n"),
        Standing::Unknown => "error",
        Standing::Drifted | Standing::Missing | Standing::Unmanaged => "failure",
    };
    let mut details = Vec::new();
    // Memory takes every write.
    let _ = Page { width: 100, color: false, verbose: false }.entries(&[entry(finding, false)], "", &mut details);
    let details = String::from_utf8_lossy(&details).into_owned();
    format!(
        "{head}>\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>\n",
        escaped(standing(finding)),
        escaped(&details)
    )
}

/// The text for XML 1.0, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\n' | '\t' => written.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => written.push('\u{fffd}'),
            c => written.push(c),
        }
    }
    written
}
