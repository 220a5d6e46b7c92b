//! Whole configurations, right and wrong, as files on disk.

mod channels;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::*;

const DEV: &str = "environments/product-a/dev.json";
const POLICY: &str = "stacks/gate/policy.json";
const GATEWAY_RESPONSES: &str = "stacks/gate/gateway_responses.json";
const NORMAL: &str = "stacks/gate/routes/normal_path.json";

/// A file as a team brings it from Terraform, with nothing in it that gwctl added.
const DEV_TEXT: &str = r#"{
  "app_group": "product-a",
  "gateway_stage_name": "dev",
  "vpc_link_id": "xxxxxx",
  "vpc_id": "vpc-xxxxxxxxx",
  "private_subnet": ["subnet-aaa", "subnet-bbb"],
  "throttling_rate_limit": 10000,
  "throttling_burst_limit": 10000,
  "authorizer_result_ttl": 10,
  "gateway_api": {
    "normal_path": [
      {"service_path": "/order-service/{proxy+}"},
      {"service_path": "/user-bff-service/{proxy+}"},
      {"service_path": "/payment-service/{proxy+}"}
    ],
    "normal_non_ttl_path": [
      {"service_path": "/user-bff-service/api/v1/account/status"},
      {"service_path": "/user-bff-service/api/v1/account/merge"}
    ],
    "white_path": [
      {"service_path": "/auth-service/api/oauth/callback/{proxy+}"},
      {"service_path": "/auth-service/api/v1/oauth/{proxy+}"},
      {"service_path": "/order-service/api/v1/public/{proxy+}"}
    ],
    "through_path": [
      {
        "pass_through_source_path": "/user-bff-service/api/v1/agreements",
        "pass_through_target_path": "https://internal-api.example.com/platform/api/v1/agreements"
      }
    ]
  }
}
"#;

const DEFAULTS_TEXT: &str = r#"{
  // what every environment starts from
  "throttling_rate_limit": 500,
  "throttling_burst_limit": 250,
  "authorizer_result_ttl": 30,
  "log_format": {"requestId": "$context.requestId", "status": "$context.status"},
  "retention_in_days": 7,
  "binary_media_types": ["multipart/form-data"],
  "xray_tracing": true,
  "logging_level": "INFO",
  "data_trace": true,
  "metrics": true,
  "ingress": {
    "service_host": "${service}-${env}.k8s-internal.example.com",
    "default_host": "k8s-internal.example.com",
    "scheme": "http"
  },
  "authorizer": {
    "architecture": "arm64",
    "memory_size": 128,
    "timeout": 15,
    "runtime": "provided.al2023",
    "handler": "bootstrap",
    "identity_source": ["method.request.header.Authorization"]
  },
  "endpoint_type": "REGIONAL"
}
"#;

const TARGETS_TEXT: &str = r#"[dev]
account = "111122223333"
region = "ap-southeast-1"
profile = "dev_admin"
"#;

