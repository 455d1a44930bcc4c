"""Who calls a site's REST API: the installed app by its JWT, or a person by an API token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from flask import request

from sandbox import qsh
from sandbox.answers import Refusal
from sandbox.cloud import Cloud
from sandbox.installer import Tenant, find_tenant

LEEWAY = 30


@dataclass(frozen=True, slots=True)
class SiteCaller:
    """Either the app of this tenant or a person of the site."""

    app: Tenant | None
    account_id: str | None


def unauthorized(product: str) -> Refusal:
    if product == "confluence":
        return Refusal(
            401,
            {
                "statusCode": 401,
                "data": {"authorized": False, "valid": True, "errors": []},
                "message": "Unauthorized",
            },
        )
    return Refusal(
        401, {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}}
    )


def caller(cloud: Cloud, site: str, product: str) -> SiteCaller:
    """The proven caller; 401 for anything else, anonymous included."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.upper() == "JWT":
        return SiteCaller(_app(cloud, site, product, credential.strip()), None)
    if scheme.lower() == "basic" and request.authorization is not None:
        return SiteCaller(None, _person(cloud, site, product))
    raise unauthorized(product)


def app_caller(cloud: Cloud, site: str, product: str, scope: str) -> SiteCaller:
    """caller(), and an app must hold a scope (READ is implied by the stronger ones)."""
    known = caller(cloud, site, product)
    if known.app is not None:
        held = {str(s).upper() for s in known.app.descriptor.get("scopes", [])}
        if not held & {scope, "WRITE", "DELETE", "ADMIN", "PROJECT_ADMIN", "SPACE_ADMIN"}:
            raise Refusal(403, {"errorMessages": [f"The app needs the scope {scope}."], "errors": {}})
    return known


def _app(cloud: Cloud, site: str, product: str, token: str) -> Tenant:
    tenant = find_tenant(cloud, site, product)
    if tenant is None:
        raise unauthorized(product)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            tenant.shared_secret,
            algorithms=["HS256"],
            leeway=LEEWAY,
            options={"require": ["iss", "iat", "exp", "qsh"], "verify_aud": False},
        )
    except jwt.InvalidTokenError:
        raise unauthorized(product) from None
    raw = urlsplit(request.environ.get("REQUEST_URI") or request.environ["RAW_URI"])
    base_path = urlsplit(tenant.base_url).path
    expected = qsh.of_request(request.method, raw.path, raw.query, base_path)
    if claims["iss"] != tenant.app_key or claims["qsh"] != expected:
        raise unauthorized(product)
    audience = claims.get("aud")
    if audience is not None and tenant.client_key not in (
        [audience] if isinstance(audience, str) else audience
    ):
        raise unauthorized(product)
    return tenant


def _person(cloud: Cloud, site: str, product: str) -> str:
    """An unexpired token without scopes, with the address of its owner, of somebody who may still log in."""
    basic = request.authorization
    if basic is None:
        raise unauthorized(product)
    row = cloud.store.one(
        "SELECT * FROM api_token WHERE token = ? AND expired = 0 AND scoped = 0", (basic.password,)
    )
    if row is None or row["org"] != site or row["email"].lower() != (basic.username or "").lower():
        raise unauthorized(product)
    person = cloud.directory(site).find(row["account_id"])
    if person is None or person["account_status"] != "active" or person["shown_membership"] != "active":
        raise unauthorized(product)
    return str(row["account_id"])
