"""What an operator does with the AWS CLI: every command's output and exit code, and the words of an error."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from awscli.clidriver import create_clidriver

REGION = os.environ["AWS_DEFAULT_REGION"]
PARTITION = "aws-cn" if REGION.startswith("cn-") else "aws"
SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {"/orders": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}}},
}


def run(*words):
    """What a command of `aws apigateway` ended with, and printed. The CLI's own `main`, without the start of Python."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = create_clidriver().main(["apigateway", *words])
    return code, out.getvalue(), err.getvalue()


class Operator(unittest.TestCase):
    maxDiff = None

    def aws(self, *words):
        """What a command printed."""
        code, out, err = run(*words)
        self.assertEqual((code, err), (0, ""), words)
        return json.loads(out) if out.strip() else None

    def fails(self, *words):
        code, out, err = run(*words)
        self.assertEqual((code, out), (255, ""), words)
        return err.strip()

    def test_a_day_of_an_operator(self):
        with tempfile.TemporaryDirectory() as folder:
            document, export = Path(folder) / "shop.json", Path(folder) / "export.json"
            document.write_text(json.dumps(SWAGGER))
            made = self.aws("import-rest-api", "--body", f"fileb://{document}")
            of = ["--rest-api-id", made["id"]]
            listed = self.aws("get-rest-apis", "--query", "items[?name=='shop'].id")
            self.assertEqual(listed, [made["id"]])
            deployment = self.aws("create-deployment", *of, "--stage-name", "dev", "--description", "first")
            [stage] = self.aws("get-stages", *of)["item"]
            self.assertEqual((stage["stageName"], stage["deploymentId"]), ("dev", deployment["id"]))
            changed = self.aws(
                "update-stage", *of, "--stage-name", "dev", "--patch-operations",
                "op=replace,path=/*/*/throttling/rateLimit,value=5", "op=replace,path=/variables/backend,value=v2",
            )  # fmt: skip
            self.assertEqual(changed["methodSettings"]["*/*"]["throttlingRateLimit"], 5.0)
            self.assertEqual(changed["variables"], {"backend": "v2"})
            about = self.aws(
                "get-export", *of, "--stage-name", "dev", "--export-type", "oas30", "--parameters",
                "extensions=apigateway", str(export),
            )  # fmt: skip
            self.assertEqual(about["contentType"], "application/octet-stream")
            self.assertIn("/orders", json.loads(export.read_text())["paths"])
        arn = f"arn:{PARTITION}:apigateway:{REGION}::/restapis/{made['id']}"
        self.assertIsNone(self.aws("tag-resource", "--resource-arn", arn, "--tags", "team=shop"))
        self.assertEqual(self.aws("get-tags", "--resource-arn", arn), {"tags": {"team": "shop"}})
        self.assertEqual(
            self.fails("get-stage", *of, "--stage-name", "prod"),
            "An error occurred (NotFoundException) when calling the GetStage operation: "
            "Invalid stage identifier specified",
        )
        self.assertIn(
            "(BadRequestException)", self.fails("delete-deployment", *of, "--deployment-id", deployment["id"])
        )
        self.assertIsNone(self.aws("delete-rest-api", *of))
        command = [sys.executable, "-m", "awscli", "apigateway", "get-rest-apis", "--output", "text"]
        self.assertEqual(subprocess.run(command, check=True, capture_output=True).stdout, b"")


if __name__ == "__main__":
    unittest.main()
