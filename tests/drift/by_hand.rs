//! Somebody else's hands: what people do in the console, as plain SDK calls.

use aws_sdk_apigateway::types::{GatewayResponseType, Op, PatchOperation};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{DeadLetterConfig, Environment, EphemeralStorage, LogFormat, LoggingConfig};
use aws_sdk_wafv2::types::Scope as WafScope;
use gwctl::aws::Clients;
use gwctl::model::Place;
use serde_json::{Value, json};

/// What they work on.
pub(crate) struct Hand {
    pub(crate) aws: Clients,
    pub(crate) place: Place,
}

pub(crate) const ROUTE: &str = "/order-service/{proxy+}";
const API: &str = "product-a-gateway-dev";
const STAGE: &str = "dev";
const FUNCTION: &str = "product-a-api-authorizer-dev";
const ALIAS: &str = "live";
const ROLE: &str = "product-a-authorizer-dev-ap-southeast-1";
const INVOCATION: &str = "product-a-authorizer-invocation-dev-ap-southeast-1";
const ACCESS: &str = "/aws/apigateway/product-a-gateway-dev";
const MANAGED: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

fn replace(path: &str, value: &str) -> PatchOperation {
    PatchOperation::builder().op(Op::Replace).path(path).value(value).build()
}

fn with(op: Op, path: &str, value: Option<&str>) -> PatchOperation {
    PatchOperation::builder().op(op).path(path).set_value(value.map(str::to_owned)).build()
}

impl Hand {
    async fn api_named(&self, name: &str) -> String {
        let all = self.aws.apigateway.get_rest_apis().limit(500).send().await.unwrap().items.unwrap();
        all.into_iter().find(|api| api.name() == Some(name)).expect("the API is there").id.unwrap()
    }

    async fn api(&self) -> String {
        self.api_named(API).await
    }

    fn arn(&self, rest: &str) -> String {
        format!("arn:aws:apigateway:{}::/restapis/{rest}", self.place.region)
    }

    async fn resource(&self, path: &str) -> (String, String) {
        let api = self.api().await;
        let all = self.aws.apigateway.get_resources().rest_api_id(&api).limit(500).send().await.unwrap();
        let one = all.items.unwrap().into_iter().find(|one| one.path() == Some(path)).expect("the path is there");
        (api, one.id.unwrap())
    }

    async fn patch_api(&self, patch: PatchOperation) {
        let call = self.aws.apigateway.update_rest_api().rest_api_id(self.api().await);
        call.patch_operations(patch).send().await.unwrap();
    }

    async fn patch_stage(&self, patches: Vec<PatchOperation>) {
        let call = self.aws.apigateway.update_stage().rest_api_id(self.api().await).stage_name(STAGE);
        call.set_patch_operations(Some(patches)).send().await.unwrap();
    }

    async fn patch_integration(&self, patch: PatchOperation) {
        let (api, resource) = self.resource(ROUTE).await;
        let call = self.aws.apigateway.update_integration().rest_api_id(api).resource_id(resource).http_method("ANY");
        call.patch_operations(patch).send().await.unwrap();
    }

    async fn patch_method(&self, patch: PatchOperation) {
        let (api, resource) = self.resource(ROUTE).await;
        let call = self.aws.apigateway.update_method().rest_api_id(api).resource_id(resource).http_method("ANY");
        call.patch_operations(patch).send().await.unwrap();
    }

    async fn policy(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let api = self.aws.apigateway.get_rest_api().rest_api_id(self.api().await).send().await.unwrap();
        let text: String = serde_json::from_str(&format!("\"{}\"", api.policy().unwrap())).unwrap();
        let mut policy: Value = serde_json::from_str(&text).unwrap();
        change(policy["Statement"].as_array_mut().unwrap());
        self.patch_api(replace("/policy", &policy.to_string())).await;
    }

    async fn settings(&self, memory: Option<i32>) {
        let call = self.aws.lambda.update_function_configuration().function_name(FUNCTION);
        call.set_memory_size(memory).send().await.unwrap();
    }

    async fn function_arn(&self) -> String {
        let found = self.aws.lambda.get_function_configuration().function_name(FUNCTION).send().await.unwrap();
        found.function_arn.unwrap()
    }

