"""Configure Token: proven at Atlassian before anything is stored; each failure says what to do (S27, S37, S42)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from connect.caller import Caller
from connect.errors import (
    AppError,
    Forbidden,
    Invalid,
    NotFound,
    NotReady,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from models.credential import Credential, CredentialKind, CredentialState
from models.organization import Organization
from models.sync import SyncState
from models.tenant import Tenant
from rules.topics import Topic
from services import (
    credential_storing,
    credentials,
    daily_checks,
    leaving,
    matters,
    operators,
    run_progress,
    syncing,
)
from services.doors import opened, organization_of
from services.sites import site_opened
from tests.world import (
    ACCOUNTS,
    ACME,
    ACME_KEY,
    ANA_TOKEN,
    EXPIRED_KEY,
    EXPIRED_TOKEN,
    GLOBEX,
    GLOBEX_KEY,
    JON_TOKEN,
    SCOPED_KEY,
    SCOPED_TOKEN,
    UMA_TOKEN,
    World,
)
from views.access import TOOLS
from views.audit_words import result_words

ADMIN_KEY, API_TOKEN = CredentialKind.ADMIN_KEY, CredentialKind.API_TOKEN


def store(world: World, *, key: str = ACME_KEY, days: int = 300, caller: Caller | None = None) -> None:
    expires_on = (world.clock() + timedelta(days=days)).date().isoformat()
    caller = caller or world.caller("ana")
    credential_storing.store_admin_key(world.tools, caller, key=key, expires_on=expires_on)


def store_token(
    world: World,
    *,
    token: str = ANA_TOKEN,
    email: str = "ana@acme.example",
    days: int = 300,
    product: str = "jira",
) -> None:
    expires_on = (world.clock() + timedelta(days=days)).date().isoformat()
    caller = world.caller("ana", product=product)
    credential_storing.store_api_token(world.tools, caller, email=email, token=token, expires_on=expires_on)


def day(date: date) -> str:
    return f"{date.day} {date:%B %Y}"


def nothing_is_stored(world: World) -> None:
    tables = world.dump()
    for name in ("credential", "organization", "operator", "sync"):
        assert tables[name] == []
    assert organization_of(world.tools, world.caller("ana")) is None


REFUSED_KEYS = {
    "ATCTT3-a-key-that-was-never-made": ("key_rejected", "Atlassian rejects this key"),
    EXPIRED_KEY: ("key_rejected", "Atlassian rejects this key"),
    SCOPED_KEY: ("key_scope_too_small", "scopes are too small"),
    GLOBEX_KEY: ("other_organization", "belongs to “Globex Research”, which does not own 127.0.0.1"),
    " ": ("invalid", "The Admin API key is missing"),
    "short": ("invalid", "does not look like an Admin API key"),
    "two words, not one key": ("invalid", "does not look like an Admin API key"),
    "ключ" * 10: ("invalid", "does not look like an Admin API key"),
    "A" * 2001: ("invalid", "does not look like an Admin API key"),
}


def test_s27_each_key_that_is_no_good_has_its_sentence_and_nothing_is_stored(sqlite_world: World) -> None:
    for key, (reason, words) in REFUSED_KEYS.items():
        with pytest.raises(Invalid) as refused:
            store(sqlite_world, key=key)
        assert (refused.value.field, refused.value.reason) == ("key", reason)
        assert words in refused.value.sentence
        assert refused.value.next_step
        assert reason != "key_rejected" or "has not expired" in refused.value.next_step
        assert len(key) < 10 or key not in refused.value.sentence + refused.value.next_step
    nothing_is_stored(sqlite_world)


@pytest.mark.parametrize(
    ("part", "other"),
    [("//127.", "//7."), ("//127.", "//own-127."), ("http:", "https:"), ("//127.0", "//127.1")],
)
def test_s27_a_key_does_not_open_a_site_whose_address_only_looks_alike(
    sqlite_world: World, part: str, other: str
) -> None:
    with sqlite_world.tools.begin() as session:
        door = session.get_one(Tenant, sqlite_world.caller("ana").tenant)
        assert part in door.base_url
        door.base_url = door.base_url.replace(part, other)
    with pytest.raises(Invalid, match="other_organization"):
        store(sqlite_world)
    nothing_is_stored(sqlite_world)


UMA, ANA = "uma@acme.example", "ana@acme.example"
REFUSED_TOKENS = {
    (EXPIRED_TOKEN, ANA): ("token", "token_rejected", "rejects this e-mail address and token"),
    (SCOPED_TOKEN, ANA): ("token", "token_rejected", "rejects this e-mail address and token"),
    (UMA_TOKEN, ANA): ("token", "token_rejected", "rejects this e-mail address and token"),
    (UMA_TOKEN, UMA): ("token", "not_an_administrator", "may not administer Jira"),
    (ANA_TOKEN, "ana"): ("email", "invalid", "not an e-mail address"),
    (ANA_TOKEN, "ana @acme.example"): ("email", "invalid", "not an e-mail address"),
    (ANA_TOKEN, "mailto:ana@acme.example"): ("email", "invalid", "not an e-mail address"),
    (ANA_TOKEN, "ana\t@acme.example"): ("email", "invalid", "not an e-mail address"),
    ("", ANA): ("token", "invalid", "The API token is missing"),
    ("short", ANA): ("token", "invalid", "does not look like an API token"),
}


def test_each_token_that_is_no_good_has_its_sentence_and_nothing_is_stored(sqlite_world: World) -> None:
    for (token, email), (field, reason, words) in REFUSED_TOKENS.items():
        with pytest.raises(Invalid) as refused:
            store_token(sqlite_world, token=token, email=email)
        assert (refused.value.field, refused.value.reason) == (field, reason)
        assert words in refused.value.sentence
        assert refused.value.next_step
    nothing_is_stored(sqlite_world)


def test_a_token_whose_scopes_are_too_small_is_not_said_to_be_of_no_administrator(
    sqlite_world: World,
) -> None:
    sqlite_world.fault("^/rest/api/3/my", "403-scopes")
    with pytest.raises(Invalid) as refused:
        store_token(sqlite_world)
    assert (refused.value.field, refused.value.reason) == ("token", "token_scope_too_small")
    assert "its scopes are too small" in refused.value.sentence
    assert "without scopes" in refused.value.next_step
    nothing_is_stored(sqlite_world)
    (entry,) = sqlite_world.audit("credential:refused")
    assert result_words(entry.result, entry.details) == "API token: Its scopes are too small"


@pytest.mark.parametrize("put", [store, store_token])
def test_a_day_that_cannot_be(sqlite_world: World, put: Callable[..., None]) -> None:
    for days, words in ((-1, "This day is over"), (400, "longer than a year")):
        with pytest.raises(Invalid) as refused:
            put(sqlite_world, days=days)
        assert refused.value.field == "expires_on"
        assert words in refused.value.sentence
    with pytest.raises(Invalid, match="invalid"):
        credential_storing.store_admin_key(
            sqlite_world.tools, sqlite_world.caller("ana"), key=ACME_KEY, expires_on="next year"
        )
    nothing_is_stored(sqlite_world)


def test_an_anonymous_visitor_stores_nothing(sqlite_world: World) -> None:
    with pytest.raises(Forbidden):
        store(sqlite_world, caller=replace(sqlite_world.caller("ana"), account_id=None))
    nothing_is_stored(sqlite_world)
    assert sqlite_world.requests("^/admin/") == [], "Atlassian was not even asked"


def test_a_token_of_somebody_else_s_address(sqlite_world: World) -> None:
    """The sandbox, like Atlassian, refuses another address at once; a renamed account's old address still passes."""
    sqlite_world.change(ACCOUNTS["ana"], email="ana.maric@acme.example")
    with pytest.raises(Invalid) as refused:
        store_token(sqlite_world)
    assert (refused.value.field, refused.value.reason) == ("email", "email_mismatch")
    assert "another e-mail address" in refused.value.sentence
    nothing_is_stored(sqlite_world)


