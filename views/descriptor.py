"""The app descriptor: one source, atlassian-connect.json, served in each product's own form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify

from views.access import public, tools

SOURCE = Path(__file__).resolve().parent.parent / "atlassian-connect.json"
PRODUCTS = ("jira", "confluence")

blueprint = Blueprint("descriptor", __name__)


def descriptor(product: str, base_url: str) -> dict[str, Any]:
    """What a product is told about the app. In the source `modules` has a part per product, and no address."""
    source: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    return {
        **source,
        "baseUrl": base_url,
        "links": {"self": f"{base_url}/{product}/atlassian-connect.json"},
        "modules": source["modules"][product],
    }


@blueprint.get("/jira/atlassian-connect.json")
@public
def jira() -> Response:
    return jsonify(descriptor("jira", tools().settings.base_url))


@blueprint.get("/confluence/atlassian-connect.json")
@public
def confluence() -> Response:
    return jsonify(descriptor("confluence", tools().settings.base_url))


@blueprint.get("/atlassian-connect.json")
@public
def like_jira() -> Response:
    return jsonify(descriptor("jira", tools().settings.base_url))