fn template(entry: &str) -> String {
    format!(r#"{{"description": "d", "entry": {entry}, "path_item": {{"x": "${{vpc_link_id}}"}}}}"#)
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("create the folder");
    fs::write(path, text).expect("write the file");
}

/// A configuration without faults: product-a in dev.
fn good() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let service = template(r#"{"path": "service_path"}"#);
    for name in ["normal_path", "normal_non_ttl_path", "white_path"] {
        write(root.path(), &format!("stacks/gate/routes/{name}.json"), &service);
    }
    let through = template(r#"{"path": "pass_through_source_path", "target": "pass_through_target_path"}"#);
    write(root.path(), "stacks/gate/routes/through_path.json", &through);
    write(root.path(), DEFAULTS, DEFAULTS_TEXT);
    write(root.path(), GATEWAY_RESPONSES, "{}");
    write(root.path(), POLICY, "{}");
    write(root.path(), TARGETS, TARGETS_TEXT);
    write(root.path(), DEV, DEV_TEXT);
    root
}

fn load_good(root: &TempDir) -> Environment {
    let (configuration, faults) = load(root.path());
    assert!(faults.is_empty(), "{}", faults.render(false));
    configuration.environments.into_iter().next().expect("one environment")
}

/// Replaces `from`, which is there once, in a file of a good configuration.
fn edit(root: &TempDir, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(root.path().join(path)).expect("read the file");
    assert_eq!(text.matches(from).count(), 1, "{from:?} must be in {path} once");
    write(root.path(), path, &text.replace(from, to));
}

/// One fault: the file, what is replaced in it by what (`«` is where the fault must begin, and is taken out), a part
/// of the message and a part of the hint.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn check_cases(cases: &[Case]) {
    for (path, from, to, message, hint) in cases {
        let root = good();
        edit(&root, path, from, to);
        let marked = fs::read_to_string(root.path().join(path)).expect("read the file");
        let (before, _) = marked.split_once('«').unwrap_or_else(|| panic!("{to:?} marks no place"));
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        write(root.path(), path, &marked.replace('«', ""));

        let (configuration, faults) = load(root.path());
        let shown = faults.render(false);
        assert_eq!(faults.len(), 1, "{to}\n{shown}");
        let fault = faults.iter().next().expect("one fault");
        let place = fault.span.as_ref().map(Span::line_column);
        assert_eq!(place, Some((line, column)), "{to}\n{shown}");
        assert_eq!(fault.file, Path::new(path), "{shown}");
        assert!(fault.message.contains(message), "{message:?} is not in\n{shown}");
        assert!(fault.hint.as_deref().unwrap_or_default().contains(hint), "{hint:?} is not in\n{shown}");
        assert!(!fault.message.ends_with('.'), "{shown}");
        if fault.severity == Severity::Error && path.starts_with("environments/product") {
            assert!(configuration.environments.is_empty(), "a faulty environment is not given out: {to}");
        }
    }
}

#[test]
fn the_files_of_a_team_load_unchanged() {
    let environment = load_good(&good());
    let settings = &environment.gate.as_ref().unwrap().settings;
    assert_eq!((environment.product.as_str(), environment.name.as_str()), ("product-a", "dev"));
    assert_eq!(settings.vpc_link, VpcLink::Id("xxxxxx".to_owned()));
    assert_eq!(settings.private_subnet, ["subnet-aaa", "subnet-bbb"]);
    assert_eq!(settings.authorizer_result_ttl, 10);
    assert_eq!(environment.gate.as_ref().unwrap().routes.len(), 9);
    assert!(environment.system.is_none());
    let through = environment.gate.as_ref().unwrap().routes.last().expect("a route");
    assert_eq!(through.kind, "through_path");
    assert_eq!(through.path, "/user-bff-service/api/v1/agreements");
    let target = "https://internal-api.example.com/platform/api/v1/agreements";
    assert_eq!(through.target.as_deref(), Some(target));
    assert_eq!(through.target_span.as_ref().map(Span::text), Some(format!("\"{target}\"").as_str()));
    assert_eq!(environment.target.partition, "aws");
    assert_eq!(environment.target.profile.as_deref(), Some("dev_admin"));
}

#[test]
fn the_environment_goes_before_the_defaults_key_by_key() {
    let root = good();
    let own = r#""authorizer_result_ttl": 0, "authorizer": {"memory_size": 256}, "log_format": "$context.requestId",
  "binary_media_types": null,"#;
    edit(&root, DEV, r#""authorizer_result_ttl": 10,"#, own);
    edit(&root, DEV, r#"  "throttling_burst_limit": 10000,"#, "");
    let settings = load_good(&root).gate.unwrap().settings;
    assert!((settings.throttling_rate_limit - 10000.0).abs() < f64::EPSILON);
    assert_eq!(settings.throttling_burst_limit, 250);
    assert_eq!((settings.authorizer.memory_size, settings.authorizer.timeout), (256, 15));
    assert_eq!(settings.log_format, LogFormat::Line("$context.requestId".to_owned()));
    assert_eq!(settings.authorizer_result_ttl, 0);
    assert_eq!(settings.retention_in_days, 7);
    assert!(settings.binary_media_types.is_empty(), "null takes a default away");
}

#[test]
fn syntax_keys_and_types() {
    check_cases(&[
        (DEV, r#""vpc_link_id": "xxxxxx","#, r#""vpc_link_id": "xxxxxx"«"#, "expected comma", "put a comma"),
        (DEV, "}\n    ]\n  }\n}", "}\n    ]\n  }«,\n}", "trailing commas are not allowed", "remove the last comma"),
        (DEV, r#""vpc_link_id": "xxxxxx","#, r#""vpc_link_id": «'xxxxxx',"#, "single-quoted", "double quotes"),
        (POLICY, "{}", "«{\"a\": 1", "unterminated object", "this `{` has no `}`"),
        (POLICY, "{}", "«[]", "is a list, but must be an object", "in braces"),
        (POLICY, "{}", "// nothing yet\n«", "the file holds no value", "write an object"),
        (
            DEV,
            r#""vpc_id": "vpc-xxxxxxxxx""#,
            r#""vpc_id": "v", «"vpc_id": "w""#,
            "`vpc_id` is given twice",
            "keep one",
        ),
        (DEV, "10,", "«1e999,", "not a number JSON can hold", "plain digits"),
        (
            DEV,
            r#""vpc_id": "#,
            r#"«"vpc_idd": "#,
            "`vpc_idd` is not a key of this environment file",
            "did you mean `vpc_id`?",
        ),
        (
            DEV,
            r#""authorizer_result_ttl": 10"#,
            r#"«"athorizer_result_ttl": 10"#,
            "not a key",
            "`authorizer_result_ttl`?",
        ),
        (DEV, r#""vpc_id": "#, r#"«"zzzzzzz": "#, "`zzzzzzz` is not a key", "known: "),
        (
            DEV,
            r#"{
  "app_group": "product-a","#,
            "«{",
            "`app_group` is missing from this environment file",
            "add `\"app_group\": …` to it",
        ),
        (
            DEV,
            r#""vpc_link_id": "xxxxxx","#,
            r#""vpc_link_id": «7,"#,
            "`vpc_link_id` is a number, but must be a string",
            "`\"7\"`",
        ),
        (
            DEV,
            r#""authorizer_result_ttl": 10"#,
            r#""authorizer_result_ttl": «"10""#,
            "is a string, but must be a whole number",
            "take away the quotes: `10`",
        ),
        (
            DEV,
            r#""authorizer_result_ttl": 10"#,
            r#""authorizer_result_ttl": «1.5"#,
            "is 1.5, but must be a whole number",
            "without a fraction",
        ),
        (
            DEV,
            r#"["subnet-aaa", "subnet-bbb"]"#,
            r#"«"subnet-aaa""#,
            "is a string, but must be a list",
            r#"`["subnet-aaa"]`"#,
        ),
        (DEV, r#"["subnet-aaa", "subnet-bbb"]"#, r#"["subnet-aaa", «7]"#, "`private_subnet[1]` is a number", "quotes"),
        (DEV, r#"["subnet-aaa", "subnet-bbb"]"#, r#"["subnet-aaa", «"subnet-aaa"]"#, "listed twice", "keep one"),
        (DEV, r#""xxxxxx""#, r#"«"""#, "`vpc_link_id` is empty", "give it a value"),
        (
            DEV,
            "\"app_group\"",
            "\"metrics\": «\"true\", \"app_group\"",
            "is a string, but must be `true` or `false`",
            "`true`",
        ),
        (DEV, "\"app_group\"", "\"tags\": «[], \"app_group\"", "is a list, but must be an object", "in braces"),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {«\"timout\": 3}, \"app_group\"",
            "`timout` is not a key of `authorizer`",
            "`timeout`?",
        ),
    ]);
}

#[test]
fn numbers_and_names_within_the_limits_of_aws() {
    check_cases(&[
        (
            DEV,
            r#""authorizer_result_ttl": 10"#,
            r#""authorizer_result_ttl": «3601"#,
            "between 0 and 3600 seconds",
            "at most an hour",
        ),
        (
            DEV,
            r#""authorizer_result_ttl": 10"#,
            r#""authorizer_result_ttl": «-1"#,
            "is -1, but must be between 0",
            "0 asks each time",
        ),
        (
            DEV,
            r#""throttling_rate_limit": 10000"#,
            r#""throttling_rate_limit": «-0.5"#,
            "is -0.5, but must be at least 0",
            "per second",
        ),
        (
            DEV,
            r#""throttling_rate_limit": 10000"#,
            r#""throttling_rate_limit": «0"#,
            "refuses every request",
            "close the gateway",
        ),
        (
            DEV,
            r#""throttling_burst_limit": 10000"#,
            r#""throttling_burst_limit": «-1"#,
            "is -1, but must be at least 0",
            "at once",
        ),
        (
            DEV,
            r#""gateway_stage_name": "dev""#,
            r#""gateway_stage_name": «"dev/1""#,
            "`dev/1` can't name a stage",
            "letters, digits",
        ),
        (
            DEV,
            r#""app_group": "product-a""#,
            r#""app_group": «"product a""#,
            "`product a` can't be part of the name",
            "letters",
        ),
        (
            DEV,
            r#""app_group": "product-a""#,
            r#""app_group": «"a-product-with-a-name-of-forty-characters""#,
            "has 68 characters",
            "use at most 37",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"retention_in_days\": «31, \"app_group\"",
            "can't keep events for 31 days",
            "`30` or `60`",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"logging_level\": «\"DEBUG\", \"app_group\"",
            "can't be `DEBUG`",
            "`OFF` or `ERROR` or `INFO`",
        ),
        (DEV, "\"app_group\"", "\"endpoint_type\": «\"EDGE\", \"app_group\"", "can't be `EDGE`", "write `REGIONAL`"),
        (
            DEV,
            "\"app_group\"",
            "\"minimum_compression_size\": «10485761, \"app_group\"",
            "between 0 and 10485760",
            "leave it out",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"binary_media_types\": [«\"png\"], \"app_group\"",
            "`png` is no media type",
            "image/*",
        ),
        (
            DEV,
            "\"app_group\"",
            "«\"log_format\": {\"ip\": \"x\"}, \"app_group\"",
            "does not have `$context.requestId`",
            "refuses",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"log_format\": «\"$context.requestId\\n\", \"app_group\"",
            "more than one line",
            "one line",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"tags\": {«\"gwctl:product\": \"x\"}, \"app_group\"",
            "begins with `gwctl:`",
            "another name",
        ),
        (DEV, "\"app_group\"", "\"tags\": {«\"AWS:x\": \"x\"}, \"app_group\"", "begins with `aws:`", "AWS's own"),
        (
            DEV,
            "\"app_group\"",
            "\"tags\": {\"a\": «\"x;y\"}, \"app_group\"",
            "';' can't be in the value of a tag",
            "allowed",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"stage_variables\": {«\"a-b\": \"x\"}, \"app_group\"",
            "`a-b` can't name a stage variable",
            "letters",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"stage_variables\": {\"a\": «\"x y\"}, \"app_group\"",
            "`x y` can't be the value",
            "at least one",
        ),
    ]);
}

#[test]
fn ingress_and_authorizer() {
    check_cases(&[
        (
            DEV,
            "\"app_group\"",
            "\"ingress\": {\"service_host\": \"«${svc}.x.com\"}, \"app_group\"",
            "unknown placeholder `${svc}`",
            "`${service}` and `${env}`",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"ingress\": {\"default_host\": «\"http://x.com\"}, \"app_group\"",
            "`http://x.com` is no host name",
            "without scheme",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"ingress\": {\"scheme\": «\"tcp\"}, \"app_group\"",
            "`scheme` can't be `tcp`",
            "`http` or `https`",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"memory_size\": «64}, \"app_group\"",
            "between 128 and 10240 MiB",
            "128",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"architecture\": «\"arm\"}, \"app_group\"",
            "can't be `arm`",
            "`arm64` or `x86_64`",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"zip\": «\"../a.zip\"}, \"app_group\"",
            "outside the configuration root",
            "absolute",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {«\"identity_source\": []}, \"app_group\"",
            "no `identity_source` to keep them by",
            "to 0",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"identity_source\": [«\"Authorization\"]}, \"app_group\"",
            "no identity source",
            "method.request.header",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"environment\": {«\"AWS_REGION\": \"x\"}}, \"app_group\"",
            "Lambda sets `AWS_REGION` itself",
            "another name",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"auth_host\": «\"https://a.b/dev\"}, \"app_group\"",
            "is no host name",
            "without a scheme",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"auth_path\": «\"validate\"}, \"app_group\"",
            "no leading slash",
            "write `/validate`",
        ),
        (
            DEV,
            "\"app_group\"",
            "\"authorizer\": {\"timeout\": 10, \"auth_timeout_ms\": «12000}, \"app_group\"",
            "stopped after 10 s",
            "shorter",
        ),
        (
            DEV,
            r#"  "private_subnet": ["subnet-aaa", "subnet-bbb"],"#,
            "  «\"security_group_ids\": [\"sg-1\"],",
            "no subnets",
            "add `private_subnet`",
        ),
    ]);
}

#[test]
fn paths_and_targets() {
    const PAYMENT: &str = r#""/payment-service/{proxy+}""#;
    const SOURCE: &str = r#""/user-bff-service/api/v1/agreements""#;
    const TARGET: &str = r#""https://internal-api.example.com/platform/api/v1/agreements""#;
    check_cases(&[
        (DEV, PAYMENT, r#""«payment-service/{proxy+}""#, "no leading slash", "write `/payment-service/{proxy+}`"),
        (DEV, PAYMENT, r#""/payment-service«/""#, "ends in a slash", "write `/payment-service`"),
        (DEV, PAYMENT, r#""/payment-service«//x""#, "has an empty part", "write `/payment-service/x`"),
        (DEV, PAYMENT, r#""/payment-service/«{proxy+}/x""#, "is not the last part", "end the path with it"),
        (DEV, PAYMENT, r#""/payment-service/{a}/«{a}""#, "two parameters `a`", "different names"),
        (DEV, PAYMENT, r#""/payment-service/«{a}.json""#, "`{a}.json` is no path parameter", "whole path part"),
        (DEV, PAYMENT, r#""/payment-service/«a%20b""#, "refuses '%' in a path part", "letters, digits"),
        (DEV, PAYMENT, r#""/«{service}/{proxy+}""#, "begins with the parameter `{service}`", "/order-service/"),
        (DEV, PAYMENT, r#"«"/order-service/{proxy+}""#, "is listed twice", "take one away"),
        (
            DEV,
            r#""/auth-service/api/v1/oauth/{proxy+}""#,
            r#"«"/payment-service/{proxy+}""#,
            "has two route types: `white_path` here and `normal_path` at environments/product-a/dev.json:14:24",
            "one type",
        ),
        (
            DEV,
            PAYMENT,
            r#""/order-service/«{id}""#,
            "two parameters stand below `/order-service/`: `{id}` here and `{proxy+}` at",
            "write `{proxy+}`",
        ),
        (
            DEV,
            r#""/order-service/api/v1/public/{proxy+}""#,
            r#""/order-service/«{id}/x""#,
            "two parameters stand below",
            "one at a place",
        ),
        (
            DEV,
            TARGET,
            r#"«"internal-api.example.com/platform""#,
            "no http or https URL",
            "`https://internal-api.example.com/platform`",
        ),
        (DEV, TARGET, r#"«"ftp://internal-api.example.com""#, "no http or https URL", "begin it with `https://`"),
        (DEV, TARGET, r#"«"https:///platform""#, "no http or https URL", "name a host"),
        (DEV, TARGET, r#"«"https://u:p@example.com/x""#, "user name or password", "take them out"),
        (DEV, TARGET, r#"«"http://example.com:22/x""#, "can't reach port 22", "1024"),
        (
            DEV,
            TARGET,
            r#""https://example.com/«{id}""#,
            "the parameter `id`, which the path does not have",
            "add `/{id}`",
        ),
        (DEV, TARGET, r#""https://example.com/«{id""#, "has no partner", "`{name}`"),
        (DEV, TARGET, r#"«"https://{id}.example.com/x""#, "a parameter in its host", "in the path"),
        (DEV, SOURCE, "«7", "is a number, but must be a string", "`\"7\"`"),
        (
            DEV,
            r#"{"service_path": "/payment-service/{proxy+}"}"#,
            r#"{"service_path": "/p/{proxy+}", «"service_pth": "x"}"#,
            "not a key of a `normal_path` entry",
            "take it away; the keys are service_path",
        ),
        (
            DEV,
            r#"{"service_path": "/payment-service/{proxy+}"}"#,
            "«{}",
            "`service_path` is missing from a `normal_path` entry",
            "add",
        ),
        (
            DEV,
            r#"{"service_path": "/payment-service/{proxy+}"}"#,
            r#"«"/payment-service""#,
            "`normal_path[2]` is a string, but must be an object",
            "braces",
        ),
        (
            DEV,
            r#""normal_path": ["#,
            r#"«"nromal_path": ["#,
            "there is no route template `nromal_path`",
            "did you mean `normal_path`?",
        ),
    ]);
}

#[test]
fn rates_of_targets() {
    check_cases(&[
        (TARGETS, "\"dev_admin\"", "\"x\"\nrates = «5", "`rates` is a number, but must be an object", "{ … }"),
        (TARGETS, "\"dev_admin\"", "\"x\"\nrates = { percent = «0 }", "must be between 1 and 100", "leave it out"),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrates = { «\"apigateway:CreateDeploymnt\" = \"1/10s\" }",
            "no rate of AWS's is known by the name `apigateway:CreateDeploymnt`",
            "did you mean `apigateway:CreateDeployment`?",
        ),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrates = { apigateway = «\"10 a second\" }",
            "`10 a second` is no rate",
            "`10/s`, `1/5s`",
        ),
    ]);
}

#[test]
fn stacks_and_targets() {
    check_cases(&[
        (
            DEFAULTS,
            r#""retention_in_days": 7"#,
            r#""retention_in_days": «"7""#,
            "is a string, but must be a whole number",
            "`7`",
        ),
        (
            DEFAULTS,
            r#""metrics": true"#,
            r#""metrics": true, «"metrix": true"#,
            "`metrix` is not a key of the defaults",
            "known: ",
        ),
        (
            DEFAULTS,
            r#""metrics": true"#,
            r#""metrics": true, «"vpc_link_id": "x""#,
            "can't have a default",
            "each environment file",
        ),
        (NORMAL, r#""entry": {"path": "service_path"}"#, r#""entry": «{}"#, "`path` is missing from `entry`", "add"),
        (
            NORMAL,
            r#"{"path": "service_path"}"#,
            r#"{"path": "a", "values": [«"a"]}"#,
            "can't both stand under `a`",
            "its own key",
        ),
        (NORMAL, r#""description""#, r#"«"descripton""#, "not a key of this route template", "`description`?"),
        (TARGETS, r#""111122223333""#, r#"«"1111""#, "`1111` is no AWS account id", "twelve digits"),
        (TARGETS, r#""111122223333""#, "«111122223333", "is a number, but must be a string", "quotes"),
        (
            TARGETS,
            r#""ap-southeast-1""#,
            r#"«"ap-southeast-1a""#,
            "`ap-southeast-1a` is no AWS Region",
            "without a zone's letter",
        ),
        (TARGETS, "profile =", "«profil =", "`profil` is not a key of this target", "did you mean `profile`?"),
        (
            TARGETS,
            "profile = \"dev_admin\"",
            "partition = «\"aws-cn\"",
            "not in the partition `aws-cn`",
            "it is in `aws`",
        ),
        (TARGETS, "\"dev_admin\"", "\"x\"\nrole = «\"deployer\"", "`deployer` is no ARN of a role", "arn:aws:iam"),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrole = «\"arn:aws:iam::999999999999:role/d\"",
            "of the account 999999999999",
            "resources are made there",
        ),
        (TARGETS, "\"dev_admin\"", "\"x\"\nexternal_id = «\"x\"", "of no use without a `role`", "add the `role`"),
        (TARGETS, "\"dev_admin\"", "\"x\"\nsession_name = «\"x\"", "of no use without a `role`", "add the `role`"),
        (TARGETS, "\"dev_admin\"", "\"x\"\nmfa_serial = «\"x\"", "of no use without a `role`", "add the `role`"),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrole = \"arn:aws:iam::111122223333:role/d\"\nsession_name = «\"on call\"",
            "`on call` can't be a `session_name`",
            "2 to 64 letters",
        ),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrole = \"arn:aws:iam::111122223333:role/d\"\nmfa_serial = «\"anna\"",
            "`anna` can't be a `mfa_serial`",
            "arn:aws:iam::111122223333:mfa/anna",
        ),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\nrole = \"arn:aws:iam::111122223333:role/d\"\nmfa_serial = «\"arn:aws-cn:iam::111122223333:mfa/anna\"",
            "in the partition `aws-cn`, the Region in `aws`",
            "name a device",
        ),
        (TARGETS, "\"dev_admin\"", "\"x\"\nendpoint_url = «\"localhost\"", "no http or https URL", "http://127.0.0.1"),
        (
            TARGETS,
            "[dev]\naccount = \"111122223333\"",
            "«[dev]",
            "`account` is missing from this target",
            "add `account = …`",
        ),
        (
            TARGETS,
            "\"dev_admin\"",
            "\"x\"\n[«qa]\naccount = \"111122223333\"\nregion = \"eu-west-1\"",
            "no product has an environment `qa`",
            "known: dev",
        ),
        (TARGETS, "\"dev_admin\"", "«dev_admin", "not valid TOML", "toml.io"),
    ]);
}

#[test]
fn all_faults_of_one_file_come_in_one_run_in_its_order() {
    let root = good();
    edit(&root, DEV, r#""vpc_id": "#, r#""vpc_idd": "#);
    edit(&root, DEV, r#""authorizer_result_ttl": 10"#, r#""authorizer_result_ttl": 9999"#);
    edit(&root, DEV, r#""/payment-service/{proxy+}""#, r#""payment-service//{proxy+}/x""#);
    edit(&root, DEV, r#""/order-service/api/v1/public/{proxy+}""#, r#""/order-service/{id}""#);
    edit(&root, DEV, r#""https://internal-api.example.com/platform/api/v1/agreements""#, r#""mailto:x""#);
    edit(&root, TARGETS, r#""ap-southeast-1""#, r#""here""#);
    let (_, faults) = load(root.path());
    let places: Vec<String> = faults.iter().filter_map(|fault| fault.span.as_ref()).map(ToString::to_string).collect();
    let dev = |place: &str| format!("{DEV}:{place}");
    let expected = [
        dev("5:3"),
        dev("9:28"),
        dev("14:25"),
        dev("14:40"),
        dev("14:42"),
        dev("23:40"),
        dev("28:37"),
        format!("{TARGETS}:3:10"),
    ];
    assert_eq!(places, expected, "{}", faults.render(false));
    assert_eq!(faults.to_failure().to_string(), "8 faults in the configuration");
    assert_eq!(faults.to_json().as_array().map(Vec::len), Some(8));
}

#[test]
fn a_fault_in_the_defaults_is_one_however_many_environments_there_are() {
    let root = good();
    write(root.path(), "environments/product-b/dev.json", &DEV_TEXT.replace("product-a", "product-b"));
    edit(&root, DEFAULTS, r#""retention_in_days": 7"#, r#""retention_in_days": 8"#);
    let (configuration, faults) = load(root.path());
    assert_eq!(faults.len(), 1, "{}", faults.render(false));
    assert!(configuration.environments.is_empty());
    write(root.path(), DEFAULTS, "{");
    let (configuration, faults) = load(root.path());
    assert_eq!(faults.len(), 1, "what broken defaults would give is not missing: {}", faults.render(false));
    assert!(configuration.environments.is_empty());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for (path, message) in [
        (DEFAULTS, "the file is missing"),
        (TARGETS, "the file is missing"),
        (POLICY, "the file is missing"),
        (DEV, "there is no environment"),
    ] {
        let root = good();
        fs::remove_file(root.path().join(path)).expect("remove the file");
        let (_, faults) = load(root.path());
        let fault = faults.iter().find(|fault| fault.severity == Severity::Error).expect("a fault");
        assert!(fault.message.contains(message), "{path}: {}", fault.message);
        assert!(fault.span.is_none());
        assert_eq!(faults.errors(), 1, "{path}\n{}", faults.render(false));
    }
    let (_, faults) = load(&PathBuf::from("no/such/folder"));
    assert!(faults.has_errors() && faults.render(false).contains("--root"));
}

#[test]
fn names_of_files_are_checked_too() {
    let root = good();
    write(root.path(), "environments/product-a/dev.tfvars.json", DEV_TEXT);
    write(root.path(), "environments/product-a/qa.json", &DEV_TEXT.replace("\"dev\"", "\"qa\""));
    let (_, faults) = load(root.path());
    let shown = faults.render(false);
    assert!(shown.contains("rename the file to `dev.json`"), "{shown}");
    assert!(shown.contains("there is no target for the environment `qa`"), "{shown}");
    assert!(shown.contains("add `[qa]` with `account` and `region`"), "{shown}");
}

#[test]
fn two_products_must_not_make_the_same_names_in_one_place() {
    let root = good();
    write(root.path(), "environments/product-b/dev.json", DEV_TEXT);
    let (_, faults) = load(root.path());
    let shown = faults.render(false);
    assert_eq!(faults.len(), 1, "{shown}");
    assert!(shown.contains("`dev` of `product-a` and of `product-b` make resources of the same names"), "{shown}");
    assert!(shown.contains("environments/product-b/dev.json:2:16"), "{shown}");
    let override_ = "\n[products.product-b.dev]\nregion = \"cn-north-1\"\naccount = \"222233334444\"\n";
    write(root.path(), TARGETS, &format!("{TARGETS_TEXT}{override_}"));
    let (configuration, faults) = load(root.path());
    assert!(faults.is_empty(), "{}", faults.render(false));
    let target = configuration.targets.get("product-b", "dev").expect("a target");
    assert_eq!((target.partition.as_str(), target.profile.as_deref()), ("aws-cn", Some("dev_admin")));
    assert_eq!(
        configuration.targets.get("product-a", "dev").map(|target| target.region.as_str()),
        Some("ap-southeast-1")
    );
}

#[test]
fn a_target_may_give_away_less_than_all_of_a_rate() {
    let root = good();
    let rates = "\n[dev.rates]\npercent = 50\n\"apigateway:CreateDeployment\" = \"1/10s\"\n\n\
                 [products.product-a.dev.rates]\npercent = 25\n";
    write(root.path(), TARGETS, &format!("{TARGETS_TEXT}{rates}"));
    let (configuration, faults) = load(root.path());
    assert!(faults.is_empty(), "{}", faults.render(false));
    let target = configuration.targets.get("product-a", "dev").expect("a target");
    let rate = crate::rates::Rate { count: 1, seconds: 10 };
    assert_eq!(target.rates.percent, Some(25), "a product's own table lies on it key by key");
    assert_eq!(target.rates.rates.get("apigateway:CreateDeployment"), Some(&rate));
}

#[test]
fn more_routes_than_an_api_may_have_resources_are_refused() {
    let root = good();
    let entries = |count| -> String {
        (0..count).map(|index| format!("{{\"service_path\": \"/s{index}/{{proxy+}}\"}}")).collect::<Vec<_>>().join(", ")
    };
    let empty = r#""gateway_api": {"normal_path": [PATHS]}}"#;
    let (head, _) = DEV_TEXT.split_once("\"gateway_api\"").expect("the key");
    write(root.path(), DEV, &format!("{head}{}", empty.replace("PATHS", &entries(149))));
    assert_eq!(load_good(&root).gate.as_ref().unwrap().routes.len(), 149);
    write(root.path(), DEV, &format!("{head}{}", empty.replace("PATHS", &entries(150))));
    let (_, faults) = load(root.path());
    let fault = faults.iter().next().expect("a fault");
    assert_eq!(fault.message, "the routes of `gateway_api` make 301 resources, and a REST API may have 300");
}

#[test]
fn a_fifth_route_type_is_a_file_with_keys_of_its_own() {
    let root = good();
    let entry = r#"{"path": "from", "values": ["limit", "note"]}"#;
    write(root.path(), "stacks/gate/routes/slow_path.json", &template(entry));
    let list = r#""slow_path": [{"from": "/slow-service/{proxy+}", "limit": 5, "note": "n"}], "normal_path": ["#;
    edit(&root, DEV, r#""normal_path": ["#, list);
    let environment = load_good(&root);
    let route = environment.gate.as_ref().unwrap().routes.first().expect("a route");
    assert_eq!((route.kind.as_str(), route.path.as_str()), ("slow_path", "/slow-service/{proxy+}"));
    assert_eq!(json!(route.values), json!({"limit": 5, "note": "n"}));
    edit(&root, DEV, r#", "note": "n""#, "");
    let (_, faults) = load(root.path());
    assert!(faults.render(false).contains("`note` is missing from a `slow_path` entry"), "{}", faults.render(false));
}

#[test]
fn routes_of_a_broken_template_are_not_reported_a_second_time() {
    let root = good();
    edit(&root, NORMAL, "path_item", "path_itm");
    let (_, faults) = load(root.path());
    let files: Vec<&Path> = faults.iter().map(|fault| fault.file.as_path()).collect();
    assert_eq!(files, [Path::new(NORMAL), Path::new(NORMAL)], "{}", faults.render(false));
}

#[test]
fn a_selection_loads_only_what_it_names() {
    let root = good();
    write(root.path(), "environments/product-b/dev.json", "{ broken");
    let named = |name: &str| vec![name.to_owned()];
    let configuration =
        load_selected(root.path(), &named("product-a"), &named("dev"), false).expect("product-a is right");
    assert_eq!(configuration.environments.len(), 1);
    let error = load_selected(root.path(), &[], &[], true).expect_err("product-b is broken");
    assert!(matches!(&error, LoadError::Faults(faults) if faults.errors() == 1), "{error:?}");
    let error =
        load_selected(root.path(), &named("product-c"), &named("dev"), false).expect_err("there is no product-c");
    let failure = Failure::from(error);
    assert_eq!(failure.to_string(), "there is no product `product-c`");
    assert!(failure.hints().concat().contains("did you mean `product-"), "{:?}", failure.hints());
}

#[test]
fn a_byte_order_mark_and_windows_lines_change_nothing() {
    let root = good();
    write(root.path(), DEV, &format!("\u{feff}{}", DEV_TEXT.replace('\n', "\r\n").replace(": 10,", ": 4000,")));
    let (_, faults) = load(root.path());
    let fault = faults.iter().next().expect("a fault");
    assert_eq!(fault.span.as_ref().map(Span::line_column), Some((9, 28)));
    assert_eq!(faults.len(), 1);
}

#[test]
fn a_file_cut_off_anywhere_is_a_fault_with_a_place_inside_it() {
    for end in (1..DEV_TEXT.trim_end().len()).filter(|&end| DEV_TEXT.is_char_boundary(end)) {
        let file = SourceFile::new(DEV, &DEV_TEXT[..end]);
        let mut faults = Faults::default();
        assert!(parse_json(&file, &mut faults).is_none(), "cut at {end}");
        let span = faults.iter().next().and_then(|fault| fault.span.clone()).expect("a place");
        assert!(span.end <= end && !faults.render(false).is_empty());
    }
}

/// The environments of this repository, on the defaults of these tests.
#[test]
fn the_environments_of_the_repository_are_right() {
    // Tests run in the root of the package, which is what the path of this file is relative to.
    let here = Path::new(file!());
    let repository = here.ancestors().nth(3).expect("the root of the repository");
    let root = good();
    fs::remove_dir_all(root.path().join(ENVIRONMENTS)).expect("remove the environments of the test");
    let (products, names) = (["product-a", "product-b"], ["dev", "staging", "preprod", "prod"]);
    let files = products
        .iter()
        .flat_map(|product| names.iter().map(move |name| format!("{ENVIRONMENTS}/{product}/{name}.json")));
    let system = ["defaults.json", "gateway_responses.json", "policy.json"].map(|name| format!("stacks/system/{name}"));
    let lists = ["normal_path", "normal_non_ttl_path", "white_path", "through_path"];
    let lists = lists.map(|name| format!("stacks/system/routes/{name}.json"));
    for file in files.chain([TARGETS.to_owned()]).chain(system).chain(lists) {
        write(root.path(), &file, &fs::read_to_string(repository.join(&file)).expect("read the file"));
    }
    let (configuration, faults) = load(root.path());
    assert!(faults.is_empty(), "{}", faults.render(false));
    assert_eq!(configuration.environments.len(), 8);
    for environment in &configuration.environments {
        let china = environment.product == "product-b";
        assert_eq!(environment.target.partition, if china { "aws-cn" } else { "aws" });
        assert_eq!(environment.target.protected, environment.name == "prod");
        assert_eq!(environment.gate.as_ref().unwrap().settings.gateway_stage_name, environment.name);
        assert!(environment.gate.as_ref().unwrap().settings.authorizer.auth_host.is_some());
        let system = environment.system.as_ref().expect("an internal gateway");
        assert!(!system.settings.authorizer.callers.is_empty());
    }
}
