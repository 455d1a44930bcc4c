"""User management: the API tokens of a managed account (/users/{account_id}/manage/api-tokens)."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify

from sandbox import world
from sandbox.admin_access import bearer
from sandbox.admin_accounts import managed_person
from sandbox.answers import Refusal
from sandbox.belongings import Belongings
from sandbox.cloud import Cloud
from sandbox.seed import iso


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_tokens", __name__, url_prefix="/users/<account_id>/manage/api-tokens")

    def belongings(account_id: str) -> Belongings:
        held = bearer(cloud)
        if held is None:
            raise Refusal(401, {"key": "unauthorized"})
        managed_person(cloud, held, account_id)
        return Belongings(cloud, held.organization)

    @routes.get("")
    def tokens(account_id: str) -> Response:
        """GET /users/{account_id}/manage/api-tokens: those that work, with their last use."""
        own = belongings(account_id)
        made = [token_shape(row) for row in own.all("token", holder=account_id)]
        return jsonify([known_shape(row) for row in known(account_id)] + made)

    @routes.delete("/<token_id>")
    def revoke(account_id: str, token_id: str) -> tuple[str, int]:
        """DELETE /users/{account_id}/manage/api-tokens/{tokenId}: nobody gets in with it any more."""
        own = belongings(account_id)
        with cloud.store.write() as connection:
            row = next((one for one in own.all("token", holder=account_id) if one["id"] == token_id), None)
            real = next((one for one in known(account_id) if id_of(one) == token_id), None)
            if row is not None:
                own.remove(row)
            if real is not None:
                connection.execute("DELETE FROM api_token WHERE token = ?", (real["token"],))
            found = row is not None or real is not None
            own.note(account_id, "revoke_token", token_id, effective=found, status=204 if found else 404)
        if not found:
            raise Refusal(404, {"key": "notFound"})
        return "", 204

    def known(account_id: str) -> list[sqlite3.Row]:
        return cloud.store.all(
            "SELECT * FROM api_token WHERE account_id = ? AND expired = 0 ORDER BY rowid", (account_id,)
        )

    return routes


def id_of(row: sqlite3.Row) -> str:
    return world.token_id("token", row["token"])


def known_shape(row: sqlite3.Row) -> dict[str, Any]:
    """A token that a newcomer may paste: used a moment ago."""
    now = datetime.now(UTC)
    return {
        "id": id_of(row),
        "label": row["label"],
        "createdAt": iso(now - timedelta(days=90)),
        "lastAccess": iso(now - timedelta(hours=1)),
        "expiry": iso(now + timedelta(days=200)),
    }


def token_shape(row: sqlite3.Row) -> dict[str, Any]:
    shown = {"id": row["id"], "label": row["name"], "createdAt": "2026-02-03T08:00:00.000Z"}
    return shown if row["at"] is None else {**shown, "lastAccess": row["at"]}