def test_atlassian_unreachable(sqlite_world: World) -> None:
    for kind, expected, words in (
        ("503", Unavailable, "could not be reached, or failed"),
        ("500", Unavailable, "could not be reached, or failed"),
        ("reset", Unavailable, "could not be reached, or failed"),
        ("429", RateLimited, "slow down"),
        ("html", Unavailable, "in front of Atlassian"),
        ("garbled", Unavailable, "does not understand"),
    ):
        for path, put in (("^/admin/v2/.*/workspaces", store), ("^/rest/api/3/my", store_token)):
            sqlite_world.fault(path, kind, seconds=120)
            with pytest.raises(expected) as refused:
                put(sqlite_world)
            assert words in refused.value.sentence
            # Nothing was stored, so nothing goes on by itself.
            assert refused.value.next_step.startswith("Try again")
    nothing_is_stored(sqlite_world)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "put"), [("^/admin/v1/orgs", store), ("^/rest/api/3/my", store_token)])
def test_a_late_answer_is_told_before_the_page_gives_up(
    sqlite_world: World, path: str, put: Callable[..., None]
) -> None:
    sqlite_world.fault(path, "slow", seconds=20)
    with pytest.raises(Unavailable):
        put(sqlite_world)
    nothing_is_stored(sqlite_world)


