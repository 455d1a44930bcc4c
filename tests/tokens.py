"""Real tokens, signed with real keys, as Atlassian signs them; and wrong ones of every kind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connect.qsh import query_string_hash
from connect.tokens import CONTEXT_QSH

LIFE = timedelta(minutes=3)


@cache
def install_key(name: str = "atlassian") -> rsa.RSAPrivateKey:
    """A 2048-bit key pair; the same for the same name within one test run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str = "atlassian") -> str:
    public = install_key(name).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def claims_for(
    client_key: str,
    method: str,
    address: str,
    *,
    now: datetime | None = None,
    base_path: str = "",
    **changed: Any,
) -> dict[str, Any]:
    """Claims of a token for one request (`address` is path and query); `changed` claims win, None removes one."""
    issued = now or datetime.now(UTC)
    path, _, query = address.partition("?")
    claims: dict[str, Any] = {
        "iss": client_key,
        "iat": int(issued.timestamp()),
        "exp": int((issued + LIFE).timestamp()),
        "qsh": query_string_hash(method, path, query, base_path),
    }
    claims.update(changed)
    return {name: value for name, value in claims.items() if value is not None}


def iframe_token(secret: str, client_key: str, method: str, address: str, **changed: Any) -> str:
    """What a product puts into `?jwt=` of a page, and into the header of a webhook."""
    return jwt.encode(claims_for(client_key, method, address, **changed), secret, algorithm="HS256")


def context_token(secret: str, client_key: str, **changed: Any) -> str:
    """What `AP.context.getToken` gives to any person who sees the app."""
    return jwt.encode(
        claims_for(client_key, "GET", "/", **{"qsh": CONTEXT_QSH, **changed}), secret, algorithm="HS256"
    )


def lifecycle_token(
    client_key: str,
    address: str,
    *,
    base_url: str,
    kid: str,
    key_name: str = "atlassian",
    header: dict[str, Any] | None = None,
    **changed: Any,
) -> str:
    """What Atlassian signs `installed` and `uninstalled` with."""
    # RS256 repeats itself: without an id of its own, two tokens of one second would be one token (S57).
    unique = {"jti": uuid.uuid4().hex}
    claims = claims_for(client_key, "POST", address, **{"aud": [base_url], **unique, **changed})
    return jwt.encode(
        claims, install_key(key_name), algorithm="RS256", headers={"kid": kid} if header is None else header
    )


def hand_made_token(header: dict[str, Any], claims: object, secret: bytes = b"") -> str:
    """A token that no library would make: any header, any payload, HMAC-SHA256 over it when there is a secret."""
    signed = ".".join(_segment(json.dumps(part).encode()) for part in (header, claims))
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest() if secret else b""
    return f"{signed}.{_segment(mac)}"


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
