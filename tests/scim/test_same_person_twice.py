"""One person whom a provider has twice, one name after the other or both at once: what is there counts."""

from __future__ import annotations

from typing import Any

import pytest

from models.leaver import Leaver
from models.run import Run
from services import identity_providers
from tests.scim.provider import IdentityProvider
from tests.scim.test_changes import groups_of, mapped, profile, settings, somebody, status_of, work
from tests.scim.test_words_taken_back import SAID_INACTIVE


def added(idp: IdentityProvider, name: str, email: str, **changed: Any) -> str:
    return idp.add(f"{name}@acme.example", emails=[{"value": email, "primary": True}], **changed)


def switch(idp: IdentityProvider, *, live: bool) -> None:
    identity_providers.note_preview(idp.world.tools, idp.operator, idp.connection_id)
    identity_providers.switch_mode(idp.world.tools, idp.operator, idp.connection_id, live=live)


@pytest.mark.parametrize("by", ["deleted", "inactive"])
def test_nobody_goes_by_one_name_who_is_active_by_another(live: IdentityProvider, by: str) -> None:
    world = live.world
    settings(live, begins_leavers="yes")
    account, email = somebody(world, "jira-users")
    old, new = added(live, "old", email), added(live, "new", email)
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), old)
    work(world)
    assert groups_of(world, account) == ["confluence-users", "jira-users"]
    runs = len(world.rows(Run))
    if by == "deleted":
        live.send("DELETE", f"/Users/{old}", status=204)
    else:
        live.patch(f"/Users/{old}", SAID_INACTIVE)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert groups_of(world, account) == ["jira-users"], "what the name that is gone brought, goes with it"
    assert [live.stored(each).state for each in (old, new)] == ["settled", "settled"]
    assert len(world.rows(Run)) == runs + 1
    assert world.rows(Leaver) == []

    live.patch(f"/Users/{new}", SAID_INACTIVE)
    work(world)
    assert status_of(world, account)[0] == "suspended"


def test_who_was_created_again_stays_when_everybody_is_looked_at_anew(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email)
    live.send("DELETE", f"/Users/{user}", status=204)
    work(world)
    live.add(email)
    work(world)
    runs = len(world.rows(Run))
    switch(live, live=False)
    work(world)
    switch(live, live=True)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert len(world.rows(Run)) == runs
    assert live.stored(user).state == "settled"


def test_who_is_created_again_by_another_name_comes_back(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    old = added(live, "old", email)
    live.send("DELETE", f"/Users/{old}", status=204)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    new = added(live, "new", email)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert live.stored(new).state == "settled"


def test_who_comes_back_by_another_name_while_the_old_one_stays_inactive_is_restored(
    live: IdentityProvider,
) -> None:
    """Whoever is hired again is somebody new at a provider that keeps the old name for a month."""
    world = live.world
    settings(live, begins_leavers="yes")
    account, email = somebody(world, "jira-users")
    old = added(live, "old", email)
    live.patch(f"/Users/{old}", SAID_INACTIVE)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    new = added(live, "new", email)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert [live.stored(each).state for each in (old, new)] == ["settled", "settled"]
    assert [leaver.state for leaver in world.rows(Leaver)] == ["stopped"]


def test_of_two_accounts_the_one_with_their_e_mail_address_is_meant(live: IdentityProvider) -> None:
    """It is the one that an invitation would lead to; the other has what is their userName at the provider."""
    world = live.world
    settings(live)
    other, account = world.people(2)
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    world.sync(world.caller("ana"))
    user = live.add(emails[other], emails=[{"value": emails[account], "primary": True}], active=False)
    work(world)
    assert [status_of(world, each)[0] for each in (other, account)] == ["active", "suspended"]
    assert live.stored(user).account_id == account


def test_an_account_that_has_gone_does_not_stand_before_the_one_that_is_here(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    gone, account = world.people(2)
    world.change(gone, membership_status="no_membership")
    email = next(each["email"] for each in world.directory() if each["account_id"] == account)
    world.change(gone, email=email)
    world.sync(world.caller("ana"))
    user = live.add(email, active=False)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    assert live.stored(user).account_id == account


def test_what_both_names_give_comes_one_after_the_other_and_then_there_is_rest(
    live: IdentityProvider,
) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world)
    users = [added(live, name, email) for name in ("one", "other")]
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), users[0])
    mapped(live, "Jira", profile(world, "jira", "jira-users"), users[1])
    work(world)
    world.later(minutes=1)
    work(world)
    assert groups_of(world, account) == ["confluence-users", "jira-users"]
    assert [live.stored(user).state for user in users] == ["settled", "settled"]
    assert len(world.rows(Run)) == 2


def test_what_a_name_that_is_gone_has_brought_goes_with_the_name_that_is_here(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    old = added(live, "old", email)
    group = mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), old)
    work(world)
    new = added(live, "new", email)
    live.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": new}]})
    work(world)
    live.send("DELETE", f"/Users/{old}", status=204)
    work(world)
    assert groups_of(world, account) == ["confluence-users", "jira-users"]
    live.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{new}"]'})
    work(world)
    assert groups_of(world, account) == ["jira-users"]
    assert live.stored(new).state == "settled"
    world.arrange(account, groups=["confluence-users", "jira-users"])
    world.sync(world.caller("ana"))
    live.patch(f"/Users/{new}", {"op": "replace", "path": "title", "value": "Lead"})
    work(world)
    assert groups_of(world, account) == ["confluence-users", "jira-users"], "by hand: not ours to take"