def test_a_refusal_is_in_the_audit_without_the_secret(sqlite_world: World) -> None:
    with pytest.raises(Invalid):
        store(sqlite_world, key=GLOBEX_KEY)
    (entry,) = sqlite_world.audit("credential:refused")
    assert (entry.actor, entry.result, entry.details) == (
        ACCOUNTS["ana"],
        "other_organization",
        {"kind": "admin_key"},
    )
    assert GLOBEX_KEY not in repr(sqlite_world.dump())


def test_an_admin_key_is_stored_sealed_and_opens_the_organization(world: World) -> None:
    store(world)
    ana = world.caller("ana")
    assert organization_of(world.tools, ana) == ACME
    view = credentials.show(world.tools, ana, ADMIN_KEY)
    assert view is not None
    assert (view.last_four, view.stored_by, view.state) == (ACME_KEY[-4:], ACCOUNTS["ana"], "working")
    assert (view.expires_in_days, view.email) == (300, None)
    assert ACME_KEY not in repr(view)
    # It starts a sync by itself, and the giver is an operator.
    tables = world.dump()
    assert len(tables["sync"]) == len(tables["operator"]) == 1
    assert [
        entry.event for entry in world.audit("credential:stored", "organization:linked", "operator:named")
    ] == [
        "organization:linked",
        "operator:named",
        "credential:stored",
    ]
    with opened(world.tools, ACME) as gateway:
        assert [organization.id for organization in gateway.organizations()] == [ACME]


@pytest.mark.parametrize("product", ["jira", "confluence"])
def test_a_token_is_stored_with_its_address(sqlite_world: World, product: str) -> None:
    if product == "confluence":
        sqlite_world.install("acme", "confluence")
    store_token(sqlite_world, product=product, email=" Ana@acme.example ")
    view = credentials.show(sqlite_world.tools, sqlite_world.caller("ana", product=product), API_TOKEN)
    assert view is not None
    assert (view.email, view.last_four) == ("Ana@acme.example", ANA_TOKEN[-4:])
    row = sqlite_world.stored(Credential, sqlite_world.caller("ana", product=product).tenant, "api_token")
    assert row.owner_account_id == ACCOUNTS["ana"]
    with pytest.raises(Invalid, match="not_an_administrator"):
        store_token(sqlite_world, product=product, token=UMA_TOKEN, email="uma@acme.example")
    again = credentials.show(sqlite_world.tools, sqlite_world.caller("ana", product=product), API_TOKEN)
    assert again == view, "a refused token replaces nothing"


