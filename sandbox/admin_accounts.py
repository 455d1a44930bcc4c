"""Calls about accounts: last-active dates, managed accounts, user management (/users/{account_id}/manage)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from sandbox import deeds, paging, world
from sandbox.admin_access import Bearer, bearer, organization_key
from sandbox.answers import Refusal, errors, proxy
from sandbox.cloud import Cloud
from sandbox.people import filtered
from sandbox.seed import iso

PRIVILEGES = (
    "profile.read",
    "profile.write",
    "email.set",
    "lifecycle.enablement",
    "lifecycle.delete",
    "apiToken.read",
    "apiToken.delete",
)
# What an identity provider keeps to itself.
PROVIDED = ("lifecycle.enablement", "lifecycle.delete", "email.set")
PAGE = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of an account's status: from which to which, who may, and whether other states are a conflict."""

    before: tuple[str, ...]
    after: str
    privilege: str
    status: int
    conflicts: bool = True


TURNS = {
    "disable": Turn(("active",), "inactive", "lifecycle.enablement", 204),
    "enable": Turn(("inactive",), "active", "lifecycle.enablement", 204),
    "delete": Turn(("active", "inactive"), "closed", "lifecycle.delete", 200),
    "cancel_delete": Turn(("closed",), "active", "lifecycle.delete", 200, conflicts=False),
}


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
            links["next"] = f"{self}?{urlencode({'cursor': paging.make({'managed': rows[PAGE - 1]['seq']})})}"
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
        person = managed_person(cloud, held(), account_id)
        asked = [
            one for value in request.args.getlist("privileges") for one in value.split(",")
        ] or PRIVILEGES
        return jsonify({name: _privilege(name, person, held()) for name in asked})

    @routes.post("/lifecycle/disable")
    def disable(account_id: str) -> tuple[str, int]:
        """POST /users/{account_id}/manage/lifecycle/disable: 204."""
        change(account_id, "disable")
        return "", 204

    @routes.post("/lifecycle/enable")
    def enable(account_id: str) -> tuple[str, int]:
        """POST /users/{account_id}/manage/lifecycle/enable: 204; 409 for a deleted account."""
        change(account_id, "enable")
        return "", 204

    @routes.post("/lifecycle/delete")
    def delete(account_id: str) -> Response:
        """POST /users/{account_id}/manage/lifecycle/delete: 200; gone for good after 14 days, which never pass here."""
        change(account_id, "delete")
        return jsonify(message="Success")

    @routes.post("/lifecycle/cancel-delete")
    def cancel_delete(account_id: str) -> Response:
        """POST /users/{account_id}/manage/lifecycle/cancel-delete: 200, and the account is active again.

        No 409 is described for an account that nobody deleted: nothing happens.
        """
        change(account_id, "cancel_delete")
        return jsonify(message="Success")

    def change(account_id: str, action: str) -> None:
        known, turn = held(), TURNS[action]
        key = known.organization.key
        with cloud.store.write():
            person = managed_person(cloud, known, account_id)
            refusal = _objection(person, turn, _privilege(turn.privilege, person, known))
            effective = refusal is None and person["account_status"] in turn.before
            if effective:
                left = None if turn.after == "active" else iso(datetime.now(UTC))
                columns = {"account_status": turn.after, "deactivated_at": left}
                cloud.directory(key).change(account_id, columns, {})
            status = refusal.status if refusal else turn.status
            deeds.record(cloud.store, key, account_id, action, effective=effective, status=status)
        if refusal:
            raise refusal

    return routes


def _objection(person: sqlite3.Row, turn: Turn, allowed: dict[str, Any]) -> Refusal | None:
    if not allowed["allowed"]:
        return Refusal(403, {"key": "forbidden.action", "context": allowed})
    if person["account_status"] in turn.before or not turn.conflicts:
        return None
    message = f"The account is {person['account_status']}."
    context = {
        "message": message,
        "accountId": person["account_id"],
        "errorCodes": [{"code": "invalidStatus", "message": message}],
    }
    return Refusal(409, {"key": "conflict.lifecycleErrors", "context": context})


def managed_person(cloud: Cloud, held: Bearer, account_id: str) -> sqlite3.Row:
    """Somebody whose account this key may manage; 404, or 403 with the reason."""
    person = cloud.directory(held.organization.key).find(account_id)
    if person is None:
        raise Refusal(404, {"key": "accountNotFound"})
    if held.scoped or person["claim"] != "managed":
        raise Refusal(403, {"key": "forbidden"})
    if not person["email_verified"]:
        raise Refusal(403, {"key": "forbidden.targetUnverified"})
    return person


def _privilege(name: str, person: sqlite3.Row, held: Bearer) -> dict[str, Any]:
    """Allowed, or the reason: one's own account, or one owned by an identity provider."""
    if name in ("profile", "profile.write"):
        return {"name": {"allowed": True}, "nickname": {"allowed": True}}
    if name.startswith("lifecycle") and person["account_id"] == held.owner:
        return {"allowed": False, "reason": {"key": "administrative.notMyself"}}
    if name in PROVIDED and person["source"] == "synced":
        return {"allowed": False, "reason": {"key": "externalDirectory.scim"}}
    if name in PROVIDED and person["kind"] == "google-synced":
        return {"allowed": False, "reason": {"key": "externalDirectory.google"}}
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
