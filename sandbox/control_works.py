"""Control API: who has to do with the issues and pages of a site."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from sandbox import works, world
from sandbox.cloud import Cloud


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/works")
    def all_works() -> Response:
        """?site: its issues and pages by id, with the account ids of their people."""
        organization = world.ORGANIZATIONS[request.args.get("site", "acme")]
        return jsonify({one.id: asdict(one) for one in works.everything(cloud.store, organization)})

    @routes.patch("/works/<work_id>")
    def change_work(work_id: str) -> Response:
        """?site; the body: {role: account id} (watchers: a list)."""
        organization = world.ORGANIZATIONS[request.args.get("site", "acme")]
        works.change(cloud.store, organization, work_id, request.get_json())
        return jsonify(changed=work_id)
