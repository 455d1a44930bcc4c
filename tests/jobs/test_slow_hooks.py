"""A hook that lets its callers wait keeps nobody else's notices waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connect.caller import Caller, Via
from jobs.engine import DELIVERIES_AT_A_TIME
from rules.topics import Topic
from sandbox.world import ADMIN_KEYS, GLOBEX
from services import hooks, notices
from services.credential_storing import store_admin_key
from services.doors import require_organization
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MANY = 12


def gina(deployment: Deployment) -> Caller:
    """The administrator of globex, whose key is saved."""
    installed = deployment.control("POST", "install", json={"site": "globex", "product": "jira"})
    caller = Caller(installed["client_key"], GLOBEX.admin.account_id, Via.CONTEXT)
    key = next(each.key for each in ADMIN_KEYS if each.org == "globex")
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    store_admin_key(deployment.tools, caller, key=key, expires_on=expires_on)
    return caller


def hook(deployment: Deployment, caller: Caller, name: str) -> None:
    address = f"{deployment.sandbox.hub}/hooks/{name}"
    topics = [Topic.KEY_DEAD.value]
    hooks.add_hook(
        deployment.tools, caller, kind="signed", name=name, address=address, token="", topics=topics
    )


def announce(deployment: Deployment, caller: Caller, occasion: str) -> None:
    organization_id = require_organization(deployment.tools, caller)
    with deployment.tools.begin() as session:
        facts = {"sentence": "Something happened.", "path": "/app/configure"}
        now = deployment.tools.clock()
        notices.announce(session, organization_id, Topic.KEY_DEAD, occasion, now, facts=facts)


def test_one_organizations_slow_hook_is_its_own_trouble(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(people=60)
    deployment.configure()
    other = gina(deployment)
    hook(deployment, deployment.ana, "tar-pit")
    hook(deployment, other, "quick")
    deployment.control("POST", "hooks/tar-pit/answer", json={"seconds": 8})
    for number in range(MANY):
        announce(deployment, deployment.ana, str(number))
    deployment.start_worker()
    deployment.wait_for(lambda: deployment.control("GET", "hooks?name=tar-pit"), "the first slow call")
    announce(deployment, other, "once")
    deployment.wait_for(lambda: deployment.control("GET", "hooks?name=quick"), "the quick call")
    assert len(deployment.control("GET", "hooks?name=tar-pit")) <= 2 * DELIVERIES_AT_A_TIME < MANY
