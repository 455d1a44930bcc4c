"""From the provider's word to what somebody really has at the pretend Atlassian, with the worker played by hand."""

from __future__ import annotations

import pytest

from models.profile import Profile
from models.run import Run
from rules.case import RunState
from sandbox.world import ORGANIZATIONS
from services import identity_providers, scim_changes
from tests.scim.provider import IdentityProvider, connected
from tests.world import ACME, World


@pytest.fixture
def live(world: World) -> IdentityProvider:
    """Acme's directory has been read; a connection is live, inactive means suspended."""
    world.synced()
    found = connected(world, provider="entra")
    identity_providers.note_preview(world.tools, found.operator, found.connection_id)
    identity_providers.switch_mode(world.tools, found.operator, found.connection_id, live=True)
    return found


def settings(idp: IdentityProvider, **changed: str) -> None:
    words = {"name": "Entra", "when_inactive": "suspend", "when_deleted": "suspend"}
    words |= {"brake_number": "", "brake_share": ""}
    identity_providers.change_settings(idp.world.tools, idp.operator, idp.connection_id, **words | changed)


def profile(world: World, name: str, *groups: str, products: tuple[str, ...] = ()) -> str:
    """A profile by rows."""
    known = world.groups()
    now = world.clock()
    with world.tools.begin() as session:
        session.add(
            Profile(
                organization_id=ACME,
                id=f"profile-{name}",
                name=name,
                name_key=name,
                roles=[[ORGANIZATIONS["acme"].resource(product), "atlassian/user"] for product in products],
                groups=[known[group]["id"] for group in groups],
                created_by="ana",
                created_at=now,
                changed_at=now,
            )
        )
    return f"profile-{name}"


def mapped(idp: IdentityProvider, name: str, profile_id: str, *members: str) -> str:
    group_id = idp.group(name, *members)
    identity_providers.map_group(idp.world.tools, idp.operator, idp.connection_id, group_id, profile_id)
    return group_id


def work(world: World, rounds: int = 6) -> None:
    """The worker, until nothing is due any more."""
    for _ in range(rounds):
        world.later(seconds=scim_changes.GATHER.total_seconds() + 1)
        for due in scim_changes.due_connections(world.tools):
            scim_changes.follow_up(world.tools, *due)
        world.act()


def account_of(world: World, email: str) -> str | None:
    found = [each["account_id"] for each in world.directory() if each["email"] == email]
    return found[0] if found else None


def test_a_newcomer_is_invited_with_their_profile_moves_leaves_and_comes_back(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    engineers = mapped(live, "Engineers", profile(world, "engineers", "jira-users"))
    designers = mapped(live, "Designers", profile(world, "designers", "confluence-users"))
    user = live.add("nora@acme.example", displayName="Nora New")
    work(world)
    assert account_of(world, "nora@acme.example") is None, "no group of theirs gives anything"
    assert (live.stored(user).state, live.stored(user).dirty_at) == ("settled", None)

    live.patch(f"/Groups/{engineers}", {"op": "add", "path": "members", "value": [{"value": user}]})
    work(world)
    account = account_of(world, "nora@acme.example")
    assert account is not None
    stored = live.stored(user)
    assert (stored.state, stored.account_id, stored.invited) == ("settled", account, True)
    holding = world.holding(account)
    assert holding is not None
    assert holding["groups"] == ["jira-users"]

    # Moves to another team: first gets what is new, then loses what only this connection gave.
    live.patch(f"/Groups/{designers}", {"op": "add", "path": "members", "value": [{"value": user}]})
    live.patch(f"/Groups/{engineers}", {"op": "remove", "path": f'members[value eq "{user}"]'})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["groups"] == ["confluence-users"]
    assert live.stored(user).state == "settled"

    # Nothing new: nothing happens.
    before = len(world.rows(Run))
    effects = world.control("GET", "/effects")
    live.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Lead"})
    work(world)
    assert len(world.rows(Run)) == before
    assert world.control("GET", "/effects") == effects

    live.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "False"})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "suspended"
    assert (live.stored(user).state, live.stored(user).taken) == ("settled", "suspend")

    live.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "True"})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "active"
    assert holding["groups"] == ["confluence-users"]

    live.send("DELETE", f"/Users/{user}", status=204)
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "suspended"
    assert {run.origin for run in world.rows(Run)} == {"scim"}
    assert all(run.state == RunState.FINISHED for run in world.rows(Run))
