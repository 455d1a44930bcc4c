"""Asking Atlassian whether an account may be changed: just before the deed, and beforehand for a whole preview.

Only this call knows of accounts that were once synced from Google, or are owned by a directory we cannot see.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from connect.errors import AccessForbidden, AtlassianError, Gone, NotReady, RateLimited, Unavailable, Why
from connect.gateway.organization import OrganizationGateway
from models.organization import Organization
from models.people import Person, find_person
from models.run import Case, Run, find_run
from rules.case import CaseState, RunState
from rules.deeds import Deed
from rules.verdict import Why as WhyNot
from services.doors import opened
from services.toolbox import Toolbox

PRIVILEGES = {Deed.DEACTIVATE: "lifecycle.enablement", Deed.DELETE: "lifecycle.delete"}
"""The deeds that Atlassian has to be asked about, and by which name."""
BELIEVED = timedelta(days=7)
"""How long an answer counts for a plan; the deed itself always asks."""
ASKED_LATELY = timedelta(days=1)
AT_A_TIME = 25
LEASE = timedelta(minutes=2)

REFUSALS = {
    "administrative": "Atlassian protects this account: its owner administers the organization.",
    "administrative.notMyself": "This account owns the Admin API key: it cannot change itself.",
    "authPolicy.saml": "The account logs in by single sign-on: change it at your identity provider.",
    "blocked.exportControl": "Atlassian blocks changes to this account for legal reasons.",
    "externalDirectory.scim": "Belongs to your identity provider: change the account there.",
    "externalDirectory.google": "Was once synced from Google Workspace: change the account there.",
    "myselfOnly": "Only its owner may change this account.",
    "managedAccount": "Another organization manages this account.",
}


def refusal_of(gateway: OrganizationGateway, deed: Deed, account_id: str) -> str:
    """Atlassian's reason why the account may not be changed in this way, in our words; empty when it may."""
    name = PRIVILEGES.get(deed)
    if name is None:
        return ""
    try:
        privilege = gateway.privileges(account_id, [name]).get(name)
    except AccessForbidden as problem:
        if problem.why is not Why.UNCONFIRMED:
            raise
        return f"{problem.sentence} {problem.next_step}"
    if privilege is None or privilege.allowed:
        return ""
    return REFUSALS.get(privilege.reason, "Atlassian does not allow changes to this account.")


def remember(session: Session, organization_id: str, account_id: str, refusal: str, now: datetime) -> None:
    """Keeps Atlassian's answer: the next plan says it beforehand."""
    person = find_person(session, organization_id, account_id)
    if person is not None:
        person.refusal, person.asked_at = refusal[:300], now


def believed(refusal: str, asked_at: datetime | None, now: datetime) -> str:
    """The refusal, unless it is so old that it may have changed."""
    return refusal if asked_at is not None and asked_at > now - BELIEVED else ""


def is_asked_about(deeds: Iterable[Deed]) -> bool:
    """Whether any of these deeds needs Atlassian's word on each account."""
    return any(deed in PRIVILEGES for deed in deeds)


def lease_previews(tools: Toolbox, limit: int = 10) -> list[tuple[str, str, str]]:
    """(organization id, run id, occasion) of the previews whose accounts are still to be asked about."""
    now = tools.clock()
    paused = select(Organization.id).where(Organization.paused_until > now)
    due = (
        Run.ask_at <= now,
        Run.state == RunState.PREVIEW.value,
        Run.organization_id.not_in(paused),
    )
    first = select(Run.id).where(*due).order_by(Run.ask_at).limit(limit)
    leased = (
        update(Run)
        .where(Run.id.in_(first), *due)
        .values(ask_at=now + LEASE)
        .returning(Run.organization_id, Run.id)
        .execution_options(synchronize_session=False)
    )
    with tools.begin() as session:
        # Every second: what writes nothing waits for nobody.
        if session.scalar(first.limit(1)) is None:
            return []
        return [
            (organization_id, run_id, now.isoformat()) for organization_id, run_id in session.execute(leased)
        ]


def ask_some(tools: Toolbox, organization_id: str, run_id: str) -> bool:
    """Asks about the next few people of a preview; a refusal becomes their verdict. True when there are more."""
    people = _next(tools, organization_id, run_id)
    if not people:
        _ask_again(tools, organization_id, run_id, None)
        return False
    try:
        with opened(tools, organization_id) as gateway:
            for case_id, account_id, deed in people:
                refusal = _refusal_beforehand(gateway, deed, account_id)
                _answer(tools, organization_id, case_id, account_id, refusal)
    except RateLimited as pause:
        with tools.begin() as session:
            session.get_one(Organization, organization_id).paused_until = pause.until
        _ask_again(tools, organization_id, run_id, pause.until)
        return False
    except Unavailable:
        _ask_again(tools, organization_id, run_id, tools.clock() + LEASE)
        return False
    except (AtlassianError, NotReady):
        # The deed itself asks again, and says what is wrong.
        _ask_again(tools, organization_id, run_id, None)
        return False
    _ask_again(tools, organization_id, run_id, tools.clock() + LEASE)
    return True


def _refusal_beforehand(gateway: OrganizationGateway, deed: Deed, account_id: str) -> str:
    """Of an account that is gone the deed says so, and all others are asked about nevertheless."""
    try:
        return refusal_of(gateway, deed, account_id)
    except Gone:
        return ""


def _next(tools: Toolbox, organization_id: str, run_id: str) -> list[tuple[str, str, Deed]]:
    query = (
        select(Case.id, Case.account_id, Case.deed)
        .join(
            Person, (Person.organization_id == Case.organization_id) & (Person.account_id == Case.account_id)
        )
        .where(
            Case.organization_id == organization_id,
            Case.run_id == run_id,
            Case.state == CaseState.PLANNED.value,
            Case.deed.in_([deed.value for deed in PRIVILEGES]),
            or_(Person.asked_at.is_(None), Person.asked_at < tools.clock() - ASKED_LATELY),
        )
        .order_by(Case.id)
        .limit(AT_A_TIME)
    )
    with tools.begin() as session:
        run = find_run(session, organization_id, run_id)
        if run is None or run.state != RunState.PREVIEW:
            return []
        return [(case_id, account_id, Deed(deed)) for case_id, account_id, deed in session.execute(query)]


def _answer(tools: Toolbox, organization_id: str, case_id: str, account_id: str, refusal: str) -> None:
    with tools.begin() as session:
        remember(session, organization_id, account_id, refusal, tools.clock())
        if not refusal:
            return
        of_case = select(Case.run_id).where(Case.organization_id == organization_id, Case.id == case_id)
        session.execute(
            update(Run)
            .where(Run.organization_id == organization_id, Run.id == of_case.scalar_subquery())
            .values(seats=None)
        )
        session.execute(
            update(Case)
            .where(
                Case.organization_id == organization_id,
                Case.id == case_id,
                Case.state == CaseState.PLANNED.value,
            )
            .values(
                state=CaseState.NOT_POSSIBLE.value,
                reason=refusal,
                because="",
                why=WhyNot.ATLASSIAN.value,
                is_new=False,
            )
        )


def _ask_again(tools: Toolbox, organization_id: str, run_id: str, at: datetime | None) -> None:
    with tools.begin() as session:
        run = find_run(session, organization_id, run_id)
        if run is not None:
            run.ask_at = at
