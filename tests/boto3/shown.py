"""What gwctl applied is what boto3 shows, held against what `gwctl render` printed.

Arguments: the rendered document, the rendered resources, the authorizer's zip. Nothing here knows how gwctl or its
sandbox is made: what is expected is written from the documents and from AWS's own documentation.
"""

import base64
import hashlib
import json
import sys
import unittest
import urllib.request
from pathlib import Path

import aws
from aws import apigateway, functions, iam, logs, sts, tagging

DOCUMENT, RESOURCES = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
ZIP = Path(sys.argv[3]).read_bytes()
REGION, ACCOUNT = apigateway.meta.region_name, "123456789012"
API, STAGE = "product-a-gateway-dev", "dev"
OWN_TAGS = {"team": "gateway", "cost-center": "product-a"}
ANY = "x-amazon-apigateway-any-method"
AUTHORIZER, NON_TTL = "product-a-api-authorizer-dev", "product-a-api-non-ttl-authorizer-dev"
ACCESS_LOG = "/aws/apigateway/product-a-gateway-dev"
LOG_GROUPS = {
    ACCESS_LOG: "gate/log-group/access",
    f"/aws/lambda/{AUTHORIZER}": "gate/log-group/authorizer",
    f"/aws/lambda/{NON_TTL}": "gate/log-group/non-ttl-authorizer",
}


def function_arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def log_arn(name):
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/gwctl/product-a/dev/ap-southeast-1/{name}"


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.api = aws.rest_api(API)
        self.id = self.api["id"]

    def check_tags(self, tags, address):
        tags = dict(tags)
        self.assertRegex(tags.pop(aws.DIGEST), "^[0-9a-f]{64}$")
        own = {aws.PRODUCT: "product-a", aws.ENVIRONMENT: "dev", aws.ADDRESS: address}
        self.assertEqual(tags, {**own, **OWN_TAGS})


class RestApi(Case):
    def test_both_ways_to_read_it_agree(self):
        self.assertEqual(aws.without_metadata(apigateway.get_rest_api(restApiId=self.id)), self.api)

    def test_its_settings(self):
        self.assertEqual(self.api["description"], DOCUMENT["info"]["description"])
        self.assertEqual(self.api["name"], DOCUMENT["info"]["title"])
        self.assertEqual(self.api["endpointConfiguration"]["types"], ["REGIONAL"])
        self.assertEqual(self.api["apiKeySource"], DOCUMENT["x-amazon-apigateway-api-key-source"])
        self.assertEqual(self.api["binaryMediaTypes"], DOCUMENT["x-amazon-apigateway-binary-media-types"])
        self.assertFalse(self.api["disableExecuteApiEndpoint"])
        self.assertNotIn("minimumCompressionSize", self.api)

    def test_its_tags(self):
        self.check_tags(self.api["tags"], "gate/rest-api/gateway")
        arn = f"arn:aws:apigateway:{REGION}::/restapis/{self.id}"
        self.assertEqual(apigateway.get_tags(resourceArn=arn)["tags"], self.api["tags"])

    def test_its_policy_is_escaped_and_names_the_api(self):
        text = self.api["policy"]
        self.assertTrue(text.startswith('{\\"') and ":{}\\/".format(self.id) in text, text)
        with self.assertRaises(json.JSONDecodeError):
            json.loads(text)
        policy = json.loads(json.loads(f'"{text}"'))
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}"
        expected = json.loads(json.dumps(DOCUMENT["x-amazon-apigateway-policy"]).replace("execute-api:/", f"{arn}/"))
        self.assertEqual(statements(policy), statements(expected))
        denied = statements(policy)["deny-list"]["Resource"]
        self.assertIn(f"{arn}/*/*/actuator", denied)


def statements(policy):
    """By Sid, with single values as lists: both forms mean the same to AWS."""
    as_list = lambda value: sorted(value) if isinstance(value, list) else [value]
    return {
        one["Sid"]: {**one, "Action": as_list(one["Action"]), "Resource": as_list(one.get("Resource", []))}
        for one in policy["Statement"]
    }


