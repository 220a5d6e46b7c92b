//! The checks of a function's settings, in Lambda's words, and the defaults.

use super::configuration::{
    Configuration, DeadLetterConfig, Environment, EphemeralStorage, LoggingConfig, RuntimeVersionConfig, TracingConfig,
    VpcConfig,
};
use super::invalid;
use super::requests::{Logging, Settings, Vpc};
use crate::sandbox::ec2::vpc_of;
use crate::sandbox::fault::{Answer, Fault, violation};
use crate::sandbox::hex;
use crate::sandbox::wire::Caller;
use crate::sandbox::world::View;
use crate::sandbox::{iam, logs};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The runtimes that functions can be made with.
const RUNTIMES: &[&str] = &[
    "dotnet10",
    "dotnet6",
    "dotnet8",
    "java11",
    "java11.al2023",
    "java17",
    "java17.al2023",
    "java21",
    "java25",
    "java8.al2",
    "java8.al2023",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "nodejs26.x",
    "provided.al2",
    "provided.al2023",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "python3.7",
    "python3.8",
    "python3.9",
    "ruby2.7",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
];

/// The runtimes that Lambda once had.
const GONE: &[&str] = &[
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "ruby2.5",
];

/// Environment variables that belong to Lambda.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
];

const ROLE_PATTERN: &str = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";

/// Checks what is asked for, and puts it into a configuration. On a fault the configuration is to be thrown away.
pub(super) fn apply(into: &mut Configuration, asked: Settings, view: &View<'_>, caller: &Caller) -> Answer<()> {
    let Settings {
        role,
        handler,
        runtime,
        description,
        timeout,
        memory_size,
        vpc_config,
        environment,
        dead_letter_config,
        kms_key_arn,
        tracing_config,
        ephemeral_storage,
        logging_config,
        revision_id: _,
    } = asked;
    let role_changes = role.is_some();
    into.role = role.unwrap_or_else(|| std::mem::take(&mut into.role));
    if let Some(runtime) = runtime {
        into.runtime_version_config = runtime_version(check_runtime(&runtime)?, caller);
        into.runtime = runtime;
    }
    if let Some(handler) = handler {
        into.handler = check_handler(handler)?;
    }
    if let Some(description) = description {
        into.description = check_description(description)?;
    }
    into.timeout = range(timeout, "timeout", 1, 900)?.unwrap_or(into.timeout);
    into.memory_size = range(memory_size, "memorySize", 128, 10_240)?.unwrap_or(into.memory_size);
    surroundings(
        into,
        environment,
        dead_letter_config,
        kms_key_arn,
        tracing_config,
        ephemeral_storage,
        logging_config,
    )?;
    if role_changes {
        check_role(&into.role, view.iam, caller)?;
    }
    if let Some(vpc) = vpc_config {
        into.vpc_config = Some(network(vpc, &into.role, view)?);
    }
    Ok(())
}

/// The settings of what is around the function's code: variables, queues, keys, traces, disk and logs.
fn surroundings(
    into: &mut Configuration,
    environment: Option<Environment>,
    dead_letter_config: Option<DeadLetterConfig>,
    kms_key_arn: Option<String>,
    tracing_config: Option<TracingConfig>,
    ephemeral_storage: Option<EphemeralStorage>,
    logging_config: Option<Logging>,
) -> Answer<()> {
    if let Some(environment) = environment {
        check_environment(&environment.variables)?;
        into.environment = Some(environment);
    }
    if let Some(letters) = dead_letter_config {
        into.dead_letter_config = Some(letters).filter(|letters| !letters.target_arn.is_empty());
    }
    if let Some(key) = kms_key_arn {
        into.kms_key_arn = Some(key).filter(|key| !key.is_empty());
    }
    if let Some(tracing) = tracing_config {
        one_of(&tracing.mode, "tracingConfig.mode", &["Active", "PassThrough"])?;
        into.tracing_config = tracing;
    }
    if let Some(storage) = ephemeral_storage {
        range(Some(i64::from(storage.size)), "ephemeralStorage.size", 512, 10_240)?;
        into.ephemeral_storage = storage;
    }
    if let Some(logging) = logging_config {
        into.logging_config = log_settings(logging, &into.function_name)?;
    }
    Ok(())
}

