"""Whom a rule may act on, judged from outside: who is idle, was warned, had their grace, and said nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from models.answer import Answer
from models.audit import AuditEntry
from models.delivery import Delivery
from models.notice import Notice, NoticeKind
from models.rule import RuleVersion
from rules.topics import AnswerKind, Channel, DeliveryState, Topic
from tests.lives.calls import Call
from tests.lives.cast import Cast
from tests.lives.moment import Moment, Row
from tests.world import ACME


def check_rule(cast: Cast, call: Call, case: Row, run: Row, first: Moment, after: Moment) -> None:
    assert case["account_id"] not in first.away, f"{call} on somebody away"
    rule = _definition(cast, run)
    step = rule["steps"][case["step"]]
    _check_idle(call, step["when"], first)
    kept_at = first.kept.get((run["rule_id"], case["account_id"]))
    assert kept_at is None or first.now >= kept_at + _patience(rule), f"{call} on who keeps it"
    grace = timedelta(days=step.get("grace", 14))
    if grace:
        _check_grace(cast, call, case, grace, after)


def check_given_back(cast: Cast, call: Call, run: Row, first: Moment, given_at: datetime | None) -> None:
    if given_at is not None and call.kind == "suspend":
        assert first.now >= given_at + _patience(_definition(cast, run)), f"{call} on who was given it back"


def _check_idle(call: Call, when: Row, first: Moment) -> None:
    seen, having = first.seen[call.who], first.having[call.who]
    if when.get("suspended"):
        assert having is None or having.membership == "suspended", f"{call} on who is not suspended"
    elif seen is not None:
        assert when.get("not_seen") is not None, f"{call} on who was seen"
        assert first.now - seen >= timedelta(days=when["not_seen"] - 1), f"{call} on who came {seen}"


def _check_grace(cast: Cast, call: Call, case: Row, grace: timedelta, after: Moment) -> None:
    with cast.world.tools.begin() as session:
        of_case = (
            Notice.organization_id == ACME,
            Notice.case_id == case["id"],
            Notice.kind == NoticeKind.WARNING.value,
        )
        notices = session.execute(select(Notice.created_at, Notice.ends_at).where(*of_case)).all()
        given_up = (
            Answer.organization_id == ACME,
            Answer.case_id == case["id"],
            Answer.kind == AnswerKind.GIVE_UP.value,
        )
        gave_up = session.scalar(select(Answer.case_id).where(*given_up))
        could_not = (
            AuditEntry.event == "case:could_not_warn",
            AuditEntry.subject == case["account_id"],
            AuditEntry.run_id == case["run_id"],
        )
        unreachable = session.scalar(select(AuditEntry.id).where(*could_not))
    if gave_up is not None or (unreachable is not None and case["approved_by"] is not None):
        return
    _check_mails(cast, call, case)
    assert notices, f"{call} without a warning"
    ends_at = max(end for _, end in notices)
    began_at = min(at for at, end in notices if end == ends_at)
    assert ends_at <= after.now, f"{call} before the day that the warning names"
    assert began_at + grace <= after.now, f"{call} before the grace is over"


def _check_mails(cast: Cast, call: Call, case: Row) -> None:
    """Whom only a mail reaches, one has left for; or none will."""
    mails = select(Delivery.state, Delivery.facts, Delivery.finished_at).where(
        Delivery.organization_id == ACME,
        Delivery.case_id == case["id"],
        Delivery.topic == Topic.WARNED.value,
        Delivery.channel == Channel.MAIL.value,
    )
    with cast.world.tools.begin() as session:
        found = session.execute(mails).all()
    if not found or any(facts["in_product"] for _, facts, _ in found) or case["acting_since"] is None:
        return
    settled = [state for state, _, at in found if at is not None and at <= case["acting_since"]]
    none_will = settled == [DeliveryState.NOT_SENT] * len(found)
    assert DeliveryState.SENT in settled or none_will, f"{call} before their warning has left"


def _definition(cast: Cast, run: Row) -> Row:
    version = (
        RuleVersion.organization_id == ACME,
        RuleVersion.rule_id == run["rule_id"],
        RuleVersion.version == run["rule_version"],
    )
    with cast.world.tools.begin() as session:
        found: Row = session.scalars(select(RuleVersion.definition).where(*version)).one()
        return found


def _patience(rule: Row) -> timedelta:
    """How long a rule leaves somebody alone who needs it, or has it back."""
    return timedelta(days=min(_days(step) for step in rule["steps"]))


def _days(step: Row) -> int:
    when = step["when"]
    away = [when[each] for each in ("not_seen", "never", "invited") if when.get(each) is not None]
    return int(step.get("kept_for") or min(away, default=30))
