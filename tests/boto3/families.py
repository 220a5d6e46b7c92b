"""Every family of API Gateway's operations for REST APIs, as boto3 uses them: made, read, listed by pages, changed, deleted.

Nothing here knows how the sandbox is made; what is expected is written from AWS's API reference. The service model of boto3
checks the shape of every answer.
"""

import datetime
import io
import json
import os
import unittest
import urllib.error
import urllib.request
import zipfile

import aws
import botocore.exceptions
from aws import apigateway as gateway
from aws import functions, iam, items, without_metadata

URL, REGION, ACCOUNT = os.environ["AWS_ENDPOINT_URL"], gateway.meta.region_name, "123456789012"
PARTITION = "aws-cn" if REGION.startswith("cn-") else "aws"
HOST = "amazonaws.com.cn" if PARTITION == "aws-cn" else "amazonaws.com"
ERRORS = gateway.exceptions
AUTHORIZER_URI = (
    f"arn:{PARTITION}:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
    f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:authorizer/invocations"
)


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


def arn(resource):
    return f"arn:{PARTITION}:apigateway:{REGION}::{resource}"


def trust(service):
    """The policy of a role that a service may take."""
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.api = gateway.create_rest_api(name=self.id(), endpointConfiguration={"types": ["REGIONAL"]})
        self.key = {"restApiId": self.api["id"]}
        self.root = self.api["rootResourceId"]

    def status(self, answer, status):
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)
        return without_metadata(answer)

    def refused(self, error, operation, **arguments):
        """The text of an error, which has to be of that class."""
        with self.assertRaises(error) as caught:
            getattr(gateway, operation)(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], error.__name__)
        return caught.exception.response["Error"]["Message"]

    def mocked(self, verb="GET", **settings):
        """A method of the root with a MOCK integration that answers 200."""
        at = {**self.key, "resourceId": self.root, "httpMethod": verb}
        gateway.put_method(**at, **{"authorizationType": "NONE", **settings})
        gateway.put_method_response(**at, statusCode="200")
        gateway.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        gateway.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": "v1"})
        return at

    def deployed(self, stage="dev"):
        self.mocked()
        return gateway.create_deployment(**self.key, stageName=stage)["id"]


# What every family does the same way: the names of its operations and of its id, what one is made from, a change by patch and
# the member that shows it, and what it takes to be listed by pages.
FAMILIES = [
    (
        "model",
        "modelName",
        "name",
        {"contentType": "application/json", "schema": "{}"},
        ("/description", "description"),
    ),
    ("request_validator", "requestValidatorId", "id", {"validateRequestBody": True}, ("/name", "name")),
    (
        "authorizer",
        "authorizerId",
        "id",
        {"type": "TOKEN", "authorizerUri": AUTHORIZER_URI, "identitySource": "method.request.header.Authorization"},
        ("/name", "name"),
    ),
]


class Families(Case):
    def test_what_belongs_to_an_api(self):
        for family, parameter, member, settings, (path, shown) in FAMILIES:
            with self.subTest(family):
                call = lambda verb, suffix="", **more: getattr(gateway, f"{verb}_{family}{suffix}")(**self.key, **more)
                made = [self.status(call("create", name=f"n{n}", **settings), 201) for n in range(3)]
                ids = [one[member] for one in made]
                for one in made:
                    self.assertEqual(self.status(call("get", **{parameter: one[member]}), 200), one)
                first = call("get", "s", limit=2)
                self.assertTrue(first["position"])
                paged = items(f"get_{family}s", **self.key, PaginationConfig={"PageSize": 1})
                self.assertLessEqual(set(ids), {one[member] for one in paged})
                changed = call("update", **{parameter: ids[0]}, patchOperations=replace(path, "other"))
                self.assertEqual(changed[shown], "other")
                self.assertEqual(without_metadata(call("get", **{parameter: ids[0]}))[shown], "other")
                gone = {**self.key, parameter: ids[1]}
                self.status(call("delete", **{parameter: ids[1]}), 202)
                self.refused(ERRORS.NotFoundException, f"get_{family}", **gone)
                self.refused(ERRORS.NotFoundException, f"delete_{family}", **gone)
                wrong = {**self.key, parameter: ids[0], "patchOperations": replace("/no/such/path", "x")}
                self.refused(ERRORS.BadRequestException, f"update_{family}", **wrong)


class RestApi(Case):
    def test_it_is_made_listed_changed_and_deleted(self):
        others = [gateway.create_rest_api(name=f"{self.id()} {n}") for n in range(3)]
        found = items("get_rest_apis", PaginationConfig={"PageSize": 2})
        self.assertLessEqual({self.api["id"], *(other["id"] for other in others)}, {api["id"] for api in found})
        changed = gateway.update_rest_api(
            **self.key,
            patchOperations=[
                {"op": "replace", "path": "/name", "value": "other"},
                {"op": "add", "path": "/binaryMediaTypes/image~1png"},
                {"op": "replace", "path": "/minimumCompressionSize", "value": "10"},
            ],
        )
        self.assertEqual((changed["name"], changed["binaryMediaTypes"]), ("other", ["image/png"]))
        self.assertEqual(without_metadata(gateway.get_rest_api(**self.key))["minimumCompressionSize"], 10)
        self.status(gateway.delete_rest_api(restApiId=others[0]["id"]), 202)
        self.refused(ERRORS.NotFoundException, "get_rest_api", restApiId=others[0]["id"])

    def test_a_copy_has_what_the_original_has(self):
        gateway.create_model(**self.key, name="Pet", contentType="application/json", schema="{}")
        copy = gateway.create_rest_api(name="copy", cloneFrom=self.api["id"])
        self.assertIn("Pet", [model["name"] for model in items("get_models", restApiId=copy["id"])])

    def test_tags_are_one_store(self):
        resource = arn(f"/restapis/{self.api['id']}")
        self.status(gateway.tag_resource(resourceArn=resource, tags={"a": "1", "b": "2"}), 204)
        self.status(gateway.untag_resource(resourceArn=resource, tagKeys=["a"]), 204)
        self.assertEqual(gateway.get_tags(resourceArn=resource)["tags"], {"b": "2"})
        self.assertEqual(gateway.get_rest_api(**self.key)["tags"], {"b": "2"})
        found = aws.tagging.get_resources(TagFilters=[{"Key": "b"}])["ResourceTagMappingList"]
        self.assertIn(resource, [one["ResourceARN"] for one in found])


class Methods(Case):
    def test_resources(self):
        child = gateway.create_resource(**self.key, parentId=self.root, pathPart="orders")
        below = gateway.create_resource(**self.key, parentId=child["id"], pathPart="{id}")
        self.assertEqual(below["path"], "/orders/{id}")
        again = {**self.key, "parentId": self.root, "pathPart": "orders"}
        self.refused(ERRORS.ConflictException, "create_resource", **again)
        moved = gateway.update_resource(
            **self.key, resourceId=child["id"], patchOperations=replace("/pathPart", "baskets")
        )
        self.assertEqual(moved["path"], "/baskets")
        self.assertEqual(gateway.get_resource(**self.key, resourceId=below["id"])["path"], "/baskets/{id}")
        paged = items("get_resources", **self.key, PaginationConfig={"PageSize": 1})
        self.assertEqual(sorted(one["path"] for one in paged), ["/", "/baskets", "/baskets/{id}"])
        self.status(gateway.delete_resource(**self.key, resourceId=child["id"]), 202)
        self.assertEqual([one["path"] for one in items("get_resources", **self.key)], ["/"])

    def test_a_method_its_integration_and_their_responses(self):
        at = self.mocked()
        shown = gateway.get_method(**at)
        self.assertEqual(shown["methodIntegration"]["integrationResponses"]["200"]["statusCode"], "200")
        self.assertEqual(
            gateway.update_method(**at, patchOperations=replace("/apiKeyRequired", "true"))["apiKeyRequired"], True
        )
        response = {**at, "statusCode": "200"}
        header = {"op": "add", "path": "/responseParameters/method.response.header.x", "value": "false"}
        gateway.update_method_response(**response, patchOperations=[header])
        self.assertEqual(
            gateway.get_method_response(**response)["responseParameters"], {"method.response.header.x": False}
        )
        mapped = {"op": "add", "path": "/responseParameters/method.response.header.x", "value": "'1'"}
        gateway.update_integration_response(**response, patchOperations=[mapped])
        answer = gateway.get_integration_response(**response)
        self.assertEqual(answer["responseParameters"], {"method.response.header.x": "'1'"})
        changed = gateway.update_integration(**at, patchOperations=replace("/timeoutInMillis", "1000"))
        self.assertEqual((changed["timeoutInMillis"], gateway.get_integration(**at)["type"]), (1000, "MOCK"))
        for operation, where in [
            ("delete_integration_response", response),
            ("delete_method_response", response),
            ("delete_integration", at),
            ("delete_method", at),
        ]:
            with self.subTest(operation):
                self.status(getattr(gateway, operation)(**where), 204)
                self.refused(ERRORS.NotFoundException, operation.replace("delete", "get"), **where)

    def test_headers_that_the_service_keeps_to_itself(self):
        at = self.mocked()
        gateway.put_integration(
            **at,
            type="HTTP_PROXY",
            integrationHttpMethod="GET",
            uri="http://127.0.0.1:9/",
            requestParameters={"integration.request.header.Content-Length": "'1'"},
        )
        at = self.mocked("POST")
        header = "method.response.header.User-Agent"
        gateway.update_method_response(
            **at,
            statusCode="200",
            patchOperations=[{"op": "add", "path": f"/responseParameters/{header}", "value": "false"}],
        )
        gateway.put_integration_response(**at, statusCode="200", responseParameters={header: "'x'"})
        gateway.create_deployment(**self.key, stageName="dev")
        url = f"{URL}/_sandbox/execute-api/{self.api['id']}/dev/"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        with caught.exception as failed:
            self.assertEqual((failed.code, failed.headers["x-amzn-ErrorType"]), (500, "InternalServerErrorException"))
            self.assertEqual(json.loads(failed.read()), {"message": "Internal server error"})
        request = urllib.request.Request(url, data=b"{}", headers={"Content-Type": "application/json"})
        answer = urllib.request.urlopen(request)
        self.assertEqual((answer.headers["x-amzn-Remapped-User-Agent"], answer.headers["User-Agent"]), ("x", None))

    def test_gateway_responses(self):
        at = {**self.key, "responseType": "UNAUTHORIZED"}
        self.assertTrue(gateway.get_gateway_response(**at)["defaultResponse"])
        parameters = {"gatewayresponse.header.x": "'1'"}
        self.status(gateway.put_gateway_response(**at, statusCode="418", responseParameters=parameters), 201)
        changed = gateway.update_gateway_response(**at, patchOperations=replace("/statusCode", "401"))
        self.assertEqual((changed["statusCode"], changed["responseParameters"]), ("401", parameters))
        shown = {one["responseType"]: one["defaultResponse"] for one in items("get_gateway_responses", **self.key)}
        self.assertEqual((shown["UNAUTHORIZED"], shown["THROTTLED"]), (False, True))
        self.status(gateway.delete_gateway_response(**at), 202)
        self.assertTrue(gateway.get_gateway_response(**at)["defaultResponse"])