    async fn published(&self) -> String {
        // Nothing is published while nothing was updated.
        let call = self.aws.lambda.update_function_configuration().function_name(FUNCTION).description("by hand");
        call.send().await.unwrap();
        let call = self.aws.lambda.publish_version().function_name(FUNCTION).description("by hand");
        call.send().await.unwrap().version.unwrap()
    }

    fn group_arn(&self, group: &str) -> String {
        self.place.arn("logs", &self.place.region, &format!("log-group:{group}"))
    }

    async fn execution_group(&self) -> String {
        format!("API-Gateway-Execution-Logs_{}/{STAGE}", self.api().await)
    }

    async fn deployed(&self) -> String {
        let call = self.aws.apigateway.create_deployment().rest_api_id(self.api().await).description("by hand");
        call.send().await.unwrap().id.unwrap()
    }

    async fn alarm(&self) -> aws_sdk_cloudwatch::types::MetricAlarm {
        let all = self.aws.cloudwatch.describe_alarms().send().await.unwrap().metric_alarms.unwrap();
        all.into_iter()
            .find(|one| one.alarm_name().is_some_and(|name| name.ends_with("dev-authorizer-throttled")))
            .expect("an alarm")
    }

    /// Does one thing, by its name in the table.
    pub(crate) async fn does(&self, what: &str) {
        match what.split_once(": ").expect("a part and a change") {
            ("api", what) => Box::pin(self.does_to_api(what)).await,
            ("stage", what) => Box::pin(self.does_to_stage(what)).await,
            ("function", what) => Box::pin(self.does_to_function(what)).await,
            ("role", what) => Box::pin(self.does_to_role(what)).await,
            ("logs", what) => Box::pin(self.does_to_logs(what)).await,
            ("around", what) => Box::pin(self.does_around(what)).await,
            (part, _) => panic!("there is no part `{part}`"),
        }
    }