/// Lambda's default: plain text into a group named after the function.
pub(super) fn default_logging(function: &str) -> LoggingConfig {
    LoggingConfig {
        log_format: "Text".to_owned(),
        application_log_level: None,
        system_log_level: None,
        log_group: format!("/aws/lambda/{function}"),
    }
}

/// Lambda names the build of a runtime by a digest; here it is one of the runtime's name.
pub(super) fn runtime_version(runtime: &str, caller: &Caller) -> RuntimeVersionConfig {
    let build = hex(&Sha256::digest(runtime));
    RuntimeVersionConfig {
        runtime_version_arn: format!("arn:{}:lambda:{}::runtime:{build}", caller.partition(), caller.region),
    }
}

/// The architecture of a function; Lambda takes a list of exactly one.
pub(super) fn check_architectures(architectures: &[String]) -> Answer<()> {
    let shown = format!("[{}]", architectures.join(", "));
    if architectures.len() > 1 {
        let constraint = "Member must have length less than or equal to 1";
        return Err(validation(violation(&shown, "architectures", constraint)));
    }
    if matches!(architectures, [one] if one == "x86_64" || one == "arm64") {
        return Ok(());
    }
    let constraint = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]";
    Err(validation(violation(&shown, "architectures", constraint)))
}

/// The fault of Lambda's front end for a value outside its model.
pub(super) fn validation(message: String) -> Fault {
    Fault::new(400, "ValidationException", message)
}

fn check_role(role: &str, iam: &iam::State, caller: &Caller) -> Answer<()> {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, name] = parts[..] else {
        let constraint = format!("Member must satisfy regular expression pattern: {ROLE_PATTERN}");
        return Err(validation(violation(role, "role", &constraint)));
    };
    if !name.starts_with("role/") || account.len() != 12 {
        let constraint = format!("Member must satisfy regular expression pattern: {ROLE_PATTERN}");
        return Err(validation(violation(role, "role", &constraint)));
    }
    if account != caller.account {
        return Err(Fault::new(403, "AccessDeniedException", "Cross-account pass role is not allowed."));
    }
    match iam.role_with_arn(role) {
        Some(role) if role.trusts("lambda.amazonaws.com") => Ok(()),
        _ => Err(invalid("The role defined for the function cannot be assumed by Lambda.")),
    }
}

fn check_runtime(runtime: &str) -> Answer<&str> {
    if RUNTIMES.contains(&runtime) {
        return Ok(runtime);
    }
    if GONE.contains(&runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    Err(invalid(format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
         valid ARN",
        RUNTIMES.join(", ")
    )))
}

fn check_handler(handler: String) -> Answer<String> {
    let constraint = if handler.len() > 128 {
        "Member must have length less than or equal to 128"
    } else if handler.is_empty() || handler.contains(char::is_whitespace) {
        "Member must satisfy regular expression pattern: [^\\s]+"
    } else {
        return Ok(handler);
    };
    Err(validation(violation(&handler, "handler", constraint)))
}

fn check_description(description: String) -> Answer<String> {
    if description.chars().count() <= 256 {
        return Ok(description);
    }
    let constraint = "Member must have length less than or equal to 256";
    Err(validation(violation(&description, "description", constraint)))
}

fn check_environment(variables: &std::collections::BTreeMap<String, String>) -> Answer<()> {
    let sorry = "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided";
    let name = |key: &str| {
        let mut letters = key.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && key.len() > 1
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|key| RESERVED.contains(key)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "{sorry} contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    if let Some(bad) = variables.keys().find(|key| !name(key)) {
        let constraint = "Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+";
        return Err(validation(violation(bad, "environment.variables", constraint)));
    }
    let text = serde_json::to_string(variables).unwrap_or_default();
    if text.len() > 4096 {
        return Err(invalid(format!("{sorry} exceeded the 4KB limit. String measured: {text}")));
    }
    Ok(())
}

fn range(value: Option<i64>, member: &str, low: u32, high: u32) -> Answer<Option<u32>> {
    let Some(value) = value else { return Ok(None) };
    if let Some(number) = u32::try_from(value).ok().filter(|number| (low..=high).contains(number)) {
        return Ok(Some(number));
    }
    let (relation, bound) = if value < i64::from(low) { ("greater", low) } else { ("less", high) };
    let constraint = format!("Member must have value {relation} than or equal to {bound}");
    Err(validation(violation(&value.to_string(), member, &constraint)))
}

