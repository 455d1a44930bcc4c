"""Atlassian's OpenAPI files as judges of requests and answers. They lie beside the repository, never in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "specs"
AVAILABLE = FOLDER.is_dir()
# Where a call belongs: what its path starts with -> the file, and the server the file names.
FILES = (
    (re.compile(r"^/admin/"), "admin-organization", "https://api.atlassian.com"),
    (re.compile(r"^/users/"), "admin-user-management", "https://api.atlassian.com"),
    (re.compile(r"^/rest/api/3/"), "jira-platform-v3", "https://your-domain.atlassian.net"),
    (re.compile(r"^/wiki/rest/api/"), "confluence-v1", "https://your-domain.atlassian.net"),
    (re.compile(r"^/wiki/api/v2/"), "confluence-v2", "https://your-domain.atlassian.net"),
)
# Addresses Atlassian serves without describing them: which cloud is this, and the install keys.
UNDESCRIBED = re.compile(r"^/_edge/tenant_info$|^/(install-keys/)?[0-9a-f-]{36}$")


PERSON_PATH = "/v2/orgs/{orgId}/directories/{directoryId}/users/{userId}"
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they went over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int = 0
    answer: str = ""
    answer_type: str = "application/json"

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def repair(node: Any) -> None:
    """Mend what no validator can read, changing no meaning: slips of the files, found by trying them."""
    if isinstance(node, dict):
        _mend(node)
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        repair(one)


def _mend(schema: dict[str, Any]) -> None:
    if "$ref" in schema and schema.get("type") not in TYPES:
        schema.pop("type", None)  # the name of the schema written as a type
    if schema.get("nullable") is True and None not in schema.get("enum", [None]):
        schema["enum"].append(None)  # "If null, …" says the description beside it
    if isinstance(schema.get("discriminator"), dict):
        del schema["discriminator"]  # some name a boolean property; oneOf stays
    if isinstance(schema.get("security"), list):
        del schema["security"]  # judged by us: openapi-core lets a missing token pass
    if schema.get("in") == "path" and schema.get("name") == "userId":
        schema["schema"].pop(
            "format", None
        )  # said to be a UUID; an account id, as all other paths know it, is none
    if isinstance(schema.get("pattern"), str):
        schema["pattern"] = schema["pattern"].strip()  # one ends with a line break
        schema.pop("readOnly", None)  # and is used for what is sent


@cache
def specification(name: str) -> OpenAPI:
    """The judge made from one file; three of the files are not strictly valid, so they are not judged themselves."""
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.openapi.json").read_text(encoding="utf-8"))
    data.pop("_meta", None)
    repair(data)
    for one in data["servers"]:
        one["url"] = one["url"].replace("//", "https://", 1) if one["url"].startswith("//") else one["url"]
        one["url"] = one["url"].replace("{your-domain}", "your-domain.atlassian.net")
        one.pop("variables", None)
    path = data["paths"].pop(PERSON_PATH, None)
    if (
        path is not None
    ):  # it names its parameter {userId} above and accountId below; DELETE has the right name
        data["paths"].setdefault(PERSON_PATH.replace("userId", "accountId"), {}).update(path)
    return OpenAPI.from_dict(data, config=Config(spec_validator_cls=None))


def request_findings(exchange: Exchange) -> list[str]:
    """What a specification has against a request: an unknown path, a wrong parameter, a wrong body, no credential.

    A word that the specification does not know is one that Atlassian passes over in silence.
    """
    judge, request = _judge(exchange)
    if judge is None:
        return (
            [] if UNDESCRIBED.match(exchange.path) else [f"{exchange.name}: no specification knows this path"]
        )
    findings = [] if _authorized(exchange) else [f"{exchange.name}: sent without a credential"]
    findings += [f"{exchange.name}: nobody knows {word}" for word in sorted(_unknown_words(exchange))]
    try:
        judge.validate_request(request)
    except OpenAPIError as error:
        findings.append(f"{exchange.name}: {_reason(error)}")
    return findings


def answer_findings(exchange: Exchange) -> list[str]:
    """What a specification has against an answer: an undocumented status, a wrong body."""
    judge, request = _judge(exchange)
    if judge is None:
        return (
            [] if UNDESCRIBED.match(exchange.path) else [f"{exchange.name}: no specification knows this path"]
        )
    response = MockResponse(exchange.answer.encode(), exchange.status, {}, exchange.answer_type.split(";")[0])
    try:
        judge.validate_response(request, response)
    except OpenAPIError as error:
        return [f"{exchange.name} -> {exchange.status}: {_reason(error)}"]
    return []


def logged(entry: dict[str, Any]) -> Exchange:
    """An entry of the pretend Cloud's request log (GET /control/requests)."""
    return Exchange(
        entry["method"], entry["path"], entry["query"], entry["headers"], entry["body"], entry["status"]
    )