    #[allow(clippy::too_many_lines, reason = "a line or two for each thing that can be done")]
    async fn does_to_api(&self, what: &str) {
        let gateway = &self.aws.apigateway;
        match what {
            "sent elsewhere" => self.patch_integration(replace("/uri", "http://elsewhere.example.com/{proxy}")).await,
            "less time" => self.patch_integration(replace("/timeoutInMillis", "1000")).await,
            "another header" => {
                let path = "/requestParameters/integration.request.header.x-by-hand";
                self.patch_integration(with(Op::Add, path, Some("'1'"))).await;
            }
            "method opened" => self.patch_method(replace("/authorizationType", "NONE")).await,
            "key asked for" => self.patch_method(replace("/apiKeyRequired", "true")).await,
            "method added" => {
                let (api, resource) = self.resource(ROUTE).await;
                let call = gateway.put_method().rest_api_id(api).resource_id(resource).http_method("GET");
                call.authorization_type("NONE").send().await.unwrap();
            }
            "method deleted" => {
                let (api, resource) = self.resource(ROUTE).await;
                let call = gateway.delete_method().rest_api_id(api).resource_id(resource).http_method("OPTIONS");
                call.send().await.unwrap();
            }
            "answer declared" => {
                let (api, resource) = self.resource(ROUTE).await;
                let call = gateway.put_method_response().rest_api_id(api).resource_id(resource).http_method("ANY");
                call.status_code("418").send().await.unwrap();
            }
            "path added" => {
                let (api, root) = self.resource("/").await;
                let call = gateway.create_resource().rest_api_id(api).parent_id(root).path_part("by-hand");
                call.send().await.unwrap();
            }
            "path deleted" => {
                let (api, resource) = self.resource(ROUTE).await;
                gateway.delete_resource().rest_api_id(api).resource_id(resource).send().await.unwrap();
            }
            "response changed" => {
                let call = gateway.update_gateway_response().rest_api_id(self.api().await);
                let call = call.response_type(GatewayResponseType::Unauthorized);
                call.patch_operations(replace("/statusCode", "418")).send().await.unwrap();
            }
            "response deleted" => {
                let call = gateway.delete_gateway_response().rest_api_id(self.api().await);
                call.response_type(GatewayResponseType::Unauthorized).send().await.unwrap();
            }
            "response added" => {
                let call = gateway.put_gateway_response().rest_api_id(self.api().await);
                let call = call.response_type(GatewayResponseType::IntegrationTimeout).status_code("599");
                call.send().await.unwrap();
            }
            "authorizer added" => {
                let api = self.api().await;
                let first = gateway.get_authorizers().rest_api_id(&api).send().await.unwrap().items.unwrap().remove(0);
                let call = gateway.create_authorizer().rest_api_id(api).name("by-hand");
                let call = call.r#type(aws_sdk_apigateway::types::AuthorizerType::Token);
                let call = call.authorizer_uri(first.authorizer_uri.unwrap());
                call.identity_source("method.request.header.Authorization").send().await.unwrap();
            }
            "authorizer kept longer" => {
                let api = self.api().await;
                let all = gateway.get_authorizers().rest_api_id(&api).send().await.unwrap().items.unwrap();
                let one = all.into_iter().find(|one| one.name() == Some(FUNCTION)).unwrap();
                let call = gateway.update_authorizer().rest_api_id(api).authorizer_id(one.id.unwrap());
                call.patch_operations(replace("/authorizerResultTtlInSeconds", "3600")).send().await.unwrap();
            }
            "statement added" => {
                let statement = json!({
                    "Sid": "ByHand", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
                    "Resource": "execute-api:/*/GET/by-hand",
                });
                self.policy(|all| all.push(statement)).await;
            }
            "statement removed" => self.policy(|all| all.retain(|one| one["Effect"] != "Deny")).await,
            "statement widened" => {
                let wider = |all: &mut Vec<Value>| {
                    let deny = all.iter_mut().find(|one| one["Effect"] == "Deny").unwrap();
                    deny["Resource"] = json!(["execute-api:/*/GET/only-this"]);
                };
                self.policy(wider).await;
            }
            "media type" => self.patch_api(with(Op::Add, "/binaryMediaTypes/image~1png", None)).await,
            "compressed" => self.patch_api(replace("/minimumCompressionSize", "1024")).await,
            "described" => self.patch_api(replace("/description", "by hand")).await,
            "renamed" => self.patch_api(replace("/name", "by-hand")).await,
            "endpoint off" => self.patch_api(replace("/disableExecuteApiEndpoint", "true")).await,
            "tag less" | "digest lost" | "owner lost" => {
                let key = match what {
                    "tag less" => "team",
                    "digest lost" => "gwctl:digest",
                    _ => "gwctl:product",
                };
                let arn = self.arn(&self.api().await);
                gateway.untag_resource().resource_arn(arn).tag_keys(key).send().await.unwrap();
            }
            "owner given back" => {
                let arn = self.arn(&self.api().await);
                gateway.tag_resource().resource_arn(arn).tags("gwctl:product", "product-a").send().await.unwrap();
            }
            "tag more" | "digest changed" | "address changed" => {
                let (key, value) = match what {
                    "tag more" => ("by", "hand"),
                    "digest changed" => ("gwctl:digest", "0123"),
                    _ => ("gwctl:address", "gate/rest-api/other"),
                };
                let arn = self.arn(&self.api().await);
                gateway.tag_resource().resource_arn(arn).tags(key, value).send().await.unwrap();
            }
            "system method added" => {
                let api = self.api_named("product-a-system-gateway-dev").await;
                let all = gateway.get_resources().rest_api_id(&api).limit(500).send().await.unwrap().items.unwrap();
                let one = all.into_iter().find(|one| one.path() == Some("/")).unwrap();
                let call = gateway.put_method().rest_api_id(&api).resource_id(one.id.unwrap()).http_method("GET");
                call.authorization_type("NONE").send().await.unwrap();
            }
            other => panic!("nobody does `{other}` to an API"),
        }
    }

