"""What is said in the product: how much panels tell, from when on, and who gets their access back by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connect.caller import Caller
from connect.errors import Invalid
from models.audit import Event
from models.organization import Organization
from rules.activity import ActivityKind
from rules.numbers import whole_number
from rules.panel import LEAVE, Privacy, Standing, detail, words
from services.audit import record
from services.doors import require_organization
from services.toolbox import Toolbox

MOST_DAYS = 3650
MOST_SEATS = 1_000_000


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """`give_back_cap` None: nobody gets anything back by itself."""

    privacy: Privacy
    days: int
    give_back_cap: int | None


@dataclass(frozen=True, slots=True)
class Example:
    """What two invented people's panels would say, one idle, one suspended; empty: nothing."""

    reader: str
    idle: str
    suspended: str


def notice_settings(tools: Toolbox, caller: Caller) -> NoticeSettings:
    """Raises NotReady without a door."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        organization = session.get_one(Organization, organization_id)
        return NoticeSettings(
            Privacy(organization.panel_privacy), organization.panel_days, organization.give_back_cap
        )


def set_notice_settings(
    tools: Toolbox, caller: Caller, *, privacy: str, days: str, give_back_cap: str
) -> NoticeSettings:
    """All are typed words. Raises Invalid with the field that is wrong."""
    organization_id = require_organization(tools, caller)
    if privacy not in set(Privacy):
        raise Invalid("privacy", "Panels do not know this choice.", "Choose one of the list.")
    wanted = NoticeSettings(Privacy(privacy), _days(days), _cap(give_back_cap))
    with tools.begin() as session:
        organization = session.get_one(Organization, organization_id)
        before = NoticeSettings(
            Privacy(organization.panel_privacy), organization.panel_days, organization.give_back_cap
        )
        if before == wanted:
            return wanted
        organization.panel_privacy, organization.panel_days = wanted.privacy.value, wanted.days
        organization.give_back_cap = wanted.give_back_cap
        record(
            session,
            Event.SETTINGS_CHANGED,
            at=tools.clock(),
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            details={
                "panel_privacy": wanted.privacy.value,
                "panel_days": str(wanted.days),
                "give_back_cap": "" if wanted.give_back_cap is None else str(wanted.give_back_cap),
            },
        )
    return wanted


def examples(privacy: Privacy, days: int, now: datetime) -> list[Example]:
    """What each kind of reader would see, said by the same function as in the panels."""
    idle = Standing("active", ActivityKind.SEEN, seen_at=now - timedelta(days=days + 3))
    suspended = Standing(
        "suspended",
        ActivityKind.SEEN,
        away_reason=LEAVE,
        away_since=now - timedelta(days=20),
        away_until=(now + timedelta(days=40)).date(),
    )
    readers = (
        ("Everybody who is logged in", False, False),
        ("Administrators of the project", False, True),
        ("Operators of Rollcall", True, False),
    )
    found = []
    for reader, operator, administers in readers:
        said = detail(privacy, operator=operator, administers=administers)
        found.append(Example(reader, words(idle, said, days, now), words(suspended, said, days, now)))
    return found


def _days(typed: str) -> int:
    days = whole_number(typed.strip(), MOST_DAYS)
    if not days:
        raise Invalid("days", "This is no number of days.", f"Write a number from 1 to {MOST_DAYS:,}.")
    return days


def _cap(typed: str) -> int | None:
    if not typed.strip():
        return None
    cap = whole_number(typed.strip(), MOST_SEATS)
    if not cap:
        raise Invalid(
            "give_back_cap",
            "This is no number of seats.",
            "Write a number from 1 on, or leave it empty: then an operator decides each time.",
        )
    return cap