class Stages(Case):
    def test_deployments(self):
        first = self.deployed()
        second = gateway.create_deployment(**self.key, description="second")["id"]
        self.assertEqual(
            {one["id"] for one in items("get_deployments", **self.key, PaginationConfig={"PageSize": 1})},
            {first, second},
        )
        at = {**self.key, "deploymentId": second}
        gateway.update_deployment(**at, patchOperations=replace("/description", "other"))
        self.assertEqual(gateway.get_deployment(**at)["description"], "other")
        served = gateway.get_deployment(**self.key, deploymentId=first, embed=["apisummary"])
        self.assertEqual(served["apiSummary"]["/"]["GET"]["authorizationType"], "NONE")
        self.refused(ERRORS.BadRequestException, "delete_deployment", **self.key, deploymentId=first)
        self.status(gateway.delete_deployment(**at), 202)

    def test_patch_paths(self):
        self.deployed()
        at = {**self.key, "stageName": "dev"}
        aws.logs.create_log_group(logGroupName=self.id())
        group = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{self.id()}"
        for path, value, shown in [
            ("/description", "d", lambda stage: stage["description"]),
            ("/variables/backend", "v1", lambda stage: stage["variables"]["backend"]),
            ("/tracingEnabled", "true", lambda stage: str(stage["tracingEnabled"]).lower()),
            (
                "/*/*/throttling/rateLimit",
                "5.5",
                lambda stage: str(stage["methodSettings"]["*/*"]["throttlingRateLimit"]),
            ),
            (
                "/*/*/throttling/burstLimit",
                "7",
                lambda stage: str(stage["methodSettings"]["*/*"]["throttlingBurstLimit"]),
            ),
            (
                "/~1/GET/metrics/enabled",
                "true",
                lambda stage: str(stage["methodSettings"]["~1/GET"]["metricsEnabled"]).lower(),
            ),
            ("/*/*/logging/loglevel", "ERROR", lambda stage: stage["methodSettings"]["*/*"]["loggingLevel"]),
            ("/accessLogSettings/destinationArn", group, lambda stage: stage["accessLogSettings"]["destinationArn"]),
            ("/accessLogSettings/format", "$context.requestId", lambda stage: stage["accessLogSettings"]["format"]),
        ]:
            with self.subTest(path):
                self.assertEqual(shown(gateway.update_stage(**at, patchOperations=replace(path, value))), value)
                self.assertEqual(shown(gateway.get_stage(**at)), value)
        removed = gateway.update_stage(**at, patchOperations=[{"op": "remove", "path": "/variables/backend"}])
        self.assertNotIn("variables", removed)
        self.refused(ERRORS.BadRequestException, "update_stage", **at, patchOperations=replace("/nothing", "x"))
        self.status(gateway.flush_stage_cache(**at), 202)
        self.status(gateway.delete_stage(**at), 202)
        self.refused(ERRORS.NotFoundException, "get_stage", **at)

    def test_a_canary_is_promoted_by_copy_and_removed(self):
        self.deployed()
        at = {**self.key, "stageName": "dev"}
        canary = {"percentTraffic": 25.0, "stageVariableOverrides": {"v": "2"}}
        new = gateway.create_deployment(**self.key, stageName="dev", canarySettings=canary)["id"]
        stage = gateway.get_stage(**at)
        self.assertEqual(
            (stage["canarySettings"]["deploymentId"], stage["canarySettings"]["percentTraffic"]), (new, 25.0)
        )
        self.assertNotEqual(stage["deploymentId"], new)
        copy = [
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
            {"op": "remove", "path": "/canarySettings"},
        ]
        promoted = gateway.update_stage(**at, patchOperations=copy)
        self.assertEqual((promoted["deploymentId"], promoted["variables"]), (new, {"v": "2"}))
        self.assertNotIn("canarySettings", promoted)

    def test_a_stage_is_made_with_a_canary(self):
        first = self.deployed()
        second = gateway.create_deployment(**self.key)["id"]
        canary = {"percentTraffic": 1.5, "deploymentId": second}
        stage = gateway.create_stage(**self.key, stageName="next", deploymentId=first, canarySettings=canary)
        self.assertEqual(stage["canarySettings"]["deploymentId"], second)
        missing = {**self.key, "stageName": "x", "deploymentId": "zzzzzz"}
        self.refused(ERRORS.NotFoundException, "create_stage", **missing)


class Account(Case):
    def test_settings(self):
        before = gateway.get_account()["cloudwatchRoleArn"]
        gateway.update_account(patchOperations=replace("/cloudwatchRoleArn", ""))
        self.assertNotIn("cloudwatchRoleArn", gateway.get_account())
        self.assertIn(PARTITION + ":iam", before)
        name = f"gateway-logs-{REGION}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("apigateway"))["Role"]["Arn"]
        policy = f"arn:{PARTITION}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        changed = gateway.update_account(patchOperations=replace("/cloudwatchRoleArn", role))
        self.assertEqual((changed["cloudwatchRoleArn"], changed["throttleSettings"]["burstLimit"]), (role, 5000))

    def test_vpc_links(self):
        balancer = f"arn:{PARTITION}:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/a/50dc6c495c0c9188"
        links = [self.status(gateway.create_vpc_link(name=f"l{n}", targetArns=[balancer]), 202) for n in range(2)]
        at = {"vpcLinkId": links[0]["id"]}
        self.assertEqual((links[0]["status"], gateway.get_vpc_link(**at)["status"]), ("PENDING", "AVAILABLE"))
        self.assertLessEqual(
            {link["id"] for link in links},
            {link["id"] for link in items("get_vpc_links", PaginationConfig={"PageSize": 1})},
        )
        self.assertEqual(gateway.update_vpc_link(**at, patchOperations=replace("/name", "other"))["name"], "other")
        self.status(gateway.delete_vpc_link(**at), 202)
        self.refused(ERRORS.NotFoundException, "get_vpc_link", **at)

    def test_domain_names_and_their_mappings(self):
        self.deployed()
        missing = f"arn:{PARTITION}:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
        settings = {"regionalCertificateArn": missing, "endpointConfiguration": {"types": ["REGIONAL"]}}
        words = self.refused(ERRORS.BadRequestException, "create_domain_name", domainName="api.example.com", **settings)
        self.assertEqual(words, "The provided certificate does not exist.")
        certificate = aws.client("acm").request_certificate(DomainName="*.example.com")["CertificateArn"]
        settings = {"regionalCertificateArn": certificate, "endpointConfiguration": {"types": ["REGIONAL"]}}
        made = gateway.create_domain_name(domainName="api.example.com", **settings)
        self.assertIn(f".execute-api.{REGION}.{HOST}", made["regionalDomainName"])
        self.refused(ERRORS.BadRequestException, "create_domain_name", domainName="api.example.com", **settings)
        at = {"domainName": "api.example.com"}
        gateway.update_domain_name(**at, patchOperations=replace("/securityPolicy", "TLS_1_2"))
        self.assertEqual(gateway.get_domain_name(**at)["securityPolicy"], "TLS_1_2")
        self.assertIn("api.example.com", [one["domainName"] for one in items("get_domain_names")])
        gateway.create_base_path_mapping(**at, **self.key, basePath="shop", stage="dev")
        path = {**at, "basePath": "shop"}
        self.assertEqual(gateway.get_base_path_mapping(**path)["stage"], "dev")
        self.assertEqual([one["basePath"] for one in items("get_base_path_mappings", **at)], ["shop"])
        gateway.update_base_path_mapping(**path, patchOperations=replace("/basePath", "store"))
        request = urllib.request.Request(f"{URL}/store/", headers={"Host": "api.example.com"})
        self.assertEqual(urllib.request.urlopen(request).read(), b"v1")
        self.refused(ERRORS.NotFoundException, "get_base_path_mapping", **path)
        self.status(gateway.delete_base_path_mapping(**at, basePath="store"), 202)
        self.status(gateway.delete_domain_name(**at), 202)
        self.refused(ERRORS.NotFoundException, "get_domain_name", **at)

    def test_keys_and_usage_plans(self):
        self.deployed()
        key = gateway.create_api_key(name="key", enabled=True, value="k" * 20)
        self.assertNotIn("value", gateway.get_api_key(apiKey=key["id"]))
        self.assertEqual(gateway.get_api_key(apiKey=key["id"], includeValue=True)["value"], "k" * 20)
        gateway.update_api_key(apiKey=key["id"], patchOperations=replace("/enabled", "false"))
        self.assertFalse(gateway.get_api_key(apiKey=key["id"])["enabled"])
        plan = gateway.create_usage_plan(
            name="plan",
            apiStages=[{"apiId": self.api["id"], "stage": "dev"}],
            throttle={"rateLimit": 5.0, "burstLimit": 10},
            quota={"limit": 100, "period": "DAY"},
        )
        at = {"usagePlanId": plan["id"]}
        gateway.create_usage_plan_key(**at, keyId=key["id"], keyType="API_KEY")
        self.assertEqual([one["id"] for one in items("get_usage_plan_keys", **at)], [key["id"]])
        self.assertEqual(gateway.get_usage_plan_key(**at, keyId=key["id"])["name"], "key")
        gateway.update_usage_plan(**at, patchOperations=replace("/throttle/burstLimit", "20"))
        self.assertEqual(gateway.get_usage_plan(**at)["throttle"]["burstLimit"], 20)
        self.assertIn(plan["id"], [one["id"] for one in items("get_usage_plans", PaginationConfig={"PageSize": 1})])
        self.assertIn(key["id"], [one["id"] for one in items("get_api_keys", PaginationConfig={"PageSize": 1})])
        self.status(gateway.delete_usage_plan_key(**at, keyId=key["id"]), 202)
        self.refused(ERRORS.BadRequestException, "delete_usage_plan", **at)
        gone = {"op": "remove", "path": "/apiStages", "value": f"{self.api['id']}:dev"}
        gateway.update_usage_plan(**at, patchOperations=[gone])
        self.status(gateway.delete_usage_plan(**at), 202)
        self.status(gateway.delete_api_key(apiKey=key["id"]), 202)
        self.refused(ERRORS.NotFoundException, "get_api_key", apiKey=key["id"])

    def test_client_certificates(self):
        made = gateway.generate_client_certificate(description="d")
        at = {"clientCertificateId": made["clientCertificateId"]}
        self.assertTrue(made["pemEncodedCertificate"].startswith("-----BEGIN CERTIFICATE-----"))
        gateway.update_client_certificate(**at, patchOperations=replace("/description", "other"))
        self.assertEqual(gateway.get_client_certificate(**at)["description"], "other")
        self.assertIn(
            at["clientCertificateId"], [one["clientCertificateId"] for one in items("get_client_certificates")]
        )
        self.status(gateway.delete_client_certificate(**at), 202)
        self.refused(ERRORS.NotFoundException, "get_client_certificate", **at)

    def test_documentation(self):
        part = gateway.create_documentation_part(
            **self.key, location={"type": "API"}, properties='{"description": "d"}'
        )
        at = {**self.key, "documentationPartId": part["id"]}
        gateway.update_documentation_part(**at, patchOperations=replace("/properties", '{"description": "e"}'))
        self.assertEqual(json.loads(gateway.get_documentation_part(**at)["properties"]), {"description": "e"})
        self.assertEqual(len(gateway.get_documentation_parts(**self.key)["items"]), 1)
        version = {**self.key, "documentationVersion": "1"}
        gateway.create_documentation_version(**version)
        gateway.update_documentation_version(**version, patchOperations=replace("/description", "first"))
        self.assertEqual(gateway.get_documentation_version(**version)["description"], "first")
        self.assertEqual(gateway.get_documentation_versions(**self.key)["items"][0]["version"], "1")
        self.status(gateway.delete_documentation_version(**version), 202)
        self.status(gateway.delete_documentation_part(**at), 202)
        self.refused(ERRORS.NotFoundException, "get_documentation_part", **at)


