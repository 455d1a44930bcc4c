"""Whom an access rule is about, from memory: whoever is in one of its groups, and whoever has something from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.access_rule import StoredAccessRule
from models.people import Membership, Person, Seat
from models.run import Case, Run
from rules.access_rule import Member
from rules.case import OPEN, RunState
from rules.roster import Origin
from services.batches import batches
from services.coming_back import led_out_or_let_go


def members_of(
    session: Session,
    stored: StoredAccessRule,
    have_something: Collection[str],
    only: Collection[str] | None = None,
) -> Iterator[Member]:
    """Everybody concerned, or `only` these of them, by account id.

    Who left the directory is not there any more: nothing is left to take.
    """
    organization_id = stored.organization_id
    everybody = concerned(session, stored, have_something)
    chosen = sorted(everybody if only is None else everybody.intersection(only))
    under_way = _under_way(session, stored)
    for batch in batches(chosen):
        people = session.execute(
            select(
                Person.account_id,
                Person.status,
                Person.account_status,
                Person.membership_status,
                Person.is_bot,
            ).where(
                Person.organization_id == organization_id,
                Person.account_id.in_(batch),
                Person.left_at.is_(None),
            )
        ).all()
        groups = _by_person(
            session.execute(
                select(Membership.account_id, Membership.group_id).where(
                    Membership.organization_id == organization_id, Membership.account_id.in_(batch)
                )
            ).all()
        )
        products = _by_person(
            session.execute(
                select(Seat.account_id, Seat.resource_id).where(
                    Seat.organization_id == organization_id, Seat.account_id.in_(batch)
                )
            ).all()
        )
        # A group that they were left in is no reason to let them in again; whoever has a product is back.
        out = led_out_or_let_go(session, organization_id, batch) - products.keys()
        for account_id, status, account_status, membership, is_bot in sorted(people):
            gone = account_status in ("inactive", "closed") or status in ("deactivated", "for_deletion")
            away = membership == "no_membership" or status == "not_invited"
            yield Member(
                account_id=account_id,
                groups=frozenset(groups.get(account_id, ())),
                products=frozenset(products.get(account_id, ())),
                can_get=not (gone or away or is_bot or membership == "suspended" or account_id in out),
                can_lose=not (gone or away),
                under_way=account_id in under_way,
            )


def concerned(session: Session, stored: StoredAccessRule, have_something: Collection[str]) -> set[str]:
    """The account ids of those whom the rule is about."""
    inside = select(Membership.account_id).where(
        Membership.organization_id == stored.organization_id, Membership.group_id.in_(stored.sources)
    )
    return {*session.scalars(inside), *have_something}


def _by_person(rows: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for account_id, thing in rows:
        found.setdefault(account_id, set()).add(thing)
    return found


def _under_way(session: Session, stored: StoredAccessRule) -> frozenset[str]:
    query = (
        select(Case.account_id)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == stored.organization_id,
            Run.origin == Origin.ACCESS_RULE.value,
            Run.origin_id == stored.id,
            Run.state.in_([RunState.RUNNING.value, RunState.BRAKED.value]),
            Case.state.in_([state.value for state in OPEN]),
        )
    )
    return frozenset(session.scalars(query))
