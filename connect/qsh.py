"""The query string hash (qsh) that binds a token to one request. Pure; everything is taken *raw*, as sent (S11).

Source: platform.md A5; the Java signer of Jira and Confluence is followed where npm `atlassian-jwt` differs:
keys are ordered by their percent-encoded form.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote, unquote_plus

TOKEN_PARAMETER = "jwt"


def canonical_request(method: str, path: str, query: str, base_path: str = "") -> str:
    """`METHOD&path&query` as Atlassian signs it.

    `path` and `query` are the raw strings of the request line (no "?" in front of the query); `base_path` is
    the path of the app's own base URL ("" when it has none). Never raises: what cannot be decoded stays as it is.
    """
    return "&".join((method.upper(), _canonical_path(path, base_path), _canonical_query(query)))


def query_string_hash(method: str, path: str, query: str, base_path: str = "") -> str:
    """Hex SHA-256 of the canonical request. Never raises."""
    return sha256(canonical_request(method, path, query, base_path).encode(errors="replace")).hexdigest()


def _canonical_path(path: str, base_path: str) -> str:
    prefix = base_path.rstrip("/")
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        path = path[len(prefix) :]
    if not path.startswith("/"):
        path = "/" + path
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return path.replace("&", "%26")


def _canonical_query(query: str) -> str:
    values: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if not pair:
            continue
        raw_key, _, raw_value = pair.partition("=")
        key = unquote_plus(raw_key)
        if key != TOKEN_PARAMETER:
            values.setdefault(key, []).append(unquote_plus(raw_value))
    encoded = sorted((_encode(key), sorted(found, key=_utf16)) for key, found in values.items())
    return "&".join(f"{key}={','.join(_encode(value) for value in found)}" for key, found in encoded)


def _utf16(text: str) -> bytes:
    """Java compares strings by UTF-16 code unit, Python by code point; they differ outside the basic plane."""
    return text.encode("utf-16-be", "surrogatepass")


def _encode(text: str) -> str:
    return quote(text, safe="~", errors="replace")
