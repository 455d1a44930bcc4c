"""Run and Case: one execution of a deed on many people, and the path of each one of them through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    false,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.case import CaseState, RunState
from rules.verdict import WORTH_A_ROW

ENDS_AFTER_ITS_RUN = timedelta(days=7)
"""Of a run that was stopped, what came of somebody's last call is found out later, even if no worker ran for days."""


class Run(Base):
    """PREVIEW until somebody confirms it; the cases are the plan that was shown. `undoes` is the run it takes back.

    `deed` is None where the people of a run have different ones. A run of a rule names its `rule_version` and `mode`,
    counts in `scope` the people whom the rule is about, in `new` and `gone` who came and went since the plan before,
    and is `seen_by` the operator who looked at it first. `reason` says why it was refused or braked. `purpose` is what
    an operator wrote beside a suspension: reason, note, ends_on, comes_back.
    """

    __tablename__ = "run"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    deed: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=RunState.PREVIEW.value)
    rule_id: Mapped[str | None] = mapped_column(String(36))
    rule_version: Mapped[int | None]
    mode: Mapped[str] = mapped_column(String(16), default="", server_default="")
    reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    scope: Mapped[int] = mapped_column(default=0, server_default="0")
    new: Mapped[int] = mapped_column(default=0, server_default="0")
    gone: Mapped[int] = mapped_column(default=0, server_default="0")
    seats: Mapped[int | None]
    """How many seats a rule's plan would free; None for runs by hand: counted when somebody looks."""
    origin: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """Where a roster came from (rules.roster.Origin), and which one of these: a leaver, a connection, a ticket rule."""
    origin_id: Mapped[str] = mapped_column(String(36), default="", server_default="")
    seen_by: Mapped[str | None] = mapped_column(String(128))
    purpose: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    ask_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When to go on asking Atlassian whether the accounts of this preview may be changed; None: all are asked."""
    undoes: Mapped[str | None] = mapped_column(String(36))
    requested_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(String(128))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_by: Mapped[str | None] = mapped_column(String(128))

    __table_args__ = (
        Index("ix_run_by_time", "organization_id", "created_at"),
        Index("ix_run_by_state", "state"),
        Index("ix_run_to_ask", "ask_at"),
        Index("ix_run_by_rule", "organization_id", "rule_id", "created_at"),
        Index("ix_run_by_origin", "organization_id", "origin", "origin_id", "created_at"),
    )


class Case(Base):
    """One person in one run.

    `changes` are the calls of the deed, written down before the first one as [kind, about, role, done]; undo takes
    back those that were done, and no more (S51). `earlier` is what the person was before; where last days were moved,
    what was said of these.
    """

    __tablename__ = "run_case"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(36))
    account_id: Mapped[str] = mapped_column(String(128))
    directory_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    """The address of a roster's entry. Who has no account yet has a stand-in for its id (rules.roster)."""
    deed: Mapped[str] = mapped_column(String(16))
    action: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the deed is about (rules.roster.action_to_words); None where a rule's step says it, or the deed alone."""
    line: Mapped[int | None]
    """Where in a file the entry stood."""
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Nothing happens before."""
    ends_on: Mapped[date | None]
    """The last day of what was given."""
    step: Mapped[int] = mapped_column(default=0, server_default="0")
    """The rung of the rule's ladder."""
    state: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """The kind of the reason (rules.verdict.Why)."""
    because: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """Why the rule chose this person, as a sentence; `because_facts` the same as facts (rules.because)."""
    because_facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(500), default="")
    groups: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """The identity provider's groups that stand in the way."""
    is_new: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Not chosen by the plan before."""
    undoes: Mapped[str | None] = mapped_column(String(36))
    """The case this one takes back."""
    earlier: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    changes: Mapped[list[list[Any]] | None] = mapped_column(JSON(none_as_null=True))
    changed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """At least one of the changes landed, or last days were moved."""
    warnings: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the grace is over."""
    kept_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person said that they still need their access."""
    approved_by: Mapped[str | None] = mapped_column(String(128))
    note: Mapped[str] = mapped_column(String(500), default="", server_default="")
    came_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a sync found what the deed had taken back in place, though nobody took it back here."""
    attempt: Mapped[int] = mapped_column(default=0)
    troubles: Mapped[int] = mapped_column(default=0)
    """How often Atlassian could not be reached for this person."""
    acting_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "run_id"], ["run.organization_id", "run.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("organization_id", "run_id", "account_id"),
        Index("ix_case_by_kind", "organization_id", "run_id", "state", "deed", "why", "came_back_at"),
        Index("ix_case_by_name", "organization_id", "run_id", "name", "id"),
        Index("ix_case_by_person", "organization_id", "account_id"),
        # Every page counts them, over all cases there ever were.
        Index(
            "ix_case_came_back",
            "organization_id",
            "came_back_at",
            sqlite_where=came_back_at.is_not(None),
            postgresql_where=came_back_at.is_not(None),
        ),
        # Every plan of a rule asks who answered it.
        Index(
            "ix_case_kept",
            "organization_id",
            "run_id",
            "kept_at",
            sqlite_where=kept_at.is_not(None),
            postgresql_where=kept_at.is_not(None),
        ),
        Index(
            "ix_case_due",
            "state",
            "resume_at",
            sqlite_where=resume_at.is_not(None),
            postgresql_where=resume_at.is_not(None),
        ),
        # Of two runs that hold the same person, only one can be acting: the database says so, not a check before.
        Index(
            "uq_case_acting",
            "organization_id",
            "account_id",
            unique=True,
            sqlite_where=(state == CaseState.ACTING.value),
            postgresql_where=(state == CaseState.ACTING.value),
        ),
    )


