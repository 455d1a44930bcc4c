"""Whoever an identity provider lets go becomes a leaver, if the connection says so: what they own is handed over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import APP
from models.leaver import LeaverOrigin
from models.scim import ScimConnection, ScimUser
from rules.changes import is_away
from rules.deeds import Deed
from rules.scim import ACTIVE_AGAIN, Known, ScimMode
from services.leaver_stops import stays_after_all
from services.leavers import Farewell, begin_leaver
from services.scim_facts import word_of


def follow_leaver(
    session: Session, found: ScimConnection, user: ScimUser, known: Known, now: datetime
) -> None:
    """Begins the leaver of somebody who goes, once; whoever comes back stays, and may go again later."""
    if not known.is_gone:
        if user.leaver_id is not None:
            stays_after_all(session, found.organization_id, user.leaver_id, ACTIVE_AGAIN, now)
        user.leaver_id = None
        return
    wanted = found.begins_leavers and found.mode == ScimMode.LIVE and user.leaver_id is None
    if not wanted or known.person is None or is_away(known.person):
        return
    ending = Deed(found.when_deleted if user.deleted_at is not None else found.when_inactive)
    # Where the connection ends their access itself, the leaver leaves that alone.
    farewell = Farewell(Deed.SUSPEND if ending is Deed.LIST else Deed.LIST, why=word_of(found, user))
    user.leaver_id = begin_leaver(
        session,
        found.organization_id,
        known.person.account_id,
        by=APP,
        now=now,
        origin=LeaverOrigin.SCIM,
        farewell=farewell,
    ).id