@pytest.mark.parametrize("put", [store, store_token])
def test_s16_what_is_proven_while_the_app_is_uninstalled_is_not_stored(
    world: World, put: Callable[..., None]
) -> None:
    now = world.clock

    def uninstalled_once_atlassian_has_answered() -> datetime:
        if world.requests("^/admin/|/permissions$|/mypermissions$"):
            world.app.extensions[TOOLS] = replace(world.tools, clock=now)
            world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
        return now()

    world.app.extensions[TOOLS] = replace(world.tools, clock=uninstalled_once_atlassian_has_answered)
    with pytest.raises(NotFound) as refused:
        put(world)
    assert "not installed here any more" in refused.value.sentence
    assert world.rows(Credential) == world.rows(Organization) == []
    (tenant,) = [one for one in world.rows(Tenant) if one.uninstalled_at is not None]
    assert tenant.organization_id is None
    assert world.audit("credential:stored", "organization:linked") == []


def test_s37_no_secret_is_in_the_database(sqlite_world: World) -> None:
    store(sqlite_world)
    store_token(sqlite_world)
    secrets = [
        ACME_KEY,
        ANA_TOKEN,
        *(one["shared_secret"] for one in sqlite_world.control("GET", "/tenants")),
    ]
    with sqlite_world.tools.begin() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        content = connection.serialize()
    assert b"credential:stored" in content
    for secret in secrets:
        assert secret.encode() not in content
        assert secret[:-4].encode() not in content
    assert b"ana@acme.example" not in content, "the Admin Email is sealed too"


def test_replacing(sqlite_world: World) -> None:
    store_token(sqlite_world)
    sqlite_world.later(days=1)
    store_token(sqlite_world, token=JON_TOKEN, email="jon@acme.example", days=100)
    view = credentials.show(sqlite_world.tools, sqlite_world.caller("ana"), API_TOKEN)
    assert view is not None
    assert (view.email, view.last_four, view.expires_in_days) == ("jon@acme.example", JON_TOKEN[-4:], 100)
    assert len(sqlite_world.dump()["credential"]) == 1
    (entry,) = sqlite_world.audit("credential:replaced")
    assert entry.details == {"kind": "api_token"}


def test_check_now(sqlite_world: World) -> None:
    world, tools, ana = sqlite_world, sqlite_world.tools, sqlite_world.caller("ana")
    with pytest.raises(NotFound):
        credentials.check_now(tools, ana, ADMIN_KEY)
    store(world)
    store_token(world)
    world.later(hours=1)
    for kind in CredentialKind:
        view = credentials.check_now(tools, ana, kind)
        assert (view.state, view.check_result) == ("working", "Works.")
        assert world.clock() - view.checked_at < timedelta(minutes=1)
    world.fault(".*", "503", times=2)
    for kind in CredentialKind:
        view = credentials.check_now(tools, ana, kind)
        assert view.state == "unchecked"
        assert "could not be reached" in view.check_result
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.control("POST", f"/keys/{ANA_TOKEN}/expire")
    for kind in CredentialKind:
        view = credentials.check_now(tools, ana, kind)
        assert view.state == "rejected"
        assert f"though it should last until {day(view.expires_on)}" in view.check_result
        assert "Create a new" in view.check_result
    assert len(world.audit("credential:checked")) == 6
    assert ACME_KEY not in repr(world.dump())


def test_a_dead_key_stays_dead_while_atlassian_does_not_answer(sqlite_world: World) -> None:
    world, tools, ana = sqlite_world, sqlite_world.tools, sqlite_world.caller("ana")
    store(world)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    why = credentials.check_now(tools, ana, ADMIN_KEY).check_result
    (said,) = [each for each in matters.matters(tools, ACME) if "of no use" in each.sentence]
    world.fault("^/admin/v1/orgs$", "503")
    view = credentials.check_now(tools, ana, ADMIN_KEY)
    assert view.state == "rejected"
    assert "could not be reached" in view.check_result
    kept = credentials.show(tools, ana, ADMIN_KEY)
    assert kept is not None
    assert kept.check_result == why
    assert said in matters.matters(tools, ACME)
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    assert credentials.check_now(tools, ana, ADMIN_KEY).state == "working"