    async fn does_to_stage(&self, what: &str) {
        let gateway = &self.aws.apigateway;
        let one = |path: &str, value: &str| vec![replace(path, value)];
        match what {
            "slower" => self.patch_stage(one("/*/*/throttling/rateLimit", "5")).await,
            "smaller" => self.patch_stage(one("/*/*/throttling/burstLimit", "6")).await,
            "louder" => self.patch_stage(one("/*/*/logging/loglevel", "ERROR")).await,
            "untraced data" => self.patch_stage(one("/*/*/logging/dataTrace", "false")).await,
            "unmeasured" => self.patch_stage(one("/*/*/metrics/enabled", "false")).await,
            "one method" => self.patch_stage(one("/~1order-service~1{proxy+}/GET/throttling/rateLimit", "1")).await,
            "untraced" => self.patch_stage(one("/tracingEnabled", "false")).await,
            "unlogged" => self.patch_stage(vec![with(Op::Remove, "/accessLogSettings", None)]).await,
            "logged otherwise" => self.patch_stage(one("/accessLogSettings/format", "$context.requestId")).await,
            "variable" => self.patch_stage(one("/variables/color", "red")).await,
            "described" => self.patch_stage(one("/description", "by hand")).await,
            "cached" => {
                let both = vec![replace("/cacheClusterEnabled", "true"), replace("/cacheClusterSize", "0.5")];
                self.patch_stage(both).await;
            }
            "certificate" => {
                let made = gateway.generate_client_certificate().send().await.unwrap();
                self.patch_stage(one("/clientCertificateId", &made.client_certificate_id.unwrap())).await;
            }
            "moved" => {
                let made = self.deployed().await;
                self.patch_stage(one("/deploymentId", &made)).await;
            }
            "tag less" => {
                let arn = self.arn(&format!("{}/stages/{STAGE}", self.api().await));
                gateway.untag_resource().resource_arn(arn).tag_keys("team").send().await.unwrap();
            }
            "unprotected" => {
                let arn = self.arn(&format!("{}/stages/{STAGE}", self.api().await));
                self.aws.wafv2.disassociate_web_acl().resource_arn(arn).send().await.unwrap();
            }
            "by hand" => {
                let made = self.deployed().await;
                let call = gateway.create_stage().rest_api_id(self.api().await).stage_name("by-hand");
                call.deployment_id(made).send().await.unwrap();
            }
            "by hand goes" => {
                let call = gateway.delete_stage().rest_api_id(self.api().await).stage_name("by-hand");
                call.send().await.unwrap();
            }
            other => panic!("nobody does `{other}` to a stage"),
        }
    }

    async fn does_to_function(&self, what: &str) {
        let lambda = &self.aws.lambda;
        let update = || lambda.update_function_configuration().function_name(FUNCTION);
        match what {
            "larger" => self.settings(Some(512)).await,
            "less time" => drop(update().timeout(3).send().await.unwrap()),
            "described" => drop(update().description("by hand").send().await.unwrap()),
            "more disk" => {
                let storage = EphemeralStorage::builder().size(2048).build().unwrap();
                update().ephemeral_storage(storage).send().await.unwrap();
            }
            "dead letters" => {
                let arn = self.place.arn("sqs", &self.place.region, "dead");
                let letters = DeadLetterConfig::builder().target_arn(arn).build();
                update().dead_letter_config(letters).send().await.unwrap();
            }
            "logs in JSON" => {
                let logging = LoggingConfig::builder().log_format(LogFormat::Json).build();
                update().logging_config(logging).send().await.unwrap();
            }
            "variable" => {
                let live = lambda.get_function_configuration().function_name(FUNCTION).send().await.unwrap();
                let mut all = live.environment.unwrap().variables.unwrap();
                all.insert("AUTH_HOST".into(), "elsewhere.example.com".into());
                let environment = Environment::builder().set_variables(Some(all)).build();
                update().environment(environment).send().await.unwrap();
            }
            "code" => {
                let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
                zip.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
                std::io::Write::write_all(&mut zip, b"somebody else's").unwrap();
                let zip = Blob::new(zip.finish().unwrap().into_inner());
                lambda.update_function_code().function_name(FUNCTION).zip_file(zip).send().await.unwrap();
            }
            "reserved" => {
                let call = lambda.put_function_concurrency().function_name(FUNCTION);
                call.reserved_concurrent_executions(50).send().await.unwrap();
            }
            "tag less" => {
                let arn = self.function_arn().await;
                lambda.untag_resource().resource(arn).tag_keys("team").send().await.unwrap();
            }
            "permission" | "permission of the alias" => {
                let alias = (what != "permission").then(|| ALIAS.to_owned());
                let call = lambda.add_permission().function_name(FUNCTION).set_qualifier(alias).statement_id("by-hand");
                let call = call.action("lambda:InvokeFunction").principal("events.amazonaws.com");
                call.send().await.unwrap();
            }
            "deleted" => drop(lambda.delete_function().function_name(FUNCTION).send().await.unwrap()),
            "alias moved" => {
                let version = self.published().await;
                let call = lambda.update_alias().function_name(FUNCTION).name(ALIAS).function_version(version);
                call.send().await.unwrap();
            }
            "alias cold" => {
                let call = lambda.delete_provisioned_concurrency_config().function_name(FUNCTION).qualifier(ALIAS);
                call.send().await.unwrap();
            }
            "alias by hand" => {
                let call = lambda.create_alias().function_name(FUNCTION).name("by-hand").function_version("$LATEST");
                call.send().await.unwrap();
            }
            "alias by hand goes" => {
                lambda.delete_alias().function_name(FUNCTION).name("by-hand").send().await.unwrap();
            }
            other => panic!("nobody does `{other}` to a function"),
        }
    }

