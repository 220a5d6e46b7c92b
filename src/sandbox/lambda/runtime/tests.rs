//! Functions that really run: scripts that speak the Runtime API.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;

/// A bootstrap that does what its events say.
pub(in crate::sandbox) const SCRIPT: &str = r#"#!/usr/bin/env python3
import http.client, json, os, subprocess, sys, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
BASE = "/2018-06-01/runtime/"
def post(path, body, connection=api):
    connection.request("POST", BASE + path, body)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
print("starting", flush=True)
if os.environ.get("INIT") == "error":
    print(post("init/error", json.dumps({"errorType": "Mine", "errorMessage": "no settings"}))[0], flush=True)
    sys.exit(1)
if os.environ.get("INIT") == "exit":
    sys.exit(3)
if os.environ.get("INIT") == "sleep":
    time.sleep(60)
while True:
    api.request("GET", BASE + "invocation/next")
    answer = api.getresponse()
    headers, event = dict(answer.getheaders()), json.loads(answer.read())
    id = headers["Lambda-Runtime-Aws-Request-Id"]
    do, result = event.get("do"), event
    print("event", event.get("n"), flush=True)
    if do == "headers": result = headers
    elif do == "environment": result = {"env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid()}
    elif do == "sleep": time.sleep(event["seconds"])
    elif do == "exit": sys.exit(event["code"])
    elif do == "child": result = subprocess.Popen(["sleep", "1000"]).pid
    elif do == "large": result = "x" * (6 * 1024 * 1024 + 200)
    elif do == "wrong id": result = post("invocation/other/response", "{}")
    elif do == "next":
        other = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        other.request("GET", BASE + "invocation/next")
        result = other.getresponse().status
    if do == "error":
        post(f"invocation/{id}/error", json.dumps({"errorType": "E", "errorMessage": "Unauthorized"}))
    else:
        post(f"invocation/{id}/response", json.dumps(result))
        if do == "twice": print("again", post(f"invocation/{id}/response", "1")[0], flush=True)
"#;

/// A zip of files with their modes.
pub(in crate::sandbox) fn zip_of(entries: &[(&str, u32, &[u8])]) -> Bytes {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in entries {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode & 0o777);
        if mode & 0o170_000 == 0o120_000 {
            writer.add_symlink(*name, std::str::from_utf8(content).unwrap(), options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
    }
    writer.finish().unwrap().into_inner().into()
}

/// A function that runs a script.
pub(in crate::sandbox) fn scripted(script: &str) -> Program {
    Program {
        arn: "arn:aws:lambda:eu-central-1:123456789012:function:auth".to_owned(),
        name: "auth".to_owned(),
        version: "$LATEST".to_owned(),
        handler: "bootstrap".to_owned(),
        environment: BTreeMap::new(),
        memory_mb: 128,
        timeout: Duration::from_secs(20),
        region: "eu-central-1".to_owned(),
        account: "123456789012".to_owned(),
        architectures: vec!["x86_64".to_owned()],
        log_group: "/aws/lambda/auth".to_owned(),
        code: Code::of_zip(zip_of(&[("bootstrap", 0o755, script.as_bytes())])),
    }
}

fn program() -> Program {
    scripted(SCRIPT)
}

fn with(name: &str, value: &str) -> Program {
    let mut program = program();
    program.environment.insert(name.to_owned(), value.to_owned());
    program
}

async fn ask(functions: &Functions, program: &Program, event: Value) -> Invoked {
    functions.invoke(program, event.to_string().into(), None).await.unwrap()
}

fn value(invoked: &Invoked) -> Value {
    assert!(!invoked.failed, "{invoked:?}");
    serde_json::from_slice(&invoked.payload).unwrap()
}

async fn pid(functions: &Functions, program: &Program) -> i64 {
    value(&ask(functions, program, json!({ "do": "environment" })).await)["pid"].as_i64().unwrap()
}

/// Waits until a process is gone; the kernel takes a moment to end it.
async fn gone(pid: i64) -> bool {
    for _ in 0..200 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie has ended; it waits for whoever adopted it.
        if status.is_empty() || status.contains(") Z ") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_function_answers_and_is_used_again() {
    let functions = Functions::default();
    let program = program();
    let first = functions.invoke(&program, "{\"n\":1}".into(), Some("Root=1-2-3")).await.unwrap();
    assert_eq!(value(&first), json!({ "n": 1 }));
    assert!(first.init.is_some());
    let headers = functions.invoke(&program, "{\"do\":\"headers\"}".into(), Some("Root=1-2-3")).await.unwrap();
    assert_eq!(headers.init, None, "a second event needs no second process");
    let id = headers.request_id.clone();
    let headers = value(&headers);
    assert_eq!(headers["Lambda-Runtime-Aws-Request-Id"], id);
    assert_eq!(headers["Lambda-Runtime-Invoked-Function-Arn"], program.arn);
    assert_eq!(headers["Lambda-Runtime-Trace-Id"], "Root=1-2-3");
    let deadline: u128 = headers["Lambda-Runtime-Deadline-Ms"].as_str().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert!((now + 15_000..now + 20_001).contains(&deadline), "{deadline} {now}");
    let made_up = value(&ask(&functions, &program, json!({ "do": "headers" })).await);
    let trace = made_up["Lambda-Runtime-Trace-Id"].as_str().unwrap();
    assert!(trace.starts_with("Root=1-") && trace.ends_with("Sampled=0"), "{trace}");
}

#[tokio::test]
async fn the_environment_is_lambdas_and_nothing_of_ours() {
    let functions = Functions::default();
    let mut program = with("ENV", "dev");
    program.environment.insert("TZ".to_owned(), "Europe/Berlin".to_owned());
    program.environment.insert("AWS_REGION".to_owned(), "elsewhere".to_owned());
    let seen = value(&ask(&functions, &program, json!({ "do": "environment" })).await);
    for (name, expected) in [
        ("ENV", "dev"),
        ("TZ", "Europe/Berlin"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "auth"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("_HANDLER", "bootstrap"),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
    ] {
        assert_eq!(seen["env"][name], expected, "{name}");
    }
    assert_eq!(seen["env"]["LAMBDA_TASK_ROOT"], seen["cwd"]);
    // Cargo sets it for every test: had anything been inherited, it would be here.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    for name in ["CARGO_MANIFEST_DIR", "HOME", "USER", "AWS_PROFILE"] {
        assert_eq!(seen["env"][name], Value::Null, "{name}");
    }
}

#[tokio::test]
async fn what_a_function_reports_is_an_answer_that_failed() {
    let functions = Functions::default();
    let failed = ask(&functions, &program(), json!({ "do": "error" })).await;
    let error = failed.error().unwrap();
    assert_eq!((error.error_type.as_str(), error.error_message.as_str()), ("E", "Unauthorized"));
    assert_eq!(functions.idle(), 1, "the process lives on");
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed_with_its_children() {
    let functions = Functions::default();
    let mut program = program();
    let child = value(&ask(&functions, &program, json!({ "do": "child" })).await).as_i64().unwrap();
    assert!(!std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap().is_empty());
    let parent = pid(&functions, &program).await;
    functions.shut_down();
    assert!(gone(child).await && gone(parent).await);
    let functions = Functions::default();
    program.timeout = Duration::from_millis(1500);
    let late = ask(&functions, &program, json!({ "do": "sleep", "seconds": 30 })).await;
    let error = late.error().unwrap();
    assert_eq!(error.error_type, "Sandbox.Timedout");
    assert_eq!(error.error_message, format!("RequestId: {} Error: Task timed out after 1.50 seconds", late.request_id));
    assert_eq!(functions.idle(), 0);
    assert_eq!(value(&ask(&functions, &program, json!({ "n": 2 })).await)["n"], 2, "a new process takes over");
}

#[tokio::test]
async fn a_function_that_ends_is_an_error_of_the_function() {
    let functions = Functions::default();
    for (code, how) in [(0, "without providing a reason"), (7, "with error: exit status 7")] {
        let ended = ask(&functions, &program(), json!({ "do": "exit", "code": code })).await;
        let error = ended.error().unwrap();
        assert_eq!(error.error_type, "Runtime.ExitError");
        assert!(error.error_message.ends_with(&format!("Error: Runtime exited {how}")), "{error:?}");
    }
}

#[tokio::test]
async fn a_start_that_fails_is_told() {
    let functions = Functions::default();
    let failed = ask(&functions, &with("INIT", "error"), json!({})).await;
    assert_eq!(failed.error().unwrap().error_message, "no settings");
    let ended = ask(&functions, &with("INIT", "exit"), json!({})).await;
    assert!(ended.error().unwrap().error_message.ends_with("exit status 3"), "{ended:?}");
    let impatient = Functions::new(Options { init: Duration::from_secs(1), ..Options::default() });
    let late = ask(&impatient, &with("INIT", "sleep"), json!({})).await;
    assert_eq!(late.error().unwrap().error_type, "Sandbox.Timedout");
    let foreign = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x15\0 and nothing else".as_slice();
    for (content, words) in [
        (foreign, "`gwctl package --arch "),
        (b"#!/no/such/interpreter\n", "is not on this machine"),
        (b"neither script nor program", "exec format error"),
    ] {
        let mut program = program();
        program.code = Code::of_zip(zip_of(&[("bootstrap", 0o755, content)]));
        let error = functions.invoke(&program, "{}".into(), None).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_runtime_api_refuses_what_does_not_fit() {
    let functions = Functions::default();
    let program = program();
    let wrong = value(&ask(&functions, &program, json!({ "do": "wrong id" })).await);
    assert_eq!(wrong[0], 400);
    assert!(wrong[1].as_str().unwrap().contains("InvalidRequestID"), "{wrong}");
    assert_eq!(value(&ask(&functions, &program, json!({ "do": "next" })).await), 403);
    let large = ask(&functions, &program, json!({ "do": "large" })).await;
    assert_eq!(large.error().unwrap().error_type, "Function.ResponseSizeTooLarge");
    let next = ask(&functions, &program, json!({ "n": 3 })).await;
    assert_eq!((value(&next)["n"].as_u64(), next.init), (Some(3), None), "the process goes on after a refusal");
    let error = functions.invoke(&program, vec![b' '; PAYLOAD_LIMIT + 1].into(), None).await.unwrap_err();
    assert_eq!(error, InvokeError::TooLarge(PAYLOAD_LIMIT + 1));
}

#[tokio::test]
async fn events_side_by_side_get_processes_up_to_the_limit() {
    let functions = Functions::new(Options { concurrency: 2, ..Options::default() });
    let program = program();
    let begun = Instant::now();
    let sleep = json!({ "do": "sleep", "seconds": 0.5 });
    let all = (0..4).map(|_| ask(&functions, &program, sleep.clone()));
    let all = futures::future::join_all(all).await;
    assert_eq!(all.iter().filter(|invoked| invoked.init.is_some()).count(), 2);
    assert!(begun.elapsed() >= Duration::from_secs(1), "two had to wait for the other two");
    assert_eq!(functions.idle(), 2);
    let (one, other) = (pid(&functions, &program).await, pid(&functions, &program).await);
    assert_eq!(one, other, "the process used last is used first");
}

#[tokio::test]
async fn new_settings_get_new_processes_and_idle_ones_are_stopped() {
    let functions = Functions::new(Options { idle: Duration::from_millis(400), ..Options::default() });
    let old = pid(&functions, &program()).await;
    let new = pid(&functions, &with("ENV", "prod")).await;
    assert_ne!(old, new);
    assert!(gone(old).await, "the old process goes at once");
    assert!(gone(new).await, "the new one goes when it has been idle for long enough");
    assert_eq!(functions.idle(), 0);
}

#[tokio::test]
async fn no_process_outlives_the_last_handle() {
    let functions = Functions::default();
    let idle = pid(&functions, &program()).await;
    let other = functions.clone();
    drop(functions);
    assert_eq!(pid(&other, &program()).await, idle, "another handle keeps it");
    let waiting = tokio::spawn({
        let (other, program) = (other.clone(), program());
        async move { other.invoke(&program, "{\"do\":\"sleep\",\"seconds\":60}".into(), None).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The caller gives up; the function goes on, until the last handle goes.
    waiting.abort();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!std::fs::read_to_string(format!("/proc/{idle}/stat")).unwrap().contains(") Z "));
    drop(other);
    assert!(gone(idle).await);
}

#[tokio::test]
async fn lines_go_to_the_sink_and_the_tail_to_who_asked() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&lines);
    let log = move |function: &str, line: &str| into.lock().unwrap().push(format!("{function}: {line}"));
    let functions = Functions::new(Options { log: Arc::new(log), ..Options::default() });
    let tail = Invocation { tail: true, ..Invocation::default() };
    let first = functions.invoke_with(&program(), "{\"n\":1,\"do\":\"twice\"}".into(), tail.clone()).await.unwrap();
    let tail_text = String::from_utf8(first.tail).unwrap();
    assert!(tail_text.starts_with("event 1\n"), "{tail_text}");
    let second = functions.invoke_with(&program(), "{\"n\":2}".into(), tail).await.unwrap();
    let tail_text = String::from_utf8(second.tail).unwrap();
    assert!(tail_text.ends_with("event 2\n"), "{tail_text}");
    let lines = lines.lock().unwrap();
    assert_eq!(lines[..2], ["auth: starting", "auth: event 1"]);
    assert!(lines.contains(&"auth: again 403".to_owned()), "a second answer is refused: {lines:?}");
}

#[tokio::test]
async fn a_deployed_function_is_found_by_its_arn() {
    use crate::sandbox::lambda::tests::{Aws, creation_of};
    let aws = Aws::with_role();
    let zip = zip_of(&[("bootstrap", 0o755, SCRIPT.as_bytes())]);
    aws.done("POST", "/2015-03-31/functions", &creation_of(&zip));
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
    let program = Program::of(&aws.0, arn).unwrap();
    assert_eq!(program.timeout, Duration::from_secs(3));
    let seen = value(&ask(&Functions::default(), &program, json!({ "do": "environment" })).await);
    assert_eq!(seen["env"]["ENV"], "dev");
    for wrong in [format!("{arn}:live"), arn.replace("auth", "none"), arn.replace("aws:", "aws-cn:"), "auth".into()] {
        let error = Program::of(&aws.0, &wrong).unwrap_err();
        assert_eq!(error, InvokeError::NotFound(wrong));
    }
}

#[tokio::test]
async fn a_version_runs_its_own_code_by_number_and_by_alias() {
    use crate::sandbox::lambda::tests::{Aws, creation_of};
    let aws = Aws::with_role();
    let mut creation = creation_of(&zip_of(&[("bootstrap", 0o755, SCRIPT.as_bytes())]));
    creation["Environment"] = json!({ "Variables": { "ENV": "old" } });
    aws.done("POST", "/2015-03-31/functions", &creation);
    let function = "/2015-03-31/functions/auth";
    aws.done("POST", &format!("{function}/versions"), &json!({}));
    aws.done("POST", &format!("{function}/aliases"), &json!({ "Name": "live", "FunctionVersion": "1" }));
    let newer = json!({ "Environment": { "Variables": { "ENV": "new" } } });
    aws.done("PUT", &format!("{function}/configuration"), &newer);
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:auth";
    let functions = Functions::default();
    for (qualifier, version, env) in [("", "$LATEST", "new"), (":1", "1", "old"), (":live", "1", "old")] {
        let program = Program::of(&aws.0, &format!("{arn}{qualifier}")).unwrap();
        assert_eq!((program.arn.as_str(), program.version.as_str()), (format!("{arn}{qualifier}").as_str(), version));
        let seen = value(&ask(&functions, &program, json!({ "do": "environment" })).await);
        assert_eq!(seen["env"]["ENV"], env, "{qualifier}");
        assert_eq!(seen["env"]["AWS_LAMBDA_FUNCTION_VERSION"], version, "{qualifier}");
    }
}

/// Not a limit that a busy machine could break: run it with `--nocapture` to see the figure.
#[tokio::test(flavor = "multi_thread")]
async fn a_warm_call_costs_little() {
    let functions = Functions::default();
    let program = program();
    ask(&functions, &program, json!({})).await;
    let mut times = Vec::new();
    for _ in 0..500 {
        let begun = std::time::Instant::now();
        ask(&functions, &program, json!({})).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("a warm call: median {:?}, 99th percentile {:?}", times[250], times[495]);
}
