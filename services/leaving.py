"""A tenant stops being a door: by *Forget*, by uninstalling, or because it is elsewhere now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.organization import Organization, close_gate
from models.sync import SyncState, running_sync
from models.tenant import Tenant, doors_of
from services.access_rules import only_list_from_now_on
from services.leaver_stops import stop_all_leavers
from services.rules import switch_all_off
from services.runs import stop_all
from services.scim_modes import only_audit_from_now_on
from services.syncing import end_sync


def leave(session: Session, tenant: Tenant, *, actor: str, now: datetime, reason: str) -> None:
    """Unlinks a tenant from its organization. With the last door the work stops at once; the data is purged later."""
    organization_id, tenant.organization_id = tenant.organization_id, None
    session.flush()
    if organization_id is None:
        return
    # Another door may be opening or closing at this moment.
    close_gate(session, organization_id)
    if doors_of(session, organization_id):
        return
    session.get_one(Organization, organization_id).doorless_since = now
    stop_all(session, organization_id, actor, now, reason)
    stop_all_leavers(session, organization_id, actor, now)
    # Whoever opens a door again decides anew what may run by itself.
    switch_all_off(session, organization_id, actor, now)
    only_list_from_now_on(session, organization_id, actor, now)
    only_audit_from_now_on(session, organization_id, actor, now)
    sync = running_sync(session, organization_id)
    if sync is not None:
        end_sync(session, sync, SyncState.STOPPED, now=now, actor=actor, problem=reason)