    async fn does_to_role(&self, what: &str) {
        let iam = &self.aws.iam;
        let allow = |resource: &str| {
            let statement = json!({"Sid": "CallAuthorizers", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource});
            json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
        };
        match what {
            "widened" => {
                let call = iam.put_role_policy().role_name(INVOCATION).policy_name("authorizer-invocation");
                call.policy_document(allow("*")).send().await.unwrap();
            }
            "given a policy of its own" => {
                let call = iam.put_role_policy().role_name(ROLE).policy_name("by-hand");
                call.policy_document(allow("*")).send().await.unwrap();
            }
            "given a managed policy" => {
                iam.attach_role_policy().role_name(ROLE).policy_arn(MANAGED).send().await.unwrap();
            }
            "policy deleted" => {
                let call = iam.delete_role_policy().role_name(INVOCATION).policy_name("authorizer-invocation");
                call.send().await.unwrap();
            }
            "trusts others" => {
                let statement = json!({
                    "Sid": "AssumedByService", "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]},
                    "Action": "sts:AssumeRole",
                });
                let document = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
                iam.update_assume_role_policy().role_name(ROLE).policy_document(document).send().await.unwrap();
            }
            "longer sessions" => {
                iam.update_role().role_name(ROLE).max_session_duration(7200).send().await.unwrap();
            }
            "tag less" => drop(iam.untag_role().role_name(ROLE).tag_keys("team").send().await.unwrap()),
            "deleted" => {
                let call = iam.delete_role_policy().role_name(INVOCATION).policy_name("authorizer-invocation");
                call.send().await.unwrap();
                iam.delete_role().role_name(INVOCATION).send().await.unwrap();
            }
            other => panic!("nobody does `{other}` to a role"),
        }
    }

    async fn does_to_logs(&self, what: &str) {
        let logs = &self.aws.logs;
        match what {
            "kept longer" => {
                logs.put_retention_policy().log_group_name(ACCESS).retention_in_days(90).send().await.unwrap();
            }
            "kept for ever" => {
                logs.delete_retention_policy().log_group_name(self.execution_group().await).send().await.unwrap();
            }
            "tag less" => {
                let call = logs.untag_resource().resource_arn(self.group_arn(ACCESS)).tag_keys("team");
                call.send().await.unwrap();
            }
            "subscribed" => {
                let call = logs.put_subscription_filter().log_group_name(ACCESS).filter_name("by-hand");
                let arn = self.place.arn("lambda", &self.place.region, "function:ship");
                call.filter_pattern("").destination_arn(arn).send().await.unwrap();
            }
            "counted" => {
                let metric = MetricTransformation::builder().metric_name("n").metric_namespace("by-hand");
                let metric = metric.metric_value("1").build().unwrap();
                let call = logs.put_metric_filter().log_group_name(ACCESS).filter_name("by-hand");
                call.filter_pattern("500").metric_transformations(metric).send().await.unwrap();
            }
            "deleted" => drop(logs.delete_log_group().log_group_name(ACCESS).send().await.unwrap()),
            other => panic!("nobody does `{other}` to logs"),
        }
    }

