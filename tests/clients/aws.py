"""boto3's clients at the server under test, and an inventory of what it holds."""

import boto3
from botocore.config import Config

# Only clients that the server names in AWS_ENDPOINT_URL; nothing here may reach AWS itself.
_CONFIG = Config(retries={"total_max_attempts": 1})


def client(service):
    return boto3.client(service, config=_CONFIG)


apigateway = client("apigateway")
functions = client("lambda")
iam = client("iam")
logs = client("logs")
tagging = client("resourcegroupstaggingapi")
sts = client("sts")

PRODUCT, ENVIRONMENT, ADDRESS, DIGEST = "gwctl:product", "gwctl:environment", "gwctl:address", "gwctl:digest"


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def items(operation, **arguments):
    """All items of API Gateway's paged lists."""
    pages = apigateway.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page["items"]]


def rest_api(name):
    """Our API of that name: others may bear it too."""
    [found] = [api for api in items("get_rest_apis") if api["name"] == name and PRODUCT in api.get("tags", {})]
    return found


def tags_of(pairs):
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _api(api):
    found = dict(api)
    found["resources"] = items("get_resources", restApiId=api["id"], embed=["methods"])
    found["stages"] = apigateway.get_stages(restApiId=api["id"])["item"]
    found["deployments"] = items("get_deployments", restApiId=api["id"])
    return found


def _role(name):
    found = iam.get_role(RoleName=name)["Role"]
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    found["inline"] = {one: iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in names}
    found["attached"] = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return found


def _log_group(group):
    arn = group["arn"].removesuffix(":*")
    return {**group, "tags": logs.list_tags_for_resource(resourceArn=arn)["tags"]}


def inventory():
    """Everything the server holds that gwctl could have made, whoever made it: by kind, then by id or name."""
    roles = iam.get_paginator("list_roles").paginate().search("Roles[].RoleName")
    groups = logs.get_paginator("describe_log_groups").paginate().search("logGroups[]")
    names = functions.get_paginator("list_functions").paginate().search("Functions[].FunctionName")
    return {
        "rest-api": {api["id"]: _api(api) for api in items("get_rest_apis")},
        "iam-role": {name: _role(name) for name in roles},
        "log-group": {group["logGroupName"]: _log_group(group) for group in groups},
        "lambda-function": {name: without_metadata(functions.get_function(FunctionName=name)) for name in names},
    }
