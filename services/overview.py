"""The Overview: how many people, where they are active, and how the sync is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connect.caller import Caller
from models.organization import Organization
from models.sync import SyncState, latest_sync
from services.coming import Coming, what_comes
from services.doors import require_organization
from services.summary import ProductActivity, Totals, summary
from services.syncing import SyncProgress, progress
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page."""

    organization_name: str
    totals: Totals
    by_product: list[ProductActivity]
    sync: SyncProgress | None
    last_complete: datetime | None
    coming: list[Coming]


def overview(tools: Toolbox, caller: Caller) -> Overview:
    """The organization at a glance. Raises NotReady without a door."""
    organization_id = require_organization(tools, caller)
    # Before the numbers: a sync that ends in between must still be shown as running, so that the page asks again.
    sync = progress(tools, organization_id)
    with tools.begin() as session:
        last = latest_sync(session, organization_id, SyncState.COMPLETE)
        last_complete = last.finished_at if last is not None else None
        name = session.get_one(Organization, organization_id).name
        coming = what_comes(session, organization_id, tools.clock())
    numbers = summary(tools, organization_id)
    return Overview(
        organization_name=name,
        totals=numbers.totals,
        by_product=numbers.by_product,
        sync=sync,
        last_complete=last_complete,
        coming=coming,
    )