MOCK = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "Imported", "version": "1"},
    "servers": [{"url": "https://example.com/{basePath}", "variables": {"basePath": {"default": "v1/shop"}}}],
    "paths": {"/orders": {"get": {"responses": {}, "x-amazon-apigateway-integration": MOCK}}},
}
SWAGGER = {**OPENAPI, "swagger": "2.0", "basePath": "/v1/shop"}
del SWAGGER["openapi"], SWAGGER["servers"]
YAML = """\
openapi: "3.0.1"
info: {title: Imported, version: "1"}
servers:
  - url: https://example.com/{basePath}
    variables: {basePath: {default: v1/shop}}
paths:
  /orders:
    get:
      responses: {}
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}}
"""
SWAGGER_YAML = (
    YAML.replace('openapi: "3.0.1"', 'swagger: "2.0"').split("servers:")[0]
    + "basePath: /v1/shop\n"
    + "paths:"
    + YAML.split("paths:")[1]
)


class Documents(Case):
    def paths(self, api):
        return sorted(one["path"] for one in items("get_resources", restApiId=api["id"]))

    def test_both_versions_in_both_languages_with_every_base_path_mode(self):
        documents = {
            "OpenAPI 3, JSON": json.dumps(OPENAPI),
            "OpenAPI 3, YAML": YAML,
            "Swagger 2, JSON": json.dumps(SWAGGER),
            "Swagger 2, YAML": SWAGGER_YAML,
        }
        for name, document in documents.items():
            for mode, paths in [
                ("ignore", ["/", "/orders"]),
                ("prepend", ["/", "/v1", "/v1/shop", "/v1/shop/orders"]),
                ("split", ["/", "/shop", "/shop/orders"]),
            ]:
                with self.subTest(name, mode=mode):
                    api = gateway.import_rest_api(body=document, parameters={"basepath": mode})
                    self.assertEqual((api["name"], self.paths(api)), ("Imported", paths))

    def test_a_put_merges_or_overwrites(self):
        more = json.dumps({**OPENAPI, "paths": {"/baskets": OPENAPI["paths"]["/orders"]}})
        for mode, paths in [("merge", ["/", "/baskets", "/orders"]), ("overwrite", ["/", "/baskets"])]:
            with self.subTest(mode):
                api = gateway.import_rest_api(body=json.dumps(OPENAPI))
                gateway.put_rest_api(restApiId=api["id"], mode=mode, body=more)
                self.assertEqual(self.paths(api), paths)

    def test_warnings_fail_only_if_asked_to(self):
        # Values of a template that are no strings are left out, with a warning.
        doubtful = json.loads(json.dumps(OPENAPI))
        integration = doubtful["paths"]["/orders"]["get"]["x-amazon-apigateway-integration"]
        integration["requestTemplates"]["application/xml"] = {"a": 1}
        text = json.dumps(doubtful)
        self.assertTrue(gateway.import_rest_api(body=text)["warnings"])
        self.refused(ERRORS.BadRequestException, "import_rest_api", body=text, failOnWarnings=True)

    def test_exports_are_what_was_imported(self):
        api = gateway.import_rest_api(body=json.dumps(OPENAPI))
        gateway.create_deployment(restApiId=api["id"], stageName="dev")
        for kind, version in [("oas30", ("openapi", "3.0.1")), ("swagger", ("swagger", "2.0"))]:
            for accepted in ["application/json", "application/yaml"]:
                with self.subTest(kind, accepted=accepted):
                    export = gateway.get_export(
                        restApiId=api["id"],
                        stageName="dev",
                        exportType=kind,
                        parameters={"extensions": "integrations"},
                        accepts=accepted,
                    )
                    text = export["body"].read().decode()
                    self.assertIn("x-amazon-apigateway-integration", text)
                    if accepted == "application/json":
                        document = json.loads(text)
                        self.assertEqual(document[version[0]], version[1])
                        self.assertEqual(list(document["paths"]), ["/orders"])
                        self.assertIn(f"{api['id']}.execute-api.{REGION}.{HOST}", text)
        unknown = {"restApiId": api["id"], "stageName": "dev", "exportType": "raml"}
        self.refused(ERRORS.BadRequestException, "get_export", **unknown)


class Errors(Case):
    def test_classes(self):
        nobody = {"restApiId": "zzzzzzzzzz"}
        self.assertIn("Invalid API identifier", self.refused(ERRORS.NotFoundException, "get_rest_api", **nobody))
        wrong = {"name": "x", "endpointConfiguration": {"types": ["LOCAL"]}}
        with self.assertRaises(gateway.exceptions.ClientError) as caught:
            gateway.create_rest_api(**wrong)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationException")
        at = self.mocked()
        self.refused(ERRORS.ConflictException, "put_method", **at, authorizationType="NONE")
        empty = gateway.create_rest_api(name="empty")
        self.refused(ERRORS.BadRequestException, "create_deployment", restApiId=empty["id"])


# A bootstrap that allows everything, says how often it was asked, and fails if it is told to.
BOOTSTRAP = """#!/usr/bin/env python3
import http.client, json, os
api, base, asked = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]), "/2018-06-01/runtime/invocation/", 0
while True:
    api.request("GET", base + "next")
    answer = api.getresponse()
    id, event = answer.getheader("Lambda-Runtime-Aws-Request-Id"), json.loads(answer.read())
    asked += 1
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    said = {"principalId": "p", "policyDocument": policy, "context": {"asked": str(asked)}}
    if event.get("fail"):
        api.request("POST", base + id + "/error", json.dumps({"errorType": "Told", "errorMessage": "to fail"}))
    else:
        api.request("POST", base + id + "/response", json.dumps(said))
    api.getresponse().read()
"""


