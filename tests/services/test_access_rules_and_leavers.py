"""Whose access to products has ended, because they left or their provider let them go, gets nothing from a rule."""

from __future__ import annotations

import pytest

from connect.caller import Caller
from rules.deeds import Deed
from sandbox.world import ORGANIZATIONS
from services import identity_providers, leaver_decisions
from tests.scim.provider import IdentityProvider, connected
from tests.scim.test_changes import settings
from tests.scim.test_changes import work as follow
from tests.services import leavers
from tests.services.test_access_rules import SOURCE, emptied, evaluate, later_sync, member, rule
from tests.services.test_leavers import finish
from tests.world import World

CONFLUENCE = ORGANIZATIONS["acme"].resource("confluence")


@pytest.fixture
def place(sqlite_world: World) -> World:
    return emptied(sqlite_world)


def products_of(world: World, account_id: str) -> list[str]:
    held = world.holding(account_id)
    assert held is not None
    found: list[str] = held["products"]
    return found


def test_a_leaver_gets_nothing_until_they_have_something_again(place: World) -> None:
    ana = leavers.ready(place)
    place.arrange(leavers.UMA, groups=["jira-users", SOURCE])
    later_sync(place, ana)
    leaver_id = leavers.planned(place, ana, deed=Deed.REMOVE_ACCESS.value)
    leaver_decisions.confirm(place.tools, ana, leaver_id)
    finish(place)
    assert leavers.leaver(place, leaver_id).state == "done"
    assert products_of(place, leavers.UMA) == []

    later_sync(place, ana)
    rule(place, ana, groups=(), products=[CONFLUENCE])
    evaluate(place)
    assert products_of(place, leavers.UMA) == []

    member(place, leavers.UMA, "jira-users")
    later_sync(place, ana)
    evaluate(place)
    assert "confluence" in products_of(place, leavers.UMA), "somebody has let them in again"


def test_a_leaver_who_was_suspended_and_is_back_gets_it(place: World) -> None:
    ana = leavers.ready(place)
    leaver_id = leavers.planned(place, ana, deed=Deed.SUSPEND.value)
    leaver_decisions.confirm(place.tools, ana, leaver_id)
    finish(place)
    assert leavers.leaver(place, leaver_id).state == "done"
    place.arrange(leavers.UMA, groups=[SOURCE], membership_status="active")
    later_sync(place, ana)
    rule(place, ana, groups=(), products=[CONFLUENCE])
    evaluate(place)
    assert products_of(place, leavers.UMA) == ["confluence"]


def gone_by_the_provider(place: World) -> tuple[Caller, IdentityProvider, str, str]:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    idp = connected(place)
    identity_providers.note_preview(place.tools, idp.operator, idp.connection_id)
    identity_providers.switch_mode(place.tools, idp.operator, idp.connection_id, live=True)
    settings(idp, when_inactive="remove_access")
    email = next(each["email"] for each in place.directory() if each["account_id"] == person)
    user = idp.add(email, active=False)
    follow(place)
    assert products_of(place, person) == []
    return ana, idp, user, person


def test_whom_the_provider_let_go_gets_nothing_until_it_says_that_they_are_active(place: World) -> None:
    ana, idp, user, person = gone_by_the_provider(place)
    later_sync(place, ana)
    rule(place, ana, groups=(), products=[CONFLUENCE])
    evaluate(place)
    assert products_of(place, person) == []
    idp.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": True})
    follow(place)
    later_sync(place, ana)
    evaluate(place)
    assert products_of(place, person) == ["confluence"]
