"""Atlassian's side of an app's life in a site: install, re-install, uninstall, signed page addresses, webhooks."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import jwt
import requests

from sandbox import keyhost, qsh, webhook_bodies, world
from sandbox.cloud import Cloud

LIFECYCLE_LIFE, PAGE_LIFE, CONTEXT_LIFE = 15 * 60, 3 * 60, 15 * 60
TIMEOUT = 20
PRODUCTS = ("jira", "confluence")


class NotPossible(Exception):
    """The deed cannot be done; the text says why."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One installation: a product of a site, with what both sides agreed on."""

    site: str
    product: str
    client_key: str
    shared_secret: str
    app_key: str
    app_base_url: str
    base_url: str
    descriptor: dict[str, Any]
    installed: bool


def tenants(cloud: Cloud) -> list[Tenant]:
    rows = cloud.store.all("SELECT * FROM tenant ORDER BY site, product")
    return [
        Tenant(
            row["site"],
            row["product"],
            row["client_key"],
            row["shared_secret"],
            row["app_key"],
            row["app_base_url"],
            row["base_url"],
            json.loads(row["descriptor"]),
            bool(row["installed"]),
        )
        for row in rows
    ]


def find_tenant(cloud: Cloud, site: str, product: str) -> Tenant | None:
    """The installation, if the app is installed there now."""
    return next((t for t in tenants(cloud) if (t.site, t.product) == (site, product) and t.installed), None)


def require_tenant(cloud: Cloud, site: str, product: str) -> Tenant:
    tenant = find_tenant(cloud, site, product)
    if tenant is None:
        raise NotPossible(f"the app is not installed in {product} of {site}")
    return tenant


# -- lifecycle --------------------------------------------------------------------------------------------------


def install(cloud: Cloud, site: str, product: str) -> dict[str, Any]:
    """Install or re-install (the secret is new each time) and tell the app, as an admin's click does.

    Returns {site, product, client_key, status}; NotPossible when the app does not take part.
    """
    _check_place(cloud, site, product)
    descriptor = _fetch_descriptor(f"{cloud.app_base_url}/{product}/atlassian-connect.json")
    client_key = world.stable_id("client", cloud.seed, site, product)
    before = next((t for t in tenants(cloud) if (t.site, t.product) == (site, product)), None)
    tenant = Tenant(
        site,
        product,
        client_key,
        secrets.token_urlsafe(48),
        descriptor["key"],
        descriptor["baseUrl"].rstrip("/"),
        cloud.base_url(site, product),
        descriptor,
        True,
    )
    _save(cloud, tenant)
    answer = _lifecycle(cloud, tenant, "installed")
    if not 200 <= answer.status_code < 300:
        _restore(cloud, tenant, before)
        raise NotPossible(
            f"the app host returned HTTP response code {answer.status_code} when we tried to contact it"
            f" during installation: {answer.text[:300]}"
        )
    if descriptor.get("lifecycle", {}).get("enabled"):
        _signed_post(tenant, descriptor["lifecycle"]["enabled"], _payload(tenant, "enabled"))
    return {"site": site, "product": product, "client_key": client_key, "status": answer.status_code}


def uninstall(cloud: Cloud, site: str, product: str) -> dict[str, Any]:
    """Remove the app; it is told, and stays removed whatever it answers."""
    tenant = require_tenant(cloud, site, product)
    with cloud.store.write() as connection:
        connection.execute("UPDATE tenant SET installed = 0 WHERE site = ? AND product = ?", (site, product))
    answer = _lifecycle(cloud, tenant, "uninstalled")
    return {"site": site, "product": product, "client_key": tenant.client_key, "status": answer.status_code}


def _check_place(cloud: Cloud, site: str, product: str) -> None:
    if site not in cloud.sites or product not in PRODUCTS:
        raise NotPossible("site is acme or globex, product is jira or confluence")


def _fetch_descriptor(url: str) -> dict[str, Any]:
    try:
        answer = requests.get(url, timeout=TIMEOUT)
        descriptor = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise NotPossible(f"the descriptor could not be read from {url}: {type(error).__name__}") from error
    missing = [name for name in ("key", "baseUrl", "authentication") if name not in descriptor]
    if answer.status_code != 200 or missing or not descriptor.get("lifecycle", {}).get("installed"):
        raise NotPossible(
            f"the descriptor at {url} is not usable (HTTP {answer.status_code}, missing {missing})"
        )
    return dict(descriptor)


def _payload(tenant: Tenant, event: str) -> dict[str, Any]:
    payload = {
        "key": tenant.app_key,
        "clientKey": tenant.client_key,
        "publicKey": "",
        "serverVersion": "100300",
        "pluginsVersion": "1001.0.0-SNAPSHOT",
        "baseUrl": tenant.base_url,
        "displayUrl": tenant.base_url,
        "productType": tenant.product,
        "description": f"Pretend {tenant.product} of {tenant.site}",
        "eventType": event,
        "entitlementId": world.stable_id("entitlement", tenant.client_key),
    }
    if event == "installed":
        payload["sharedSecret"] = tenant.shared_secret
    return payload


def _lifecycle(cloud: Cloud, tenant: Tenant, event: str) -> requests.Response:
    """Post an event signed RS256, as the migration `signed-install` asks."""
    url = tenant.app_base_url + (tenant.descriptor["lifecycle"].get(event) or f"/{event}")
    kid, private = keyhost.signing_key(cloud.store)
    now = int(time.time())
    claims = {
        "iss": tenant.client_key,
        "aud": [tenant.app_base_url],
        "iat": now,
        "exp": now + LIFECYCLE_LIFE,
        "qsh": qsh.of_url("POST", url, tenant.app_base_url),
        "context": {},
    }
    token = jwt.encode(claims, private, algorithm="RS256", headers={"kid": kid})
    return _post(url, _payload(tenant, event), token)


