"""Somebody else's hands on the account: reads orders, one JSON line each, carries them out with boto3, and answers.

An order is [function, arguments]; the answer is what the function returns. An order that fails ends the program.
"""

import io
import json
import sys
import zipfile

import aws
from aws import apigateway, functions, iam, logs, tagging

API, STAGE = "product-a-gateway-dev", "dev"
AUTHORIZER, ROLE = "product-a-api-authorizer-dev", "product-a-authorizer-dev-ap-southeast-1"
INVOCATION_ROLE = "product-a-authorizer-invocation-dev-ap-southeast-1"
ACCESS_LOG = "/aws/apigateway/product-a-gateway-dev"
ROUTE = "/order-service/{proxy+}"


def _zip(text):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("bootstrap", text)
    return memory.getvalue()


def _replace(path, value=None, op="replace"):
    return [{"op": op, "path": path} if value is None else {"op": op, "path": path, "value": value}]


def _api():
    return aws.rest_api(API)["id"]


def _arn(path=""):
    return f"arn:aws:apigateway:{apigateway.meta.region_name}::/restapis/{_api()}{path}"


def _resource(path):
    [found] = [one for one in aws.items("get_resources", restApiId=_api()) if one["path"] == path]
    return {"restApiId": _api(), "resourceId": found["id"]}


# What there is.


def inventory():
    return aws.inventory()


def tagged_as_ours():
    """The ARNs that the tagging API, and IAM, which it does not cover, know as the environment's."""
    filters = [{"Key": aws.PRODUCT, "Values": ["product-a"]}, {"Key": aws.ENVIRONMENT, "Values": ["dev"]}]
    pages = tagging.get_paginator("get_resources").paginate(TagFilters=filters)
    found = [one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]]
    for role in aws.inventory()["iam-role"].values():
        tags = aws.tags_of(role.get("Tags", []))
        if tags.get(aws.PRODUCT) == "product-a" and tags.get(aws.ENVIRONMENT) == "dev":
            found.append(role["Arn"])
    return sorted(found)


def make_link(name):
    balancer = f"arn:aws:elasticloadbalancing:{apigateway.meta.region_name}:123456789012:loadbalancer/net/{name}/0123456789abcdef"
    return apigateway.create_vpc_link(name=name, targetArns=[balancer])["id"]


def make_deployer(name, *denied):
    """A role that may do everything but what is denied."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    statements += [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in denied]
    iam.create_role(
        RoleName=name, Path="/ops/", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="deploy", PolicyDocument=policy)


def everything_loses_our_tags():
    """As if gwctl had never been: what it made carries nobody's tags."""
    keys = [aws.PRODUCT, aws.ENVIRONMENT, aws.ADDRESS, aws.DIGEST]
    for arn in tagged_as_ours():
        service = arn.split(":")[2]
        if service == "apigateway":
            apigateway.untag_resource(resourceArn=arn, tagKeys=keys)
        elif service == "lambda":
            functions.untag_resource(Resource=arn, TagKeys=keys)
        elif service == "logs":
            logs.untag_resource(resourceArn=arn, tagKeys=keys)
        elif service == "iam":
            iam.untag_role(RoleName=arn.rsplit("/", 1)[1], TagKeys=keys)
        else:
            raise ValueError(arn)
    return tagged_as_ours()


def served():
    return apigateway.get_stage(restApiId=_api(), stageName=STAGE)["deploymentId"]


# Changes to what gwctl made.


def method_sent_elsewhere():
    patch = _replace("/uri", "http://elsewhere.example.com/{proxy}")
    apigateway.update_integration(**_resource(ROUTE), httpMethod="ANY", patchOperations=patch)


def method_opened():
    patch = _replace("/authorizationType", "NONE")
    apigateway.update_method(**_resource(ROUTE), httpMethod="ANY", patchOperations=patch)


def method_added():
    apigateway.put_method(**_resource(ROUTE), httpMethod="GET", authorizationType="NONE")


def method_deleted():
    apigateway.delete_method(**_resource(ROUTE), httpMethod="OPTIONS")


def resource_deleted():
    apigateway.delete_resource(**_resource(ROUTE))


def policy_removed():
    apigateway.update_rest_api(restApiId=_api(), patchOperations=_replace("/policy", ""))


def media_type_added():
    apigateway.update_rest_api(restApiId=_api(), patchOperations=_replace("/binaryMediaTypes/image~1png", op="add"))


def gateway_response_deleted():
    apigateway.delete_gateway_response(restApiId=_api(), responseType="UNAUTHORIZED")


def authorizer_kept_longer():
    [one] = [one for one in aws.items("get_authorizers", restApiId=_api()) if one["name"] == AUTHORIZER]
    patch = _replace("/authorizerResultTtlInSeconds", "3600")
    apigateway.update_authorizer(restApiId=_api(), authorizerId=one["id"], patchOperations=patch)