def find_run(session: Session, organization_id: str, run_id: str) -> Run | None:
    return session.get(Run, (organization_id, run_id))


def running_run_ids(organization_id: str | BindParameter[str]) -> Select[str]:
    """By run is how few cases are found among all there ever were: an index has them."""
    return select(Run.id).where(Run.organization_id == organization_id, Run.state == RunState.RUNNING.value)


def run_ids_since(session: Session, organization_id: str, since: datetime) -> Sequence[str]:
    """The runs in which something may have ended since then, for the same reason."""
    query = select(Run.id).where(
        Run.organization_id == organization_id,
        Run.state != RunState.PREVIEW.value,
        Run.finished_at.is_(None) | (Run.finished_at > since - ENDS_AFTER_ITS_RUN),
    )
    return session.scalars(query).all()


def find_case(session: Session, organization_id: str, case_id: str) -> Case | None:
    return session.get(Case, (organization_id, case_id))


_HOLD = (
    update(Case)
    .where(Case.organization_id == bindparam("of_organization"), Case.id == bindparam("case_id"))
    .values(account_id=Case.account_id)
    .returning(Case)
    .execution_options(synchronize_session=False, populate_existing=True)
)


def hold_case(session: Session, organization_id: str, case_id: str) -> Case | None:
    """The same, kept from everybody else to the end of the transaction. SQLite knows no FOR UPDATE: write first."""
    return session.scalar(_HOLD, {"of_organization": organization_id, "case_id": case_id})


def count_cases(session: Session, organization_id: str, run_id: str) -> dict[CaseState, int]:
    """How many people of this run are in each state."""
    return count_cases_of(session, organization_id, [run_id]).get(run_id, {})


def count_cases_of(
    session: Session, organization_id: str, run_ids: Sequence[str]
) -> dict[str, dict[CaseState, int]]:
    """The same for several runs, by the run's id; a run without people is absent."""
    query = (
        select(Case.run_id, Case.state, func.count())
        .where(Case.organization_id == organization_id, Case.run_id.in_(run_ids))
        .group_by(Case.run_id, Case.state)
    )
    found: dict[str, dict[CaseState, int]] = {}
    for run_id, state, count in session.execute(query):
        found.setdefault(run_id, {})[CaseState(state)] = count
    return found


def count_left_alone(session: Session, organization_id: str, run_ids: Sequence[str]) -> dict[str, int]:
    """How many stand in each run only with why their rule did not choose them: warned already, answered, in hand.

    By the run's id; a run without any is absent.
    """
    query = (
        select(Case.run_id, func.count())
        .where(
            Case.organization_id == organization_id,
            Case.run_id.in_(run_ids),
            Case.state == CaseState.SPARED.value,
            Case.why.in_([why.value for why in WORTH_A_ROW]),
        )
        .group_by(Case.run_id)
    )
    return dict(session.execute(query).all())


def history_of(
    session: Session, organization_id: str, account_id: str, limit: int = 50
) -> list[tuple[Case, Run]]:
    """What was done to this person, newest first."""
    query = (
        select(Case, Run)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == organization_id,
            Case.account_id == account_id,
            Run.state != RunState.PREVIEW.value,
        )
        .order_by(Run.created_at.desc())
        .limit(limit)
    )
    return [(case, run) for case, run in session.execute(query)]