class Functions(Case):
    """A function, invoked by itself and as an authorizer whose answers are kept."""

    @classmethod
    def setUpClass(cls):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            info = zipfile.ZipInfo("bootstrap")
            info.external_attr = 0o755 << 16
            archive.writestr(info, BOOTSTRAP)
        role = iam.create_role(RoleName=f"function-{REGION}", AssumeRolePolicyDocument=trust("lambda"))["Role"]
        iam.get_waiter("role_exists").wait(RoleName=role["RoleName"])
        settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 20, "Role": role["Arn"]}
        cls.made = functions.create_function(FunctionName="authorizer", Code={"ZipFile": zipped.getvalue()}, **settings)
        functions.get_waiter("function_active_v2").wait(FunctionName="authorizer")
        functions.get_waiter("function_updated_v2").wait(FunctionName="authorizer")
        allowed = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "StatementId": "gateway"}
        functions.add_permission(FunctionName="authorizer", **allowed)

    def test_it_is_invoked(self):
        self.assertEqual(self.made["FunctionArn"], f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:authorizer")
        answer = functions.invoke(FunctionName="authorizer", Payload=b"{}")
        self.assertEqual((answer["StatusCode"], json.loads(answer["Payload"].read())["principalId"]), (200, "p"))
        answer = functions.invoke(FunctionName="authorizer", Payload=b'{"fail": true}', LogType="Tail")
        self.assertEqual((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        self.assertEqual(json.loads(answer["Payload"].read()), {"errorType": "Told", "errorMessage": "to fail"})
        with self.assertRaises(functions.exceptions.ResourceNotFoundException):
            functions.invoke(FunctionName="none", Payload=b"{}")

    def test_flushing_a_stage_makes_it_be_asked_again(self):
        made = gateway.create_authorizer(
            **self.key,
            name="authorizer",
            type="TOKEN",
            authorizerUri=AUTHORIZER_URI,
            identitySource="method.request.header.Authorization",
            authorizerResultTtlInSeconds=3600,
        )
        at = self.mocked(authorizationType="CUSTOM", authorizerId=made["id"])
        told = {"application/json": "$context.authorizer.asked"}
        gateway.put_integration_response(**at, statusCode="200", responseTemplates=told)
        gateway.create_deployment(**self.key, stageName="dev")
        gateway.create_deployment(**self.key, stageName="other")

        def asked(stage):
            url = f"{URL}/_sandbox/execute-api/{self.api['id']}/{stage}/"
            request = urllib.request.Request(url, headers={"Authorization": "Bearer t"})
            return int(urllib.request.urlopen(request).read())

        first, second = asked("dev"), asked("other")
        self.assertEqual((second, asked("dev"), asked("other")), (first + 1, first, second))
        self.status(gateway.flush_stage_authorizers_cache(**self.key, stageName="dev"), 202)
        self.assertEqual((asked("dev"), asked("dev"), asked("other")), (second + 1, second + 1, second))
        missing = {**self.key, "stageName": "none"}
        self.refused(ERRORS.NotFoundException, "flush_stage_authorizers_cache", **missing)


class Versions(Case):
    """A function with versions: an alias that an authorizer calls, concurrency."""

    NAME = "published"

    @classmethod
    def setUpClass(cls):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            info = zipfile.ZipInfo("bootstrap")
            info.external_attr = 0o755 << 16
            archive.writestr(info, BOOTSTRAP)
        role = iam.create_role(RoleName=f"published-{REGION}", AssumeRolePolicyDocument=trust("lambda"))["Role"]
        iam.get_waiter("role_exists").wait(RoleName=role["RoleName"])
        settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 20, "Role": role["Arn"]}
        functions.create_function(FunctionName=cls.NAME, Code={"ZipFile": zipped.getvalue()}, **settings)
        functions.get_waiter("function_active_v2").wait(FunctionName=cls.NAME)
        functions.publish_version(FunctionName=cls.NAME, Description="first")
        functions.get_waiter("published_version_active").wait(FunctionName=cls.NAME, Qualifier="1")
        functions.create_alias(FunctionName=cls.NAME, Name="live", FunctionVersion="1")

    def test_versions_and_aliases_are_listed_read_moved_and_deleted(self):
        of = {"FunctionName": self.NAME}
        again = functions.publish_version(**of)
        self.assertEqual((again["Version"], again["Description"]), ("1", "first"))
        functions.update_function_configuration(**of, MemorySize=256)
        functions.get_waiter("function_updated_v2").wait(**of)
        second = functions.publish_version(**of)["Version"]
        pages = functions.get_paginator("list_versions_by_function").paginate(**of, PaginationConfig={"PageSize": 1})
        self.assertEqual([one["Version"] for page in pages for one in page["Versions"]], ["$LATEST", "1", second])
        with self.assertRaises(functions.exceptions.ResourceConflictException):
            functions.create_alias(**of, Name="live", FunctionVersion="1")
        functions.create_alias(**of, Name="next", FunctionVersion="$LATEST", Description="d")
        functions.update_alias(**of, Name="next", FunctionVersion=second)
        pages = functions.get_paginator("list_aliases").paginate(**of, PaginationConfig={"PageSize": 1})
        self.assertEqual([one["Name"] for page in pages for one in page["Aliases"]], ["live", "next"])
        self.assertEqual(functions.get_alias(**of, Name="next")["FunctionVersion"], second)
        with self.assertRaises(functions.exceptions.ResourceConflictException):
            functions.delete_function(**of, Qualifier=second)
        functions.delete_alias(**of, Name="next")
        functions.delete_function(**of, Qualifier=second)
        self.assertEqual(functions.get_function(**of, Qualifier="live")["Configuration"]["MemorySize"], 128)

    def test_concurrency_is_reserved_and_provisioned(self):
        of, live = {"FunctionName": self.NAME}, {"FunctionName": self.NAME, "Qualifier": "live"}
        with self.assertRaises(functions.exceptions.ProvisionedConcurrencyConfigNotFoundException):
            functions.get_provisioned_concurrency_config(**live)
        put = functions.put_provisioned_concurrency_config(**live, ProvisionedConcurrentExecutions=2)
        self.assertEqual(put["Status"], "IN_PROGRESS")
        self.assertEqual(functions.get_provisioned_concurrency_config(**live)["Status"], "READY")
        [listed] = functions.list_provisioned_concurrency_configs(**of)["ProvisionedConcurrencyConfigs"]
        self.assertTrue(listed["FunctionArn"].endswith(f":function:{self.NAME}:live"))
        functions.put_function_concurrency(**of, ReservedConcurrentExecutions=5)
        self.assertEqual(functions.get_function_concurrency(**of)["ReservedConcurrentExecutions"], 5)
        limit = functions.get_account_settings()["AccountLimit"]
        self.assertEqual(limit["ConcurrentExecutions"] - limit["UnreservedConcurrentExecutions"], 5)
        with self.assertRaises(functions.exceptions.InvalidParameterValueException):
            functions.put_function_concurrency(**of, ReservedConcurrentExecutions=901)
        functions.delete_provisioned_concurrency_config(**live)
        functions.put_function_concurrency(**of, ReservedConcurrentExecutions=0)
        with self.assertRaises(functions.exceptions.TooManyRequestsException):
            functions.invoke(**of, Payload=b"{}")
        functions.delete_function_concurrency(**of)

    def test_an_authorizer_calls_an_alias_if_it_may(self):
        uri = AUTHORIZER_URI.replace(":authorizer/", f":{self.NAME}:live/")
        named = {"name": "by-alias", "type": "TOKEN", "identitySource": "method.request.header.Authorization"}
        made = gateway.create_authorizer(**self.key, **named, authorizerUri=uri, authorizerResultTtlInSeconds=0)
        self.mocked(authorizationType="CUSTOM", authorizerId=made["id"])
        gateway.create_deployment(**self.key, stageName="dev")
        url = f"{URL}/_sandbox/execute-api/{self.api['id']}/dev/"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer t"})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        self.assertEqual(caught.exception.code, 500)
        allowed = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "StatementId": "gateway"}
        functions.add_permission(FunctionName=self.NAME, Qualifier="live", **allowed)
        self.assertEqual(urllib.request.urlopen(request).status, 200)
        functions.remove_permission(FunctionName=self.NAME, Qualifier="live", StatementId="gateway")


class Alarms(unittest.TestCase):
    def test_alarms_are_put_described_by_pages_tagged_and_deleted(self):
        watch = aws.client("cloudwatch")
        common = {"EvaluationPeriods": 5, "DatapointsToAlarm": 3, "Threshold": 1.5, "TreatMissingData": "notBreaching"}
        common["ComparisonOperator"] = "GreaterThanThreshold"
        at = [{"Name": "ApiName", "Value": "gate"}, {"Name": "Stage", "Value": "dev"}]
        topic = f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:alarms"
        slow = {"Namespace": "AWS/ApiGateway", "MetricName": "Latency", "ExtendedStatistic": "p99", "Period": 60}
        tags = [{"Key": "team", "Value": "a"}]
        watch.put_metric_alarm(AlarmName="slow", **slow, Dimensions=at, AlarmActions=[topic], Tags=tags, **common)

        def metric(id, name):
            of = {"Namespace": "AWS/ApiGateway", "MetricName": name, "Dimensions": at}
            return {"Id": id, "MetricStat": {"Metric": of, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

        rate = [metric("e", "5XXError"), metric("n", "Count"), {"Id": "rate", "Expression": "100 * e / n"}]
        watch.put_metric_alarm(AlarmName="rate", Metrics=rate, **common)
        pages = watch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 1})
        found = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
        self.assertEqual(sorted(found), ["rate", "slow"])
        for name, value in {**slow, **common, "Dimensions": at, "AlarmActions": [topic]}.items():
            self.assertEqual(found["slow"][name], value, name)
        self.assertEqual(found["rate"]["Metrics"][0], rate[0])
        self.assertTrue(found["rate"]["Metrics"][2]["ReturnData"])
        self.assertEqual(found["slow"]["StateUpdatedTimestamp"].year >= 2020, True)
        arn = found["slow"]["AlarmArn"]
        self.assertEqual(arn, f"arn:{PARTITION}:cloudwatch:{REGION}:{ACCOUNT}:alarm:slow")
        watch.tag_resource(ResourceARN=arn, Tags=[{"Key": "x", "Value": "y"}])
        watch.untag_resource(ResourceARN=arn, TagKeys=["team"])
        self.assertEqual(watch.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "x", "Value": "y"}])
        tagged = aws.tagging.get_resources(TagFilters=[{"Key": "x"}], ResourceTypeFilters=["cloudwatch:alarm"])
        self.assertEqual([one["ResourceARN"] for one in tagged["ResourceTagMappingList"]], [arn])
        watch.set_alarm_state(AlarmName="slow", StateValue="ALARM", StateReason="a test")
        watch.disable_alarm_actions(AlarmNames=["slow"])
        [alarm] = watch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
        self.assertEqual((alarm["AlarmName"], alarm["ActionsEnabled"]), ("slow", False))
        of_metric = watch.describe_alarms_for_metric(Namespace="AWS/ApiGateway", MetricName="Latency", Dimensions=at)
        self.assertEqual([one["AlarmName"] for one in of_metric["MetricAlarms"]], ["slow"])
        watch.delete_alarms(AlarmNames=["slow", "rate"])
        with self.assertRaises(watch.exceptions.ResourceNotFound):
            watch.delete_alarms(AlarmNames=["slow"])
        with self.assertRaises(watch.exceptions.ClientError) as caught:
            watch.put_metric_alarm(AlarmName="slow", **{**slow, "Period": 61}, **common)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationError")