def _signed_post(tenant: Tenant, path: str, body: dict[str, Any]) -> requests.Response:
    """Post something signed HS256 with the shared secret."""
    url = tenant.app_base_url + path
    claims = _claims(tenant, None, qsh.of_url("POST", url, tenant.app_base_url), LIFECYCLE_LIFE)
    return _post(url, body, jwt.encode(claims, tenant.shared_secret, algorithm="HS256"))


def _post(url: str, body: dict[str, Any], token: str) -> requests.Response:
    headers = {
        "Authorization": f"JWT {token}",
        "X-Atlassian-Webhook-Identifier": str(uuid4()),
        "User-Agent": "Atlassian HttpClient (pretend)",
    }
    try:
        return requests.post(url, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise NotPossible(f"the app did not answer at {url}: {type(error).__name__}") from error


def _save(cloud: Cloud, tenant: Tenant) -> None:
    with cloud.store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO tenant VALUES (?,?,?,?,?,?,?,?,?)",
            (
                tenant.site,
                tenant.product,
                tenant.client_key,
                tenant.shared_secret,
                tenant.app_key,
                tenant.app_base_url,
                tenant.base_url,
                json.dumps(tenant.descriptor),
                int(tenant.installed),
            ),
        )


def _restore(cloud: Cloud, tenant: Tenant, before: Tenant | None) -> None:
    if before is not None:
        _save(cloud, before)
        return
    with cloud.store.write() as connection:
        connection.execute("DELETE FROM tenant WHERE site = ? AND product = ?", (tenant.site, tenant.product))


# -- tokens and addresses ---------------------------------------------------------------------------------------


def _claims(tenant: Tenant, account_id: str | None, hashed: str, life: int) -> dict[str, Any]:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": tenant.client_key,
        "iat": now,
        "exp": now + life,
        "qsh": hashed,
        "context": {},
    }
    if account_id:
        claims["sub"] = account_id
    return claims


def context_token(tenant: Tenant, account_id: str | None) -> str:
    """What AP.context.getToken() gives."""
    return jwt.encode(
        _claims(tenant, account_id, "context-qsh", CONTEXT_LIFE), tenant.shared_secret, algorithm="HS256"
    )


def modules(tenant: Tenant) -> list[dict[str, Any]]:
    """The descriptor's page-like modules as [{kind, key, name, url, weight}], in menu order."""
    found = []
    for kind in ("generalPages", "adminPages", "configurePage", "postInstallPage"):
        value = tenant.descriptor.get("modules", {}).get(kind) or []
        entries = value if isinstance(value, list) else [value]
        for entry in sorted(entries, key=lambda entry: entry.get("weight", 100)):
            name = entry.get("name", {})
            found.append(
                {
                    "kind": kind,
                    "key": entry["key"],
                    "url": entry["url"],
                    "name": name.get("value", entry["key"]) if isinstance(name, dict) else str(name),
                }
            )
    return found


def panels(tenant: Tenant) -> list[dict[str, Any]]:
    """The modules that the product shows inside of its own pages, as [{kind, key, name, url}]."""
    found = []
    for kind in ("jiraIssueContexts", "jiraDashboardItems", "contentBylineItems", "webPanels"):
        for entry in tenant.descriptor.get("modules", {}).get(kind) or []:
            url = entry.get("url") or entry["target"]["url"]
            found.append(
                {
                    "kind": kind,
                    "key": entry["key"],
                    "url": url,
                    "name": entry.get("name", {}).get("value", ""),
                }
            )
    return found


def _filled(url: str, values: dict[str, str]) -> str:
    """The module's address with its {variables} put in; one without a value becomes empty."""
    return re.sub(r"\{([\w.]+)\}", lambda found: quote(values.get(found[1], ""), safe=""), url)


def page_url(
    tenant: Tenant, module_key: str, account_id: str | None, extra: dict[str, str] | None = None
) -> str:
    """The address the product puts into the iframe of a module, freshly signed."""
    known = (*modules(tenant), *panels(tenant))
    module = next((m for m in known if m["key"] == module_key), None)
    if module is None:
        raise NotPossible(f"the app has no page module {module_key!r}")
    parts = tenant.base_url.split("/", 3)
    added = {
        "xdm_e": "/".join(parts[:3]),
        "xdm_c": f"channel-{tenant.app_key}__{module_key}",
        "cp": "/" + parts[3] if len(parts) > 3 else "",
        "xdm_deprecated_addon_key_do_not_use": tenant.app_key,
        "lic": "active",
        "cv": "1001.0.0-SNAPSHOT",
    }
    url = tenant.app_base_url + _filled(module["url"], {"user.accountId": account_id or "", **(extra or {})})
    url += ("&" if "?" in url else "?") + urlencode(added, quote_via=quote)
    claims = _claims(tenant, account_id, qsh.of_url("GET", url, tenant.app_base_url), PAGE_LIFE)
    return f"{url}&jwt={jwt.encode(claims, tenant.shared_secret, algorithm='HS256')}"


# -- webhooks ---------------------------------------------------------------------------------------------------


def fire_webhook(cloud: Cloud, site: str, product: str, event: str, account_id: str) -> list[int]:
    """Post an event about what somebody did to every webhook of the descriptor that wants it; the answers' statuses."""
    tenant = require_tenant(cloud, site, product)
    person = cloud.directory(site).find(account_id)
    hooks = [
        hook for hook in tenant.descriptor.get("modules", {}).get("webhooks", []) if hook["event"] == event
    ]
    body = webhook_bodies.body(
        product, event, account_id, person["name"] if person else "Somebody", tenant.base_url
    )
    return [_signed_post(tenant, hook["url"], body).status_code for hook in hooks]
