"""An identity provider's words while real workers are killed (kill -9): everybody is acted on once (S50)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import select

from models.people import Group
from models.run import Case, Run
from models.scim import ScimUser
from rules.roster import Origin
from services import identity_providers, profiles
from services.orders import UNFINISHED_STATES
from services.profiles import Typed
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SLOW = {"match": ".*/(invite|suspend)$", "method": "POST", "kind": "slow", "seconds": 0.2, "times": None}
NAMES = [f"newcomer{number}@acme.example" for number in range(30)]
LEAVING = NAMES[:5]
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Provider:
    """The provider's side of one live connection."""

    def __init__(self, deployment: Deployment) -> None:
        tools, ana = deployment.tools, deployment.ana
        made, token = identity_providers.connect(tools, ana, name="Entra", provider="entra")
        identity_providers.note_preview(tools, ana, made.id)
        identity_providers.switch_mode(tools, ana, made.id, live=True)
        self.id = made.id
        self._root = f"{deployment.environment['BASE_URL']}/scim/v2"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.request(method, self._root + path, json=body, headers=self._headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def add(self, address: str) -> str:
        body = {"schemas": [SCHEMA + "User"], "userName": address, "active": True}
        return str(self.send("POST", "/Users", body)["id"])

    def group(self, *members: str) -> str:
        body = {"schemas": [SCHEMA + "Group"], "displayName": "Design"}
        group_id = str(self.send("POST", "/Groups", body)["id"])
        self.patch(f"/Groups/{group_id}", "add", "members", [{"value": member} for member in members])
        return group_id

    def patch(self, path: str, deed: str, attribute: str, value: Any) -> None:
        operation = {"op": deed, "path": attribute, "value": value}
        self.send("PATCH", path, {"schemas": [PATCH], "Operations": [operation]})


def profile_of(deployment: Deployment) -> tuple[str, str]:
    """A profile with a place in a group; its id, and the group's."""
    with deployment.tools.begin() as session:
        group_id = session.scalars(select(Group.group_id).where(Group.name == "contractors")).one()
    made = profiles.save_profile(
        deployment.tools, deployment.ana, None, Typed(name="Design", groups=(group_id,))
    )
    return made.id, group_id


def done(deployment: Deployment, deed: str) -> dict[str, int]:
    """Account id → how often the pretend Atlassian was really changed."""
    effects = deployment.control("GET", "effects")
    return {account_id: found[deed] for account_id, found in effects.items() if found.get(deed)}


def newcomers(deployment: Deployment) -> dict[str, str]:
    """Address → account id, of those who are in the directory by now."""
    asked = {"site": "acme", "q": "newcomer", "limit": 500}
    return {one["email"]: one["account_id"] for one in deployment.control("GET", "people", params=asked)}


def time_passes(deployment: Deployment) -> None:
    """Who was handed out as the worker died is handed out again after a minute, which is over at once."""
    with deployment.tools.begin() as session:
        for case in session.scalars(select(Case).where(Case.state.in_(UNFINISHED_STATES))):
            case.resume_at = case.resume_at and deployment.tools.clock()


def killed(deployment: Deployment, deed: str, goal: int, moments: random.Random) -> None:
    """Waits until so many were changed in this way, and a random moment more; then the power is cut."""
    deployment.wait_for(lambda: len(done(deployment, deed)) >= goal, f"{goal} × {deed}")
    time.sleep(moments.random() / 2)
    deployment.kill_worker()
    time_passes(deployment)
    deployment.start_worker()


def settled(deployment: Deployment) -> bool:
    with deployment.tools.begin() as session:
        users = session.scalars(select(ScimUser)).all()
        return all((user.state, user.case_id, user.dirty_at) == ("settled", None, None) for user in users)


def test_s50_what_a_provider_wants_is_done_once_by_killed_workers(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(people=80)
    deployment.control("PUT", "seats", json={"site": "acme", "product": "confluence", "capacity": 200})
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    profile_id, group_id = profile_of(deployment)
    provider = Provider(deployment)
    deployment.control("POST", "faults", json=SLOW)
    moments = random.Random(30)

    ids = {address: provider.add(address) for address in NAMES}
    mapped = provider.group(*ids.values())
    identity_providers.map_group(deployment.tools, deployment.ana, provider.id, mapped, profile_id)
    for share in (3, 12):
        killed(deployment, "invite", share + moments.randint(0, 8), moments)
    deployment.wait_for(lambda: len(newcomers(deployment)) == len(NAMES), "everybody")
    for address in LEAVING:
        provider.patch(f"/Users/{ids[address]}", "replace", "active", False)
    killed(deployment, "suspend", moments.randint(1, 3), moments)
    deployment.wait_for(lambda: settled(deployment), "what the provider wants")

    found = newcomers(deployment)
    assert set(found) == set(NAMES)
    accounts = set(found.values())
    gone = {found[address] for address in LEAVING}
    assert done(deployment, "invite") == dict.fromkeys(accounts, 1)
    assert done(deployment, "join_group") == dict.fromkeys(accounts, 1)
    assert done(deployment, "suspend") == dict.fromkeys(gone, 1)
    effects = deployment.control("GET", "effects")
    assert {each for account_id in accounts for each in effects[account_id]["by"]} == {
        f"join_group:{group_id}"
    }
    people = deployment.control("GET", "people", params={"site": "acme", "q": "newcomer", "limit": 500})
    assert {one["account_id"] for one in people if one["membership"] == "suspended"} == gone
    with deployment.tools.begin() as session:
        query = select(Case.deed, Case.account_id).join(Run, Run.id == Case.run_id)
        cases = session.execute(query.where(Run.origin == Origin.SCIM.value, Case.changed.is_(True))).all()
    assert sorted(map(tuple, cases)) == sorted(
        [("invite", each) for each in accounts] + [("suspend", each) for each in gone]
    )