@pytest.mark.parametrize("days", [0, 1, 40])
def test_what_has_expired_says_so_and_when(sqlite_world: World, days: int) -> None:
    """Atlassian answers 401 to expired and revoked alike: the day that was typed tells them apart."""
    world, tools, ana = sqlite_world, sqlite_world.tools, sqlite_world.caller("ana")
    store(world, days=30)
    store_token(world, days=30)
    world.later(days=30 + days)
    over = day((world.clock() - timedelta(days=days)).date())
    for kind, name in ((ADMIN_KEY, "Admin API key"), (API_TOKEN, "API token")):
        view = credentials.check_now(tools, ana, kind)
        assert (view.state, view.check_result) == ("working", "Works."), "a date alone rejects nothing"
        world.control("POST", f"/keys/{ACME_KEY if kind is ADMIN_KEY else ANA_TOKEN}/expire")
        view = credentials.check_now(tools, ana, kind)
        assert view.state == "rejected"
        assert view.check_result.startswith(f"The {name} expired on {over}. Create a new ")
    died = [entry.result for entry in world.audit("credential:died")]
    assert died == [f"The Admin API key expired on {over}.", f"The API token expired on {over}."]


@pytest.mark.parametrize(("days", "words"), [(31, "expired on"), (2, "though it should last until")])
def test_a_deed_that_meets_a_dead_key_says_which_it_was(sqlite_world: World, days: int, words: str) -> None:
    world = sqlite_world
    store(world, days=30)
    world.later(days=days)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    with pytest.raises(Unauthorized) as refused, opened(world.tools, ACME) as gateway:
        gateway.organizations()
    row = world.stored(Credential, world.caller("ana").tenant, "admin_key")
    assert f"{words} {day(row.expires_on)}" in refused.value.sentence
    assert row.check_result == f"{refused.value.sentence} {refused.value.next_step}"
    assert row.state == CredentialState.REJECTED


def test_check_now_is_told_apart_from_other_answers(sqlite_world: World) -> None:
    """An answer that nobody understands is stored as such and never breaks the page or the daily round."""
    store(sqlite_world)
    sqlite_world.fault("^/admin/v1/orgs$", "odd")
    view = credentials.check_now(sqlite_world.tools, sqlite_world.caller("ana"), ADMIN_KEY)
    assert view.state == "unchecked"
    assert "does not understand" in view.check_result


def test_a_key_that_dies_is_marked_once_and_another_door_s_is_taken(sqlite_world: World) -> None:
    world = sqlite_world
    world.install("acme", "confluence")
    store(world, caller=world.caller("priya", product="confluence"))
    world.later(minutes=1)
    second = "ATCTT3-sandbox-acme-second-key-1111222233334444"
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(
            "INSERT INTO admin_key VALUES (?,?,?,?,?,?)", (second, "acme", ACCOUNTS["ana"], 0, 0, "second")
        )
    store(world, key=second)
    world.control("POST", f"/keys/{second}/expire")
    for _ in range(2):
        result = world.sync(world.caller("ana"))
        world.later(minutes=1)
    assert result.state == SyncState.COMPLETE, "Confluence's key still works"
    assert len(world.audit("credential:died")) == 1
    row = world.stored(Credential, world.caller("ana").tenant, "admin_key")
    assert row.state == CredentialState.REJECTED


def test_the_daily_check(sqlite_world: World) -> None:
    world, tools = sqlite_world, sqlite_world.tools
    store(world)
    assert daily_checks.credentials_due(tools) == []
    world.later(hours=25)
    ((organization_id, client_key, kind, _),) = daily_checks.credentials_due(tools)
    assert (organization_id, client_key, kind) == (ACME, world.caller("ana").tenant, ADMIN_KEY)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    daily_checks.check_credential(tools, client_key, kind)
    assert daily_checks.credentials_due(tools) == []
    assert world.stored(Credential, client_key, "admin_key").state == CredentialState.REJECTED
    assert [entry.actor for entry in world.audit("credential:died", "credential:checked")] == ["rollcall"] * 2


