"""The pages of leavers: the list, one leaver, their evidence."""

from __future__ import annotations

from urllib.parse import quote
from zoneinfo import ZoneInfo

from connect.errors import Invalid
from models.leaver import Leaver
from models.leaver_list import Standing
from rules.deeds import CAPABILITIES, Deed
from rules.farewell import ENDING_WORDS, ENDINGS
from services.doors import require_organization
from services.leaver_evidence import evidence_of
from services.leaver_list import list_leavers
from services.leaver_views import LeaverPage, show_leaver
from services.leavers import MOST_AT_ONCE
from services.names import names_of
from views import leaver_words, show
from views.access import caller, tools
from views.changed_since import mark_of

PER_PAGE = 25
REASONS = ("New job", "Contract ended", "Retires", "Dismissed", "On leave for long", "Other")


def listing(
    standing: Standing = Standing.ALL,
    page: int = 1,
    saved: str = "",
    problem: Invalid | None = None,
    typed: str = "",
) -> str:
    """Who is leaving, and who has left. `problem` and `typed` belong to a list or a file."""
    listed = list_leavers(tools(), caller(), standing, page=page, per_page=PER_PAGE)
    words = {"show": standing.value} if standing else {}
    return show.place(
        "leavers/index.html",
        tab="leavers",
        title="Leavers",
        listed=listed,
        standing=standing,
        standings=leaver_words.STANDINGS,
        path=show.address("leavers", words),
        address=show.address("leavers", words | ({"page": str(listed.page)} if listed.page > 1 else {})),
        per_page=PER_PAGE,
        saved=saved,
        problem=problem,
        typed=typed,
        most=MOST_AT_ONCE,
        words=leaver_words,
    )


def content(leaver_id: str, problem: Invalid | None = None, typed: dict[str, str] | None = None) -> str:
    """One leaver. `problem` and `typed` belong to the plan."""
    page = show_leaver(tools(), caller(), leaver_id)
    leaver = page.leaver
    return show.place(
        "leavers/leaver.html",
        tab="leavers",
        title=leaver.name,
        page=page,
        words=leaver_words,
        endings=[(deed, ENDING_WORDS[deed], CAPABILITIES[deed].way_back) for deed in ENDINGS],
        ending=ENDING_WORDS[Deed(leaver.deed)],
        way_back=CAPABILITIES[Deed(leaver.deed)].way_back,
        leads_back=CAPABILITIES[Deed(leaver.deed)].opposite is not None,
        reasons=REASONS,
        was=mark_of(*plan_shown(page)),
        problem=problem,
        typed=typed or _typed(leaver, page.time_zone),
        place_of={
            "admin": f"https://admin.atlassian.com/o/{quote(leaver.organization_id)}/users",
            "configure": "configure",
            "protected": "protected",
        },
    )


def plan_shown(page: LeaverPage) -> tuple[object, ...]:
    """What somebody has read who begins a handover."""
    return _typed(page.leaver, page.time_zone), page.leaver.looked_at


def evidence_page(leaver_id: str) -> str:
    """Who decided what, what was done when; to be read, kept and printed."""
    evidence = evidence_of(tools(), caller(), leaver_id)
    organization_id = require_organization(tools(), caller())
    with tools().begin() as session:
        me = names_of(session, organization_id, [caller().account_id]).get(caller().account_id or "", "")
    return show.place(
        "leavers/evidence.html",
        tab="leavers",
        title=f"Evidence: {evidence.leaver.name}",
        evidence=evidence,
        ending=ENDING_WORDS[Deed(evidence.leaver.deed)],
        me=me,
        words=leaver_words,
    )


def _typed(leaver: Leaver, zone: str) -> dict[str, str]:
    """The plan as it stands, in the form's words."""
    return {
        "deed": leaver.deed,
        "when": "later" if leaver.ends_at else "now",
        "ends_at": f"{leaver.ends_at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}" if leaver.ends_at else "",
        "revoke_tokens": "yes" if leaver.revoke_tokens else "",
        "why": leaver.why,
        "note": leaver.note,
        "message_by": leaver.message_by,
        "message": leaver.message,
        **{f"successor-{kind}": account_id for kind, account_id in leaver.choices.items()},
    }