class Routes(Case):
    def setUp(self):
        super().setUp()
        found = aws.items("get_resources", restApiId=self.id, embed=["methods"])
        self.resources = {one["path"]: one for one in found}
        authorizers = aws.items("get_authorizers", restApiId=self.id)
        self.authorizers = {one["id"]: one["name"] for one in authorizers}

    def operations(self):
        for path, item in DOCUMENT["paths"].items():
            for key, operation in item.items():
                yield path, "ANY" if key == ANY else key.upper(), operation

    def test_there_are_the_declared_ones_and_no_more(self):
        declared = {(path, method) for path, method, _ in self.operations()}
        self.assertEqual(len(declared), 18)
        found = {(path, method) for path, one in self.resources.items() for method in one.get("resourceMethods", {})}
        self.assertEqual(found, declared)

    def test_the_tree_has_every_part_of_every_path(self):
        parts = {"/"}
        for path in DOCUMENT["paths"]:
            names = path.strip("/").split("/")
            parts |= {"/" + "/".join(names[: length + 1]) for length in range(len(names))}
        self.assertEqual(set(self.resources), parts)
        for path, one in self.resources.items():
            if path != "/":
                parent = self.resources[path.rsplit("/", 1)[0] or "/"]
                self.assertEqual((one["parentId"], one["pathPart"]), (parent["id"], path.rsplit("/", 1)[1]))

    def test_methods(self):
        for path, name, operation in self.operations():
            with self.subTest(path=path, method=name):
                method = self.method(path, name)
                [security] = operation.get("security", [{}])
                self.assertEqual(method["authorizationType"], "CUSTOM" if security else "NONE")
                self.assertEqual(self.authorizers.get(method.get("authorizerId")), next(iter(security), None))
                self.assertFalse(method["apiKeyRequired"])
                declared = {f"method.request.path.{one['name']}": True for one in operation.get("parameters", [])}
                self.assertEqual(method.get("requestParameters", {}), declared)
                self.assertEqual(set(method["methodResponses"]), set(operation["responses"]))
                embedded = self.resources[path]["resourceMethods"][name]
                self.assertEqual(method, embedded)

    def test_integrations(self):
        for path, name, operation in self.operations():
            with self.subTest(path=path, method=name):
                where = {"restApiId": self.id, "resourceId": self.resources[path]["id"], "httpMethod": name}
                found = aws.without_metadata(apigateway.get_integration(**where))
                self.assertEqual(found, self.method(path, name)["methodIntegration"])
                expected = dict(operation["x-amazon-apigateway-integration"])
                expected["type"] = expected["type"].upper()
                expected["passthroughBehavior"] = expected["passthroughBehavior"].upper()
                self.assertEqual({key: found.get(key) for key in expected}, expected)
                # Nothing is shown that was not asked for, but what API Gateway fills in.
                filled_in = {"cacheNamespace", "cacheKeyParameters", "responseTransferMode", "integrationResponses"}
                self.assertLessEqual(set(found) - set(expected), filled_in)

    def test_who_may_forge_identity_headers(self):
        """Only behind an authorizer do they come from it; everywhere else they are emptied."""
        for path, name, operation in self.operations():
            with self.subTest(path=path, method=name):
                parameters = self.method(path, name)["methodIntegration"]["requestParameters"]
                secured = bool(operation.get("security"))
                for header in ("x-user-id", "x-user-token", "x-user-scope", "x-auth-type"):
                    expected = f"context.authorizer.{header}" if secured else "''"
                    self.assertEqual(parameters[f"integration.request.header.{header}"], expected)

    def method(self, path, name):
        where = {"restApiId": self.id, "resourceId": self.resources[path]["id"], "httpMethod": name}
        return aws.without_metadata(apigateway.get_method(**where))


