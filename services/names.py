"""Names for account ids and products, as far as the directory knows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import APP
from models.organization import seats_of
from models.people import Person
from rules.products import product_name


def names_of(
    session: Session, organization_id: str | None, account_ids: Iterable[str | None]
) -> dict[str, str]:
    """Account id → name. Ids that the organization's directory does not know are absent."""
    wanted = {account_id for account_id in account_ids if account_id}
    names = {APP: "Rollcall"} if APP in wanted else {}
    if organization_id is None or not wanted:
        return names
    query = select(Person.account_id, Person.name).where(
        Person.organization_id == organization_id, Person.account_id.in_(wanted)
    )
    return names | dict(session.execute(query).all())


def product_names(session: Session, organization_id: str, tokens: Iterable[str]) -> list[str]:
    """The names of products that are said by key or, for one site's alone, by resource id; each once."""
    keys = {seats.resource_id: seats.key for seats in seats_of(session, organization_id)}
    # Of a product that is gone, its resource id still tells the key: ari:cloud:confluence::site/…
    known = (keys.get(one) or [*one.split(":"), "", ""][2] or one for one in tokens)
    return list(dict.fromkeys(product_name(key) for key in known))


def names_of_those_had(
    session: Session, organization_id: str, meant: Collection[str], had: Iterable[str]
) -> list[str]:
    """The names of the products that a deed is about and somebody has; `had` are resource ids.

    A rule may be about more than they have. Of all that are `meant`, when they have none.
    """
    keys = {seats.resource_id: seats.key for seats in seats_of(session, organization_id)}
    theirs = {word for one in had for word in (one, keys.get(one))}
    return product_names(session, organization_id, [one for one in meant if one in theirs] or meant)
