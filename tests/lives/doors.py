"""The ways to Atlassian: keys that die, the app uninstalled and installed again."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

from connect.tokens import LifecycleProof
from sandbox import installer
from services import credential_storing, installing
from tests.lives.post import all_mails_leave
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.world import ACME_KEY


def the_key_expires(life: Stage) -> None:
    life.world.control("POST", f"/keys/{ACME_KEY}/expire")


def everything_works(life: Stage) -> None:
    """Again."""
    life.world.clear_faults()
    all_mails_leave(life)
    life.world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    with life.watch.step():
        if not life.has_door:
            _tell(life, "installed")
        expires_on = (life.world.clock() + timedelta(days=300)).date().isoformat()
        credential_storing.store_admin_key(
            life.tools, life.cast.callers["ana"], key=ACME_KEY, expires_on=expires_on
        )


def the_app_is_uninstalled(life: Stage) -> None:
    """It was the organization's last door."""
    if not life.has_door:
        raise NothingToDo
    with life.watch.step():
        _tell(life, "uninstalled")


def _tell(life: Stage, event: str) -> None:
    """What Atlassian tells, proven by the clock of this life."""
    cloud, now = life.world.sandbox.cloud, life.world.clock()
    tenant = installer.require_tenant(cloud, "acme", "jira")
    body = json.dumps(installer._payload(tenant, event)).encode()
    token = sha256(f"{event} {now}".encode()).hexdigest()
    proof = LifecycleProof(tenant.client_key, "kid", token, now, now + timedelta(minutes=15))
    deed = installing.install if event == "installed" else installing.uninstall
    deed(life.tools, proof, body)


ACTS: Acts = {the_key_expires: 2, everything_works: 4, the_app_is_uninstalled: 1}