def api_loses(tag):
    apigateway.untag_resource(resourceArn=_arn(), tagKeys=[tag])


def stage_loses(tag):
    apigateway.untag_resource(resourceArn=_arn(f"/stages/{STAGE}"), tagKeys=[tag])


def stage_gets(tag, value):
    apigateway.tag_resource(resourceArn=_arn(f"/stages/{STAGE}"), tags={tag: value})


def api_gets(tag, value):
    # Without its owner, the API is ours only by its name.
    [api] = [api for api in aws.items("get_rest_apis") if api["name"] == API]
    arn = f"arn:aws:apigateway:{apigateway.meta.region_name}::/restapis/{api['id']}"
    apigateway.tag_resource(resourceArn=arn, tags={tag: value})


def _update_stage(patch):
    apigateway.update_stage(restApiId=_api(), stageName=STAGE, patchOperations=patch)


def stage_throttled():
    _update_stage(_replace("/*/*/throttling/rateLimit", "5"))


def stage_untraced():
    _update_stage(_replace("/tracingEnabled", "false"))


def stage_unlogged():
    _update_stage(_replace("/accessLogSettings", op="remove"))


def stage_moved():
    made = apigateway.create_deployment(restApiId=_api(), description="by hand")
    _update_stage(_replace("/deploymentId", made["id"]))


def role_widened():
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*", "Sid": "CallAuthorizers"}
    at = {"RoleName": INVOCATION_ROLE, "PolicyName": "authorizer-invocation"}
    document = iam.get_role_policy(**at)["PolicyDocument"]
    others = [one for one in document["Statement"] if one["Sid"] != statement["Sid"]]
    iam.put_role_policy(**at, PolicyDocument=json.dumps({**document, "Statement": [*others, statement]}))


def role_given_policy():
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)


def role_untagged():
    iam.untag_role(RoleName=ROLE, TagKeys=["team"])


def log_kept_longer():
    logs.put_retention_policy(logGroupName=ACCESS_LOG, retentionInDays=14)


def log_untagged():
    [group] = logs.describe_log_groups(logGroupNamePrefix=ACCESS_LOG)["logGroups"]
    logs.untag_resource(resourceArn=group["arn"].removesuffix(":*"), tagKeys=["team"])


def function_enlarged():
    functions.update_function_configuration(FunctionName=AUTHORIZER, MemorySize=256)


def function_sent_elsewhere():
    old = functions.get_function_configuration(FunctionName=AUTHORIZER)["Environment"]["Variables"]
    variables = {**old, "AUTH_HOST": "elsewhere.example.com"}
    functions.update_function_configuration(FunctionName=AUTHORIZER, Environment={"Variables": variables})


def function_replaced():
    functions.update_function_code(FunctionName=AUTHORIZER, ZipFile=_zip("somebody else's"))


def function_untagged():
    arn = functions.get_function_configuration(FunctionName=AUTHORIZER)["FunctionArn"]
    functions.untag_resource(Resource=arn, TagKeys=["team"])


# Things of somebody else's.

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def make_role(name, path="/"):
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "whose", "Value": "theirs"}])


def delete_role(name):
    iam.delete_role(RoleName=name)


def make_log_group(name, environment=None):
    """One without our tags, or with those of another environment."""
    others = {aws.PRODUCT: "product-a", aws.ENVIRONMENT: environment, aws.ADDRESS: "gate/log-group/access"}
    logs.create_log_group(logGroupName=name, tags={"whose": "theirs", **(others if environment else {})})


def delete_log_group(name):
    logs.delete_log_group(logGroupName=name)


def make_function(name):
    make_role("of-function")
    role = iam.get_role(RoleName="of-function")["Role"]["Arn"]
    code = {"ZipFile": _zip("theirs")}
    functions.create_function(FunctionName=name, Role=role, Runtime="provided.al2023", Handler="bootstrap", Code=code)


def delete_function(name):
    functions.delete_function(FunctionName=name)
    delete_role("of-function")


def make_api(name):
    api = apigateway.create_rest_api(name=name, tags={"whose": "theirs"})
    method = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    apigateway.put_method(**method, authorizationType="NONE")
    apigateway.put_integration(**method, type="MOCK")
    apigateway.create_deployment(restApiId=api["id"], stageName=STAGE)


def delete_api(name):
    for api in aws.items("get_rest_apis"):
        if api["name"] == name:
            apigateway.delete_rest_api(restApiId=api["id"])


def make_stage(name):
    """A stage below our API that is not ours."""
    made = apigateway.create_deployment(restApiId=_api(), description="by hand")
    apigateway.create_stage(restApiId=_api(), stageName=name, deploymentId=made["id"])


def delete_stage(name):
    apigateway.delete_stage(restApiId=_api(), stageName=name)


def _plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


if __name__ == "__main__":
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(globals()[name](*arguments), default=_plain), flush=True)
