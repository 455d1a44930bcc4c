"""Sync: start it, stop it, watch it."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from models.sync import SyncState
from services import syncing
from services.doors import require_organization
from views import overview, pages, show
from views.access import api, caller, operator_only, tools

blueprint = Blueprint("sync", __name__, url_prefix="/app")


@blueprint.post("/sync")
@api
@operator_only
def start() -> str:
    syncing.request_sync(tools(), caller())
    return overview.content(tools(), caller())


@blueprint.post("/sync/stop")
@api
@operator_only
def stop() -> str:
    syncing.stop_sync(tools(), caller())
    return overview.content(tools(), caller())


@blueprint.get("/sync")
@api
@operator_only
def progress() -> str | Response:
    """The bar while the sync runs; the whole page it was shown on as soon as it does not."""
    here = "get-started" if request.args.get("here") == "get-started" else "overview"
    sync = syncing.progress(tools(), require_organization(tools(), caller()))
    if sync is not None and sync.state == SyncState.RUNNING:
        return show.part("overview/progress.html", sync=sync, here=here)
    whole = pages.get_started_content if here == "get-started" else overview.content
    answer = make_response(whole(tools(), caller()))
    answer.headers["HX-Retarget"] = "#main"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer
