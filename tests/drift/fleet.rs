//! The verb itself, run as people run it: on a sandbox in a folder, which somebody else works on as well.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use aws_sdk_apigateway::types::{Op, PatchOperation};
use gwctl::sandbox::Sandbox;
use gwctl::sandbox::connector::Connector;
use serde_json::Value;

use crate::support::project::Project;

const DEV: &str = "--product product-a --env dev";
const STAGE: &str = "gate/stage/gateway";

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(project: &Project, line: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gwctl"));
    command.current_dir(project.root()).env_clear().env("HOME", project.root());
    let output = command.args(line.split_whitespace()).arg("--sandbox").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Run {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stdout.contains(word), "`{word}` in\n{}", self.stdout);
        }
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Somebody else at the same account: an SDK client that has nothing of gwctl's.
struct Somebody {
    sandbox: Sandbox,
    config: aws_config::SdkConfig,
    account: String,
}

impl Somebody {
    fn of(project: &Project) -> Self {
        let target = &crate::support::load(project.root(), "product-a", "dev").environments[0].target;
        let sandbox = Sandbox::open(&project.root().join(".gwctl/sandbox")).unwrap();
        let keys = aws_credential_types::Credentials::new(&target.account, "s", None, None, "test");
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new(target.region.clone()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(keys))
            .http_client(Connector::new(sandbox.clone()).client())
            .build();
        Self { sandbox, config, account: target.account.clone() }
    }

    fn gateway(&self) -> aws_sdk_apigateway::Client {
        aws_sdk_apigateway::Client::new(&self.config)
    }

    async fn api(&self) -> String {
        let all = self.gateway().get_rest_apis().send().await.unwrap().items.unwrap();
        all.into_iter().find(|api| api.name() == Some("product-a-gateway-dev")).unwrap().id.unwrap()
    }

    async fn slows_down(&self) {
        let patch = PatchOperation::builder().op(Op::Replace).path("/*/*/throttling/rateLimit").value("5").build();
        let call = self.gateway().update_stage().rest_api_id(self.api().await).stage_name("dev");
        call.patch_operations(patch).send().await.unwrap();
    }

    async fn removes_tag(&self, key: &str) {
        let arn =
            format!("arn:aws:apigateway:{}::/restapis/{}/stages/dev", self.config.region().unwrap(), self.api().await);
        self.gateway().untag_resource().resource_arn(arn).tag_keys(key).send().await.unwrap();
    }
}

fn applied() -> (Project, Somebody) {
    let project = Project::new();
    run(&project, &format!("apply --yes {DEV}")).exits(0);
    let somebody = Somebody::of(&project);
    (project, somebody)
}

#[tokio::test]
async fn a_changed_setting_is_shown_in_every_format_and_gone_after_apply() {
    let (project, somebody) = applied();
    // Nothing selected is everything; the other environments were never applied, which is no drift.
    run(&project, "drift").exits(0).says(&["No drift. product-a/dev is as it was applied", "product-b"]);
    somebody.slows_down().await;
    let text = run(&project, &format!("drift {DEV} --who --junit report.xml")).exits(2);
    let text = text.says(&[
        "stage gateway (dev): drifted",
        "method_settings.*/*.throttling_rate_limit: 10000 → 5",
        "UpdateStage",
        ":user/sandbox",
        "`gwctl apply --product product-a --env dev` puts it back",
        "\"throttling_rate_limit\": 5.0",
        "Drift: 1 drifted, 0 missing",
    ]);
    assert_eq!(text.stdout.matches("stage gateway").count(), 1, "{}", text.stdout);
    let junit = fs::read_to_string(project.root().join("report.xml")).unwrap();
    assert!(junit.contains("failures=\"1\" errors=\"0\"") && junit.contains(&format!("name=\"{STAGE}\"")), "{junit}");
    let json = run(&project, &format!("drift {DEV} --output json")).exits(2).json();
    let drift = json["resource_drift"].as_array().unwrap();
    assert_eq!(drift.len(), 1);
    assert_eq!((&drift[0]["address"], &drift[0]["change"]["actions"][0]), (&STAGE.into(), &"update".into()));
    let rate = |side: &str| drift[0]["change"][side]["method_settings"]["*/*"]["throttling_rate_limit"].as_f64();
    assert_eq!((rate("before"), rate("after")), (Some(10000.0), Some(5.0)));
    assert_eq!((&json["drift"]["summary"]["drifted"], &json["complete"]), (&1.into(), &true.into()));
    let all = run(&project, "drift --output json").exits(2).json();
    assert_eq!(all["resource_drift"][0]["address"], format!("product-a/dev/{STAGE}"));
    let share = run(&project, "drift --shard 0/2 --output json").json();
    assert_eq!(share["drift"]["environments"].as_array().unwrap().len(), 4, "half of the eight that there are");
    run(&project, &format!("drift {DEV} --output markdown")).exits(2).says(&[
        "### `product-a/dev`: 1 drifted",
        "| `~` | `gate/stage/gateway` | `dev` | drifted |",
        "```diff",
    ]);
    run(&project, &format!("drift {DEV} --quick")).exits(0).says(&["only tags were looked at"]);
    run(&project, &format!("apply --yes {DEV}")).exits(0);
    run(&project, &format!("drift {DEV}")).exits(0).says(&["No drift."]);
}

