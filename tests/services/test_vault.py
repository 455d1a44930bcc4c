"""Secrets at rest: sealed, bound to their place, openable by several keys (S37, S38)."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import update

from config import CredentialKey
from connect.errors import NotReady, Unauthorized
from models.credential import Credential, CredentialKind
from models.tenant import Tenant
from services import credential_storing, credentials
from services.doors import credential_row, opened
from services.installing import shared_secret_of
from services.vault import CredentialUnreadable, Vault
from tests.world import ACME, ACME_KEY, ANA_TOKEN, GLOBEX, World

OLD, NEW = (CredentialKey(name, secrets.token_bytes(32)) for name in ("old", "new"))
ROW = credential_row("acme", CredentialKind.ADMIN_KEY)


def test_what_is_sealed_opens_at_its_place_alone() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("the secret ✓", row=ROW, column="sealed")
    assert vault.open(sealed, row=ROW, column="sealed") == "the secret ✓"
    assert b"the secret" not in sealed
    assert vault.seal("the secret ✓", row=ROW, column="sealed") != sealed, "never the same twice"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (credential_row("globex", CredentialKind.ADMIN_KEY), "sealed"),
        (credential_row("acme", CredentialKind.API_TOKEN), "sealed"),
        (ROW, "email_sealed"),
        ("tenant/acme", "shared_secret_sealed"),
        (ROW + "s", "ealed"),
        (ROW[:-1], ROW[-1] + "sealed"),
    ],
)
def test_s38_at_another_place_it_does_not_open(row: str, column: str) -> None:
    vault = Vault([NEW])
    with pytest.raises(CredentialUnreadable) as refused:
        vault.open(vault.seal("the secret", row=ROW, column="sealed"), row=row, column=column)
    assert "the secret" not in str(refused.value)


@pytest.mark.parametrize("at", [0, 3, 4, 15, 20, -1])
def test_s38_a_changed_byte_is_noticed(at: int) -> None:
    vault = Vault([NEW])
    sealed = bytearray(vault.seal("the secret", row=ROW, column="sealed"))
    sealed[at] ^= 1
    with pytest.raises(CredentialUnreadable):
        vault.open(bytes(sealed), row=ROW, column="sealed")


@pytest.mark.parametrize(
    "sealed", [b"", b"new", b"new\0", b"new\0short", b"\xff\0" + bytes(40), b"gone\0" + bytes(40)]
)
def test_nonsense_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CredentialUnreadable):
        Vault([NEW]).open(sealed, row=ROW, column="sealed")


def test_the_first_key_seals_and_all_of_them_open() -> None:
    old = Vault([OLD]).seal("the secret", row=ROW, column="sealed")
    both = Vault([NEW, OLD])
    assert both.open(old, row=ROW, column="sealed") == "the secret"
    assert not both.is_current(old)
    new = both.seal("the secret", row=ROW, column="sealed")
    assert both.is_current(new)
    with pytest.raises(CredentialUnreadable):
        Vault([OLD]).open(new, row=ROW, column="sealed")


def test_a_key_s_name_is_sealed_too() -> None:
    """The same key under another name opens nothing."""
    sealed = Vault([OLD]).seal("the secret", row=ROW, column="sealed")
    renamed = CredentialKey("new", OLD.key)
    with pytest.raises(CredentialUnreadable):
        Vault([renamed]).open(b"new" + sealed[3:], row=ROW, column="sealed")


def test_a_vault_needs_a_key() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Vault([])


def test_s38_swapping_two_tenants_ciphertexts_opens_nothing(sqlite_world: World) -> None:
    """acme's key copied to globex's row, and the other way round."""
    world, tools = sqlite_world, sqlite_world.tools
    ana, gina = world.store_key("ana"), world.store_key("gina", "globex")
    rows = {who.tenant: world.stored(Credential, who.tenant, "admin_key").sealed for who in (ana, gina)}
    tenants = {who.tenant: world.stored(Tenant, who.tenant).shared_secret_sealed for who in (ana, gina)}
    with tools.begin() as session:
        for here, there in ((ana.tenant, gina.tenant), (gina.tenant, ana.tenant)):
            session.execute(
                update(Credential).where(Credential.client_key == here).values(sealed=rows[there])
            )
            session.execute(
                update(Tenant).where(Tenant.client_key == here).values(shared_secret_sealed=tenants[there])
            )
    asked = len(world.requests("^/admin/"))
    for organization_id in (ACME, GLOBEX):
        with pytest.raises(Unauthorized, match="credential_unreadable"), opened(tools, organization_id):
            pass
    for who in (ana, gina):
        assert shared_secret_of(tools, who.tenant) is None
    assert len(world.requests("^/admin/")) == asked
    assert world.call("GET", "/app/overview").status_code == 401


def test_s38_swapping_two_columns_opens_nothing(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.caller("ana")
    credential_storing.store_api_token(
        world.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=world.in_a_year()
    )
    row = world.stored(Credential, ana.tenant, "api_token")
    with world.tools.begin() as session:
        session.execute(update(Credential).values(sealed=row.email_sealed, email_sealed=row.sealed))
    shown = credentials.show(world.tools, ana, CredentialKind.API_TOKEN)
    assert shown is not None, "the page that lets one replace it still opens"
    assert shown.email is None
    checked = credentials.check_now(world.tools, ana, CredentialKind.API_TOKEN)
    assert checked.state == "rejected"
    assert "can no longer be read" in checked.check_result


def test_without_any_key_there_is_nothing_to_open(sqlite_world: World) -> None:
    with pytest.raises(NotReady, match="no_admin_key"), opened(sqlite_world.tools, ACME):
        pass


def test_the_key_that_opens_is_the_one_that_was_stored(sqlite_world: World) -> None:
    sqlite_world.store_key()
    sealed = sqlite_world.stored(Credential, sqlite_world.caller("ana").tenant, "admin_key").sealed
    row = credential_row(sqlite_world.caller("ana").tenant, CredentialKind.ADMIN_KEY)
    assert sqlite_world.tools.vault.open(sealed, row=row, column="sealed") == ACME_KEY
