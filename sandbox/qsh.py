"""Atlassian's query string hash, written for the pretend Atlassian alone (it must not share a bug with the app's).

Rules: developer.atlassian.com, "Understanding JWT for Connect apps", creating a query string hash; key order as
the Java signer of Jira and Confluence does it (by the encoded key).
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote, unquote_plus, urlsplit


def canonical(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    """METHOD & path below base_path & sorted query without `jwt`."""
    path = raw_path
    base = base_path.rstrip("/")
    if base and (path == base or path.startswith(base + "/")):
        path = path[len(base) :]
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    if not path.startswith("/"):
        path = "/" + path
    values: dict[str, list[str]] = {}
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        key = unquote_plus(name)
        if pair and key != "jwt":
            values.setdefault(key, []).append(unquote_plus(value))
    parts = []
    for encoded, key in sorted((quote(key, safe="~"), key) for key in values):
        ordered = sorted(values[key], key=lambda value: value.encode("utf-16-be", "surrogatepass"))
        parts.append(encoded + "=" + ",".join(quote(value, safe="~") for value in ordered))
    return "&".join((method.upper(), path.replace("&", "%26"), "&".join(parts)))


def of_request(method: str, raw_path: str, raw_query: str, base_path: str = "") -> str:
    return hashlib.sha256(canonical(method, raw_path, raw_query, base_path).encode()).hexdigest()


def of_url(method: str, url: str, base_url: str) -> str:
    """The hash of a whole address relative to an app's or a product's base address."""
    parts = urlsplit(url)
    return of_request(method, parts.path, parts.query, urlsplit(base_url).path)
