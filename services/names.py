"""Names for account ids, as far as the directory knows them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import APP
from models.people import Person


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