fn one_of(value: &str, member: &str, allowed: &[&str]) -> Answer<()> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
    Err(validation(violation(value, member, &constraint)))
}

fn log_settings(asked: Logging, function: &str) -> Answer<LoggingConfig> {
    let Logging { log_format, application_log_level, system_log_level, log_group } = asked;
    let log_format = log_format.unwrap_or_else(|| "Text".to_owned());
    one_of(&log_format, "loggingConfig.logFormat", &["JSON", "Text"])?;
    let json = log_format == "JSON";
    if !json && (application_log_level.is_some() || system_log_level.is_some()) {
        return Err(invalid("To configure LogLevel, set your function's log format to JSON."));
    }
    let level = |asked: Option<String>, member: &str, allowed: &[&str]| {
        let level = asked.or_else(|| json.then(|| "INFO".to_owned()));
        level.map(|level| one_of(&level, member, allowed).map(|()| level)).transpose()
    };
    let log_group = log_group.unwrap_or_else(|| format!("/aws/lambda/{function}"));
    if !logs::is_group_name(&log_group) {
        let constraint = "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+";
        return Err(validation(violation(&log_group, "loggingConfig.logGroup", constraint)));
    }
    Ok(LoggingConfig {
        application_log_level: level(
            application_log_level,
            "loggingConfig.applicationLogLevel",
            &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"],
        )?,
        system_log_level: level(system_log_level, "loggingConfig.systemLogLevel", &["DEBUG", "INFO", "WARN"])?,
        log_format,
        log_group,
    })
}

/// Subnets and security groups that nobody made here are taken to exist where their form is right (see
/// [`ec2`](crate::sandbox::ec2)): Lambda is shown those of other people. All that are known have to be of one VPC.
fn network(asked: Vpc, role: &str, view: &View<'_>) -> Answer<VpcConfig> {
    let subnet_ids = asked.subnet_ids.unwrap_or_default();
    let security_group_ids = asked.security_group_ids.unwrap_or_default();
    for (ids, member, prefix, limit) in [
        (&subnet_ids, "vpcConfig.subnetIds", "subnet-", 16),
        (&security_group_ids, "vpcConfig.securityGroupIds", "sg-", 5),
    ] {
        if ids.len() > limit {
            let constraint = format!("Member must have length less than or equal to {limit}");
            return Err(validation(violation(&format!("[{}]", ids.join(", ")), member, &constraint)));
        }
        let well_formed = |id: &&String| {
            let digits = id.strip_prefix(prefix).unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if let Some(bad) = ids.iter().find(|id| !well_formed(id)) {
            let constraint = format!("Member must satisfy regular expression pattern: {prefix}[0-9a-zA-Z]*");
            return Err(validation(violation(bad, member, &constraint)));
        }
    }
    if subnet_ids.is_empty() != security_group_ids.is_empty() {
        return Err(invalid("SubnetIds and SecurityIds must coexist or be both empty list."));
    }
    let Some(first) = subnet_ids.first() else {
        return Ok(VpcConfig {
            subnet_ids,
            security_group_ids,
            vpc_id: String::new(),
            ipv6_allowed_for_dual_stack: false,
        });
    };
    if !view.iam.role_with_arn(role).is_some_and(|role| role.allows("ec2:CreateNetworkInterface")) {
        return Err(invalid(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
        ));
    }
    let ec2 = &view.region.ec2;
    let of_groups: BTreeSet<&str> = security_group_ids.iter().filter_map(|id| ec2.vpc_of_group(id)).collect();
    let of_subnets: BTreeSet<&str> = subnet_ids.iter().filter_map(|id| ec2.vpc_of_known_subnet(id)).collect();
    let known: BTreeSet<&str> = of_groups.union(&of_subnets).copied().collect();
    if known.len() > 1 {
        // The first is reported; the second is like it.
        return Err(invalid(if of_subnets.len() > 1 {
            "The subnets are not in the same VPC."
        } else {
            "Security Groups are required to be in the same VPC."
        }));
    }
    let vpc_id = known.first().map_or_else(|| vpc_of(first), |id| (*id).to_owned());
    let ipv6_allowed_for_dual_stack = asked.ipv6_allowed_for_dual_stack.unwrap_or(false);
    Ok(VpcConfig { subnet_ids, security_group_ids, vpc_id, ipv6_allowed_for_dual_stack })
}
