"""What anybody may see: a page that says what Rollcall is, and whether it is alive."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, send_from_directory
from flask.typing import ResponseReturnValue

from models.revision import BEHIND, is_behind
from views.access import public, tools

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def home() -> str:
    return render_template("pages/home.html", base_url=tools().settings.base_url)


@blueprint.get("/rule.schema.json")
@public
def rule_schema() -> Response:
    """What a file of rules may say, for editors that check while somebody types."""
    return _schema("rule.schema.json")


@blueprint.get("/hook.schema.json")
@public
def hook_schema() -> Response:
    """What a signed webhook brings, for whoever writes the other side."""
    return _schema("hook.schema.json")


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    # A kept connection is at hand also when the database is away: only an answer tells. Without one this is a 500.
    with tools().look() as connection:
        if is_behind(connection):
            return {"status": BEHIND}, 503
    return {"status": "ok"}


def _schema(name: str) -> Response:
    return send_from_directory(Path(current_app.root_path) / "docs", name, mimetype="application/schema+json")
