"""Signs of life, mostly by webhooks: they make somebody's activity fresher and never anybody idle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.organization import seats_of
from models.people import Person, Seat, Signal, find_person
from models.tenant import Tenant, find_tenant
from rules.activity import ActivityKind
from rules.products import family_of
from services.directory import signals_of, upsert
from services.seats import carried_by
from services.toolbox import Toolbox

GRAIN = timedelta(hours=1)
"""A sign of life is written at most this often per person and product: webhooks come by the thousand."""


def record_signal(tools: Toolbox, caller: Caller, body: Mapping[str, Any]) -> None:
    """Takes the actor out of a verified webhook. Strangers and events without an actor are ignored.

    The body's own time counts, but never a moment in the future.
    """
    account_id = _actor(body)
    now = tools.clock()
    if account_id is None:
        return
    with tools.begin() as session:
        tenant = find_tenant(session, caller.tenant)
        if tenant is None or tenant.organization_id is None:
            return
        if find_person(session, tenant.organization_id, account_id) is None:
            return
        moment = min(_moment(body) or now, now)
        places = places_of(session, tenant.organization_id, tenant)
        note_seen(session, tenant.organization_id, account_id, family_of(tenant.product), moment, places)


def places_of(session: Session, organization_id: str, tenant: Tenant) -> list[str]:
    """The products in which somebody is who is in this installation, by resource id; empty when nobody knows them."""
    products, family = seats_of(session, organization_id), family_of(tenant.product)
    # Of what nobody knows where it is, a sign of life too many does no harm, and one too few does.
    anywhere = {each.resource_id for each in products if not each.host_url and family_of(each.key) == family}
    return sorted({*carried_by([tenant], products), *anywhere})


def note_seen(
    session: Session,
    organization_id: str,
    account_id: str,
    family: str,
    moment: datetime,
    places: Sequence[str] = (),
) -> None:
    """Somebody was proven to be in these products, all of one family; without them in one of the family, on some site.

    Who works on one site is not here on another one.
    """
    known = signals_of(session, organization_id, [account_id]).get(account_id, {})
    stale = [place for place in places or (family,) if place not in known or moment >= known[place] + GRAIN]
    if not stale:
        return
    rows = [
        {"organization_id": organization_id, "account_id": account_id, "place": place, "seen_at": moment}
        for place in sorted(stale)
    ]
    upsert(session, Signal, rows)
    in_it = Seat.resource_id.in_(places) if places else Seat.product_key.startswith(family, autoescape=True)
    seen = {"activity": ActivityKind.SEEN.value, "seen_at": moment}
    # The person before their seats, as a sync stores them: else each would wait for the other for ever.
    seats = select(Seat.resource_id).where(
        Seat.organization_id == organization_id, Seat.account_id == account_id, in_it
    )
    session.execute(
        update(Person)
        .where(
            Person.organization_id == organization_id,
            Person.account_id == account_id,
            or_(Person.seen_at.is_(None), Person.seen_at < moment),
            # As a sync has it: only what somebody did in a product with a seat counts.
            seats.exists(),
        )
        .values(seen | {"seen_in": family})
    )
    session.execute(
        update(Seat)
        .where(
            Seat.organization_id == organization_id,
            Seat.account_id == account_id,
            in_it,
            or_(Seat.seen_at.is_(None), Seat.seen_at < moment),
        )
        .values(seen)
    )


def _actor(body: Mapping[str, Any]) -> str | None:
    """Jira: the user, or the comment's author; Confluence: userAccountId (platform.md E)."""
    comment = body.get("comment")
    people = [body.get("user")]
    if isinstance(comment, Mapping):
        people = [comment.get("updateAuthor"), comment.get("author"), *people]
    for person in people:
        if isinstance(person, Mapping) and (account_id := _account_id(person.get("accountId"))):
            return account_id
    return _account_id(body.get("userAccountId"))


def _account_id(value: object) -> str | None:
    # No database takes a NUL, or half of a character.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return None
    return value


def _moment(body: Mapping[str, Any]) -> datetime | None:
    stamp = body.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int) or not 0 < stamp < 10**14:
        return None
    return datetime.fromtimestamp(stamp / 1000, UTC)
