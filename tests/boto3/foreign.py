"""A gateway as the article's Terraform module `gate` makes one, made by boto3, and the state that Terraform would keep of it.

Arguments: a zip for the functions, the file that the state goes to, and JSON with the names of everything.
"""

import json
import sys
from pathlib import Path

import aws
from aws import apigateway, client, functions, iam, logs, sts

zip_file, state_file, names = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), json.loads(sys.argv[3])
ec2 = client("ec2")
REGION = apigateway.meta.region_name
ACCOUNT = sts.get_caller_identity()["Account"]
PARTITION = "aws-cn" if REGION.startswith("cn-") else "aws"


def role(name, service, actions):
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    path = names.get("path", "/")
    made = iam.create_role(
        RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="default", PolicyDocument=policy)
    return made["Arn"]


run_role = role(names["run_role"], "lambda.amazonaws.com", ["logs:CreateLogStream", "logs:PutLogEvents"])
call_role = role(names["call_role"], "apigateway.amazonaws.com", ["lambda:InvokeFunction"])
for group in ["access", "authorizer_log", "non_ttl_log"]:
    if names.get(group):
        logs.create_log_group(logGroupName=names[group])


def function(name):
    made = functions.create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="main.handler", Role=run_role, MemorySize=128, Timeout=15,
        Code={"ZipFile": zip_file}, Environment={"Variables": {"STAGE": "dev", "SECRET": "hunter2"}},
    )
    return made["FunctionArn"]


cached, uncached = function(names["authorizer"]), function(names["non_ttl"])


def uri(arn):
    return f"arn:{PARTITION}:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


def authorizer(arn, ttl):
    return {
        "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request", "authorizerUri": uri(arn), "authorizerCredentials": call_role,
            "authorizerResultTtlInSeconds": ttl, "identitySource": "method.request.header.Authorization",
        },
    }


def method(service, secured):
    return {
        "parameters": [{"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}],
        "security": [{secured: []}] if secured else [],
        "responses": {},
        "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "ANY", "uri": f"http://{service}-dev.k8s-internal.example.com/{{proxy}}",
            "connectionType": "VPC_LINK", "connectionId": "xxxxxx",
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
            "passthroughBehavior": "when_no_match",
        },
    }


document = {
    "openapi": "3.0.1",
    "info": {"title": names["api"], "version": "1"},
    "paths": {
        "/order-service/{proxy+}": {"x-amazon-apigateway-any-method": method("order-service", names["authorizer"])},
        "/legacy-service/{proxy+}": {"x-amazon-apigateway-any-method": method("legacy-service", None)},
    },
    "components": {
        "securitySchemes": {names["authorizer"]: authorizer(cached, 10), names["non_ttl"]: authorizer(uncached, 0)}
    },
}
api = apigateway.import_rest_api(body=json.dumps(document), parameters={"endpointConfigurationTypes": "REGIONAL"})["id"]
deployment = apigateway.create_deployment(restApiId=api, description="Terraform")["id"]
apigateway.create_stage(restApiId=api, stageName=names["stage"], deploymentId=deployment, tracingEnabled=True)
access = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{names['access']}"
apigateway.update_stage(
    restApiId=api, stageName=names["stage"],
    patchOperations=[
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": access},
        {"op": "replace", "path": "/accessLogSettings/format", "value": '{"id":"$context.requestId"}'},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "77"},
    ],
)


def managed(kind, name, attributes, **instance):
    return {
        "module": "module.api-gateway", "mode": "managed", "type": kind, "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": [], **instance}],
    }


def arn(rest):
    return f"arn:{PARTITION}:apigateway:{REGION}::/restapis/{rest}"


group = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:"
state = {
    "version": 4, "terraform_version": "1.9.8", "serial": 41, "lineage": "5b0f0d1e-0000-4000-8000-000000000000",
    "outputs": {"token": {"value": "hunter2", "type": "string", "sensitive": True}},
    "resources": [
        {"module": "module.api-gateway", "mode": "data", "type": "aws_caller_identity", "name": "current",
         "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
         "instances": [{"schema_version": 0, "attributes": {"account_id": ACCOUNT}}]},
        managed("aws_api_gateway_rest_api", "main_gateway", {"id": api, "arn": arn(api), "name": names["api"], "body": "{}"}),
        managed("aws_api_gateway_deployment", "main_gateway", {"id": deployment, "rest_api_id": api}),
        managed("aws_api_gateway_stage", "main_gateway_stage", {
            "id": f"ags-{api}-{names['stage']}", "rest_api_id": api, "stage_name": names["stage"],
            "arn": arn(f"{api}/stages/{names['stage']}")}),
        managed("aws_api_gateway_method_settings", "all", {"id": f"{api}-{names['stage']}-*/*"}),
        managed("aws_lambda_function", "authorizer", {
            "function_name": names["authorizer"], "arn": cached, "role": run_role,
            "environment": [{"variables": {"SECRET": "hunter2"}}]}),
        managed("aws_lambda_function", "non_ttl_authorizer", {
            "function_name": names["non_ttl"], "arn": uncached, "role": run_role}),
        managed("aws_iam_role", "lambda_role", {"name": names["run_role"], "arn": run_role}),
        managed("aws_iam_role", "authorizer_execution_role", {"name": names["call_role"], "arn": call_role}, index_key=0),
        managed("aws_cloudwatch_log_group", "execution_logs", {"name": names["access"], "arn": group + names["access"]}),
    ],
}
state_file.write_text(json.dumps(state, indent=2))
print(json.dumps({"api": api, "deployment": deployment}))
