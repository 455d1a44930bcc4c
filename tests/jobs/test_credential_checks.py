"""Atlassian says nothing about the keys of one organization: those of others are checked meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connect.caller import Caller, Via
from models.audit import AuditEntry, Event
from sandbox.world import ACME
from services.credential_storing import store_admin_key
from tests.jobs.deployment import ANA, KEY, Deployment, deployed
from tests.jobs.test_clock_is_set import A_DAY, CLOCKED_WORKER
from tests.jobs.test_slow_hooks import gina

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROUND = 600
SOON = 8
"""Seconds until the next round, in which the worker starts."""


def checked(deployment: Deployment) -> list[str]:
    """The organizations whose keys were checked, one after the other."""
    with deployment.tools.begin() as session:
        query = select(AuditEntry.organization_id).where(AuditEntry.event == Event.CREDENTIAL_CHECKED.value)
        return [str(each) for each in session.scalars(query.order_by(AuditEntry.id))]


def test_keys_about_which_atlassian_says_nothing_keep_no_others_from_being_checked(
    sqlite_url: str, tmp_path: Path
) -> None:
    with deployed(sqlite_url, f"sqlite:///{tmp_path / 'jobs.sqlite'}", tmp_path, people=50) as deployment:
        deployment.configure()
        confluence = deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
        expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
        store_admin_key(
            deployment.tools,
            Caller(confluence["client_key"], ANA, Via.CONTEXT),
            key=KEY,
            expires_on=expires_on,
        )
        gina(deployment)
        silent = {"match": f"/orgs/{ACME.id}/", "kind": "timeout", "seconds": 60, "times": None}
        deployment.control("POST", "faults", json=silent)
        clock = tmp_path / "clock"
        clock.write_text(str(A_DAY + ROUND - SOON - time.time() % ROUND))
        deployment.start_worker(program=[*CLOCKED_WORKER, str(clock)])
        deployment.wait_for(lambda: len(checked(deployment)) == 3, "all three keys")
        assert checked(deployment)[-1] == ACME.id
