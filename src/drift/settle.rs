//! What ends a drift: the command that puts back what the configuration says, or what to write into the configuration so
//! that it says what AWS has.

use serde_json::Value;

use super::{Finding, Standing};
use crate::model::diff::FieldChange;
use crate::model::{Owner, canonical};

/// Where a field of a kind comes from: the kind, the dotted field in its spec, and the setting of an environment file. A `*`
/// stands for one name, which the setting takes over. Variables are not among them: their values may be secrets, which no
/// advice repeats.
const SETTINGS: [(&str, &str, &str); 18] = [
    ("stage", "method_settings.*/*.throttling_rate_limit", "throttling_rate_limit"),
    ("stage", "method_settings.*/*.throttling_burst_limit", "throttling_burst_limit"),
    ("stage", "method_settings.*/*.logging_level", "logging_level"),
    ("stage", "method_settings.*/*.data_trace", "data_trace"),
    ("stage", "method_settings.*/*.metrics", "metrics"),
    ("stage", "xray", "xray_tracing"),
    ("stage", "access_log.format", "log_format"),
    ("rest-api", "description", "description"),
    ("rest-api", "binary_media_types", "binary_media_types"),
    ("rest-api", "minimum_compression_size", "minimum_compression_size"),
    ("lambda-function", "memory_mb", "authorizer.memory_size"),
    ("lambda-function", "timeout_seconds", "authorizer.timeout"),
    ("lambda-function", "architecture", "authorizer.architecture"),
    ("log-group", "retention_in_days", "retention_in_days"),
    ("execution-log-group", "retention_in_days", "retention_in_days"),
    ("lambda-function", "tags.*", "tags.*"),
    ("rest-api", "tags.*", "tags.*"),
    ("stage", "tags.*", "tags.*"),
];

/// What ends a finding, best first; nothing where there is nothing to end.
#[must_use]
pub fn of(finding: &Finding, owner: &Owner) -> Vec<String> {
    let apply = apply(owner);
    match finding.standing {
        Standing::InSync => Vec::new(),
        Standing::Missing => vec![format!("{apply} makes it anew")],
        Standing::Unknown => vec!["end what keeps it from being read, and run this again".to_owned()],
        Standing::Unmanaged => vec![delete(finding)],
        Standing::Drifted => {
            let mut ways = vec![if finding.both_moved {
                format!("{apply} makes it what the configuration says now")
            } else {
                format!("{apply} puts it back")
            }];
            ways.extend(keep(finding, owner));
            ways
        }
    }
}

/// The command that applies an environment.
#[must_use]
pub fn apply(owner: &Owner) -> String {
    format!("`gwctl apply --product {} --env {}`", owner.product, owner.environment)
}

/// What to write into the environment's file to keep what AWS has; nothing where some field is no setting of it.
fn keep(finding: &Finding, owner: &Owner) -> Option<String> {
    if finding.changes.is_empty() {
        return None;
    }
    // The internal gateway has settings of its own; the other stacks have other files.
    if finding.address.stack() != "gate" {
        return None;
    }
    let settings: Option<Vec<String>> =
        finding.changes.iter().map(|change| setting(finding.address.kind(), change)).collect();
    let file = format!("environments/{}/{}.json", owner.product, owner.environment);
    Some(format!("to keep it, write {} into {file}", settings?.join(", ")))
}

fn setting(kind: &str, change: &FieldChange) -> Option<String> {
    let after = change.after.as_ref()?;
    SETTINGS.iter().filter(|(of, ..)| *of == kind).find_map(|(_, field, setting)| {
        let name = match field.strip_suffix(".*") {
            None => (change.dotted() == *field).then(String::new)?,
            Some(parent) => match change.path.as_slice() {
                [first, name] if first == parent && !name.starts_with("gwctl:") => name.clone(),
                _ => return None,
            },
        };
        Some(written(&setting.replace('*', &name), after))
    })
}

/// `"authorizer": {"timeout": 5}`
fn written(setting: &str, value: &Value) -> String {
    let (first, rest) = match setting.split_once('.') {
        Some((first, rest)) => (first, format!("{{{}}}", written_member(rest, value))),
        None => (setting, canonical(value)),
    };
    format!("`{}: {rest}`", canonical(&first.into()))
}

fn written_member(name: &str, value: &Value) -> String {
    format!("{}: {}", canonical(&name.into()), canonical(value))
}

/// How somebody removes what is not ours.
fn delete(finding: &Finding) -> String {
    let text = |field: &str| finding.live.as_ref().and_then(|live| live.get(field)).and_then(Value::as_str);
    let name = finding.name.as_deref().unwrap_or_default();
    let command = match (finding.address.kind(), text("rest_api"), name.split_once(':')) {
        ("stage", Some(api), _) => Some(format!("aws apigateway delete-stage --rest-api-id {api} --stage-name {name}")),
        ("function-alias", _, Some((function, alias))) => {
            Some(format!("aws lambda delete-alias --function-name {function} --name {alias}"))
        }
        _ => None,
    };
    match command {
        Some(command) => format!("delete it if nobody needs it: `{command}`"),
        None => "delete it if nobody needs it; gwctl leaves it alone".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::classify::judged;
    use crate::model::Address;
    use serde_json::json;

    fn drifted(address: &str, changes: &[(&[&str], Value)]) -> Vec<String> {
        let owner = Owner { product: "product-a".into(), environment: "dev".into() };
        let mut finding = judged(&Address::parse(address).unwrap(), None, Standing::Drifted, None);
        finding.changes = changes
            .iter()
            .map(|(path, after)| FieldChange {
                path: path.iter().map(|part| (*part).to_owned()).collect(),
                before: Some(json!(0)),
                after: Some(after.clone()),
                after_unknown: false,
            })
            .collect();
        of(&finding, &owner)
    }

    #[test]
    fn a_setting_can_be_taken_into_the_configuration() {
        let rate: &[&str] = &["method_settings", "*/*", "throttling_rate_limit"];
        let stage = drifted("gate/stage/gateway", &[(rate, json!(5.0)), (&["tags", "team"], json!("red"))]);
        assert_eq!(stage[0], "`gwctl apply --product product-a --env dev` puts it back");
        assert_eq!(
            stage[1],
            "to keep it, write `\"throttling_rate_limit\": 5.0`, `\"tags\": {\"team\": \"red\"}` into \
             environments/product-a/dev.json"
        );
        let memory = drifted("gate/lambda-function/authorizer", &[(&["memory_mb"], json!(512))]);
        assert!(memory[1].contains("`\"authorizer\": {\"memory_size\": 512}`"), "{memory:?}");
    }

    #[test]
    fn what_no_setting_says_is_put_back() {
        let both: [(&[&str], Value); 2] = [(&["xray"], json!(false)), (&["deployment"], json!("abc"))];
        assert_eq!(drifted("gate/stage/gateway", &both).len(), 1);
        assert_eq!(drifted("gate/stage/gateway", &[(&["tags", "gwctl:digest"], json!("x"))]).len(), 1);
        assert_eq!(drifted("system/stage/gateway", &both[..1]).len(), 1);
    }
}
