"""The pages that Jira and Confluence open in a frame: each brings its first content along."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, current_app

from connect.caller import Caller
from connect.errors import Forbidden, Unavailable
from models.credential import CredentialKind
from models.people_search import count_people
from models.sync import SyncState, latest_sync
from rules.filters import PeopleFilter
from services import credentials, syncing
from services.administrators import Administrators
from services.doors import organization_of
from services.keeping import own_warning
from services.mail_words import ENDINGS
from services.operators import is_operator
from services.toolbox import Toolbox
from views import configure, overview, show
from views.access import ADMINISTRATORS, admin_only, api, caller, page, tools

blueprint = Blueprint("pages", __name__)


@blueprint.get("/pages/app")
@page
def app() -> str | tuple[str, int]:
    """Operators see the overview, other administrators what they can do about it, everybody else a sentence.

    Whoever was warned that their access ends reads that first, whoever they are.
    """
    if caller().account_id is None:
        return _closed("You are not logged in", "Log in to your site, then open Rollcall again.")
    if is_operator(tools(), caller(), fresh=False):
        return overview.content(tools(), caller())
    warning = own_warning(tools(), caller())
    if _administers(caller(), otherwise=warning is not None):
        return configure.content(tools(), caller(), warning=warning, endings=ENDINGS)
    if warning is not None:
        return show.place(
            "warning/index.html",
            tab="",
            title="Your access",
            operator=False,
            warning=warning,
            endings=ENDINGS,
        )
    return _closed(
        "Rollcall is for operators of your organization",
        "Ask an organization admin, or an administrator of this site, who can name you.",
    )


@blueprint.get("/pages/configure")
@page
@admin_only
def configure_token() -> str:
    return configure.content(tools(), caller())


@blueprint.get("/pages/get-started")
@page
@admin_only
def get_started() -> str:
    return get_started_content(tools(), caller())


@blueprint.get("/app/get-started")
@api
@admin_only
def get_started_again() -> str:
    return get_started_content(tools(), caller())


def get_started_content(tools: Toolbox, caller: Caller) -> str:
    """Three steps and how far they are. Numbers of people are for operators alone (S26)."""
    organization_id = organization_of(tools, caller)
    operator = is_operator(tools, caller, fresh=False)
    sync = syncing.progress(tools, organization_id) if organization_id else None
    now = tools.clock()
    people = idle = 0
    with tools.begin() as session:
        complete = latest_sync(session, organization_id or "", SyncState.COMPLETE)
        session.expunge_all()
        if operator and complete is not None:
            people = count_people(session, organization_id or "", PeopleFilter(), now)
            idle = count_people(session, organization_id or "", PeopleFilter(idle=90, status="active"), now)
    return show.place(
        "pages/get_started.html",
        tab="get-started",
        title="Get started",
        operator=operator,
        key=credentials.show(tools, caller, CredentialKind.ADMIN_KEY),
        running=sync if operator and sync is not None and sync.state == SyncState.RUNNING else None,
        last_complete=complete.finished_at if complete is not None else None,
        people=people,
        idle=idle,
        operators_sentence=configure.operators_sentence(tools, caller),
    )


def _administers(caller: Caller, *, otherwise: bool) -> bool:
    """`otherwise`: there is something else to read, and no answer of the site keeps anybody from it."""
    try:
        cast(Administrators, current_app.extensions[ADMINISTRATORS]).require(caller, fresh=False)
    except Forbidden:
        return False
    except Unavailable:
        if not otherwise:
            raise
        return False
    return True


def _closed(sentence: str, next_step: str) -> tuple[str, int]:
    page = show.place(
        "pages/closed.html", tab="", title="Rollcall", operator=False, sentence=sentence, next_step=next_step
    )
    return page, 403
