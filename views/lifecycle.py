"""What Atlassian tells about an installation: /connect/installed and /connect/uninstalled.

`enabled` and `disabled` are not declared and have no address: they say nothing we need, and come in any order (S15).
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from services.installing import install, uninstall
from views.access import lifecycle, lifecycle_proof, tools

blueprint = Blueprint("lifecycle", __name__)


@blueprint.post("/connect/installed")
@lifecycle
def installed() -> Response:
    install(tools(), lifecycle_proof(), request.get_data())
    return Response(status=204)


@blueprint.post("/connect/uninstalled")
@lifecycle
def uninstalled() -> Response:
    uninstall(tools(), lifecycle_proof(), request.get_data())
    return Response(status=204)
