"""The body of a lifecycle event, read and checked against the token that came with it (S5, S15)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from config import APP_KEY
from connect.errors import Invalid, NotAuthenticated
from connect.hosts import SiteOrigins
from connect.tokens import LifecycleProof
from models.tenant import (
    Product,
)

MIN_SECRET_CHARACTERS = 32
MAX_TEXT = 255
# NUL, and halves of characters: no database takes them.
_UNKEEPABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, repr=False)
class Payload:
    """The body of a lifecycle event, checked. `shared_secret` is None unless it is an `installed`."""

    client_key: str
    event_type: str
    product: Product
    base_url: str
    display_url: str
    description: str
    shared_secret: str | None
    oauth_client_id: str | None
    installation_id: str | None
    entitlement_id: str | None
    body_hash: str


def read_payload(origins: SiteOrigins, proof: LifecycleProof, body: bytes, event_type: str) -> Payload:
    """Raises Invalid for what Atlassian does not send, NotAuthenticated for what is about another tenant."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "This is not JSON.", reason="lifecycle_not_json") from error
    if not isinstance(fields, dict):
        raise Invalid("body", "This is not a JSON object.", reason="lifecycle_not_json")
    # The token's issuer is the only tenant there is; a body that speaks of another one is an attempt (S5).
    if fields.get("clientKey") != proof.client_key:
        raise NotAuthenticated(reason="body_client_key")
    if fields.get("key") != APP_KEY:
        raise NotAuthenticated(reason="body_key")
    if fields.get("eventType", event_type) != event_type:
        raise Invalid("eventType", reason="lifecycle_event_type")
    base_url = origins.check(_text(fields, "baseUrl") or "").base_url
    return Payload(
        client_key=proof.client_key,
        event_type=event_type,
        product=_product(fields),
        base_url=base_url,
        display_url=_display_url(origins, fields, base_url),
        description=(_text(fields, "description", most=2000) or "")[:500],
        shared_secret=_secret(fields) if event_type == "installed" else None,
        oauth_client_id=_text(fields, "oauthClientId"),
        installation_id=_text(fields, "installationId"),
        entitlement_id=_text(fields, "entitlementId"),
        body_hash=sha256(body).hexdigest(),
    )


def _text(fields: dict[str, Any], name: str, most: int = MAX_TEXT) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most or _UNKEEPABLE.search(value):
        raise Invalid(name, reason="lifecycle_odd_field")
    return value or None


def _secret(fields: dict[str, Any]) -> str:
    secret = _text(fields, "sharedSecret", most=1024) or ""
    if len(secret) < MIN_SECRET_CHARACTERS or not secret.isascii() or not secret.isprintable():
        raise Invalid("sharedSecret", reason="lifecycle_odd_secret")
    return secret


def _product(fields: dict[str, Any]) -> Product:
    try:
        return Product(_text(fields, "productType") or "")
    except ValueError:
        raise Invalid("productType", reason="lifecycle_unknown_product") from None


def _display_url(origins: SiteOrigins, fields: dict[str, Any], base_url: str) -> str:
    """What people see. An address that is no Atlassian site (a custom domain) is not believed."""
    try:
        return origins.check(_text(fields, "displayUrl") or "").base_url
    except Invalid:
        return base_url
