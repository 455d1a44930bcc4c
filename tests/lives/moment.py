"""What holds at one moment of a life: in our memory, by the clock, and really at Atlassian."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.absence import Absence, LastDay
from models.access_rule import AccessGiven, StoredAccessRule
from models.answer import GRANTED, Answer, Decision
from models.db import Base
from models.leaver import Leaver
from models.organization import Organization, Seats
from models.protected import Protected
from models.rule import StoredRule
from models.run import Case, Run
from models.scim import ScimUser
from models.ticket import TicketCall, TicketRule
from models.timed_access import TimedAccess
from rules.case import CaseState
from rules.farewell import OVER
from rules.topics import AnswerKind
from tests.lives.cast import Cast, Having
from tests.world import ACME

Row = dict[str, Any]
"""A row as it is stored."""


@dataclass(frozen=True)
class Moment:
    """`kept`: (rule, account) → when they said last that they still need it. `given`: what access rules gave, as

    (rule, account, kind, about). `answers`: (case, kind); of those who asked for their access back, `granted`
    are the cases of all who were to get it, `given_back` of those who were by themselves. `taking` are the ticket rules
    that are on, `sent` what was sent to them, `tickets`: id → (status, reporter), as Jira has them. People are account
    ids, `gone` those whom a provider has let go; in `having`, `seen` and `admins` they are names.
    """

    now: datetime
    cases: dict[str, Row]
    runs: dict[str, Row]
    on: frozenset[str]
    protections: tuple[tuple[str, date | None], ...]
    absences: tuple[tuple[str, date], ...]
    kept: dict[tuple[str, str], datetime]
    access_rules: dict[str, Row]
    given: frozenset[tuple[str, str, str, str]]
    leavers: dict[str, Row]
    last_days: dict[str, date]
    provided: tuple[Row, ...]
    ends: dict[str, Row]
    having: dict[str, Having | None]
    seen: dict[str, datetime | None]
    admins: frozenset[str]
    answers: frozenset[tuple[str, str]]
    granted: frozenset[str]
    given_back: frozenset[str]
    cap: int | None
    seats: dict[str, int]
    has_door: bool
    taking: frozenset[str]
    sent: tuple[Row, ...]
    tickets: dict[str, tuple[str, str]]

    def later(self, now: datetime) -> Moment:
        return replace(self, now=now)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def protected(self) -> frozenset[str]:
        return frozenset(who for who, until in self.protections if until is None or until >= self.today)

    @property
    def away(self) -> frozenset[str]:
        return frozenset(who for who, until in self.absences if until >= self.today)

    @property
    def leaving(self) -> frozenset[str]:
        return frozenset(each["account_id"] for each in self.leavers.values() if each["state"] not in OVER)

    @property
    def gone(self) -> frozenset[str]:
        there = {each["account_id"] for each in self.provided if each["active"] and not each["deleted_at"]}
        return frozenset(each["account_id"] for each in self.provided if each["account_id"]) - there


_PROTECTIONS = select(Protected.value, Protected.until).where(Protected.organization_id == ACME)
_ABSENCES = select(Absence.account_id, Absence.ends_on).where(
    Absence.organization_id == ACME, Absence.ended_at.is_(None), Absence.ends_on.is_not(None)
)
_AWAY = select(Answer.account_id, Answer.until).where(
    Answer.organization_id == ACME,
    Answer.kind == AnswerKind.AWAY.value,
    Answer.until.is_not(None),
    Answer.decision.in_(GRANTED),
)
_ON = select(StoredRule.id).where(
    StoredRule.organization_id == ACME, StoredRule.is_on, StoredRule.deleted_at.is_(None)
)
_GIVEN = select(AccessGiven.rule_id, AccessGiven.account_id, AccessGiven.kind, AccessGiven.about).where(
    AccessGiven.organization_id == ACME, AccessGiven.over_at.is_(None)
)
_LAST_DAYS = select(LastDay.account_id, LastDay.ends_on).where(LastDay.organization_id == ACME)
_ANSWERS = select(Answer.case_id, Answer.kind, Answer.decision).where(Answer.organization_id == ACME)
_SEATS = select(Seats.resource_id, Seats.usage).where(Seats.organization_id == ACME, Seats.usage.is_not(None))
_TAKING = select(TicketRule.id).where(TicketRule.organization_id == ACME, TicketRule.is_on)


def _whole(model: type[Base]) -> Select[Any]:
    columns = model.metadata.tables[model.__tablename__].columns
    return select(*columns).where(columns["organization_id"] == ACME)


_CASES = _whole(Case).where(Case.state.not_in([CaseState.GUARDED.value, CaseState.NOT_POSSIBLE.value]))
_RUNS, _LEAVERS, _USERS, _ENDS, _ACCESS_RULES, _SENT = map(
    _whole, (Run, Leaver, ScimUser, TimedAccess, StoredAccessRule, TicketCall)
)


def moment_of(cast: Cast) -> Moment:
    with cast.world.tools.begin() as session:
        cases, runs = _rows(session, _CASES), _rows(session, _RUNS)
        answers, organization = _pairs(session, _ANSWERS), session.get_one(Organization, ACME)
        asked_back = [row for row in answers if row[1] == AnswerKind.ASK_BACK]
        return Moment(
            now=cast.world.clock(),
            cases=cases,
            runs=runs,
            on=frozenset(session.scalars(_ON)),
            protections=_pairs(session, _PROTECTIONS),
            absences=_pairs(session, _ABSENCES) + _pairs(session, _AWAY),
            kept=_kept(cases.values(), runs),
            access_rules=_rows(session, _ACCESS_RULES),
            given=frozenset(_pairs(session, _GIVEN)),
            leavers=_rows(session, _LEAVERS),
            last_days=dict(_pairs(session, _LAST_DAYS)),
            provided=tuple(_with_account(row, cast) for row in _rows(session, _USERS).values()),
            ends=_rows(session, _ENDS, key="case_id"),
            having={name: cast.having(name) for name in cast.ids},
            seen={name: cast.seen(name) for name in cast.ids},
            admins=frozenset(name for name in cast.ids if cast.is_org_admin(name)),
            answers=frozenset((case_id, kind) for case_id, kind, _ in answers),
            granted=frozenset(case_id for case_id, _, decision in asked_back if decision in GRANTED),
            given_back=frozenset(
                case_id for case_id, _, decision in asked_back if decision == Decision.AUTOMATIC
            ),
            cap=organization.give_back_cap,
            seats=dict(_pairs(session, _SEATS)),
            has_door=organization.doorless_since is None,
            taking=frozenset(session.scalars(_TAKING)),
            sent=tuple(_rows(session, _SENT).values()),
            tickets=cast.tickets(),
        )


def _rows(session: Session, query: Select[Any], key: str = "id") -> dict[str, Row]:
    return {row[key]: dict(row) for row in session.execute(query).mappings()}


def _pairs(session: Session, query: Select[Any]) -> tuple[Any, ...]:
    return tuple(tuple(row) for row in session.execute(query))


def _with_account(user: Row, cast: Cast) -> Row:
    """Before the worker has looked at them, their address tells who they are."""
    return user | {"account_id": user["account_id"] or cast.ids[cast.names_by_email[user["email"]]]}


def _kept(cases: Iterable[Row], runs: dict[str, Row]) -> dict[tuple[str, str], datetime]:
    found: dict[tuple[str, str], datetime] = {}
    for case in cases:
        rule_id = runs[case["run_id"]]["rule_id"]
        if case["kept_at"] is not None and rule_id is not None:
            key = (rule_id, case["account_id"])
            found[key] = max(case["kept_at"], found.get(key, case["kept_at"]))
    return found
