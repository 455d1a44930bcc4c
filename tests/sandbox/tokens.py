"""Tokens as an app makes them, for asking the pretend sites; the hash is built by hand for plain queries."""

from __future__ import annotations

import hashlib
import time

import jwt
import requests

from sandbox.server import Sandbox


def app_token(cloud: Sandbox, site: str, product: str, method: str, path: str, query: str = "") -> str:
    """A JWT for one request; `path` below the product's base address; `query` already sorted and encoded."""
    tenants = requests.get(f"{cloud.hub}/control/tenants", timeout=10).json()
    tenant = next(one for one in tenants if (one["site"], one["product"]) == (site, product))
    hashed = hashlib.sha256(f"{method}&{path}&{query}".encode()).hexdigest()
    now = int(time.time())
    claims = {
        "iss": tenant["app_key"],
        "iat": now,
        "exp": now + 180,
        "qsh": hashed,
        "aud": [tenant["client_key"]],
    }
    return jwt.encode(claims, tenant["shared_secret"], algorithm="HS256")
