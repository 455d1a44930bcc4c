"""Only ever added: no entry changes, none is deleted, and no change happens without its entry (S52)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import DropTable

from connect.caller import Caller
from models.audit import AuditEntry, AuditIsAppendOnly, entries_of
from models.credential import CredentialKind
from models.db import Base
from rules.deeds import Deed
from rules.filters import PeopleFilter
from services import credential_storing, credentials, exports, operators, previews, runs, syncing
from tests.world import ACCOUNTS, ACME, ANA_TOKEN, GLOBEX, SETTLE, World


def test_s52_an_entry_is_neither_changed_nor_deleted(world: World) -> None:
    world.store_key()
    before = world.dump()["audit_entry"]
    with pytest.raises(AuditIsAppendOnly), world.tools.begin() as session:
        session.get_one(AuditEntry, world.rows(AuditEntry)[0].id).result = "nothing happened"
    with pytest.raises(AuditIsAppendOnly), world.tools.begin() as session:
        session.delete(session.get_one(AuditEntry, world.rows(AuditEntry)[0].id))
    assert world.dump()["audit_entry"] == before


DEEDS: dict[str, Callable[[World, Caller, str, str], object]] = {
    "store a key": lambda w, ana, *_: w.store_key(),
    "store a token": lambda w, ana, *_: credential_storing.store_api_token(
        w.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=w.in_a_year()
    ),
    "refuse a key": lambda w, ana, *_: w.store_key(key="ATCTT3-a-key-that-was-never-made"),
    "check": lambda w, ana, *_: credentials.check_now(w.tools, ana, CredentialKind.ADMIN_KEY),
    "forget": lambda w, ana, *_: credentials.forget(w.tools, ana, CredentialKind.ADMIN_KEY),
    "name": lambda w, ana, *_: operators.name_operator(w.tools, ana, ACCOUNTS["jon"]),
    "remove": lambda w, ana, *_: operators.remove_operator(w.tools, ana, ACCOUNTS["uma"]),
    "sync": lambda w, ana, *_: syncing.request_sync(w.tools, ana),
    "preview": lambda w, ana, *_: previews.preview(w.tools, ana, Deed.SUSPEND, account_ids=None, filter=None),
    "confirm": lambda w, ana, preview, _: runs.confirm(w.tools, ana, preview),
    "stop": lambda w, ana, _, running: runs.stop(w.tools, ana, running),
    "export": lambda w, ana, *_: exports.people_csv(w.tools, ana, PeopleFilter()),
    "install": lambda w, *_: w.install("acme", "confluence"),
}


def test_s19_what_happened_while_a_door_led_elsewhere_stays_there(sqlite_world: World) -> None:
    """acme's Jira belongs to globex from now on: its operators read what was done at this door for globex alone."""
    world = sqlite_world
    ana = world.synced()
    world.synced("globex")
    operators.name_operator(world.tools, ana, ACCOUNTS["jon"])
    with world.tools.begin() as session:
        found = entries_of(session, GLOBEX, ana.tenant, limit=1000)
        session.expunge_all()
    assert {entry.organization_id for entry in found} == {GLOBEX, None}
    assert {entry.event for entry in found if entry.organization_id is None} == {"tenant:installed"}


def test_s52_without_its_entry_nothing_changes(world_of_its_own: World) -> None:
    """The audit cannot be written (its table is gone): each deed fails, and leaves everything as it was."""
    world = world_of_its_own
    ana = world.synced()
    operators.name_operator(world.tools, ana, ACCOUNTS["uma"])
    first, second = world.changeable(2)
    running = world.begin_run(ana, [first])
    preview = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[second], filter=None)
    with world.tools.begin() as session:
        session.execute(DropTable(Base.metadata.tables["audit_entry"]))
    before = contents(world)
    for name, deed in DEEDS.items():
        with pytest.raises((DatabaseError, AssertionError)):
            deed(world, ana, preview, running)
        assert contents(world) == before, name


def test_s52_a_result_without_its_entry_is_found_again(world_of_its_own: World) -> None:
    """Acted on, but neither result nor entry could be written: both come later, and nobody is acted on twice."""
    world = world_of_its_own
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    table = Base.metadata.tables["audit_entry"]
    with world.tools.begin() as session:
        session.execute(DropTable(table))
    with pytest.raises(DatabaseError):
        world.act()
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acting", 1)
    with world.tools.begin() as session:
        table.create(session.connection())
    world.later(minutes=11, seconds=SETTLE.total_seconds())
    world.act()
    assert (world.case(run_id, person).state, world.calls(person)) == ("acted", 1)
    assert [entry.subject for entry in world.audit("case:acted")] == [person]


def contents(world: World) -> dict[str, list[object]]:
    """Everything but the audit, whose table is gone, and but what the sandbox's install sent."""
    with world.tools.begin() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(table.select())), key=repr)
            for name, table in Base.metadata.tables.items()
            if name != "audit_entry"
        }


def test_s19_each_sees_its_own(world: World) -> None:
    ana = world.caller("ana")
    gina = world.synced("globex")

    def seen(organization_id: str | None, caller: Caller) -> list[AuditEntry]:
        with world.tools.begin() as session:
            found = entries_of(session, organization_id, caller.tenant, limit=1000)
            session.expunge_all()
            return found

    assert [entry.event for entry in seen(None, ana)] == ["tenant:installed"], "before a key: its own door's"
    world.synced()
    ours = seen(ACME, ana)
    assert {entry.client_key for entry in ours} <= {ana.tenant, None}
    assert {entry.organization_id for entry in ours} == {ACME, None}
    assert "tenant:installed" in {entry.event for entry in ours}
    assert ours == sorted(ours, key=lambda entry: -entry.id)
    theirs = seen(GLOBEX, gina)
    assert not {entry.id for entry in ours} & {entry.id for entry in theirs}


def test_filters_and_pages(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    people = world.changeable(5)
    world.begin_run(ana, people)
    world.act()

    def found(**asked: object) -> list[AuditEntry]:
        with world.tools.begin() as session:
            entries = entries_of(session, ACME, ana.tenant, **asked)  # type: ignore[arg-type]
            session.expunge_all()
            return entries

    everything = found()
    assert [entry.subject for entry in found(subject=people[0])] == [people[0]]
    assert {entry.event for entry in found(event="case:acted")} == {"case:acted"}
    assert {entry.actor for entry in found(actor=ACCOUNTS["ana"])} == {ACCOUNTS["ana"]}
    middle = everything[3].at
    assert all(entry.at >= middle for entry in found(since=middle))
    assert all(entry.at < middle for entry in found(until=middle))
    assert len(found(since=middle)) + len(found(until=middle)) == len(everything)
    pages, before = [], None
    while page := found(before_id=before, limit=3):
        pages += page
        before = page[-1].id
    assert [entry.id for entry in pages] == [entry.id for entry in everything]
