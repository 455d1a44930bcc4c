"""The last door closes: whatever acts by itself waits, from then on, for an operator who lets it."""

from __future__ import annotations

from models.access_rule import StoredAccessRule
from models.credential import CredentialKind
from models.rule import StoredRule
from models.run import Run
from models.scim import ScimConnection
from rules.rule import Mode
from services import access_rule_lists, access_rules, credentials, identity_providers, rules, scim_changes
from tests.scim.provider import IdentityProvider, connected
from tests.services.test_access_rules import SOURCE, TARGET, emptied, evaluate, groups_of, member, rule
from tests.world import ACCOUNTS, ACME, World

SWITCHED = ("rule:switched_off", "access_rule:switched", "scim:changed")


def acts_by_itself(world: World) -> tuple[str, str, IdentityProvider]:
    """A rule that is on, an access rule and a connection that are live: their ids, and the provider."""
    ana = world.synced()
    rule_id = world.rule(ana)
    access_rule_id = rule(world, ana)
    idp = connected(world)
    identity_providers.note_preview(world.tools, ana, idp.connection_id)
    identity_providers.switch_mode(world.tools, ana, idp.connection_id, live=True)
    return rule_id, access_rule_id, idp


def test_whoever_opens_a_door_again_decides_anew_what_acts_by_itself(world: World) -> None:
    ana = emptied(world).synced()
    rule_id, access_rule_id, idp = acts_by_itself(world)
    assert world.stored(StoredRule, ACME, rule_id).is_on
    (newcomer, leaver) = world.people(2)
    member(world, newcomer, SOURCE)
    email = next(each["email"] for each in world.directory() if each["account_id"] == leaver)
    world.later(minutes=1)
    before = len(world.audit(*SWITCHED))
    credentials.forget(world.tools, ana, CredentialKind.ADMIN_KEY)
    assert [(one.event, one.actor, one.result) for one in world.audit(*SWITCHED)[before:]] == [
        ("rule:switched_off", ACCOUNTS["ana"], "Idle, version 1"),
        ("access_rule:switched", ACCOUNTS["ana"], "audit"),
        ("scim:changed", ACCOUNTS["ana"], "Audit only"),
    ]
    # A door is opened again, and the provider goes on telling.
    world.store_key()
    idp.add(email, active=False)
    world.later(hours=1)
    world.sync(ana)
    assert evaluate(world) == 1
    for due in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *due)
    world.act()
    assert not world.stored(StoredRule, ACME, rule_id).is_on
    assert world.stored(StoredAccessRule, ACME, access_rule_id).mode == "audit"
    assert world.stored(ScimConnection, ACME, idp.connection_id).mode == "audit"
    assert TARGET not in groups_of(world, newcomer)
    assert world.effects(leaver)["suspend"] == 0
    assert {run.state for run in world.rows(Run)} <= {"preview"}
    # Until an operator has looked.
    identity_providers.note_preview(world.tools, ana, idp.connection_id)
    identity_providers.switch_mode(world.tools, ana, idp.connection_id, live=True)
    access_rule_lists.mark_seen(world.tools, ana, access_rule_id)
    access_rules.switch_mode(world.tools, ana, access_rule_id, Mode.LIVE)
    evaluate(world)
    for due in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *due)
    world.act()
    assert TARGET in groups_of(world, newcomer)
    assert world.effects(leaver)["suspend"] == 1


def test_what_only_listed_is_not_switched(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    rules.save_rule(world.tools, ana, world.rule_data())
    rule(world, ana, live=False)
    connected(world)
    credentials.forget(world.tools, ana, CredentialKind.ADMIN_KEY)
    assert world.audit(*SWITCHED) == []