@cache
def _document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.openapi.json").read_text(encoding="utf-8"))
    return found


def _unknown_words(exchange: Exchange) -> set[str]:
    """Names of the query, and of the body's first level, that the operation does not have."""
    name = next(name for path, name, _ in FILES if path.match(exchange.path))
    document = _document(name)
    operation = _operation(document, exchange)
    if operation is None:
        return set()
    parameters = [_followed(document, one) for one in operation.get("parameters", [])]
    known = {one["name"] for one in parameters if one["in"] == "query"}
    words = {key for key, _ in parse_qsl(exchange.query, keep_blank_values=True)} - known
    body = json.loads(exchange.body) if exchange.body else {}
    content = _followed(document, operation.get("requestBody", {})).get("content", {})
    schema = _followed(document, content.get("application/json", {}).get("schema", {}))
    return words | (set(body) - set(schema.get("properties", body)))


def _operation(document: dict[str, Any], exchange: Exchange) -> dict[str, Any] | None:
    servers = [re.sub(r"^(https:)?//[^/]+", "", one["url"]).rstrip("/") for one in document["servers"]]
    fixed_first = sorted(document["paths"].items(), key=lambda one: one[0].count("{"))
    for template, operations in fixed_first:
        pattern = re.sub(r"\{[^/]+\}", "[^/]+", template)
        if any(re.fullmatch(server + pattern, exchange.path) for server in servers):
            found: dict[str, Any] | None = operations.get(exchange.method.lower())
            if found is not None:
                return found
    return None


def _followed(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for."""
    while "$ref" in node:
        path, node = node["$ref"].removeprefix("#/").split("/"), document
        for part in path:
            node = node[part]
    return node


def _judge(exchange: Exchange) -> tuple[OpenAPI | None, MockRequest]:
    name, host = next(((name, host) for path, name, host in FILES if path.match(exchange.path)), (None, ""))
    args: dict[str, Any] = {}
    for key, value in parse_qsl(exchange.query, keep_blank_values=True):
        args[key] = (
            value
            if key not in args
            else [*(args[key] if isinstance(args[key], list) else [args[key]]), value]
        )
    kind = exchange.headers.get("content-type", "application/json").split(";")[0]
    request = MockRequest(
        host,
        exchange.method.lower(),
        exchange.path,
        args=args,
        headers=exchange.headers,
        data=exchange.body.encode() if exchange.body else None,
        content_type=kind,
    )
    return (specification(name) if name else None), request


def _authorized(exchange: Exchange) -> bool:
    return "authorization" in exchange.headers or exchange.path.endswith("/serverInfo")


def _reason(error: Exception) -> str:
    parts = [f"{type(error).__name__}: {error}"]
    cause: BaseException | None = error.__cause__
    while cause is not None:
        details = getattr(cause, "schema_errors", None)
        parts.append(
            "; ".join(f"{'/'.join(map(str, one.path))}: {one.message}"[:300] for one in details or [])
            or str(cause)[:300]
        )
        cause = cause.__cause__
    return " <- ".join(parts)
