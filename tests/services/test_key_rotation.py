"""`flask rotate-keys`: everything sealed by an older key is sealed anew, and nothing that came meanwhile is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from config import Settings
from connect.errors import Conflict, Unauthorized
from models.credential import Credential, CredentialKind
from models.tenant import Tenant
from services import credential_storing, credentials
from services.doors import opened
from services.installing import shared_secret_of, tenant_row
from services.key_rotation import rotate_keys
from services.sites import site_opened
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable, Vault
from tests.world import ACME, ACME_KEY, ANA_TOKEN, World, credential_key


def with_keys(world: World, *keys: str) -> Toolbox:
    """The same deployment with other CREDENTIAL_KEYS."""
    settings = world.tools.settings
    environment = {
        "BASE_URL": settings.base_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "CREDENTIAL_KEYS": ",".join(keys),
    }
    return replace(world.tools, vault=Vault(Settings.from_environment(environment).credential_keys))


def filled(world: World) -> None:
    ana = world.store_key()
    expires_on = world.in_a_year()
    credential_storing.store_api_token(
        world.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=expires_on
    )


def sealed(world: World) -> list[bytes]:
    ana, gina = world.caller("ana").tenant, world.caller("gina", "globex").tenant
    rows = [world.stored(Credential, ana, kind) for kind in ("admin_key", "api_token")]
    return [
        *(row.sealed for row in rows),
        rows[1].email_sealed,
        *(world.stored(Tenant, tenant).shared_secret_sealed for tenant in (ana, gina)),
    ]


def test_rotation(world: World) -> None:
    filled(world)
    old = world.tools.settings.credential_keys[0]
    second = credential_key("k2")
    assert rotate_keys(world.tools) == 0, "nothing to do"
    new_only = with_keys(world, second)
    both = replace(new_only, vault=Vault([*_keys(second), old]))
    before = sealed(world)
    assert rotate_keys(both) == len(before) == 5
    assert all(value.startswith(b"k2\0") for value in sealed(world))
    assert rotate_keys(both) == 0
    # The old key may go now.
    ana = world.caller("ana")
    for one in world.control("GET", "/tenants"):
        assert shared_secret_of(new_only, one["client_key"]) == one["shared_secret"]
    view = credentials.check_now(new_only, ana, CredentialKind.API_TOKEN)
    assert (view.email, view.state) == ("ana@acme.example", "working")
    with opened(new_only, ACME) as gateway:
        assert gateway.organizations()


def test_a_value_that_does_not_open_stops_the_rotation(sqlite_world: World) -> None:
    filled(sqlite_world)
    with sqlite_world.tools.begin() as session:
        token = session.get_one(Credential, (sqlite_world.caller("ana").tenant, "api_token"))
        token.email_sealed = token.sealed
    before = sealed(sqlite_world)
    both = Vault([*_keys(credential_key("k2")), sqlite_world.tools.settings.credential_keys[0]])
    with pytest.raises(CredentialUnreadable):
        rotate_keys(replace(sqlite_world.tools, vault=both))
    assert sealed(sqlite_world) == before


@contextmanager
def just_before_a_secret_is_written(world: World, deed: Callable[[], object], times: int) -> Iterator[None]:
    """Somebody else does it between the reading and the writing of the rotation, so many times."""
    left, busy = times, False

    def written(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        nonlocal left, busy
        if left and not busy and statement.startswith("UPDATE tenant"):
            left, busy = left - 1, True
            deed()
            busy = False

    event.listen(world.tools.engine, "before_cursor_execute", written)
    try:
        yield
    finally:
        event.remove(world.tools.engine, "before_cursor_execute", written)


def test_a_secret_that_came_meanwhile_stays(world: World) -> None:
    filled(world)
    both = replace(
        world.tools, vault=Vault([*_keys(credential_key("k2")), *world.tools.settings.credential_keys])
    )
    before = {one["client_key"]: one["shared_secret"] for one in world.control("GET", "/tenants")}
    with just_before_a_secret_is_written(world, lambda: world.install("acme"), 1):
        assert rotate_keys(both) == 5
    after = {one["client_key"]: one["shared_secret"] for one in world.control("GET", "/tenants")}
    assert before != after
    assert {client_key: shared_secret_of(both, client_key) for client_key in after} == after
    assert all(value.startswith(b"k2\0") for value in sealed(world)), "the new one is sealed anew, too"


def test_a_rotation_that_never_catches_up_says_so(sqlite_world: World) -> None:
    world = sqlite_world
    filled(world)
    both = replace(
        world.tools, vault=Vault([*_keys(credential_key("k2")), *world.tools.settings.credential_keys])
    )
    key = world.caller("ana").tenant

    def again() -> None:
        with world.tools.begin() as session:
            newer = world.tools.vault.seal("newer", row=tenant_row(key), column="shared_secret_sealed")
            session.get_one(Tenant, key).shared_secret_sealed = newer

    with just_before_a_secret_is_written(world, again, 100), pytest.raises(Conflict):
        rotate_keys(both)
    assert shared_secret_of(both, key) == "newer"
    assert rotate_keys(both) == 1


def test_the_command(sqlite_world: World) -> None:
    filled(sqlite_world)
    done = sqlite_world.app.test_cli_runner().invoke(args=["rotate-keys"])
    assert (done.exit_code, done.output) == (0, "0 secrets sealed anew.\n")


def test_the_command_says_which_secret_does_not_open_and_what_to_do(sqlite_world: World) -> None:
    filled(sqlite_world)
    key = sqlite_world.caller("ana").tenant
    lost = Vault(_keys(credential_key("k0")))
    with sqlite_world.tools.begin() as session:
        row = session.get_one(Credential, (key, "admin_key"))
        row.sealed = lost.seal(ACME_KEY, row=f"credential/{key}/admin_key", column="sealed")
    done = sqlite_world.app.test_cli_runner().invoke(args=["rotate-keys"])
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True)
    assert f"credential/{key}/admin_key, sealed: its key is not among CREDENTIAL_KEYS" in done.output
    assert "Put the key that sealed it back into CREDENTIAL_KEYS" in done.output


def test_another_key_of_the_same_id_is_told_before_it_seals_anything(sqlite_world: World) -> None:
    filled(sqlite_world)
    before = sealed(sqlite_world)
    same_id = credential_key(sqlite_world.tools.settings.credential_keys[0].id)
    with pytest.raises(CredentialUnreadable, match="another key of this id sealed it"):
        rotate_keys(with_keys(sqlite_world, same_id))
    assert sealed(sqlite_world) == before


def test_a_key_that_does_not_open_any_more_says_so_and_the_next_door_s_is_taken(sqlite_world: World) -> None:
    world = sqlite_world
    world.install("acme", "confluence")
    ana = world.store_key()
    new_only = with_keys(world, credential_key("k2"))
    result = world.sync(ana, new_only)
    assert result.state == "failed"
    assert result.problem == (
        "The stored Admin API key can no longer be read: the key that sealed it is gone. Create a new key under "
        "Settings → API keys of your organization, and save it under Configure Token."
    )
    view = credentials.show(new_only, ana, CredentialKind.ADMIN_KEY)
    assert view is not None
    assert (view.state, view.check_result) == ("rejected", result.problem)
    priya = world.caller("priya", product="confluence")
    credential_storing.store_admin_key(new_only, priya, key=ACME_KEY, expires_on=world.in_a_year())
    world.later(minutes=1)
    credential_storing.store_admin_key(world.tools, ana, key=ACME_KEY, expires_on=world.in_a_year())
    world.sync(ana, new_only)
    world.later(minutes=1)
    assert world.sync(ana, new_only).state == "complete", "Confluence's key opens"


def test_a_token_that_does_not_open_any_more_says_so(sqlite_world: World) -> None:
    filled(sqlite_world)
    new_only = with_keys(sqlite_world, credential_key("k2"))
    key = sqlite_world.caller("ana").tenant
    with pytest.raises(Unauthorized) as refused, site_opened(new_only, ACME, key):
        """Not reached."""
    assert refused.value.sentence.startswith("The stored API token can no longer be read")


def _keys(*entries: str) -> tuple[object, ...]:
    environment = {
        "BASE_URL": "http://127.0.0.1",
        "DATABASE_URL": "sqlite:///x",
        "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz0123456789",
        "CREDENTIAL_KEYS": ",".join(entries),
    }
    return Settings.from_environment(environment).credential_keys
