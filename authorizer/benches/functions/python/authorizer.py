"""The gate authorizer in Python, for the benchmark: the same settings, decisions, messages and log lines as the one in Rust.

It is what a Python team would write for a quick start: the standard library alone, with one kept connection of http.client
(urllib3 takes longer to import, and does no more here), compiled patterns, and little that is imported.
"""

import http.client
import json
import os
import re
import ssl
import sys
import time

MAX_BODY = 64 * 1024
MAX_TOKEN = 8192
MAX_RESOURCE = 512
MAX_CONTEXT = 10240
KEEP_IDLE = 50

# After RFC 6750: the scheme in any case, one space, then a b64token and nothing else.
BEARER = re.compile(r"bearer ([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE | re.ASCII)
ESCAPED = re.compile(r"[^A-Za-z0-9\-._~]")
PLAIN = re.compile(r"[\x21-\x7e]+")
PLAIN_WITH_BLANKS = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class Unauthorized(Exception):
    """The one error that API Gateway answers with 401."""

    def __init__(self, reason):
        super().__init__("Unauthorized")
        self.reason = reason


class AuthorizerFailed(Exception):
    """Any other."""

    def __init__(self, cause, reason):
        super().__init__("authorizer failed: " + reason)
        self.cause, self.reason = cause, reason


class Outage(Exception):
    """Why there is no answer, in words without the URL, which may hold the token."""


class Pointer:
    """A JSON pointer after RFC 6901, split once."""

    def __init__(self, text):
        self.text = text
        self.steps = [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]

    def find(self, document):
        for step in self.steps:
            if isinstance(document, dict):
                document = document.get(step)
            elif isinstance(document, list) and step.isdecimal() and str(int(step)) == step and int(step) < len(document):
                document = document[int(step)]
            else:
                return None
        return document


class Channel:
    """One kind of token."""

    def __init__(self, name, written, host, path):
        self.name = name
        host = written.get("host", host).rstrip("/")
        authority, slash, prefix = host.partition("/")
        self.authority = authority
        self.path = slash + prefix + written.get("path", path)
        self.place, self.field = written.get("token_in", "query:token").split(":", 1)
        yes = written.get("yes_when", {"pointer": "/code", "equals": "0"})
        self.yes, self.equals = Pointer(yes["pointer"]), yes["equals"]
        self.user_id = Pointer(written.get("user_id", "/data/jwt"))
        self.scope = Pointer(written["scope"]) if "scope" in written else None
        self.context = {"x-auth-type": name, **written.get("context", {})}

    def question(self, token):
        """The target and the headers to ask with."""
        if self.place == "query":
            return f"{self.path}?{self.field}={ESCAPED.sub(escape, token)}", {}
        return self.path, {self.field: "Bearer " + token if self.field == "authorization" else token}


def escape(found):
    return f"%{ord(found.group()):02X}"


class Settings:
    """What an environment sets. gwctl has checked it before it deploys a function, so that it is only read here."""

    def __init__(self, variables):
        self.auth_host = variables["AUTH_HOST"].rstrip("/")
        self.timeout_ms = int(variables.get("AUTH_TIMEOUT_MS") or 5000)
        self.result_cached = variables.get("RESULT_CACHED") == "true"
        self.ca_pem = variables.get("AUTH_CA_PEM")
        self.unknown = variables.get("AUTH_UNKNOWN_CHANNEL")
        self.required = variables.get("AUTH_CHANNEL_REQUIRED") == "true"
        path = variables.get("AUTH_PATH") or "/auth-service/api/v1/validate-token"
        standard = {"default": {"context": {"x-auth-type": "standard", "x-user-scope": "customer"}}}
        channels = json.loads(variables["AUTH_CHANNELS"]) if variables.get("AUTH_CHANNELS") else standard
        self.channels = {name: Channel(name, channels[name], self.auth_host, path) for name in sorted(channels)}

    def choose(self, names):
        """The channel that a request asks for with its values of x-auth-channel."""
        name, missing = "default", "no channel"
        if len(names) > 1:
            raise Unauthorized("more than one x-auth-channel header")
        if names and names[0]:
            name, missing = names[0], "unknown channel"
        elif self.required:
            raise Unauthorized("no channel")
        channel = self.channels.get(name)
        if channel is None and self.unknown == "default":
            channel = self.channels.get("default")
        if channel is None:
            raise Unauthorized(missing)
        return channel


class AuthService:
    """The client of the auth service: bounded in time and size, no redirects, connections kept."""

    def __init__(self, settings):
        # TLS 1.2 at least, names and certificates checked, by default; with `cadata` it would leave the public roots out.
        self.tls = ssl.create_default_context()
        if settings.ca_pem:
            self.tls.load_verify_locations(cadata=settings.ca_pem)
        self.timeout = settings.timeout_ms / 1000
        self.timeout_ms = settings.timeout_ms
        self.connections = {}

    def get(self, channel, token, trace, trail):
        """One GET, tried again once when the connection fails."""
        target, headers = channel.question(token)
        if trace:
            headers["x-amzn-trace-id"] = trace
        deadline = time.monotonic() + self.timeout
        try:
            try:
                return self.once(channel.authority, target, headers, deadline)
            except Outage:
                trail["retried"] = True
                return self.once(channel.authority, target, headers, deadline)
        except TimeoutError:
            raise AuthorizerFailed("timeout", f"the auth service gave no answer in {self.timeout_ms} ms") from None
        except Outage as outage:
            raise AuthorizerFailed("unreachable", f"the auth service {outage}, twice") from None

    def once(self, authority, target, headers, deadline):
        connection = self.connection(authority, deadline)
        try:
            connection.sock.settimeout(left(deadline))
            try:
                connection.request("GET", target, headers=headers)
                response = connection.getresponse()
            except TimeoutError:
                raise
            except (OSError, http.client.HTTPException):
                raise Outage("cut the connection") from None
            body = read(response, connection, deadline)
        except BaseException:
            self.drop(authority)
            raise
        if response.will_close:
            self.drop(authority)
        return response.status, body

    def connection(self, authority, deadline):
        """The kept connection, or a new one."""
        kept = self.connections.pop(authority, None)
        now = time.monotonic()
        if kept and now - kept[1] < KEEP_IDLE:
            connection = kept[0]
        else:
            connection = http.client.HTTPSConnection(authority, context=self.tls, timeout=self.timeout / 2)
            try:
                connection.connect()
            except OSError:
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                raise Outage("can't be reached") from None
        self.connections[authority] = (connection, now)
        return connection

    def drop(self, authority):
        kept = self.connections.pop(authority, None)
        if kept:
            kept[0].close()


def left(deadline):
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def read(response, connection, deadline):
    """The body, as long as it is no longer than an answer may be."""
    try:
        if connection.sock:
            connection.sock.settimeout(left(deadline))
        body = response.read(MAX_BODY + 1)
        # What was stated and did not come; a `read` with a length does not complain of it.
        if len(body) <= MAX_BODY and response.length:
            raise Outage("cut its answer short")
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        raise Outage("cut its answer short") from None
    if len(body) > MAX_BODY:
        raise AuthorizerFailed("nonsense", f"the auth service's answer is over {MAX_BODY} bytes")
    # Reads the end of the message, after which the connection is free for the next.
    response.read()
    return body


def header(event, name):
    """Every value of a header, under whatever spelling of its name; one that stands in both maps counts once."""
    values = []
    for key, several in (event.get("multiValueHeaders") or {}).items():
        if key.lower() == name:
            values += several
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name and value not in values:
            values.append(value)
    return values


def token_of(headers):
    if not headers:
        raise Unauthorized("no token")
    if len(headers) > 1:
        raise Unauthorized("more than one authorization header")
    found = BEARER.fullmatch(headers[0])
    if not found or len(found.group(1)) > MAX_TOKEN:
        raise Unauthorized("malformed token")
    return found.group(1)


def resource_of(arn, cached):
    """What an Allow covers: the stage if API Gateway keeps the answer, the called method otherwise."""
    if not isinstance(arn, str):
        return None
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != "execute-api":
        return None
    path = parts[5].split("/", 2)
    if len(path) < 3 or not all((parts[1], parts[3], parts[4], *path)):
        return None
    stage = arn[: len(arn) - len(path[2]) - 1]
    if "*" in stage or "?" in stage:
        return None
    if cached:
        resource = stage + "/*"
        return resource if len(resource.encode()) <= MAX_RESOURCE else None
    if len(arn.encode()) <= MAX_RESOURCE:
        return arn
    cut = arn.encode()[: MAX_RESOURCE - 1].decode(errors="ignore")
    return cut + "*" if len(cut) > len(stage) else None


def judge(channel, token, resource, status, body):
    """Turns the reply of the auth service into the decision."""
    if status == 401:
        raise Unauthorized("the auth service refused the token")

    def nonsense(what):
        return AuthorizerFailed("nonsense", f"the auth service answered {status} {what}")

    if status != 200 and not 400 <= status <= 499:
        raise nonsense("instead of a decision")
    try:
        document = json.loads(body)
    except ValueError:
        raise nonsense("without a JSON body") from None
    value = channel.yes.find(document)
    if not isinstance(value, (str, int, float)):
        raise nonsense("without a value at " + channel.yes.text)
    # Python takes True for 1, and 1.0 for it too.
    if type(value) is not type(channel.equals) or value != channel.equals:
        raise Unauthorized("the auth service refused the token")
    if status != 200:
        raise nonsense("and yet says yes")
    user = text_of(channel.user_id.find(document))
    if user is None or not PLAIN.fullmatch(user):
        raise nonsense("without a usable user id at " + channel.user_id.text)
    context = dict(channel.context)
    if channel.scope:
        value = channel.scope.find(document)
        # Only where nothing is said does the usual scope count.
        scope = context.get("x-user-scope") if value is None else text_of(value)
        if scope is None or not PLAIN_WITH_BLANKS.fullmatch(scope):
            raise nonsense("without a usable scope at " + channel.scope.text)
        context["x-user-scope"] = scope
    principal = context.get("x-auth-type", channel.name)
    context.update({"x-user-token": token, "x-user-id": user, "x-auth-channel": channel.name})
    if sum(len(name) + len(value) for name, value in context.items()) > MAX_CONTEXT:
        raise nonsense("with more than API Gateway passes on to a back end")
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": principal, "policyDocument": policy, "context": context}


def text_of(value):
    """A string, a whole number, or the strings of a list with a space between."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return None


def decide(event, trail):
    if not isinstance(event, dict) or event.get("type") != "REQUEST":
        raise AuthorizerFailed("event", "the event is not one of a REQUEST authorizer")
    resource = resource_of(event.get("methodArn"), SETTINGS.result_cached)
    if resource is None:
        raise AuthorizerFailed("event", "the event has no usable methodArn")
    channel = SETTINGS.choose(header(event, "x-auth-channel"))
    token = token_of(header(event, "authorization"))
    trail["channel"] = channel.name
    asked = time.perf_counter()
    try:
        status, body = AUTH_SERVICE.get(channel, token, os.environ.get("_X_AMZN_TRACE_ID"), trail)
    finally:
        trail["auth_service_ms"] = milliseconds(time.perf_counter() - asked)
    return judge(channel, token, resource, status, body)


def handler(event, context):
    started = time.perf_counter()
    trail = {"channel": None, "retried": False, "auth_service_ms": None}
    try:
        answer = decide(event, trail)
    except (Unauthorized, AuthorizerFailed) as denial:
        log(context.aws_request_id, trail, denial, time.perf_counter() - started)
        raise
    log(context.aws_request_id, trail, None, time.perf_counter() - started)
    return answer


def log(request_id, trail, denial, took):
    decision = "allowed" if denial is None else "unauthorized" if isinstance(denial, Unauthorized) else "failed"
    entry = {
        "level": "ERROR" if decision == "failed" else "INFO",
        "message": "request decided",
        "request_id": request_id,
        "channel": trail["channel"],
        "decision": decision,
        "cause": getattr(denial, "cause", None),
        "reason": denial and denial.reason,
        "retried": trail["retried"],
        "latency_ms": milliseconds(took),
        "auth_service_ms": trail["auth_service_ms"],
    }
    if METRICS:
        measure(entry, decision, trail)
    write(entry)


def measure(entry, decision, trail):
    """Adds what makes the entry one of CloudWatch's embedded metric format."""
    for metric in ("allowed", "unauthorized", "failed"):
        entry[metric] = int(metric == decision)
    entry["function"] = FUNCTION
    metrics = [
        {"Name": "latency_ms", "Unit": "Milliseconds"},
        {"Name": "allowed", "Unit": "Count"},
        {"Name": "unauthorized", "Unit": "Count"},
        {"Name": "failed", "Unit": "Count"},
    ]
    if trail["auth_service_ms"] is not None:
        metrics.append({"Name": "auth_service_ms", "Unit": "Milliseconds"})
    dimensions = [["function"]]
    if trail["channel"] is not None:
        dimensions.append(["function", "channel"])
    directive = {"Namespace": "gwctl/authorizer", "Dimensions": dimensions, "Metrics": metrics}
    entry["_aws"] = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}


def write(entry):
    sys.stdout.write(json.dumps(entry) + "\n")


def milliseconds(seconds):
    return round(seconds * 1000, 3)


FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
METRICS = os.environ.get("METRICS") != "false"
SETTINGS = Settings(os.environ)
AUTH_SERVICE = AuthService(SETTINGS)
write(
    {
        "level": "INFO",
        "message": "authorizer started",
        "auth_host": SETTINGS.auth_host,
        "auth_timeout_ms": SETTINGS.timeout_ms,
        "channels": list(SETTINGS.channels),
        "channel_required": SETTINGS.required,
        "result_cached": SETTINGS.result_cached,
        "private_ca": bool(SETTINGS.ca_pem),
    }
)
