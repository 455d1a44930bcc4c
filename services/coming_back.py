"""Who has gone: they are not restored though their absence is over, and why we say so; no access rule lets them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.absence import Absence, last_days_of
from models.leaver import leaving_among, led_out_at, led_out_of_products
from models.people import IS_AWAY, Person
from models.scim import ScimConnection, ScimUser, accounts_not_active, users_of_accounts
from rules.deeds import Deed
from services.scim_facts import word_of


def who_stays_away(
    session: Session, organization_id: str, absences: Sequence[Absence], today: date
) -> dict[str, str]:
    """Account id → why nobody restores them when their absence is over, as the second half of a sentence.

    Whoever may come back is not in it.
    """
    account_ids = [absence.account_id for absence in absences]
    leaving = leaving_among(session, organization_id, account_ids)
    led_out = led_out_at(session, organization_id, account_ids)
    gone = _gone(session, organization_id, account_ids)
    let_go = _let_go(session, organization_id, account_ids)
    last_days = last_days_of(session, organization_id, account_ids)
    found: dict[str, str] = {}
    for absence in absences:
        account_id = absence.account_id
        last_day = last_days.get(account_id)
        if account_id in leaving:
            found[account_id] = "they are leaving."
        elif account_id in led_out and led_out[account_id] >= absence.began_at:
            found[account_id] = "they have been led out since."
        elif account_id in gone:
            found[account_id] = "they are no longer in the organization."
        elif account_id in let_go:
            found[account_id] = let_go[account_id]
        elif last_day is not None and last_day.ends_on < _first_day_back(absence, today):
            tense = "was" if last_day.ends_on < today else "is"
            found[account_id] = f"their last day {tense} {last_day.ends_on:%-d %B %Y}."
    return found


def led_out_or_let_go(session: Session, organization_id: str, account_ids: Sequence[str]) -> set[str]:
    """Those of them who were led out and stayed in the organization, or whom a provider has let go.

    Who was suspended or removed as a leaver, and is active here, has been brought back.
    """
    let_go = _let_go(session, organization_id, account_ids)
    return {*let_go, *led_out_of_products(session, organization_id, account_ids)}


def _first_day_back(absence: Absence, today: date) -> date:
    return max(today, absence.ends_on + timedelta(days=1)) if absence.ends_on is not None else today


def _gone(session: Session, organization_id: str, account_ids: Sequence[str]) -> frozenset[str]:
    query = select(Person.account_id).where(
        Person.organization_id == organization_id,
        Person.account_id.in_(account_ids),
        Person.left_at.is_not(None) | IS_AWAY,
    )
    return frozenset(session.scalars(query))


def _let_go(session: Session, organization_id: str, account_ids: Sequence[str]) -> Mapping[str, str]:
    """Account id → the word of a provider that has let them go, of those whose word takes access."""
    # All that was ever told about somebody is read of few: most are active.
    gone = accounts_not_active(session, organization_id, account_ids)
    users = users_of_accounts(session, organization_id, gone) if gone else ()
    newest: dict[tuple[str, str], tuple[ScimConnection, ScimUser]] = {}
    for connection, user in users:
        key = (user.account_id or "", connection.id)
        known = newest.get(key)
        # Deleted and created again is the same person: what is there counts, not what was.
        if known is None or _presence(user) > _presence(known[1]):
            newest[key] = (connection, user)
    return {
        account_id: word_of(connection, user)
        for (account_id, _), (connection, user) in newest.items()
        if _ends(connection, user)
    }


def _presence(user: ScimUser) -> tuple[bool, bool]:
    return (user.deleted_at is None, user.active)


def _ends(connection: ScimConnection, user: ScimUser) -> bool:
    if user.deleted_at is not None:
        return connection.when_deleted != Deed.LIST
    return not user.active and connection.when_inactive != Deed.LIST
