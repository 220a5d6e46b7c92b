//! What the configuration accepts, the authorizer has to accept too: a function that refuses its own environment answers
//! 500 to everybody.

use std::path::Path;

use authorizer::gate::Settings;
use gwctl::config::{self, Configuration};
use gwctl::model::Found;
use gwctl::stack::{self, Zips};
use serde_json::Value;

const AUTH_HOST: &str = "abc123def4.execute-api.ap-southeast-1.amazonaws.com";

fn load() -> Configuration {
    let (configuration, faults) = config::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(!faults.has_errors(), "{}", faults.render(false));
    configuration
}

/// The environment variables of the functions of every environment.
fn variables(configuration: &Configuration) -> Vec<Value> {
    let mut found = Vec::new();
    for environment in &configuration.environments {
        let expansion = stack::expand(configuration, environment, &Zips::UNBUILT, &Found::nothing()).unwrap().unwrap();
        let functions = expansion.desired.into_iter().filter(|one| one.address.kind() == "lambda-function");
        found.extend(functions.map(|one| one.spec["environment"].clone()));
    }
    found
}

fn read(variables: &Value) -> Result<Settings, String> {
    Settings::read(|name| variables[name].as_str().map(str::to_owned)).map_err(|faults| faults.to_string())
}

#[test]
fn every_environment_of_the_repository_is_one_the_authorizer_takes() {
    let all = variables(&load());
    assert!(all.len() >= 16, "two functions in each of eight environments");
    for one in all {
        read(&one).unwrap_or_else(|faults| panic!("{faults}: {one}"));
    }
}

#[test]
fn the_ends_of_what_the_configuration_takes_are_taken_too() {
    let mut configuration = load();
    configuration.environments.truncate(1);
    for timeout in config::limits::AUTH_TIMEOUT_MS.into_inner_ends() {
        configuration.environments[0].gate.settings.authorizer.auth_timeout_ms = Some(timeout);
        configuration.environments[0].gate.settings.authorizer.auth_host = Some(format!("{AUTH_HOST}:8443/dev"));
        for one in variables(&configuration) {
            read(&one).unwrap_or_else(|faults| panic!("{faults}: {one}"));
        }
    }
}

/// The two ends of a range, as the settings hold them.
trait Ends {
    fn into_inner_ends(self) -> [u64; 2];
}

impl Ends for std::ops::RangeInclusive<i64> {
    fn into_inner_ends(self) -> [u64; 2] {
        [*self.start(), *self.end()].map(|end| u64::try_from(end).unwrap())
    }
}