#[tokio::test]
async fn a_change_of_the_configuration_is_no_drift_and_is_told_apart() {
    let (project, somebody) = applied();
    project.edit("environments/product-a/dev.json", |env| env["throttling_burst_limit"] = 7.into());
    let words = ["Changed in the configuration and not applied", "method_settings.*/*.throttling_burst_limit"];
    run(&project, &format!("drift {DEV}")).exits(0).says(&words);
    somebody.slows_down().await;
    let both = run(&project, &format!("drift {DEV} --output json")).exits(2).json();
    let stage = &both["resource_drift"][0];
    assert_eq!((&stage["change"]["before"], &stage["gwctl"]["configuration_changed"]), (&Value::Null, &true.into()));
    assert_eq!(stage["gwctl"]["fields"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tags_alone_show_what_lost_them() {
    let (project, somebody) = applied();
    somebody.removes_tag("gwctl:digest").await;
    run(&project, &format!("drift {DEV} --quick")).exits(2).says(&["lost its tag gwctl:digest"]);
    run(&project, &format!("drift {DEV}")).exits(2).says(&["tags.gwctl:digest"]);
    run(&project, &format!("apply --yes {DEV}")).exits(0);
    run(&project, &format!("drift {DEV}")).exits(0);
}

#[tokio::test]
async fn messages_go_out_once_and_only_on_drift() {
    let (project, somebody) = applied();
    let sns = aws_sdk_sns::Client::new(&somebody.config);
    let topic = sns.create_topic().name("drift").send().await.unwrap().topic_arn.unwrap();
    let published = || {
        let world = somebody.sandbox.world().unwrap();
        let regions = &world.accounts[&somebody.account].regions;
        regions.values().flat_map(|region| region.sns.published("drift").to_vec()).collect::<Vec<_>>()
    };
    run(&project, &format!("drift {DEV} --sns-topic {topic} --metric")).exits(0);
    assert!(published().is_empty());
    somebody.slows_down().await;
    run(&project, &format!("drift {DEV} --sns-topic {topic} --metric")).exits(2);
    let [message] = published().try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(message.subject.as_deref(), Some("gwctl drift: 1 resource in product-a/dev"));
    assert!(message.text.contains("throttling_rate_limit"), "{}", message.text);
    let watch = aws_sdk_cloudwatch::Client::new(&somebody.config);
    let metrics = watch.list_metrics().namespace("gwctl").metric_name("Drift").send().await.unwrap().metrics.unwrap();
    let dimensions: Vec<_> =
        metrics[0].dimensions().iter().map(|one| (one.name().unwrap(), one.value().unwrap())).collect();
    assert_eq!(dimensions, [("Environment", "dev"), ("Product", "product-a")]);
    let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
    let call = watch.get_metric_statistics().namespace("gwctl").metric_name("Drift").period(86_400);
    let call =
        call.statistics(aws_sdk_cloudwatch::types::Statistic::Maximum).set_dimensions(metrics[0].dimensions.clone());
    let call = call.start_time(aws_smithy_types::DateTime::from_secs(0));
    let call = call.end_time(aws_smithy_types::DateTime::from_secs(now.secs() + 60));
    let points = call.send().await.unwrap().datapoints.unwrap();
    assert!(points.iter().any(|point| point.maximum() == Some(1.0)), "{points:?}");
}

/// Takes one request and answers with a status; what came.
fn listen(status: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/T0/secret", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = stream.read(&mut part).unwrap();
            all.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&all).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if read == 0 || length.is_none_or(|length: usize| body.len() >= length) {
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
                return text;
            }
        }
    });
    (url, thread)
}

#[tokio::test]
async fn a_webhook_gets_the_json_and_its_url_is_never_shown() {
    let (project, somebody) = applied();
    let (url, thread) = listen("200 OK");
    run(&project, &format!("drift {DEV} --webhook {url} --notify always")).exits(0);
    assert!(thread.join().unwrap().contains("\"resource_drift\":[]"));
    somebody.slows_down().await;
    let (url, thread) = listen("500 Internal Server Error");
    let run = run(&project, &format!("drift {DEV} --webhook {url}")).exits(1).says(&["throttling_rate_limit"]);
    assert!(thread.join().unwrap().contains("throttling_rate_limit"));
    assert!(run.stderr.contains("failed to post to http://127.0.0.1/…: it answered 500"), "{}", run.stderr);
    assert!(!run.stderr.contains("secret") && !run.stdout.contains("secret"));
}
