"""What the person concerned sees and says: their open warning, and that they still need their access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import Event
from models.notice import Notice, NoticeKind
from models.run import Case, Run
from rules.case import CaseState, RunState, moved
from rules.deeds import Deed
from services.audit import record
from services.doors import organization_of
from services.toolbox import Toolbox

KEPT = "They answered that they still need their access."


@dataclass(frozen=True, slots=True)
class OwnWarning:
    """`ends_at` is None when nothing follows but the warning itself."""

    case_id: str
    deed: Deed
    ends_at: datetime | None
    can_keep: bool


def own_warning(tools: Toolbox, caller: Caller) -> OwnWarning | None:
    """The newest warning of the person who asks that still matters; marks it as read."""
    organization_id = organization_of(tools, caller)
    if organization_id is None or caller.account_id is None:
        return None
    now = tools.clock()
    query = (
        select(Notice, Case)
        .join(Case, (Case.organization_id == Notice.organization_id) & (Case.id == Notice.case_id))
        .where(
            Notice.organization_id == organization_id,
            Notice.account_id == caller.account_id,
            (Case.state == CaseState.WARNED.value)
            | ((Notice.kind == NoticeKind.TOLD.value) & Notice.read_at.is_(None)),
        )
        .order_by(Notice.created_at.desc())
        .limit(1)
    )
    with tools.begin() as session:
        row = session.execute(query).first()
        if row is None:
            return None
        notice, case = row
        notice.read_at = notice.read_at or now
        waiting = case.state == CaseState.WARNED
        return OwnWarning(case.id, Deed(notice.deed), case.due_at if waiting else None, can_keep=waiting)


def keep_my_access(tools: Toolbox, caller: Caller) -> None:
    """Whoever was warned says that they still need their access: every open warning of theirs ends here.

    Saying it twice changes nothing. Raises Conflict when there is nothing to keep.
    """
    organization_id = organization_of(tools, caller)
    now = tools.clock()
    if organization_id is None or caller.account_id is None:
        raise Conflict("There is nothing to keep.", "You need not do anything.")
    with tools.begin() as session:
        mine = (Case.organization_id == organization_id, Case.account_id == caller.account_id)
        session.execute(
            update(Case)
            .where(*mine, Case.state == CaseState.ACTING.value, Case.warnings > 0, Case.kept_at.is_(None))
            .values(kept_at=now)
        )
        query = (
            select(Case)
            .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
            .where(*mine, Case.state == CaseState.WARNED.value, Run.state == RunState.RUNNING.value)
        )
        for case in session.scalars(query.with_for_update(of=Case)).all():
            case.state = moved(CaseState.WARNED, CaseState.SPARED).value
            case.kept_at = case.finished_at = now
            case.reason, case.resume_at = KEPT, None
            record(
                session,
                Event.CASE_KEPT,
                at=now,
                actor=caller.account_id,
                organization_id=organization_id,
                subject=caller.account_id,
                run_id=case.run_id,
                details={"deed": case.deed},
            )
