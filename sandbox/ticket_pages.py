"""The portal of a site's service desk, where people raise requests, and the settings of its automation."""

from __future__ import annotations

import json

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox import automation, world
from sandbox.cloud import Cloud
from sandbox.service_desk import PERSON_FIELD_NAME, PROJECT, REQUEST_TYPES, ServiceDesk, plain_text

PORTAL = "/servicedesk/customer/portal/1"
AUTOMATION = "/jira/settings/automation"


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("ticket_pages", __name__)
    organization = world.ORGANIZATIONS[site]
    desk = ServiceDesk(cloud.store, organization)

    def name_of(account_id: str) -> str:
        person = cloud.directory(site).find(account_id)
        return str(person["name"]) if person is not None else "Nobody"

    @routes.get(PORTAL)
    def portal() -> str:
        """?sent=: the key of what was raised just now."""
        return render_template(
            "portal.html",
            organization=organization,
            project=PROJECT,
            types=REQUEST_TYPES,
            field=PERSON_FIELD_NAME,
            requests=desk.all(),
            name_of=name_of,
            sent=request.args.get("sent"),
            hub=cloud.hub,
            automation=AUTOMATION,
        )

    @routes.post(PORTAL)
    def raise_request() -> Response:
        form = request.form
        try:
            row = desk.raise_request(
                form["type"], form["reporter"], form["summary"].strip() or "Please", form["person"].strip()
            )
        except ValueError as error:
            abort(400, str(error))
        automation.on_created(cloud, site, row)
        return redirect(f"{PORTAL}/{row['key']}", 303)

    @routes.get(f"{PORTAL}/<key>")
    @routes.get("/browse/<any('HELP'):_project>-<int:number>")
    def one(key: str = "", _project: str = "", number: int = 0) -> str:
        row = desk.find(key or f"{_project}-{number}")
        if row is None:
            abort(404)
        comments = [
            (name_of(each["author"]), each["created"], plain_text(json.loads(each["body"])))
            for each in desk.comments(row["id"])
        ]
        return render_template(
            "request.html",
            row=row,
            type=REQUEST_TYPES[row["type"]],
            reporter=name_of(row["reporter"]),
            field=PERSON_FIELD_NAME,
            comments=comments,
            portal=PORTAL,
            project=PROJECT,
        )

    @routes.get(AUTOMATION)
    def automation_page() -> str:
        return render_template(
            "automation.html",
            organization=organization,
            project=PROJECT,
            about=automation.settings(cloud, site),
            calls=automation.calls(cloud, site),
            portal=PORTAL,
            saved=request.args.get("saved"),
        )

    @routes.post(AUTOMATION)
    def save() -> Response:
        values = {name: request.form.get(name, "") for name in ("url", "header", "value", "body")}
        try:
            automation.set_up(cloud, site, values | {"on": True})
        except ValueError as error:
            abort(400, str(error))
        return redirect(f"{AUTOMATION}?saved=yes", 303)

    return routes