def test_a_token_whose_owner_may_not_administer_any_more_is_not_said_to_be_rejected(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.store_key()
    store_token(world)
    world.change(ACCOUNTS["ana"], platform_roles="[]")
    for group in world.holding(ACCOUNTS["ana"])["groups"]:
        body = {"group": group, "member": False}
        world.control("POST", f"/people/{ACCOUNTS['ana']}/groups", body)
    assert credentials.check_now(world.tools, ana, API_TOKEN).state == "rejected"
    with pytest.raises(NotReady) as refused, site_opened(world.tools, ACME, ana.tenant):
        """Not reached."""
    assert refused.value.sentence == (
        "The API token of this site is of no use: This account may not administer Jira. Make the token with an "
        "administrator's account, or give this account the administrator role."
    )
    (matter,) = [one for one in matters.matters(world.tools, ACME) if one.topic == Topic.KEY_DEAD]
    assert matter.sentence == "The API token is of no use any more."


def move_key(world: World, organization: str) -> None:
    """As if acme's site had left its organization: the key still opens one, but the site is not in it."""
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE admin_key SET org = ? WHERE key = ?", (organization, ACME_KEY))


def test_s27_a_site_that_left_the_organization_is_no_door_after_the_second_check(world: World) -> None:
    ana, jon = world.synced(), world.caller("jon")
    operators.name_operator(world.tools, ana, ACCOUNTS["jon"])
    run_id = world.begin_run(ana, world.changeable(2))
    move_key(world, "globex")
    world.later(hours=25)
    daily_checks.check_credential(world.tools, ana.tenant, ADMIN_KEY)
    assert world.stored(Credential, ana.tenant, "admin_key").state == CredentialState.REJECTED
    assert operators.is_operator(world.tools, jon, fresh=True), "once may be a slip"
    credentials.check_now(world.tools, ana, ADMIN_KEY)
    assert world.audit("organization:unlinked") == [], "and so may the next one, soon after"
    world.later(hours=1)
    view = credentials.check_now(world.tools, ana, ADMIN_KEY)
    assert (view.state, "this site is no longer in the organization" in view.check_result) == (
        "rejected",
        True,
    )
    for somebody in (ana, jon):
        assert not operators.is_operator(world.tools, somebody, fresh=True)
        assert organization_of(world.tools, somebody) is None
    assert world.stored(Organization, ACME).doorless_since is not None
    assert set(world.states(run_id).values()) == {"cancelled"}
    (entry,) = world.audit("organization:unlinked")
    assert (entry.organization_id, entry.client_key, entry.actor) == (ACME, ana.tenant, ACCOUNTS["ana"])
    assert "does not own 127.0.0.1" in entry.result
    # It stays so, also when the site comes back: what opened the door once was a proof, not a check.
    for organization, words in (("globex", "does not own"), ("acme", "Save the key once more")):
        move_key(world, organization)
        for _ in range(2):
            assert words in credentials.check_now(world.tools, ana, ADMIN_KEY).check_result
        assert organization_of(world.tools, ana) is None
    assert len(world.audit("organization:unlinked")) == 1
    world.store_key()
    assert organization_of(world.tools, ana) == ACME
    assert operators.is_operator(world.tools, jon, fresh=True)


def test_s27_one_check_between_two_others_starts_the_count_anew(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    for organization in ("globex", "acme", "globex"):
        move_key(world, organization)
        world.later(hours=1)
        credentials.check_now(world.tools, ana, ADMIN_KEY)
    world.fault("^/admin/", "503")
    world.later(hours=1)
    assert "could not be reached" in credentials.check_now(world.tools, ana, ADMIN_KEY).check_result
    credentials.check_now(world.tools, ana, ADMIN_KEY)
    assert organization_of(world.tools, ana) == ACME


def test_s27_another_door_of_the_organization_stays_open(sqlite_world: World) -> None:
    world = sqlite_world
    world.install("acme", "confluence")
    ana, priya = world.store_key(), world.store_key("priya", product="confluence")
    move_key(world, "globex")
    for _ in range(2):
        credentials.check_now(world.tools, ana, ADMIN_KEY)
        world.later(hours=1)
    assert organization_of(world.tools, ana) is None
    assert organization_of(world.tools, priya) == ACME
    assert world.stored(Organization, ACME).doorless_since is None


def test_an_organization_reads_in_its_audit_that_a_key_of_another_one_took_its_door(
    sqlite_world: World,
) -> None:
    """The site has moved from globex to acme, and somebody stores acme's key there."""
    world = sqlite_world
    world.store_key("gina", "globex")
    ana = world.caller("ana")
    with world.tools.begin() as session:
        session.get_one(Tenant, ana.tenant).organization_id = GLOBEX
    store(world)
    assert organization_of(world.tools, ana) == ACME
    (entry,) = world.audit("organization:unlinked")
    assert (entry.organization_id, entry.client_key, entry.actor) == (GLOBEX, ana.tenant, ACCOUNTS["ana"])
    assert entry.result == "The key now opens another organization."


@pytest.mark.parametrize("other", ["opens", "closes"])
def test_s16_two_doors_that_move_at_once_see_each_other(world: World, other: str) -> None:
    """Else the people behind an open door would be purged, or those behind no door never."""
    world.install("acme", "confluence")
    ana, priya = world.store_key(), world.caller("priya", product="confluence")
    if other == "closes":
        store(world, caller=priya)
    with ThreadPoolExecutor(1) as beside:
        with world.tools.begin() as session:
            tenant = session.get_one(Tenant, ana.tenant)
            leaving.leave(session, tenant, actor="ana", now=world.clock(), reason="")
            meanwhile = (
                beside.submit(store, world, caller=priya)
                if other == "opens"
                else beside.submit(credentials.forget, world.tools, priya, ADMIN_KEY)
            )
            wait([meanwhile], timeout=2)
        meanwhile.result()
    assert (organization_of(world.tools, priya) is None) == (other == "closes")
    assert (world.stored(Organization, ACME).doorless_since is None) == (other == "opens")


def test_forgetting_the_key_closes_the_door_and_stops_the_work(world: World) -> None:
    ana = world.synced()
    run_id = world.begin_run(ana, world.changeable(2))
    syncing.request_sync(world.tools, ana)
    credentials.forget(world.tools, ana, ADMIN_KEY)
    assert credentials.show(world.tools, ana, ADMIN_KEY) is None
    assert organization_of(world.tools, ana) is None
    assert world.stored(Tenant, ana.tenant).organization_id is None
    assert world.stored(Organization, ACME).doorless_since is not None
    assert set(world.states(run_id).values()) == {"cancelled"}
    progress = syncing.progress(world.tools, ACME)
    assert progress is not None
    assert progress.state == SyncState.STOPPED
    with pytest.raises(AppError, match="no_organization"):
        run_progress.show_run(world.tools, ana, run_id)
    with pytest.raises(NotFound):
        credentials.forget(world.tools, ana, ADMIN_KEY)
    # The key again, and all is where it was.
    world.store_key()
    assert world.stored(Organization, ACME).doorless_since is None
    assert run_progress.show_run(world.tools, ana, run_id).total == 2


def test_forgetting_the_token_changes_nothing_else(sqlite_world: World) -> None:
    store(sqlite_world)
    store_token(sqlite_world)
    credentials.forget(sqlite_world.tools, sqlite_world.caller("ana"), API_TOKEN)
    assert organization_of(sqlite_world.tools, sqlite_world.caller("ana")) == ACME
    assert len(sqlite_world.dump()["credential"]) == 1


def test_each_tenant_has_its_own(sqlite_world: World) -> None:
    """What acme stored is not globex's, nor Confluence's of the same site."""
    sqlite_world.install("acme", "confluence")
    store(sqlite_world)
    for other in (sqlite_world.caller("gina", "globex"), sqlite_world.caller("ana", product="confluence")):
        assert credentials.show(sqlite_world.tools, other, ADMIN_KEY) is None
        assert organization_of(sqlite_world.tools, other) is None
        with pytest.raises(NotFound):
            credentials.forget(sqlite_world.tools, other, ADMIN_KEY)
        with pytest.raises(NotFound):
            credentials.check_now(sqlite_world.tools, other, ADMIN_KEY)
    sqlite_world.store_key("gina", "globex")
    assert organization_of(sqlite_world.tools, sqlite_world.caller("gina", "globex")) == GLOBEX
