"""Control API: raising requests, changing them behind the app's back, and the automation that sends them."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import automation, world
from sandbox.cloud import Cloud
from sandbox.service_desk import PROJECT, REQUEST_TYPES, ServiceDesk, plain_text


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    def site() -> str:
        return request.args.get("site", "acme")

    def desk() -> ServiceDesk:
        return ServiceDesk(cloud.store, world.ORGANIZATIONS[site()])

    @routes.get("/tickets")
    def tickets() -> Response:
        """?site: all requests with the words of their comments, the newest first."""
        return jsonify(
            [
                {
                    **dict(row),
                    "comments": [plain_text(json.loads(c["body"])) for c in desk().comments(row["id"])],
                }
                for row in desk().all()
            ]
        )

    @routes.post("/tickets")
    def raise_ticket() -> tuple[Response, int]:
        """?site; {reporter, type, summary, person, project}: as the portal does it, automation included."""
        data: dict[str, Any] = request.get_json()
        row = desk().raise_request(
            data.get("type", next(iter(REQUEST_TYPES))),
            data["reporter"],
            data.get("summary", "Please"),
            data.get("person", ""),
            data.get("project", PROJECT["key"]),
        )
        automation.on_created(cloud, site(), row)
        return jsonify(dict(row)), 201

    @routes.patch("/tickets/<name>")
    def change_ticket(name: str) -> tuple[Response, int]:
        """?site; {type, summary, reporter, person, status ("open", "done")}."""
        changed = desk().change(name, request.get_json())
        return jsonify(changed=changed), 200 if changed else 404

    @routes.delete("/tickets/<name>")
    def remove_ticket(name: str) -> tuple[Response, int]:
        removed = desk().remove(name)
        return jsonify(removed=removed), 200 if removed else 404

    @routes.post("/tickets/<name>/send")
    def send_again(name: str) -> tuple[Response, int]:
        """?site: the automation's web request once more, and what it was answered with."""
        row = desk().find(name)
        if row is None:
            return jsonify(error="there is no such request"), 404
        return jsonify(
            status=automation.send(cloud, site(), dict(row), automation.settings(cloud, site()))
        ), 200

    @routes.get("/automation")
    def automation_log() -> Response:
        """?site: what was sent, the newest first: {key, attempt, status}."""
        return jsonify([dict(row) for row in automation.calls(cloud, site())])

    @routes.put("/automation")
    def set_up_automation() -> Response:
        """?site; {url, header, value, body, on}."""
        return jsonify(automation.set_up(cloud, site(), {"on": True} | request.get_json()))
