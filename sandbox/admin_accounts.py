"""Calls about accounts: last-active dates, managed accounts, user management (/users/{account_id}/manage)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import deeds, paging, world
from sandbox.admin_access import Bearer, bearer, organization_key
from sandbox.answers import Refusal, errors, proxy
from sandbox.cloud import Cloud
from sandbox.people import filtered

PRIVILEGES = (
    "profile.read",
    "profile.write",
    "email.set",
    "lifecycle.enablement",
    "lifecycle.delete",
    "apiToken.read",
    "apiToken.delete",
)
PAGE = 100


def organization_blueprint(cloud: Cloud) -> Blueprint:
    """The v1 calls under /admin/v1/orgs/{orgId}."""
    routes = Blueprint("admin_accounts", __name__, url_prefix="/admin/v1/orgs/<org_id>")

    @routes.get("/directory/users/<account_id>/last-active-dates")
    def last_active(org_id: str, account_id: str) -> Response:
        """GET /v1/orgs/{orgId}/directory/users/{accountId}/last-active-dates."""
        held = organization_key(cloud, org_id, v1=True)
        if held.scoped:
            raise errors(403, "ADMIN-403-2", "Forbidden")
        directory = cloud.directory(held.organization.key)
        person = directory.find(account_id)
        if person is None:
            raise errors(404, "ADMIN-404-8", "User not found")
        products = []
        for resource, moment in directory.access([person["seq"]]).get(person["seq"], []):
            shown = {"id": resource, "key": world.LAST_ACTIVE_KEYS[world.product_of(resource)]}
            if moment:
                shown |= {"last_active": moment[:10], "last_active_timestamp": _seconds(moment)}
            products.append(shown)
        added = {
            "added_to_org": person["added_at"][:10],
            "added_to_org_timestamp": _seconds(person["added_at"]),
        }
        return jsonify(data={"product_access": products, **added}, links={})

    @routes.get("/users")
    def managed(org_id: str) -> Response:
        """GET /v1/orgs/{orgId}/users: managed accounts; `links.next` is a whole address."""
        held = organization_key(cloud, org_id, v1=True)
        directory = cloud.directory(held.organization.key)
        where = filtered(held.organization.key, {"claimStatus": "managed"})
        total = directory.count(where)
        after = ("", _cursor(request.args["cursor"])) if request.args.get("cursor") else None
        rows = directory.page(where, after, PAGE + 1, None)
        self = f"{cloud.hub}{request.path}"
        links = {"self": self}
        if len(rows) > PAGE:
            links["next"] = f"{self}?cursor={paging.make({'managed': rows[PAGE - 1]['seq']})}"
        access = directory.access([row["seq"] for row in rows[:PAGE]])
        data = [_managed(cloud, held, row, access.get(row["seq"], [])) for row in rows[:PAGE]]
        return jsonify(data=data, links=links, meta={"total": total})

    return routes


def management_blueprint(cloud: Cloud) -> Blueprint:
    """The user-management API: managed accounts only, and only of the key's organization."""
    routes = Blueprint("user_management", __name__, url_prefix="/users/<account_id>/manage")

    def held() -> Bearer:
        known = bearer(cloud)
        if known is None:
            raise Refusal(401, {"key": "unauthorized"})
        return known

    @routes.get("")
    def privileges(account_id: str) -> Response:
        """GET /users/{account_id}/manage: what may be done to the account, and why not."""
        person = _managed_person(cloud, held(), account_id)
        asked = [
            one for value in request.args.getlist("privileges") for one in value.split(",")
        ] or PRIVILEGES
        return jsonify({name: _privilege(name, person, held()) for name in asked})

    @routes.post("/lifecycle/disable")
    def disable(account_id: str) -> tuple[str, int]:
        """POST /users/{account_id}/manage/lifecycle/disable: 204."""
        return change(account_id, "disable", "inactive")

    @routes.post("/lifecycle/enable")
    def enable(account_id: str) -> tuple[str, int]:
        """POST /users/{account_id}/manage/lifecycle/enable: 204."""
        return change(account_id, "enable", "active")

    def change(account_id: str, action: str, wanted: str) -> tuple[str, int]:
        known = held()
        person = _managed_person(cloud, known, account_id)
        allowed = _privilege("lifecycle.enablement", person, known)
        effective = bool(allowed["allowed"]) and person["account_status"] != wanted
        status = 204 if allowed["allowed"] else 403
        key = known.organization.key
        if effective:
            cloud.directory(key).change(account_id, {"account_status": wanted}, {})
        deeds.record(cloud.store, key, account_id, action, effective=effective, status=status)
        if status == 403:
            raise Refusal(403, {"key": "forbidden.action", "context": allowed})
        return "", 204

    return routes


def _managed_person(cloud: Cloud, held: Bearer, account_id: str) -> sqlite3.Row:
    person = cloud.directory(held.organization.key).find(account_id)
    if person is None:
        raise Refusal(404, {"key": "accountNotFound"})
    if held.scoped or person["claim"] != "managed":
        raise Refusal(403, {"key": "forbidden"})
    return person


def _privilege(name: str, person: sqlite3.Row, held: Bearer) -> dict[str, Any]:
    """Allowed, or the reason: one's own account, or one owned by an identity provider."""
    if name in ("profile", "profile.write"):
        return {"name": {"allowed": True}, "nickname": {"allowed": True}}
    if name.startswith("lifecycle") and person["account_id"] == held.owner:
        return {"allowed": False, "reason": {"key": "administrative.notMyself"}}
    if name in ("lifecycle.enablement", "email.set") and person["source"] == "synced":
        return {"allowed": False, "reason": {"key": "externalDirectory.scim"}}
    return {"allowed": True}


def _managed(
    cloud: Cloud, held: Bearer, row: sqlite3.Row, access: list[tuple[str, str | None]]
) -> dict[str, Any]:
    moments = [moment for _, moment in access if moment]
    site = cloud.sites[held.organization.key]
    products = []
    for resource, moment in access:
        product = world.product_of(resource)
        shown = {"key": world.LAST_ACTIVE_KEYS[product], "name": world.PRODUCT_NAMES[product], "url": site}
        products.append({**shown, "last_active": moment} if moment else shown)
    person = {
        "account_id": row["account_id"],
        "account_type": "atlassian",
        "account_status": row["account_status"],
        "name": row["name"],
        "picture": f"{site}/avatar/48.png",
        "access_billable": row["shown_status"] == "active",
        "product_access": products,
        "links": {"self": f"{cloud.hub}/users/{row['account_id']}/manage/profile"},
    }
    if not row["email_hidden"]:
        person["email"] = row["email"]
    return {**person, "last_active": max(moments)} if moments else person


def _cursor(cursor: str) -> int:
    try:
        return int(paging.read(cursor)["managed"])
    except (paging.BadCursor, KeyError):
        raise proxy(400, "Invalid page cursor") from None


def _seconds(moment: str) -> str:
    """Without fractions, as this call writes it."""
    return moment[:19] + "Z"