class Firewall(Case):
    def test_a_web_acl_blocks_what_it_is_associated_with(self):
        self.deployed()
        waf = aws.client("wafv2")
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
        scope = {"Scope": "REGIONAL"}
        addresses = waf.create_ip_set(Name="set", **scope, IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"])[
            "Summary"
        ]
        rule = {
            "Name": "closed",
            "Priority": 0,
            "Statement": {"IPSetReferenceStatement": {"ARN": addresses["ARN"]}},
            "Action": {"Block": {}},
            "VisibilityConfig": seen,
        }
        acl = waf.create_web_acl(Name="acl", **scope, DefaultAction={"Allow": {}}, Rules=[rule], VisibilityConfig=seen)[
            "Summary"
        ]
        stage = arn(f"/restapis/{self.api['id']}/stages/dev")
        waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage)
        self.assertEqual(waf.get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["Name"], "acl")
        self.assertEqual(gateway.get_stage(**self.key, stageName="dev")["webAclArn"], acl["ARN"])
        url = f"{URL}/_sandbox/execute-api/{self.api['id']}/dev/"
        for address, status in [("192.0.2.7", 403), ("198.51.100.7", 200)]:
            request = urllib.request.Request(url, headers={"x-gwctl-source-ip": address})
            try:
                self.assertEqual(urllib.request.urlopen(request).status, status)
            except urllib.error.HTTPError as error:
                self.assertEqual(error.code, status)
        named = {"Name": "acl", **scope, "Id": acl["Id"]}
        with self.assertRaises(waf.exceptions.WAFAssociatedItemException):
            waf.delete_web_acl(**named, LockToken=acl["LockToken"])
        waf.disassociate_web_acl(ResourceArn=stage)
        with self.assertRaises(waf.exceptions.WAFOptimisticLockException):
            waf.update_ip_set(
                Name="set", **scope, Id=addresses["Id"], Addresses=[], LockToken="0" * 8 + "-0000-0000-0000-" + "0" * 12
            )
        waf.delete_web_acl(**named, LockToken=acl["LockToken"])
        self.assertNotIn("acl", [one["Name"] for one in waf.list_web_acls(**scope)["WebACLs"]])