class AroundTheRoutes(Case):
    def test_authorizers(self):
        found = {one["name"]: one for one in aws.items("get_authorizers", restApiId=self.id)}
        schemes = DOCUMENT["components"]["securitySchemes"]
        self.assertEqual(set(found), set(schemes))
        ttl = {AUTHORIZER: 10, NON_TTL: 0}
        for name, one in found.items():
            with self.subTest(authorizer=name):
                invoke = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn(name)}/invocations"
                self.assertEqual(one["type"], "REQUEST")
                self.assertEqual(one["authorizerUri"], invoke)
                self.assertEqual(one["authorizerCredentials"], role_arn("product-a-authorizer-invocation-dev-ap-southeast-1"))
                self.assertEqual(one["authorizerResultTtlInSeconds"], ttl[name])
                self.assertEqual(one["identitySource"], "method.request.header.Authorization")
                declared = schemes[name]["x-amazon-apigateway-authorizer"]
                for key in ("authorizerUri", "authorizerCredentials", "authorizerResultTtlInSeconds", "identitySource"):
                    self.assertEqual(one[key], declared[key])
                again = apigateway.get_authorizer(restApiId=self.id, authorizerId=one["id"])
                self.assertEqual(aws.without_metadata(again), one)

    def test_gateway_responses(self):
        declared = DOCUMENT["x-amazon-apigateway-gateway-responses"]
        answer = apigateway.get_gateway_responses(restApiId=self.id, limit=500)["items"]
        found = {one["responseType"]: one for one in answer}
        self.assertEqual({kind for kind, one in found.items() if not one["defaultResponse"]}, set(declared))
        self.assertGreater(len(found), len(declared))
        for kind, expected in declared.items():
            with self.subTest(response=kind):
                self.assertEqual(found[kind].get("statusCode"), expected.get("statusCode"))
                self.assertEqual(found[kind]["responseParameters"], expected["responseParameters"])
                self.assertEqual(found[kind]["responseTemplates"], expected["responseTemplates"])
                one = apigateway.get_gateway_response(restApiId=self.id, responseType=kind)
                self.assertEqual(aws.without_metadata(one), found[kind])

    def test_deployments(self):
        [one] = aws.items("get_deployments", restApiId=self.id)
        [wanted] = [spec for address, spec in RESOURCES.items() if address.startswith("gate/deployment/")]
        self.assertIn(wanted["snapshot"], one["description"])
        self.assertEqual(apigateway.get_stage(restApiId=self.id, stageName=STAGE)["deploymentId"], one["id"])

    def test_stage(self):
        stage = apigateway.get_stage(restApiId=self.id, stageName=STAGE)
        wanted = RESOURCES["gate/stage/gateway"]
        self.assertEqual(stage["accessLogSettings"]["destinationArn"], log_arn(ACCESS_LOG))
        self.assertEqual(stage["accessLogSettings"]["format"], wanted["access_log"]["format"])
        self.assertEqual(json.loads(stage["accessLogSettings"]["format"])["requestId"], "$context.requestId")
        self.assertTrue(stage["tracingEnabled"])
        self.assertFalse(stage["cacheClusterEnabled"])
        self.assertNotIn("canarySettings", stage)
        self.assertEqual(list(stage["methodSettings"]), ["*/*"])
        settings = stage["methodSettings"]["*/*"]
        expected = {
            "metricsEnabled": True,
            "loggingLevel": "INFO",
            "dataTraceEnabled": True,
            "throttlingRateLimit": 10000.0,
            "throttlingBurstLimit": 10000,
            "cachingEnabled": False,
        }
        self.assertEqual({key: settings[key] for key in expected}, expected)
        self.check_tags(stage["tags"], "gate/stage/gateway")
        [listed] = apigateway.get_stages(restApiId=self.id)["item"]
        self.assertEqual(aws.without_metadata(stage), listed)


class Functions(Case):
    def test_code_and_configuration(self):
        for name, cached in ((AUTHORIZER, "true"), (NON_TTL, "false")):
            with self.subTest(function=name):
                found = functions.get_function(FunctionName=name)
                configuration = found["Configuration"]
                digest = base64.b64encode(hashlib.sha256(ZIP).digest()).decode()
                expected = {
                    "FunctionArn": function_arn(name),
                    "CodeSha256": digest,
                    "CodeSize": len(ZIP),
                    "Runtime": "provided.al2023",
                    "Handler": "bootstrap",
                    "Architectures": ["arm64"],
                    "MemorySize": 128,
                    "Timeout": 15,
                    "Role": role_arn("product-a-authorizer-dev-ap-southeast-1"),
                    "State": "Active",
                    "LastUpdateStatus": "Successful",
                    "TracingConfig": {"Mode": "Active"},
                }
                self.assertEqual({key: configuration.get(key) for key in expected}, expected)
                self.assertEqual(configuration["Environment"]["Variables"]["RESULT_CACHED"], cached)
                again = functions.get_function_configuration(FunctionName=name)
                self.assertEqual(aws.without_metadata(again), configuration)
                with urllib.request.urlopen(found["Code"]["Location"]) as code:
                    self.assertEqual(code.read(), ZIP)

    def test_tags(self):
        for name, address in ((AUTHORIZER, "authorizer"), (NON_TTL, "non-ttl-authorizer")):
            tags = functions.get_function(FunctionName=name)["Tags"]
            self.check_tags(tags, f"gate/lambda-function/{address}")
            self.assertEqual(functions.list_tags(Resource=function_arn(name))["Tags"], tags)


