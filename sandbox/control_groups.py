"""Control API: what happens behind the app's back: groups, an invitation accepted, the identity provider's run."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox import announcements, holdings, invitations
from sandbox.cloud import Cloud


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    @routes.post("/people/<account_id>/groups")
    def put_into(account_id: str) -> tuple[Response, int]:
        """{"group": name or id, "member": true | false}, synced groups too; {"changed": …}."""
        data = request.get_json()
        place = cloud.store.one(
            "SELECT person.seq, team.id FROM person JOIN team ON team.org = person.org"
            " WHERE person.account_id = ? AND (team.id = ? OR team.name = ?)",
            (account_id, data.get("group"), data.get("group")),
        )
        if place is None or not isinstance(data.get("member"), bool):
            return jsonify(error="group is a name or an id, member is true or false"), 404
        changed = holdings.put(
            cloud.store, place["seq"], holdings.place_in(place["id"]), present=data["member"]
        )
        return jsonify(changed=changed), 200

    @routes.post("/people/<account_id>/accept")
    def accept(account_id: str) -> tuple[Response, int]:
        """?site: an invited person accepts: address verified, active, seen today in each product they have."""
        site = request.args.get("site", "acme")
        accepted = invitations.accept(cloud.directory(site), account_id)
        if accepted:
            announcements.note(site, account_id, announcements.CHANGED)
        return jsonify(accepted=accepted), 200 if accepted else 404

    @routes.post("/idp-sync")
    def idp_sync() -> Response:
        """?site: everybody seeded into a synced group is put back into it; {"returned": how many}."""
        site = request.args.get("site", "acme")
        return jsonify(returned=holdings.run_identity_provider(cloud.store, site))