    async fn does_around(&self, what: &str) {
        match what {
            "address let in" => {
                let waf = &self.aws.wafv2;
                let all = waf.list_ip_sets().scope(WafScope::Regional).send().await.unwrap().ip_sets.unwrap();
                let one = all.into_iter().find(|one| one.name().unwrap().contains("deny")).unwrap();
                let (name, id) = (one.name.unwrap(), one.id.unwrap());
                let call = waf.update_ip_set().name(name).id(id).scope(WafScope::Regional);
                let call = call.set_description(one.description);
                call.lock_token(one.lock_token.unwrap()).addresses("203.0.113.0/24").send().await.unwrap();
            }
            "rule removed" => {
                let waf = &self.aws.wafv2;
                let all = waf.list_web_acls().scope(WafScope::Regional).send().await.unwrap().web_acls.unwrap();
                let (name, id) = (all[0].name().unwrap(), all[0].id().unwrap());
                let got = waf.get_web_acl().name(name).id(id).scope(WafScope::Regional).send().await.unwrap();
                let acl = got.web_acl.unwrap();
                let mut rules = acl.rules.unwrap();
                rules.retain(|rule| !rule.name().contains("rate"));
                let call = waf.update_web_acl().name(name).id(id).scope(WafScope::Regional).set_rules(Some(rules));
                let call = call.lock_token(got.lock_token.unwrap()).set_default_action(acl.default_action);
                let call = call.set_visibility_config(acl.visibility_config).set_description(acl.description);
                call.set_custom_response_bodies(acl.custom_response_bodies).send().await.unwrap();
            }
            "alarm dulled" => {
                let alarm = self.alarm().await;
                let call = self.aws.cloudwatch.put_metric_alarm().alarm_name(alarm.alarm_name().unwrap());
                let call = call.set_alarm_description(alarm.alarm_description).set_namespace(alarm.namespace);
                let call = call.set_metric_name(alarm.metric_name).set_statistic(alarm.statistic);
                let call = call.set_dimensions(alarm.dimensions).set_period(alarm.period);
                let call = call.set_evaluation_periods(alarm.evaluation_periods).threshold(9999.0);
                let call = call.set_comparison_operator(alarm.comparison_operator);
                let call = call.set_treat_missing_data(alarm.treat_missing_data).set_alarm_actions(alarm.alarm_actions);
                let call = call.set_ok_actions(alarm.ok_actions).set_metrics(alarm.metrics);
                call.set_datapoints_to_alarm(alarm.datapoints_to_alarm).send().await.unwrap();
            }
            "alarm silenced" => {
                let name = self.alarm().await.alarm_name.unwrap();
                self.aws.cloudwatch.disable_alarm_actions().alarm_names(name).send().await.unwrap();
            }
            "alarm deleted" => {
                let name = self.alarm().await.alarm_name.unwrap();
                self.aws.cloudwatch.delete_alarms().alarm_names(name).send().await.unwrap();
            }
            "mapping deleted" => {
                let call = self.aws.apigateway.delete_base_path_mapping().domain_name("api.example.com");
                call.base_path("(none)").send().await.unwrap();
            }
            "record deleted" => {
                use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch};
                let dns = &self.aws.route53;
                let zones = dns.list_hosted_zones().send().await.unwrap().hosted_zones;
                let zone = zones.into_iter().find(|zone| zone.name == "example.com.").unwrap().id;
                let records = dns.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
                let ours = |one: &aws_sdk_route53::types::ResourceRecordSet| {
                    one.name == "api.example.com." && one.r#type.as_str() == "A"
                };
                let record = records.resource_record_sets.into_iter().find(ours).expect("our record");
                let change =
                    Change::builder().action(ChangeAction::Delete).resource_record_set(record).build().unwrap();
                let batch = ChangeBatch::builder().changes(change).build().unwrap();
                dns.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
            }
            other => panic!("nobody does `{other}`"),
        }
    }
}
