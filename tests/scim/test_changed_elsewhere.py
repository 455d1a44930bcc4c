"""What others changed at Atlassian between two words of a provider: its next word counts by what there is then."""

from __future__ import annotations

from rules.topics import Topic
from services.matters import matters
from tests.scim.provider import IdentityProvider
from tests.scim.test_changes import (
    account_of,
    groups_of,
    mapped,
    profile,
    settings,
    somebody,
    status_of,
    work,
)
from tests.scim.test_words_taken_back import SAID_ACTIVE, SAID_INACTIVE, planned
from tests.world import ACME, World


def products_of(world: World, account: str) -> list[str]:
    holding = world.holding(account)
    assert holding is not None
    found: list[str] = holding["products"]
    return found


def with_a_product(live: IdentityProvider) -> tuple[str, str, str]:
    """Somebody whom a group of the provider has given Confluence: account, id of the person, id of the group."""
    world = live.world
    settings(live)
    account, email = somebody(world)
    user = live.add(email)
    group = mapped(live, "Wiki", profile(world, "wiki", products=("confluence",)), user)
    work(world)
    assert products_of(world, account) == ["confluence"]
    return account, user, group


def loses_it(world: World, account: str) -> None:
    world.arrange(account)
    world.sync(world.caller("ana"))
    assert products_of(world, account) == []


def test_who_is_in_the_group_again_gets_again_what_was_gone_when_they_left_it(live: IdentityProvider) -> None:
    world = live.world
    account, user, group = with_a_product(live)
    loses_it(world, account)
    live.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'})
    work(world)
    assert (live.stored(user).state, live.stored(user).given) == ("settled", None)
    live.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
    work(world)
    assert products_of(world, account) == ["confluence"]
    assert live.stored(user).state == "settled"


def test_who_comes_back_has_the_product_again_that_was_taken_while_they_were_away(
    live: IdentityProvider,
) -> None:
    """A ladder suspends first and frees the seat later."""
    world = live.world
    account, user, _ = with_a_product(live)
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    loses_it(world, account)
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    assert products_of(world, account) == ["confluence"]
    assert live.stored(user).state == "settled"


def test_who_was_invited_once_is_invited_again_when_they_come_back(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    user = live.add("nora@acme.example")
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    work(world)
    account = account_of(world, "nora@acme.example")
    assert account is not None
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    world.change(account, membership_status="no_membership")
    world.sync(world.caller("ana"))
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert len(world.requests("/users/invite$")) == 2
    assert (live.stored(user).state, live.stored(user).reason) == ("settled", "")


def test_who_is_here_by_then_with_all_of_it_is_up_to_date(live: IdentityProvider) -> None:
    """Whoever logs in before their turn has come is let in by the site itself."""
    world = live.world
    settings(live)
    user = live.add("nora@acme.example")
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    planned(world)
    groups = [world.groups()["confluence-users"]["id"]]
    body = {"emails": ["nora@acme.example"], "permissionRules": [], "additionalGroups": groups}
    world.api("POST", "/v2/orgs/{org}/users/invite", body)
    world.act()
    work(world)
    assert (live.stored(user).state, live.stored(user).reason) == ("settled", "")


def test_whose_account_has_gone_is_the_one_who_is_here_with_their_address(live: IdentityProvider) -> None:
    """Whose address changed, may log in to a new account, and the old one is removed."""
    world = live.world
    settings(live)
    old, new = world.people(2)
    email = next(each["email"] for each in world.directory() if each["account_id"] == old)
    world.sync(world.caller("ana"))
    user = live.add(email)
    wiki = mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    work(world)
    assert live.stored(user).account_id == old
    world.change(old, membership_status="no_membership", email="former@acme.example")
    world.change(new, email=email)
    world.arrange(new, groups=["confluence-users"])
    world.sync(world.caller("ana"))
    live.patch(f"/Groups/{wiki}", {"op": "remove", "path": "members"})
    work(world)
    assert live.stored(user).account_id == new
    assert groups_of(world, new) == ["confluence-users"], "the connection gave that to the other account"
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    assert status_of(world, new)[0] == "suspended"


def test_who_cannot_be_restored_at_a_provider_s_word_has_no_absence_that_is_over(
    live: IdentityProvider,
) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email)
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    world.fault(f"/users/{account}/restore$", "403-scopes", times=None)
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    assert world.calls(account, "restore")
    assert Topic.NOT_RESTORED not in {one.topic for one in matters(world.tools, ACME)}


def test_nobody_is_restored_whom_others_suspended_since_they_came_back(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email)
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    world.change(account, membership_status="active")
    world.sync(world.caller("ana"))
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    world.change(account, membership_status="suspended")
    world.sync(world.caller("ana"))
    live.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Lead"})
    work(world)
    assert status_of(world, account)[0] == "suspended"
    assert "not by this connection" in live.stored(user).reason
