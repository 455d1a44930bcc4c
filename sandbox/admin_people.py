"""Organization API: people of a directory (/admin/v2/orgs/{orgId}/directories/{directoryId}/users/…)."""

from __future__ import annotations

import re
import sqlite3
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from sandbox import deeds, paging, world
from sandbox.admin_access import people_key
from sandbox.answers import errors
from sandbox.cloud import Cloud
from sandbox.people import Directory, filtered
from sandbox.search_body import read_count, read_search

MILLIS = re.compile(r"\.\d{3}(?=Z$)")

BASE = "/v2/orgs/<org_id>/directories/<directory_id>/users"


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_people", __name__, url_prefix="/admin")

    @routes.post(f"{BASE}/search")
    def search(org_id: str, directory_id: str) -> Response:
        """POST …/users/search: a page of people; `links.next` is a bare cursor (or an address, by a setting)."""
        held, directory = people_key(cloud, org_id, directory_id)
        asked = read_search(request)
        where = filtered(directory.organization.key, asked)
        if asked.get("directoryIds") and held.organization.directory_id not in asked["directoryIds"]:
            where.add("0")
        order = asked["sortBy"][0].get("direction", "asc") if asked.get("sortBy") else None
        limit = min(asked["limit"], cloud.max_page or 100)
        rows = directory.page(where, _position(asked.get("cursor"), order), limit + 1, order)
        data = _shown(directory, rows[:limit], set(asked.get("expand") or ()))
        links = {"self": asked.get("cursor") or paging.make({"users": 0})}
        if len(rows) > limit:
            last = rows[limit - 1]
            links["next"] = paging.make({"nick": last["nickname"], "seq": last["seq"], "order": order})
            if cloud.full_links:
                links["next"] = f"{cloud.hub}{request.path}?{urlencode({'cursor': links['next']})}"
        return jsonify(data=data, links=links)

    @routes.get(f"{BASE}/count")
    def count(org_id: str, directory_id: str) -> Response:
        """GET …/users/count with the filters of the search as query parameters; without any, also who is outside."""
        _, directory = people_key(cloud, org_id, directory_id)
        asked = read_count(request)
        found = directory.count(filtered(directory.organization.key, asked))
        return jsonify(count=found if asked else found + directory.count_outside())

    @routes.get(f"{BASE}/stats")
    def stats(org_id: str, directory_id: str) -> Response:
        """GET …/users/stats."""
        _, directory = people_key(cloud, org_id, directory_id)
        key = directory.organization.key
        statuses = [
            {"status": status, "count": directory.count(filtered(key, {"accountStatus": [status]}))}
            for status in ("active", "inactive", "closed")
        ]
        roles = [
            {"roleId": role, "count": directory.count(filtered(key, {"roleIds": [role]}))}
            for role in ("atlassian/org-admin", "atlassian/site-admin", "atlassian/admin", "atlassian/user")
        ]
        return jsonify(accountStatus=statuses, roles=roles)

    @routes.get(f"{BASE}/<account_id>")
    def person(org_id: str, directory_id: str, account_id: str) -> Response:
        """GET …/users/{userId}: one person, without product access."""
        _, directory = people_key(cloud, org_id, directory_id)
        row = _require(directory, account_id)
        data = _shown(directory, [row], {"platformRoles", "counts.resources"})[0]
        del data["links"]
        if row["deactivated_at"]:
            data["deactivatedOn"] = row["deactivated_at"]
        return jsonify(data=data)

    @routes.post(f"{BASE}/<account_id>/suspend")
    def suspend(org_id: str, directory_id: str, account_id: str) -> tuple[str, int]:
        """POST …/users/{accountId}/suspend: 204; roles and groups are kept."""
        return change(org_id, directory_id, account_id, "suspend", "suspended")

    @routes.post(f"{BASE}/<account_id>/restore")
    def restore(org_id: str, directory_id: str, account_id: str) -> tuple[str, int]:
        """POST …/users/{accountId}/restore: 204."""
        return change(org_id, directory_id, account_id, "restore", "active")

    def change(org_id: str, directory_id: str, account_id: str, action: str, wanted: str) -> tuple[str, int]:
        held, directory = people_key(cloud, org_id, directory_id, write=True)
        key = directory.organization.key
        row = directory.find(account_id)
        refusal = None
        if row is None:
            refusal = errors(404, "ADMIN-404-8", "User not found")
        elif row["account_status"] != "active":
            refusal = errors(400, "ADMIN-UAM-400-2", "Inactive user")
        elif account_id == held.owner and action == "suspend":
            refusal = errors(403, "ADMIN-403-3", "Forbidden", "You can't suspend your own access.")
        if refusal:
            deeds.record(cloud.store, key, account_id, action, effective=False, status=refusal.status)
            raise refusal
        delay = cloud.faults.visibility_delay(request.method, request.path)
        with cloud.store.write():
            changed = directory.set_membership(account_id, wanted, delay)
            deeds.record(cloud.store, key, account_id, action, effective=changed, status=204)
        return "", 204

    @routes.delete(f"{BASE}/<account_id>")
    def remove(org_id: str, directory_id: str, account_id: str) -> tuple[str, int]:
        """DELETE …/users/{accountId}: out of the directory, roles and groups lost."""
        held, directory = people_key(cloud, org_id, directory_id, write=True)
        key, refusal = directory.organization.key, None
        with cloud.store.write():
            if account_id == held.owner:
                refusal = errors(403, "ADMIN-403-3", "Forbidden", "You can't remove yourself.")
            elif not directory.remove(account_id):
                refusal = errors(404, "ADMIN-404-8", "User not found")
            status = refusal.status if refusal else 204
            deeds.record(cloud.store, key, account_id, "remove", effective=refusal is None, status=status)
        if refusal:
            raise refusal
        return "", 204

    return routes


