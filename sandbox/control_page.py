"""The control page at the hub's address: credentials to paste, installs, faults, people, requests."""

from __future__ import annotations

from flask import Blueprint, render_template

from sandbox import world
from sandbox.cloud import Cloud
from sandbox.faults import KINDS


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("control_page", __name__)

    @routes.get("/")
    def page() -> str:
        keys = cloud.store.all("SELECT * FROM admin_key ORDER BY rowid")
        tokens = cloud.store.all("SELECT * FROM api_token ORDER BY rowid")
        return render_template(
            "control.html",
            sites=cloud.sites,
            keys=keys,
            tokens=tokens,
            kinds=KINDS,
            organizations=world.ORGANIZATIONS.values(),
            app=cloud.app_base_url,
            hub=cloud.hub,
        )

    return routes