class Roles(Case):
    NAMES = {
        "product-a-authorizer-dev-ap-southeast-1": ("authorizer", "lambda.amazonaws.com"),
        "product-a-authorizer-invocation-dev-ap-southeast-1": ("authorizer-invocation", "apigateway.amazonaws.com"),
    }

    def test_who_may_assume_them(self):
        for name, (address, service) in self.NAMES.items():
            role = iam.get_role(RoleName=name)["Role"]
            self.assertEqual(role["Arn"], role_arn(name))
            [statement] = role["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual((statement["Effect"], statement["Action"]), ("Allow", "sts:AssumeRole"))
            self.assertEqual(statement["Principal"], {"Service": service})
            self.check_tags(aws.tags_of(role["Tags"]), f"gate/iam-role/{address}")
            listed = iam.list_role_tags(RoleName=name)["Tags"]
            self.assertEqual(aws.tags_of(listed), aws.tags_of(role["Tags"]))

    def test_what_they_may_do(self):
        for name, (policy, _) in self.NAMES.items():
            self.assertEqual(iam.list_role_policies(RoleName=name)["PolicyNames"], [policy])
            self.assertEqual(iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"], [])
        both = [function_arn(AUTHORIZER), function_arn(NON_TTL)]
        allowed = self.document("product-a-authorizer-invocation-dev-ap-southeast-1", "authorizer-invocation")
        self.assertEqual(set(allowed), {"CallAuthorizers", "CallAliases"})
        self.assertEqual(allowed["CallAuthorizers"]["Action"], ["lambda:InvokeFunction"])
        self.assertEqual(allowed["CallAuthorizers"]["Resource"], sorted(both))
        self.assertEqual(allowed["CallAliases"]["Action"], ["lambda:InvokeFunction"])
        self.assertEqual(allowed["CallAliases"]["Resource"], sorted(arn + ":live" for arn in both))
        allowed = self.document("product-a-authorizer-dev-ap-southeast-1", "authorizer")
        self.assertEqual(set(allowed), {"WriteLogs", "WriteTraces"})
        groups = [f"{log_arn(f'/aws/lambda/{name}')}:*" for name in (AUTHORIZER, NON_TTL)]
        self.assertEqual(allowed["WriteLogs"]["Resource"], sorted(groups))

    def document(self, role, policy):
        return statements(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])


class Around(Case):
    def test_log_groups(self):
        for prefix in ("/aws/apigateway/product-a", "/aws/lambda/product-a"):
            for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
                name = group["logGroupName"]
                self.assertEqual(group["retentionInDays"], 7)
                self.assertEqual(group["arn"], f"{log_arn(name)}:*")
                tags = logs.list_tags_for_resource(resourceArn=log_arn(name))["tags"]
                self.check_tags(tags, LOG_GROUPS[name])
        found = logs.get_paginator("describe_log_groups").paginate().search("logGroups[].logGroupName")
        self.assertEqual(set(found), {*LOG_GROUPS, self.execution_log()})
        [group] = logs.describe_log_groups(logGroupNamePrefix=self.execution_log())["logGroups"]
        self.assertEqual(group["retentionInDays"], 7)

    def execution_log(self):
        """The group that API Gateway writes the log of the stage's execution to."""
        return f"API-Gateway-Execution-Logs_{self.id}/{STAGE}"

    def test_the_tagging_api_knows_what_it_covers(self):
        filters = [{"Key": aws.PRODUCT, "Values": ["product-a"]}, {"Key": aws.ENVIRONMENT, "Values": ["dev"]}]
        answer = tagging.get_resources(TagFilters=filters)["ResourceTagMappingList"]
        found = {one["ResourceARN"]: aws.tags_of(one["Tags"]) for one in answer}
        api = f"arn:aws:apigateway:{REGION}::/restapis/{self.id}"
        expected = {
            api: "gate/rest-api/gateway",
            f"{api}/stages/{STAGE}": "gate/stage/gateway",
            function_arn(AUTHORIZER): "gate/lambda-function/authorizer",
            function_arn(NON_TTL): "gate/lambda-function/non-ttl-authorizer",
            **{log_arn(name): address for name, address in LOG_GROUPS.items()},
            log_arn(self.execution_log()): "gate/execution-log-group/gateway",
        }
        self.assertEqual({arn: tags[aws.ADDRESS] for arn, tags in found.items()}, expected)
        others = tagging.get_resources(TagFilters=[{"Key": aws.PRODUCT, "Values": ["product-b"]}])
        self.assertEqual(others["ResourceTagMappingList"], [])

    def test_who_calls(self):
        identity = sts.get_caller_identity()
        self.assertEqual(identity["Account"], ACCOUNT)
        self.assertIn(f":{ACCOUNT}:", identity["Arn"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
