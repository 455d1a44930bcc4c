"""What is forgotten, and when: organizations without a door, spent tokens, previews nobody confirmed, what was sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from models.audit import APP, Event, purge_audit, purge_audit_of_tenant
from models.delivery import Delivery
from models.install_key import KeptInstallKey
from models.organization import Organization
from models.owned import owned_tables, take_rows
from models.run import Case
from models.scim import ScimFormerGroup, ScimUser
from models.tenant import LifecycleToken, Tenant
from rules.case import CaseState
from rules.scim import ScimState
from rules.topics import Channel
from services.apart import apart
from services.audit import record
from services.portions import in_portions
from services.previews import purge_previews
from services.toolbox import Toolbox

DELIVERIES_KEPT = timedelta(days=90)
"""How long the log tells of what was sent, and of what was not."""

DELETED_KEPT = timedelta(days=90)
"""How long we know whom an identity provider has deleted, and which groups, so that they come back as themselves."""

INSTALL_KEYS_KEPT = timedelta(days=365)
"""How long an install key is known that no event has come with; before it is believed, it is read again anyway."""

PORTION = 5000
"""Rows that are forgotten at once."""


def purge(tools: Toolbox) -> None:
    """The daily clean-up."""
    now = tools.clock()
    purge_previews(tools)
    with tools.begin() as session:
        session.execute(
            delete(Delivery).where(Delivery.finished_at < now - DELIVERIES_KEPT, ~_is_waited_for())
        )
        session.execute(delete(LifecycleToken).where(LifecycleToken.expires_at < now - timedelta(days=1)))
        session.execute(delete(KeptInstallKey).where(KeptInstallKey.read_at < now - INSTALL_KEYS_KEPT))
        session.execute(
            delete(ScimUser).where(
                ScimUser.deleted_at < now - DELETED_KEPT, ScimUser.state == ScimState.SETTLED.value
            )
        )
        session.execute(delete(ScimFormerGroup).where(ScimFormerGroup.deleted_at < now - DELETED_KEPT))
        overdue = now - timedelta(days=tools.settings.purge_after_days)
        tenants = session.scalars(select(Tenant.client_key).where(Tenant.uninstalled_at < overdue)).all()
        without_door = Organization.doorless_since < overdue
        organization_ids = session.scalars(select(Organization.id).where(without_door)).all()
        for organization_id in organization_ids:
            _begin_to_forget(session, organization_id, overdue, now)
        begun = session.scalars(
            select(Organization.id).where(Organization.forgotten_since.is_not(None))
        ).all()
    apart(lambda each: _purge_tenant(tools, each, overdue), tenants, "forgetting a tenant")
    apart(lambda each: _purge_organization(tools, each), begun, "forgetting an organization")


# It may be installed again this moment: this asks once more, as does whoever begins to forget an organization.
def _purge_tenant(tools: Toolbox, client_key: str, overdue: datetime) -> None:
    gone = delete(Tenant).where(Tenant.client_key == client_key, Tenant.uninstalled_at < overdue)
    with tools.begin() as session:
        if session.execute(gone).rowcount:  # type: ignore[attr-defined]
            purge_audit_of_tenant(session, client_key)


def _begin_to_forget(session: Session, organization_id: str, overdue: datetime, now: datetime) -> None:
    """From here on there is no way back: no door opens it any more."""
    session.execute(
        update(Organization)
        .where(
            Organization.id == organization_id,
            Organization.doorless_since < overdue,
            Organization.forgotten_since.is_(None),
        )
        .values(forgotten_since=now)
    )


def _purge_organization(tools: Toolbox, organization_id: str) -> None:
    """In portions: of a large one it takes minutes. Cut off, it goes on with what is left."""
    for table in owned_tables():
        in_portions(tools, partial(take_rows, table=table, organization_id=organization_id, most=PORTION))
    in_portions(tools, lambda session: purge_audit(session, organization_id, PORTION))
    gone = delete(Organization).where(Organization.id == organization_id)
    with tools.begin() as session:
        # What came meanwhile goes with it.
        if session.execute(gone).rowcount:  # type: ignore[attr-defined]
            purge_audit(session, organization_id)
            # The only thing that stays: that there was something, and that it is gone. No person is named.
            record(session, Event.ORGANIZATION_PURGED, at=tools.clock(), actor=APP, result="retention over")


def _is_waited_for() -> ColumnElement[bool]:
    """A mail that warned somebody whose grace is not over: whether it was sent is asked at the deed (S56)."""
    warned = select(Case.id).where(
        Case.organization_id == Delivery.organization_id,
        Case.id == Delivery.case_id,
        Case.state.in_([CaseState.WARNED.value, CaseState.ANSWERED.value]),
    )
    return (Delivery.channel == Channel.MAIL.value) & warned.exists()