class Network(unittest.TestCase):
    """What stands around functions in a VPC, and behind VPC links."""

    def code(self, operation, **arguments):
        """The code with which a call is refused."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            operation(**arguments)
        return caught.exception.response["Error"]["Code"]

    def test_security_groups_with_their_rules_and_tags(self):
        ec2 = aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]
        self.assertEqual(subnet["AvailabilityZone"], f"{REGION}a")
        tags = [{"Key": "team", "Value": "a & b"}]
        made = ec2.create_security_group(
            GroupName="boto3",
            Description="for a test",
            VpcId=vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
        )
        self.assertEqual(made["Tags"], tags)
        group = made["GroupId"]
        self.assertEqual(
            self.code(ec2.create_security_group, GroupName="boto3", Description="x", VpcId=vpc),
            "InvalidGroup.Duplicate",
        )
        https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        rule = [{**https, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}]}]
        answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
        self.assertEqual(answer["SecurityGroupRules"][0]["CidrIpv4"], "10.0.0.0/8")
        self.assertEqual(
            self.code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rule),
            "InvalidPermission.Duplicate",
        )
        [found] = ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["boto3"]}, {"Name": "vpc-id", "Values": [vpc]}]
        )["SecurityGroups"]
        self.assertEqual(found["IpPermissions"][0]["IpRanges"], [{"CidrIp": "10.0.0.0/8", "Description": "inside"}])
        self.assertEqual(found["IpPermissionsEgress"][0]["IpRanges"], [{"CidrIp": "0.0.0.0/0"}])
        self.assertTrue(found["SecurityGroupArn"].startswith(f"arn:{PARTITION}:ec2:{REGION}:{ACCOUNT}:"))
        ec2.create_tags(Resources=[group], Tags=[{"Key": "x", "Value": "y"}])
        ec2.delete_tags(Resources=[group], Tags=[{"Key": "team"}])
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual(found["Tags"], [{"Key": "x", "Value": "y"}])
        pages = ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 5}
        )
        self.assertEqual({rule["IsEgress"] for page in pages for rule in page["SecurityGroupRules"]}, {True, False})
        arns = [
            one["ResourceARN"]
            for one in aws.tagging.get_resources(ResourceTypeFilters=["ec2:security-group"])["ResourceTagMappingList"]
        ]
        self.assertIn(found["SecurityGroupArn"], arns)
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
        ec2.delete_security_group(GroupId=group)
        self.assertEqual(self.code(ec2.delete_security_group, GroupId=group), "InvalidGroup.NotFound")
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc)

    def test_load_balancers(self):
        balancers = aws.client("elbv2")
        made = balancers.create_load_balancer(
            Name="boto3", Type="network", Subnets=["subnet-0a1b2c3d"], Tags=[{"Key": "team", "Value": "a"}]
        )["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        self.assertEqual((made["State"]["Code"], made["Type"]), ("provisioning", "network"))
        self.assertTrue(made["DNSName"].endswith(f".elb.{REGION}.{HOST}"))
        [found] = balancers.describe_load_balancers(Names=["boto3"])["LoadBalancers"]
        self.assertEqual((found["LoadBalancerArn"], found["State"]["Code"]), (arn, "active"))
        self.assertEqual(self.code(balancers.describe_load_balancers, Names=["none"]), "LoadBalancerNotFound")
        [tags] = balancers.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        self.assertEqual(tags["Tags"], [{"Key": "team", "Value": "a"}])
        balancers.delete_load_balancer(LoadBalancerArn=arn)
        self.assertNotIn(arn, [one["LoadBalancerArn"] for one in balancers.describe_load_balancers()["LoadBalancers"]])


class Logs(unittest.TestCase):
    """Where logs of AWS WAF go: buckets, and the delivery streams on the way there."""

    def code(self, operation, **arguments):
        """The code with which a call is refused."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            operation(**arguments)
        return caught.exception.response["Error"]["Code"]

    def test_buckets(self):
        s3 = aws.client("s3")
        name = f"boto3-logs-{REGION}"
        bucket = {"Bucket": name}
        where = {"LocationConstraint": REGION, "Tags": [{"Key": "team", "Value": "a"}]}
        s3.create_bucket(**bucket, CreateBucketConfiguration=where)
        again = {**bucket, "CreateBucketConfiguration": {"LocationConstraint": REGION}}
        self.assertEqual(self.code(s3.create_bucket, **again), "BucketAlreadyOwnedByYou")
        self.assertEqual(s3.head_bucket(**bucket)["BucketRegion"], REGION)
        self.assertEqual(self.code(s3.head_bucket, Bucket="boto3-none"), "404")
        self.assertEqual(s3.get_bucket_location(**bucket)["LocationConstraint"], REGION)
        self.assertIn(name, [one["Name"] for one in s3.list_buckets()["Buckets"]])
        self.assertEqual(s3.get_bucket_tagging(**bucket)["TagSet"], [{"Key": "team", "Value": "a"}])
        tagged = aws.tagging.get_resources(ResourceTypeFilters=["s3"])["ResourceTagMappingList"]
        arns = [one["ResourceARN"] for one in tagged]
        self.assertIn(f"arn:{PARTITION}:s3:::{name}", arns)
        block = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual(set(block.values()), {True})
        [rule] = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
        self.assertEqual(rule, {"ObjectOwnership": "BucketOwnerEnforced"})
        encryption = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(encryption[0]["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        enabled = {"TargetBucket": name, "TargetPrefix": "access/"}
        s3.put_bucket_logging(**bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
        self.assertEqual(s3.get_bucket_logging(**bucket)["LoggingEnabled"], enabled)
        self.assertEqual(self.code(s3.get_bucket_lifecycle_configuration, **bucket), "NoSuchLifecycleConfiguration")
        rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
        s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [rule]})
        self.assertEqual(s3.get_bucket_lifecycle_configuration(**bucket)["Rules"][0]["Expiration"], {"Days": 30})
        arn = f"arn:{PARTITION}:s3:::{name}"
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
        s3.put_bucket_policy(**bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        self.assertEqual(json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"], [statement])
        self.assertEqual(self.code(s3.get_bucket_acl, **bucket), "NotImplemented")

        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ["a/b c", "a/d", "e"]:
            s3.put_object(**bucket, Key=key, Body=key.encode(), ContentType="text/plain")
        found = s3.get_object(**bucket, Key="a/b c")
        self.assertEqual((found["Body"].read(), found["ContentType"]), (b"a/b c", "text/plain"))
        self.assertEqual(s3.head_object(**bucket, Key="e")["ContentLength"], 1)
        pages = s3.get_paginator("list_objects_v2").paginate(**bucket, PaginationConfig={"PageSize": 1})
        self.assertEqual([one["Key"] for page in pages for one in page["Contents"]], ["a/b c", "a/d", "e"])
        shared = s3.list_objects_v2(**bucket, Delimiter="/")
        self.assertEqual(shared["CommonPrefixes"], [{"Prefix": "a/"}])
        s3.delete_object(**bucket, Key="e")
        self.assertEqual(self.code(s3.get_object, **bucket, Key="e"), "NoSuchKey")
        self.assertEqual(self.code(s3.delete_bucket, **bucket), "BucketNotEmpty")
        pages = s3.get_paginator("list_object_versions").paginate(**bucket, PaginationConfig={"PageSize": 1})
        versions = [one for page in pages for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        self.assertEqual(len(versions), 4)
        for one in versions:
            s3.delete_object(**bucket, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(**bucket)
        self.assertEqual(self.code(s3.get_bucket_tagging, **bucket), "NoSuchBucket")

    def test_delivery_streams(self):
        firehose = aws.client("firehose")
        stream = {"DeliveryStreamName": "aws-waf-logs-boto3"}
        to = {"BucketARN": f"arn:{PARTITION}:s3:::boto3-logs"}
        absent = {**to, "RoleARN": f"arn:{PARTITION}:iam::{ACCOUNT}:role/none"}
        with self.assertRaises(firehose.exceptions.InvalidArgumentException) as caught:
            firehose.create_delivery_stream(**stream, ExtendedS3DestinationConfiguration=absent)
        self.assertIn("Firehose is unable to assume role", caught.exception.response["Error"]["Message"])
        role = iam.create_role(RoleName="boto3-delivery", AssumeRolePolicyDocument=trust("firehose"))["Role"]["Arn"]
        to["RoleARN"] = role
        tags = [{"Key": "team", "Value": "a"}]
        made = {**stream, "ExtendedS3DestinationConfiguration": to}
        arn = firehose.create_delivery_stream(**made, Tags=tags)["DeliveryStreamARN"]
        self.assertEqual(arn, f"arn:{PARTITION}:firehose:{REGION}:{ACCOUNT}:deliverystream/aws-waf-logs-boto3")
        with self.assertRaises(firehose.exceptions.ResourceInUseException):
            firehose.create_delivery_stream(**made)
        found = firehose.describe_delivery_stream(**stream)["DeliveryStreamDescription"]
        self.assertEqual((found["DeliveryStreamStatus"], found["VersionId"]), ("ACTIVE", "1"))
        [destination] = found["Destinations"]
        self.assertEqual(destination["ExtendedS3DestinationDescription"]["BufferingHints"]["SizeInMBs"], 5)
        change = {
            **stream,
            "CurrentDeliveryStreamVersionId": "1",
            "DestinationId": destination["DestinationId"],
            "ExtendedS3DestinationUpdate": {"CompressionFormat": "GZIP"},
        }
        firehose.update_destination(**change)
        with self.assertRaises(firehose.exceptions.ConcurrentModificationException):
            firehose.update_destination(**change)
        firehose.start_delivery_stream_encryption(**stream)
        found = firehose.describe_delivery_stream(**stream)["DeliveryStreamDescription"]
        self.assertEqual(found["DeliveryStreamEncryptionConfiguration"]["Status"], "ENABLED")
        self.assertEqual(firehose.list_delivery_streams()["DeliveryStreamNames"], [stream["DeliveryStreamName"]])
        firehose.tag_delivery_stream(**stream, Tags=[{"Key": "x", "Value": "y"}])
        firehose.untag_delivery_stream(**stream, TagKeys=["team"])
        self.assertEqual(firehose.list_tags_for_delivery_stream(**stream)["Tags"], [{"Key": "x", "Value": "y"}])
        tagged = aws.tagging.get_resources(ResourceTypeFilters=["firehose:deliverystream"])["ResourceTagMappingList"]
        self.assertIn(arn, [one["ResourceARN"] for one in tagged])
        firehose.delete_delivery_stream(**stream)
        with self.assertRaises(firehose.exceptions.ResourceNotFoundException):
            firehose.describe_delivery_stream(**stream)
        iam.delete_role(RoleName="boto3-delivery")


class Names(unittest.TestCase):
    """Certificates, hosted zones and their records."""

    def test_certificates(self):
        acm = aws.client("acm")
        names = ["names.example.com", "*.names.example.com"]
        made = acm.request_certificate(
            DomainName=names[0],
            SubjectAlternativeNames=names,
            ValidationMethod="DNS",
            Tags=[{"Key": "a", "Value": "1"}],
        )
        at = {"CertificateArn": made["CertificateArn"]}
        self.assertTrue(at["CertificateArn"].startswith(f"arn:{PARTITION}:acm:{REGION}:{ACCOUNT}:certificate/"))
        acm.get_waiter("certificate_validated").wait(**at)
        shown = acm.describe_certificate(**at)["Certificate"]
        self.assertEqual((shown["Status"], shown["SubjectAlternativeNames"]), ("ISSUED", names))
        self.assertGreater(shown["NotAfter"], shown["NotBefore"])
        issued = {"CertificateStatuses": ["ISSUED"], "PaginationConfig": {"PageSize": 1}}
        pages = acm.get_paginator("list_certificates").paginate(**issued)
        listed = {one["CertificateArn"]: one for page in pages for one in page["CertificateSummaryList"]}
        self.assertEqual(listed[at["CertificateArn"]]["SubjectAlternativeNameSummaries"], names)
        acm.add_tags_to_certificate(**at, Tags=[{"Key": "b", "Value": "2"}])
        acm.remove_tags_from_certificate(**at, Tags=[{"Key": "a"}])
        self.assertEqual(acm.list_tags_for_certificate(**at)["Tags"], [{"Key": "b", "Value": "2"}])
        found = aws.tagging.get_resources(ResourceTypeFilters=["acm:certificate"])["ResourceTagMappingList"]
        self.assertIn(at["CertificateArn"], [one["ResourceARN"] for one in found])
        acm.delete_certificate(**at)
        with self.assertRaises(acm.exceptions.ResourceNotFoundException):
            acm.describe_certificate(**at)

    def test_zones_and_records(self):
        dns = aws.client("route53")
        made = dns.create_hosted_zone(Name="names.example.com", CallerReference=self.id())
        zone = made["HostedZone"]["Id"]
        self.assertEqual((len(made["DelegationSet"]["NameServers"]), zone[:12]), (4, "/hostedzone/"))
        pages = dns.get_paginator("list_hosted_zones").paginate()
        self.assertIn(zone, [one["Id"] for page in pages for one in page["HostedZones"]])
        by_name = dns.list_hosted_zones_by_name(DNSName="names.example.com")["HostedZones"]
        self.assertEqual(by_name[0]["Id"], zone)

        def record(name, kind, *values):
            return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}

        def change(*changes):
            batch = {"Changes": [{"Action": action, "ResourceRecordSet": one} for action, one in changes]}
            return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]

        alias = {
            "Name": "*.names.example.com",
            "Type": "A",
            "AliasTarget": {"HostedZoneId": "Z1", "DNSName": f"x.elb.{REGION}.{HOST}", "EvaluateTargetHealth": False},
        }
        text = record("names.example.com", "TXT", '"a b"')
        other = record("a.names.example.com", "CNAME", "b.names.example.com")
        done = change(("CREATE", alias), ("UPSERT", text), ("CREATE", other))
        self.assertEqual(done["Status"], "PENDING")
        dns.get_waiter("resource_record_sets_changed").wait(Id=done["Id"])
        by_two = {"HostedZoneId": zone, "PaginationConfig": {"PageSize": 2}}
        pages = dns.get_paginator("list_resource_record_sets").paginate(**by_two)
        sets = [one for page in pages for one in page["ResourceRecordSets"]]
        self.assertEqual(
            [(one["Name"].split(".")[0], one["Type"]) for one in sets],
            [("names", "NS"), ("names", "SOA"), ("names", "TXT"), ("\\052", "A"), ("a", "CNAME")],
        )
        self.assertEqual(sets[3]["AliasTarget"], {**alias["AliasTarget"], "DNSName": f"x.elb.{REGION}.{HOST}."})
        with self.assertRaises(dns.exceptions.InvalidChangeBatch) as caught:
            change(("UPSERT", text), ("CREATE", alias))
        self.assertIn("but it already exists]", caught.exception.response["Error"]["Message"])
        with self.assertRaises(dns.exceptions.HostedZoneNotEmpty):
            dns.delete_hosted_zone(Id=zone)
        resource = {"ResourceType": "hostedzone", "ResourceId": zone[12:]}
        dns.change_tags_for_resource(**resource, AddTags=[{"Key": "a", "Value": "1"}])
        tags = dns.list_tags_for_resource(**resource)["ResourceTagSet"]["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "1"}])
        answer = dns.test_dns_answer(HostedZoneId=zone, RecordName="a.names.example.com", RecordType="CNAME")
        self.assertEqual((answer["ResponseCode"], answer["RecordData"]), ("NOERROR", ["b.names.example.com"]))
        change(("DELETE", alias), ("DELETE", text), ("DELETE", sets[4]))
        dns.delete_hosted_zone(Id=zone)
        with self.assertRaises(dns.exceptions.NoSuchHostedZone):
            dns.get_hosted_zone(Id=zone)

    def test_health_checks(self):
        dns = aws.client("route53")
        config = {"Type": "HTTPS", "FullyQualifiedDomainName": "a.example.org", "ResourcePath": "/health?x=1&y"}
        made = dns.create_health_check(CallerReference=self.id(), HealthCheckConfig=config)["HealthCheck"]
        self.assertEqual({**made["HealthCheckConfig"], **config}, made["HealthCheckConfig"])
        self.assertEqual((made["HealthCheckConfig"]["Port"], made["HealthCheckVersion"]), (443, 1))
        at = {"HealthCheckId": made["Id"]}
        again = dns.create_health_check(CallerReference=self.id(), HealthCheckConfig=config)["HealthCheck"]
        self.assertEqual(again["Id"], made["Id"])
        with self.assertRaises(dns.exceptions.HealthCheckAlreadyExists):
            dns.create_health_check(CallerReference=self.id(), HealthCheckConfig={**config, "Port": 8443})
        changed = dns.update_health_check(**at, HealthCheckVersion=1, FailureThreshold=5, ResetElements=["ResourcePath"])
        self.assertNotIn("ResourcePath", changed["HealthCheck"]["HealthCheckConfig"])
        with self.assertRaises(dns.exceptions.HealthCheckVersionMismatch):
            dns.update_health_check(**at, HealthCheckVersion=1, Port=1)
        pages = dns.get_paginator("list_health_checks").paginate(PaginationConfig={"PageSize": 1})
        listed = {one["Id"]: one for page in pages for one in page["HealthChecks"]}
        self.assertEqual(listed[made["Id"]]["HealthCheckConfig"]["FailureThreshold"], 5)
        self.assertGreaterEqual(dns.get_health_check_count()["HealthCheckCount"], 1)
        seen = dns.get_health_check_status(**at)["HealthCheckObservations"]
        self.assertTrue(all(one["StatusReport"]["Status"].startswith("Success") for one in seen) and seen)
        self.assertEqual(dns.get_health_check_last_failure_reason(**at)["HealthCheckObservations"], [])
        tagged = {"ResourceType": "healthcheck", "ResourceId": made["Id"]}
        dns.change_tags_for_resource(**tagged, AddTags=[{"Key": "Name", "Value": "api"}])
        sets = dns.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=[made["Id"]])["ResourceTagSets"]
        self.assertEqual(sets[0]["Tags"], [{"Key": "Name", "Value": "api"}])
        dns.delete_health_check(**at)
        with self.assertRaises(dns.exceptions.NoSuchHealthCheck):
            dns.get_health_check(**at)


class Edge(unittest.TestCase):
    """HTTP APIs as a set-up of two Regions has them: one Region of it."""

    def setUp(self):
        self.edge = aws.client("apigatewayv2")

    def items(self, operation, **arguments):
        """All items of one of the paged lists, two a page."""
        arguments["MaxResults"] = "2"
        found = []
        while True:
            page = getattr(self.edge, operation)(**arguments)
            self.assertLessEqual(len(page["Items"]), 2)
            found.extend(page["Items"])
            if "NextToken" not in page:
                return found
            arguments["NextToken"] = page["NextToken"]

    def refused(self, error, operation, **arguments):
        with self.assertRaises(getattr(self.edge.exceptions, error)) as caught:
            getattr(self.edge, operation)(**arguments)
        return caught.exception.response["Error"]["Message"]

    def linked(self, api, link, path="/"):
        """A private integration of an API, and a route to it."""
        listener = f"arn:{PARTITION}:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
        made = self.edge.create_integration(
            **api,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="ANY",
            IntegrationUri=listener,
            ConnectionType="VPC_LINK",
            ConnectionId=link,
            PayloadFormatVersion="1.0",
            RequestParameters={"overwrite:header.host": "orders.internal", "overwrite:path": "$request.path"},
            TlsConfig={"ServerNameToVerify": "orders.internal"},
        )
        self.assertEqual((made["ConnectionId"], made["TimeoutInMillis"]), (link, 30000))
        return made["IntegrationId"]

    def test_a_whole_region(self):
        edge = self.edge
        link = edge.create_vpc_link(Name="edge", SubnetIds=["subnet-0a1b2c3d", "subnet-1a1b2c3d"], Tags={"team": "a"})
        self.assertEqual((link["VpcLinkStatus"], link["VpcLinkVersion"]), ("PENDING", "V2"))
        link = link["VpcLinkId"]
        self.assertEqual(edge.get_vpc_link(VpcLinkId=link)["VpcLinkStatus"], "AVAILABLE")
        self.assertIn(link, [one["VpcLinkId"] for one in self.items("get_vpc_links")])

        cors = {"AllowOrigins": ["https://shop.example.com"], "AllowMethods": ["GET", "POST"], "MaxAge": 300}
        made = edge.create_api(Name="orders", ProtocolType="HTTP", CorsConfiguration=cors, Tags={"team": "a"})
        api = {"ApiId": made["ApiId"]}
        self.assertEqual(made["ApiEndpoint"], f"https://{made['ApiId']}.execute-api.{REGION}.{HOST}")
        self.assertEqual(made["CorsConfiguration"], cors)
        self.assertEqual(made["CreatedDate"].tzname(), "UTC")
        changed = edge.update_api(**api, Description="orders of the shop", DisableExecuteApiEndpoint=True)
        self.assertEqual(without_metadata(edge.get_api(**api)), without_metadata(changed))

        login = edge.create_authorizer(
            **api,
            Name="login",
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": "https://login.example.com/", "Audience": ["orders"]},
        )["AuthorizerId"]
        integration = self.linked(api, link)
        target = f"integrations/{integration}"
        routes = {}
        for key in ["GET /orders", "POST /orders", "GET /orders/{id}", "$default"]:
            guard = {"AuthorizationType": "JWT", "AuthorizerId": login, "AuthorizationScopes": ["orders"]}
            routes[key] = edge.create_route(**api, RouteKey=key, Target=target, **guard)["RouteId"]
        self.assertEqual({one["RouteKey"]: one["RouteId"] for one in self.items("get_routes", **api)}, routes)
        self.refused("ConflictException", "create_route", **api, RouteKey="$default")
        self.refused("ConflictException", "delete_integration", **api, IntegrationId=integration)
        self.refused("ConflictException", "delete_authorizer", **api, AuthorizerId=login)

        stage = {**api, "StageName": "$default"}
        group = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:/edge/orders"
        edge.create_stage(
            **stage,
            AutoDeploy=True,
            AccessLogSettings={"DestinationArn": group, "Format": "$context.requestId $context.status"},
            DefaultRouteSettings={"DetailedMetricsEnabled": True},
            RouteSettings={"POST /orders": {"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.5}},
        )
        shown = edge.get_stage(**stage)
        self.assertEqual(shown["DefaultRouteSettings"], {"DetailedMetricsEnabled": True})
        self.assertEqual(shown["RouteSettings"]["POST /orders"]["ThrottlingRateLimit"], 5.5)
        deployment = edge.get_deployment(**api, DeploymentId=shown["DeploymentId"])
        self.assertEqual((deployment["AutoDeployed"], deployment["DeploymentStatus"]), (True, "DEPLOYED"))
        edge.update_route(**api, RouteId=routes["$default"], AuthorizationType="NONE")
        self.assertNotIn("AuthorizerId", edge.get_route(**api, RouteId=routes["$default"]))
        self.assertNotEqual(edge.get_stage(**stage)["DeploymentId"], shown["DeploymentId"])
        edge.delete_route_settings(**stage, RouteKey="POST /orders")
        edge.delete_access_log_settings(**stage)
        shown = edge.update_stage(**stage, StageVariables={"a": "1"})
        self.assertEqual((shown["RouteSettings"], shown["StageVariables"]), ({}, {"a": "1"}))
        self.assertNotIn("AccessLogSettings", shown)

        # A new link, then the integrations, and only then the old one.
        self.refused("BadRequestException", "delete_vpc_link", VpcLinkId=link)
        new = edge.create_vpc_link(Name="edge-2", SubnetIds=["subnet-0a1b2c3d"])["VpcLinkId"]
        edge.update_integration(**api, IntegrationId=integration, ConnectionId=new, RequestParameters={"overwrite:path": ""})
        moved = edge.get_integration(**api, IntegrationId=integration)
        self.assertEqual(moved["RequestParameters"], {"overwrite:header.host": "orders.internal"})
        edge.delete_vpc_link(VpcLinkId=link)

        arn = f"arn:{PARTITION}:apigateway:{REGION}::/apis/{api['ApiId']}"
        edge.tag_resource(ResourceArn=arn, Tags={"owner": "b"})
        edge.untag_resource(ResourceArn=arn, TagKeys=["team"])
        self.assertEqual(edge.get_tags(ResourceArn=arn)["Tags"], {"owner": "b"})
        found = aws.tagging.get_resources(TagFilters=[{"Key": "owner", "Values": ["b"]}])["ResourceTagMappingList"]
        self.assertEqual([one["ResourceARN"] for one in found], [arn])

        edge.delete_stage(**stage)
        for route in routes.values():
            edge.delete_route(**api, RouteId=route)
        edge.delete_authorizer(**api, AuthorizerId=login)
        edge.delete_integration(**api, IntegrationId=integration)
        edge.delete_vpc_link(VpcLinkId=new)
        edge.delete_cors_configuration(**api)
        edge.delete_api(**api)
        self.refused("NotFoundException", "get_api", **api)
        self.assertNotIn(new, [one["VpcLinkId"] for one in self.items("get_vpc_links")])

    def test_deployments_by_hand(self):
        edge = self.edge
        api = {"ApiId": edge.create_api(Name="by-hand", ProtocolType="HTTP")["ApiId"]}
        self.refused("BadRequestException", "create_deployment", **api)
        edge.create_route(**api, RouteKey="GET /")
        edge.create_stage(**api, StageName="dev")
        made = [edge.create_deployment(**api, StageName="dev", Description=str(n))["DeploymentId"] for n in range(3)]
        self.assertEqual(edge.get_stage(**api, StageName="dev")["DeploymentId"], made[2])
        edge.update_stage(**api, StageName="dev", DeploymentId=made[0])
        self.refused("BadRequestException", "delete_deployment", **api, DeploymentId=made[0])
        edge.delete_deployment(**api, DeploymentId=made[1])
        changed = edge.update_deployment(**api, DeploymentId=made[2], Description="last")
        self.assertEqual(changed["Description"], "last")
        self.assertEqual({one["DeploymentId"] for one in self.items("get_deployments", **api)}, {made[0], made[2]})
        edge.delete_api(**api)

    def test_a_function_behind_and_before_an_api(self):
        edge = self.edge
        api = {"ApiId": edge.create_api(Name="function", ProtocolType="HTTP")["ApiId"]}
        function = f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:orders"
        made = edge.create_integration(
            **api, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
        )
        self.assertEqual((made["IntegrationMethod"], made["ConnectionType"]), ("POST", "INTERNET"))
        guard = edge.create_authorizer(
            **api,
            Name="guard",
            AuthorizerType="REQUEST",
            AuthorizerUri=AUTHORIZER_URI,
            AuthorizerPayloadFormatVersion="2.0",
            EnableSimpleResponses=True,
            IdentitySource=["$request.header.x-token"],
        )
        self.assertEqual(guard["AuthorizerResultTtlInSeconds"], 300)
        changed = edge.update_authorizer(
            **api, AuthorizerId=guard["AuthorizerId"], AuthorizerResultTtlInSeconds=0, IdentitySource=[]
        )
        self.assertEqual((changed["AuthorizerResultTtlInSeconds"], changed["IdentitySource"]), (0, []))
        target = f"integrations/{made['IntegrationId']}"
        custom = {"AuthorizationType": "CUSTOM", "AuthorizerId": guard["AuthorizerId"]}
        edge.create_route(**api, RouteKey="ANY /{proxy+}", Target=target, **custom)
        edge.create_stage(**api, StageName="dev", AutoDeploy=True)
        edge.reset_authorizers_cache(**api, StageName="dev")
        self.assertEqual([one["Name"] for one in self.items("get_authorizers", **api)], ["guard"])
        edge.delete_api(**api)

    def test_domain_names_are_shared_with_the_first_version(self):
        edge = self.edge
        certificate = aws.client("acm").request_certificate(DomainName="*.edge.example.com")["CertificateArn"]
        configuration = {"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"}
        at = {"DomainName": "api.edge.example.com"}
        made = edge.create_domain_name(**at, DomainNameConfigurations=[configuration], Tags={"team": "a"})
        [shown] = made["DomainNameConfigurations"]
        self.assertEqual((shown["CertificateArn"], shown["DomainNameStatus"]), (certificate, "AVAILABLE"))
        first = gateway.get_domain_name(domainName=at["DomainName"])
        self.assertEqual(first["regionalDomainName"], shown["ApiGatewayDomainName"])
        self.assertEqual(first["regionalHostedZoneId"], shown["HostedZoneId"])
        self.assertIn(at["DomainName"], [one["DomainName"] for one in self.items("get_domain_names")])
        trust = {"TruststoreUri": "s3://trust/store.pem"}
        self.assertEqual(
            edge.update_domain_name(**at, MutualTlsAuthentication=trust)["MutualTlsAuthentication"], trust
        )
        apis = [edge.create_api(Name=f"mapped-{n}", ProtocolType="HTTP")["ApiId"] for n in range(2)]
        for api in apis:
            edge.create_stage(ApiId=api, StageName="$default")
        mapping = {"Stage": "$default"}
        root = edge.create_api_mapping(**at, **mapping, ApiId=apis[0])
        deep = edge.create_api_mapping(**at, **mapping, ApiId=apis[1], ApiMappingKey="orders/v1")
        self.assertEqual((root["ApiMappingKey"], deep["ApiMappingKey"]), ("", "orders/v1"))
        self.refused("ConflictException", "create_api_mapping", **at, **mapping, ApiId=apis[0], ApiMappingKey="orders/v1")
        paths = gateway.get_base_path_mappings(domainName=at["DomainName"])["items"]
        self.assertEqual({one["basePath"]: one["restApiId"] for one in paths}, {"(none)": apis[0], "orders/v1": apis[1]})
        key = {**at, "ApiMappingId": deep["ApiMappingId"]}
        edge.update_api_mapping(**key, ApiId=apis[0], ApiMappingKey="orders/v2")
        self.assertEqual(edge.get_api_mapping(**key)["ApiMappingKey"], "orders/v2")
        self.refused("BadRequestException", "delete_api", ApiId=apis[0])
        for one in self.items("get_api_mappings", **at):
            edge.delete_api_mapping(**at, ApiMappingId=one["ApiMappingId"])
        for api in apis:
            edge.delete_api(ApiId=api)
        edge.delete_domain_name(**at)
        self.refused("NotFoundException", "get_domain_name", **at)


class Tidings(unittest.TestCase):
    """What tells of changes: the event history, topics, metrics, and filters of log groups."""

    def refused(self, client, code, operation, **arguments):
        with self.assertRaises(client.exceptions.ClientError) as caught:
            getattr(client, operation)(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_who_changed_what(self):
        trail = aws.client("cloudtrail")
        api = gateway.create_rest_api(name="watched")["id"]
        gateway.update_rest_api(restApiId=api, patchOperations=replace("/description", "x"))
        gateway.get_rest_api(restApiId=api)
        by_name = [{"AttributeKey": "ResourceName", "AttributeValue": api}]
        events = trail.lookup_events(LookupAttributes=by_name)["Events"]
        self.assertEqual([one["EventName"] for one in events], ["UpdateRestApi", "CreateRestApi"])
        whole = json.loads(events[0]["CloudTrailEvent"])
        self.assertEqual(whole["userIdentity"]["arn"], aws.sts.get_caller_identity()["Arn"])
        self.assertIn("Botocore", whole["userAgent"])
        self.assertEqual((events[0]["Username"], events[0]["ReadOnly"]), ("sandbox", "false"))
        pages = trail.get_paginator("lookup_events").paginate(
            LookupAttributes=by_name, PaginationConfig={"PageSize": 1}
        )
        self.assertEqual([one["EventId"] for page in pages for one in page["Events"]], [one["EventId"] for one in events])
        self.refused(trail, "InvalidMaxResultsException", "lookup_events", MaxResults=51)
        gateway.delete_rest_api(restApiId=api)

    def test_topics(self):
        sns = aws.client("sns")
        topic = sns.create_topic(Name="drift", Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
        self.assertEqual(topic, f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:drift")
        self.assertIn({"TopicArn": topic}, sns.list_topics()["Topics"])
        self.assertTrue(sns.publish(TopicArn=topic, Subject="a word", Message="many")["MessageId"])
        self.refused(sns, "InvalidParameter", "publish", TopicArn=topic, Subject="x" * 101, Message="many")
        self.refused(sns, "NotFound", "publish", TopicArn=f"{topic}-2", Message="many")
        self.assertEqual(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Owner"], ACCOUNT)
        found = aws.tagging.get_resources(ResourceTypeFilters=["sns"])["ResourceTagMappingList"]
        self.assertEqual([one["ResourceARN"] for one in found], [topic])
        sns.untag_resource(ResourceArn=topic, TagKeys=["team"])
        self.assertEqual(sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [])
        sns.delete_topic(TopicArn=topic)
        self.assertEqual(sns.list_topics()["Topics"], [])

    def test_metrics(self):
        watch = aws.client("cloudwatch")
        dimensions = [{"Name": "Product", "Value": "a"}]
        time = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        for value in (1, 3):
            datum = {"MetricName": "Drift", "Dimensions": dimensions, "Value": value, "Timestamp": time, "Unit": "Count"}
            watch.put_metric_data(Namespace="gwctl", MetricData=[datum])
        metric = {"Namespace": "gwctl", "MetricName": "Drift", "Dimensions": dimensions}
        self.assertEqual(watch.list_metrics(Namespace="gwctl")["Metrics"], [metric])
        span = {"StartTime": time.replace(hour=0), "EndTime": time.replace(hour=23)}
        statistics = watch.get_metric_statistics(**metric, **span, Period=60, Statistics=["Sum", "Average"])
        [point] = statistics["Datapoints"]
        self.assertEqual((point["Sum"], point["Average"], point["Timestamp"]), (4, 2, time.replace(second=0)))
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
        [result] = watch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
        self.assertEqual((result["Values"], result["Timestamps"]), ([3], [time.replace(minute=0, second=0)]))
        self.refused(watch, "InvalidParameterValue", "put_metric_data", Namespace="AWS/x", MetricData=[datum])

    def test_filters_of_log_groups(self):
        group = {"logGroupName": "filtered"}
        aws.logs.create_log_group(**group)
        destination = f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:ship"
        for name in ("one", "two"):
            aws.logs.put_subscription_filter(**group, filterName=name, filterPattern="", destinationArn=destination)
        more = {**group, "filterName": "three", "filterPattern": "", "destinationArn": destination}
        self.refused(aws.logs, "LimitExceededException", "put_subscription_filter", **more)
        pages = aws.logs.get_paginator("describe_subscription_filters").paginate(**group, PaginationConfig={"PageSize": 1})
        found = [one for page in pages for one in page["subscriptionFilters"]]
        self.assertEqual([(one["filterName"], one["distribution"]) for one in found], [("one", "ByLogStream"), ("two", "ByLogStream")])
        metric = {"metricName": "n", "metricNamespace": "x", "metricValue": "1"}
        aws.logs.put_metric_filter(**group, filterName="count", filterPattern="500", metricTransformations=[metric])
        [shown] = aws.logs.describe_metric_filters(**group)["metricFilters"]
        self.assertEqual(shown["metricTransformations"], [metric])
        [described] = aws.logs.describe_log_groups(logGroupNamePrefix="filtered")["logGroups"]
        self.assertEqual(described["metricFilterCount"], 1)
        aws.logs.delete_metric_filter(**group, filterName="count")
        aws.logs.delete_subscription_filter(**group, filterName="one")
        self.refused(aws.logs, "ResourceNotFoundException", "delete_subscription_filter", **group, filterName="one")
        aws.logs.delete_log_group(**group)
class Quotas(unittest.TestCase):
    def test_the_defaults_are_listed_and_found_by_code(self):
        quotas = aws.client("service-quotas")
        pages = quotas.get_paginator("list_service_quotas").paginate(
            ServiceCode="apigateway", PaginationConfig={"PageSize": 3}
        )
        listed = {one["QuotaCode"]: one for page in pages for one in page["Quotas"]}
        self.assertEqual(listed["L-379E48B0"]["Value"], 10)
        for operation in [quotas.get_service_quota, quotas.get_aws_default_service_quota]:
            one = operation(ServiceCode="apigateway", QuotaCode="L-379E48B0")["Quota"]
            self.assertEqual(one, listed["L-379E48B0"])
            self.assertEqual(
                one["QuotaArn"], f"arn:{PARTITION}:servicequotas:{REGION}:{ACCOUNT}:apigateway/L-379E48B0"
            )
            with self.assertRaises(quotas.exceptions.NoSuchResourceException):
                operation(ServiceCode="apigateway", QuotaCode="L-00000000")


class Simulation(unittest.TestCase):
    def decisions(self, role, actions, **arguments):
        pages = aws.iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 2}, **arguments
        )
        found = [one for page in pages for one in page["EvaluationResults"]]
        return [(one["EvalActionName"], one["EvalDecision"]) for one in found]

    def test_policies_decide_and_denials_win(self):
        iam = aws.iam
        role = iam.create_role(RoleName="simulated", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]
        statements = [
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "lambda:Delete*", "Resource": "*"},
            {"Effect": "Allow", "Action": "logs:*", "Resource": f"arn:{PARTITION}:logs:*:*:log-group:/mine*"},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName="simulated", PolicyName="p", PolicyDocument=policy)
        actions = ["lambda:GetFunction", "lambda:DeleteFunction", "logs:PutRetentionPolicy", "iam:GetRole"]
        self.assertEqual(
            [decision for _, decision in self.decisions(role["Arn"], actions)],
            ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"],
        )
        group = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:/mine/1"
        self.assertEqual(
            self.decisions(role["Arn"], ["logs:PutRetentionPolicy"], ResourceArns=[group]),
            [("logs:PutRetentionPolicy", "allowed")],
        )
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            self.decisions(f"arn:{PARTITION}:iam::{ACCOUNT}:user/nobody", ["iam:GetRole"])
        with self.assertRaises(iam.exceptions.InvalidInputException):
            self.decisions(role["Arn"], ["nonsense"])
        iam.delete_role_policy(RoleName="simulated", PolicyName="p")
        iam.delete_role(RoleName="simulated")


if __name__ == "__main__":
    unittest.main()
