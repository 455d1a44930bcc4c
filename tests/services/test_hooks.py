"""Hooks as operators keep them: added, changed, switched, removed; what is secret about them stays so."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound, NotReady
from models.hook import Hook
from rules.topics import TO_HOOKS, HookKind, Topic
from services import hook_secrets, hooks
from services.key_rotation import rotate_keys
from services.vault import CredentialUnreadable
from tests.services.test_key_rotation import with_keys
from tests.world import ACCOUNTS, ACME, World, credential_key

SLACK = "https://hooks.slack.com/services/T0/B0/very-secret-path"


def add(world: World, caller: Caller, **changed: Any) -> tuple[Hook, str]:
    """A signed hook that leads to the pretend Atlassian, unless said otherwise."""
    words = {
        "kind": "signed",
        "name": "Demo",
        "address": f"{world.sandbox.hub}/hooks/demo",
        "token": "",
        "topics": [topic.value for topic in TO_HOOKS],
    } | changed
    return hooks.add_hook(world.tools, caller, **words)


def open_address(world: World, hook: Hook) -> str:
    return hook_secrets.open_address(world.tools, hook)


def test_a_hook_is_kept_sealed_and_audited(world: World) -> None:
    ana = world.store_key()
    hook, secret = add(world, ana, topics=["run:finished", "key:dead"], name="  To  the robot ")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    (stored,) = hooks.list_hooks(world.tools, ana)
    assert (stored.name, stored.kind, stored.host, stored.is_on) == (
        "To the robot",
        "signed",
        "127.0.0.1",
        True,
    )
    assert stored.topics == ["run:finished", "key:dead"]
    assert open_address(world, stored).endswith("/hooks/demo")
    assert hook_secrets.open_secrets(world.tools, stored, world.clock()) == (secret,)
    for row in world.dump()["hook"]:
        whole = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
        assert b"/hooks/demo" not in whole
        assert secret.encode() not in whole
    (entry,) = world.audit("hook:added")
    assert (entry.actor, entry.organization_id) == (ACCOUNTS["ana"], ACME)
    said = f"{entry.result} {entry.details}"
    assert "/hooks/demo" not in said
    assert secret not in said
    assert entry.details == {"hook": hook.id, "name": "To the robot"}


def test_s38_a_sealed_address_opens_in_its_own_row_and_column_alone(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    first, second = add(world, ana)[0], add(world, ana)[0]
    with pytest.raises(CredentialUnreadable):
        open_address(world, Hook(organization_id=ACME, id=second.id, address_sealed=first.address_sealed))
    moved = Hook(organization_id=ACME, id=first.id, secret_sealed=first.address_sealed)
    with pytest.raises(CredentialUnreadable):
        hook_secrets.open_secrets(world.tools, moved, world.clock())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "carrier pigeon"}, "kind"),
        ({"name": " \0 "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"address": ""}, "address"),
        ({"address": "http://127.0.0.1:1/hooks/demo"}, "address"),
        ({"address": "https://169.254.169.254/"}, "address"),
        ({"address": "https://localhost/"}, "address"),
        ({"kind": "slack", "address": "https://8.8.8.8/services/"}, "address"),
        ({"topics": []}, "topics"),
        ({"topics": ["run:finished", "operators:digest"]}, "topics"),
        ({"topics": ["test"]}, "topics"),
        ({"kind": "jira_automation"}, "token"),
        ({"kind": "jira_automation", "token": "two words"}, "token"),
        ({"kind": "jira_automation", "token": "line\r\nX-Evil: 1"}, "token"),
    ],
)
def test_what_cannot_be_a_hook_is_said_at_its_field(
    sqlite_world: World, changed: dict[str, Any], field: str
) -> None:
    world = sqlite_world
    ana = world.store_key()
    with pytest.raises(Invalid) as invalid:
        add(world, ana, **changed)
    assert invalid.value.field == field
    assert invalid.value.sentence
    assert invalid.value.next_step
    assert world.rows(Hook) == []


def test_the_eleventh_does_not_fit(sqlite_world: World) -> None:
    ana = sqlite_world.store_key()
    for number in range(hooks.MOST_HOOKS):
        add(sqlite_world, ana, name=str(number))
    with pytest.raises(Conflict):
        add(sqlite_world, ana)
    assert len(sqlite_world.rows(Hook)) == hooks.MOST_HOOKS


def test_what_is_not_typed_again_stays(world: World) -> None:
    ana = world.store_key()
    hook, secret = add(world, ana, topics=["key:dead"])
    changed = hooks.change_hook(
        world.tools, ana, hook.id, name="Robot", address="", token="", topics=["run:braked", "key:dead"]
    )
    assert (changed.name, changed.topics) == ("Robot", ["run:braked", "key:dead"])
    assert open_address(world, changed).endswith("/hooks/demo")
    assert hook_secrets.open_secrets(world.tools, changed, world.clock()) == (secret,)
    with pytest.raises(Invalid):
        hooks.change_hook(
            world.tools, ana, hook.id, name="Robot", address="http://a/", token="", topics=["key:dead"]
        )
    other = f"{world.sandbox.hub}/hooks/other"
    again = hooks.change_hook(
        world.tools, ana, hook.id, name="Robot", address=other, token="", topics=["key:dead"]
    )
    assert open_address(world, again) == other
    hooks.change_hook(world.tools, ana, hook.id, name="Robot", address="", token="", topics=["key:dead"])
    assert [entry.result for entry in world.audit("hook:changed")] == [
        "Changed: name, events",
        "Changed: events, address",
    ]


def test_a_token_of_jira_is_sealed_and_can_be_replaced(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    hook, shown = add(world, ana, kind="jira_automation", token=" first ")
    assert shown == ""
    same = hooks.change_hook(world.tools, ana, hook.id, name="Demo", address="", token="", topics=hook.topics)
    assert hook_secrets.open_secrets(world.tools, same, world.clock()) == ("first",)
    other = hooks.change_hook(
        world.tools, ana, hook.id, name="Demo", address="", token="second", topics=hook.topics
    )
    assert hook_secrets.open_secrets(world.tools, other, world.clock()) == ("second",)
    with pytest.raises(NotReady):
        hooks.new_secret(world.tools, ana, hook.id)


def test_the_secret_before_signs_beside_the_new_one_for_a_day(world: World) -> None:
    ana = world.store_key()
    hook, first = add(world, ana)
    hook, second = hooks.new_secret(world.tools, ana, hook.id)
    assert hook_secrets.open_secrets(world.tools, hook, world.clock()) == (second, first)
    world.later(hours=23)
    assert hook_secrets.open_secrets(world.tools, hook, world.clock()) == (second, first)
    world.later(hours=1, seconds=1)
    assert hook_secrets.open_secrets(world.tools, hook, world.clock()) == (second,)
    assert [entry.result for entry in world.audit("hook:changed")] == ["Changed: secret"]


def test_switching_and_removing(world: World) -> None:
    ana = world.store_key()
    hook, _ = add(world, ana)
    assert not hooks.switch_hook(world.tools, ana, hook.id, on=False).is_on
    hooks.switch_hook(world.tools, ana, hook.id, on=False)
    assert hooks.switch_hook(world.tools, ana, hook.id, on=True).is_on
    assert hooks.remove_hook(world.tools, ana, hook.id).name == "Demo"
    assert world.rows(Hook) == []
    assert [entry.result for entry in world.audit("hook:changed")] == ["Switched off", "Switched on"]
    assert len(world.audit("hook:removed")) == 1


def test_s19_hooks_are_each_organizations_own(world: World) -> None:
    ana, gina = world.store_key(), world.store_key("gina", "globex")
    hook, _ = add(world, ana)
    assert hooks.list_hooks(world.tools, gina) == []
    deeds = (
        lambda: hooks.look_at_hook(world.tools, gina, hook.id),
        lambda: hooks.change_hook(
            world.tools, gina, hook.id, name="Mine", address="", token="", topics=hook.topics
        ),
        lambda: hooks.switch_hook(world.tools, gina, hook.id, on=False),
        lambda: hooks.new_secret(world.tools, gina, hook.id),
        lambda: hooks.remove_hook(world.tools, gina, hook.id),
    )
    for deed in deeds:
        with pytest.raises(NotFound):
            deed()
    (kept,) = hooks.list_hooks(world.tools, ana)
    assert (kept.id, kept.name, kept.is_on) == (hook.id, "Demo", True)


def test_rotation_seals_hooks_anew(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    hook, first = add(world, ana)
    _, second = hooks.new_secret(world.tools, ana, hook.id)
    old = world.tools.settings.credential_keys[0]
    both = with_keys(world, credential_key("k2"), f"{old.id}:{base64.b64encode(old.key).decode()}")
    rotate_keys(both)
    (row,) = world.rows(Hook)
    for value in (row.address_sealed, row.secret_sealed, row.former_sealed):
        assert value.startswith(b"k2\0")
    assert hook_secrets.open_secrets(both, row, world.clock()) == (second, first)
    assert hook_secrets.open_address(both, row).endswith("/hooks/demo")


def test_every_topic_and_kind_has_its_words() -> None:
    assert set(hooks.KINDS) == set(HookKind)
    assert not {Topic.TEST, Topic.DIGEST} & set(TO_HOOKS)