def _require(directory: Directory, account_id: str) -> sqlite3.Row:
    row = directory.find(account_id)
    if row is None:
        raise errors(404, "ADMIN-404-8", "User not found")
    return row


def _position(cursor: str | None, order: str | None) -> tuple[str, int] | None:
    if not cursor:
        return None
    try:
        read = paging.read(cursor)
        if read.get("users") == 0:
            return None
        if read["order"] != order:
            raise paging.BadCursor(cursor)
        return read["nick"], int(read["seq"])
    except (paging.BadCursor, KeyError):
        raise errors(400, "ADMIN-400-1", "Invalid page cursor") from None


def _shown(directory: Directory, rows: list[sqlite3.Row], expand: set[str]) -> list[dict[str, Any]]:
    seqs = [row["seq"] for row in rows]
    groups = directory.groups(seqs) if "groups" in expand else {}
    access = directory.access(seqs) if expand & {"productAccess", "counts.resources"} else {}
    people = []
    for row in rows:
        person = _person(row)
        held = access.get(row["seq"], [])
        if "platformRoles" in expand:
            person["platformRoles"] = row["platform_roles"].split()
        if "counts.resources" in expand:
            person["counts"] = {"resources": len(held)}
        if "productAccess" in expand:
            person["productAccess"] = [_access(resource, moment) for resource, moment in held]
        if "groups" in expand:
            person["groups"] = [
                group | {"id": f"ari:cloud:identity::group/{group['id']}"}
                for group in groups.get(row["seq"], [])
            ]
        people.append(person)
    return people


def _access(resource: str, moment: str | None) -> dict[str, str]:
    """Somebody who never came has no timestamp at all; that of others goes to the billionth of a second."""
    shown = {"id": resource, "key": world.ACCESS_KEYS[world.product_of(resource)]}
    return {**shown, "lastActiveTimestamp": MILLIS.sub(r"\g<0>000226", moment)} if moment else shown


def _person(row: sqlite3.Row) -> dict[str, Any]:
    person = {
        "accountId": row["account_id"],
        "accountType": "atlassian",
        "name": row["name"],
        "nickname": row["nickname"],
        "emailVerified": bool(row["email_verified"]),
        "accountStatus": row["account_status"],
        "membershipStatus": row["shown_membership"],
        "status": row["shown_status"],
        "claimStatus": row["claim"],
        "managementSource": row["source"],
        "addedToOrg": row["added_at"],
        "links": {"self": paging.self_cursor(row["account_id"])},
    }
    if not row["email_hidden"]:
        person["email"] = row["email"]
    if row["claim"] == "managed":
        person["mfaEnabled"] = bool(row["mfa"])
    for key, column in (
        ("jobTitle", "job"),
        ("department", "department"),
        ("location", "location"),
        ("timeZone", "time_zone"),
    ):
        if row[column]:
            person[key] = row[column]
    return person
