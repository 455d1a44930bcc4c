"""Control API: what somebody owns, giving it to somebody else behind the app's back, and recovering a space."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox import belongings_seed, world
from sandbox.belongings import Belongings
from sandbox.cloud import Cloud


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    def own() -> Belongings:
        return Belongings(cloud, world.ORGANIZATIONS[request.args.get("site", "acme")])

    @routes.get("/belongings/<kind>")
    def all_belongings(kind: str) -> Response:
        """?site&holder: everything of a kind (project, component, filter, dashboard, issue, space, token)."""
        columns = {"holder": request.args["holder"]} if request.args.get("holder") else {}
        return jsonify([dict(row) for row in own().all(kind, **columns)])

    @routes.patch("/belongings/<kind>/<name>")
    def hand_on(kind: str, name: str) -> tuple[Response, int]:
        """?site; {"holder": account id, null: nobody}: as somebody else would have done it."""
        row = own().find(kind, name)
        if row is None:
            return jsonify(error="there is nothing like that"), 404
        with cloud.store.write() as connection:
            connection.execute(
                "UPDATE belonging SET holder = ? WHERE org = ? AND kind = ? AND id = ?",
                (request.get_json().get("holder"), row["org"], row["kind"], row["id"]),
            )
        return jsonify(changed=row["id"]), 200

    @routes.delete("/belongings/<kind>/<name>")
    def lose(kind: str, name: str) -> tuple[Response, int]:
        """?site: it is deleted."""
        row = own().find(kind, name)
        if row is None:
            return jsonify(error="there is nothing like that"), 404
        own().remove(row)
        return jsonify(removed=row["id"]), 200

    @routes.get("/spaces/<key>/permissions")
    def permissions(key: str) -> tuple[Response, int]:
        """?site: who may do what in a space."""
        row = own().find("space", key)
        if row is None:
            return jsonify(error="there is no such space"), 404
        return jsonify([dict(each) for each in own().permissions(row["id"])]), 200

    @routes.post("/spaces/<key>/roles")
    def give_role(key: str) -> tuple[Response, int]:
        """?site; {"role", "kind" (USER, GROUP, ACCESS_CLASS), "principal"}: a role that administers the space."""
        row, asked = own().find("space", key), request.get_json()
        if row is None:
            return jsonify(error="there is no such space"), 404
        own().give_role(row["id"], asked["role"], asked["kind"], asked["principal"])
        return jsonify(given=asked["role"]), 200

    @routes.post("/spaces/<key>/recover")
    def recover(key: str) -> tuple[Response, int]:
        """?site&account_id: what an administrator does by *Recover permissions* in Confluence's settings."""
        row = own().find("space", key)
        account = request.args.get("account_id") or own().organization.admin.account_id
        if row is None:
            return jsonify(error="there is no such space"), 404
        belongings_seed.fill(cloud.store, own().organization)
        for operation in ("read", "administer"):
            own().grant(row["id"], "user", account, operation)
        return jsonify(recovered=key), 200
