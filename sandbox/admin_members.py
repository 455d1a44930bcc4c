"""Organization API: who is in a group (/admin/v2/orgs/{orgId}/directories/{directoryId}/groups/{groupId}/members…)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, request

from sandbox import deeds, holdings, seats
from sandbox.admin_access import people_key
from sandbox.admin_groups import granted, require_group
from sandbox.answers import Refusal, errors
from sandbox.cloud import Cloud
from sandbox.people import Directory

BASE = "/v2/orgs/<org_id>/directories/<directory_id>/groups/<group_id>/memberships"


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_members", __name__, url_prefix="/admin")

    @routes.post(BASE)
    def join(org_id: str, directory_id: str, group_id: str) -> tuple[str, int]:
        """POST …/groups/{groupId}/memberships: 204; 409 for a member, and when no seat is left."""
        _, directory = people_key(cloud, org_id, directory_id, write=True)
        body: Any = request.get_json(silent=True)
        account_id = body.get("accountId") if isinstance(body, dict) else None
        if not isinstance(account_id, str) or not account_id:
            raise errors(400, "ADMIN-400-24", "Invalid request body", "accountId is required.")
        return change(directory, group_id, account_id, "join_group")

    @routes.delete(f"{BASE}/<account_id>")
    def leave(org_id: str, directory_id: str, group_id: str, account_id: str) -> tuple[str, int]:
        """DELETE …/groups/{groupId}/memberships/{accountId}: 204; 404 for somebody who is not in it."""
        _, directory = people_key(cloud, org_id, directory_id, write=True)
        return change(directory, group_id, account_id, "leave_group")

    def change(directory: Directory, group_id: str, account_id: str, action: str) -> tuple[str, int]:
        key, joins = directory.organization.key, action == "join_group"
        group = require_group(cloud, key, group_id)
        with cloud.store.write():
            person = directory.find(account_id)
            refusal = objection(directory, group, person, joins=joins)
            if refusal is None and person is not None:
                delay = cloud.faults.visibility_delay(request.method, request.path)
                place = holdings.place_in(group_id)
                holdings.put(cloud.store, person["seq"], place, present=joins, delay=delay)
            deeds.record(
                cloud.store,
                key,
                account_id,
                action,
                effective=refusal is None,
                status=refusal.status if refusal else 204,
                about=group_id,
            )
        if refusal:
            raise refusal
        return "", 204

    def objection(
        directory: Directory, group: sqlite3.Row, person: sqlite3.Row | None, *, joins: bool
    ) -> Refusal | None:
        if group["synced"]:
            detail = "Manage this group in your identity provider instead."
            return errors(403, "ADMIN-403-5", "Not allowed to manage the group", detail)
        if person is None:
            return errors(404, "ADMIN-404-8", "User not found")
        if holdings.holds(cloud.store, person["seq"], holdings.place_in(group["id"])) is joins:
            if joins:
                return errors(409, "ADMIN-409-28", "Conflict", "The user is already in the group.")
            return errors(404, "ADMIN-404-8", "User not found", "The user is not in the group.")
        if joins and seats.none_left(cloud, directory, person["account_id"], granted(cloud, group["id"])):
            return errors(409, "ADMIN-409-3", "License limit exceeded")
        return None

    return routes
