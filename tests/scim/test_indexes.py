"""What a provider asks or changes reads the people it is about, however many the connection has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from models.scim import ScimUser
from rules.deeds import Deed
from services import coming_back, identity_providers, scim_overview
from tests import world as worlds
from tests.scim.provider import USER, IdentityProvider, connected
from tests.scim.test_changes import account_of, mapped, profile, settings, work
from tests.world import ACME, Neighbours

EVERYBODY = re.compile(
    r"SCAN scim_(user|member)\b|SEARCH scim_(user|member) .*\(organization_id=\?( AND connection_id=\?)?\)"
)


@pytest.fixture
def idp(neighbours: Neighbours, sqlite_app: Flask) -> Iterator[IdentityProvider]:
    """Live, on SQLite, which tells what a question reads. It knows no figures of a connection's people yet."""
    world = worlds.build(neighbours, sqlite_app)
    world.synced()
    found = connected(world, provider="entra")
    identity_providers.note_preview(world.tools, found.operator, found.connection_id)
    identity_providers.switch_mode(world.tools, found.operator, found.connection_id, live=True)
    settings(found)
    yield found
    world.http.close()


@contextmanager
def asked_of(idp: IdentityProvider) -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked about a connection's people and groups in here, with the parameters."""
    engine = idp.world.tools.engine
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "scim_" in statement:
            asked.append((" ".join(statement.split()), parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert asked


def plans(idp: IdentityProvider, asked: list[tuple[str, Any]]) -> list[str]:
    """How the database answers these questions."""
    with idp.world.tools.engine.connect() as connection:
        read = {
            f"{plan[3]}: {statement}"
            for statement, parameters in asked
            if not isinstance(parameters, list)
            for plan in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        }
    return sorted(read)


@contextmanager
def read_by_index(idp: IdentityProvider) -> Iterator[None]:
    """Nothing that is asked in here reads everybody of the connection."""
    with asked_of(idp) as asked:
        yield
    # The earliest moment is the first one of its index.
    read = plans(idp, [one for one in asked if "min(" not in one[0]])
    assert [each for each in read if EVERYBODY.match(each)] == []


def test_no_request_about_one_person_reads_everybody(idp: IdentityProvider) -> None:
    other = idp.add("other@acme.example", externalId="e-0")
    group = idp.group("Wiki", other)
    for _ in range(2):
        with read_by_index(idp):
            mail = [{"type": "work", "value": "nora@acme.example"}]
            user = idp.add("nora@acme.example", externalId="e-1", emails=mail)
            assert idp.find("Users", 'userName eq "nora@acme.example"')
            assert idp.find("Users", 'externalId eq "e-1"')
            assert idp.find("Users", 'emails.value eq "nora@acme.example"')
            assert idp.find("Users", 'emails[type eq "work" and value eq "nora@acme.example"]')
            assert idp.find("Groups", f'members.value eq "{user}"') == []
            idp.patch(f"/Users/{user}", {"op": "replace", "path": "displayName", "value": "Nora"})
            idp.json("PUT", f"/Users/{user}", {"schemas": [USER], "userName": "nora@acme.example"})
            idp.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
            idp.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'})
            idp.send("DELETE", f"/Users/{user}", status=204)


def test_the_deed_about_somebody_who_is_invited_reads_nobody_else(idp: IdentityProvider) -> None:
    world = idp.world
    user = idp.add("nora@acme.example")
    mapped(idp, "Wiki", profile(world, "wiki", "confluence-users"), user)
    with read_by_index(idp):
        work(world)
    assert account_of(world, "nora@acme.example") is not None


def test_of_all_who_wait_since_one_moment_nobody_is_read_before_their_turn(idp: IdentityProvider) -> None:
    idp.add("nora@acme.example")
    with asked_of(idp) as asked:
        work(idp.world)
    taken_up = [one for one in asked if "ORDER BY scim_user.dirty_at" in one[0]]
    assert taken_up
    assert [each for each in plans(idp, taken_up) if "TEMP B-TREE" in each] == []


def test_a_preview_loads_only_whom_it_shows(idp: IdentityProvider) -> None:
    identity_providers.switch_mode(idp.world.tools, idp.operator, idp.connection_id, live=False)
    mapped(idp, "Wiki", profile(idp.world, "wiki", "confluence-users"), idp.add("nora@acme.example"))
    work(idp.world)
    with asked_of(idp) as asked:
        found = scim_overview.preview(idp.world.tools, idp.operator, idp.connection_id)
    assert (dict(found.by_deed), len(found.changes)) == ({Deed.INVITE: 1}, 1)
    assert [one for one, _ in asked if "scim_user.document" in one and "LIMIT" not in one] == []


def test_the_page_of_a_connection_counts_the_members_of_the_groups_that_it_shows(
    idp: IdentityProvider,
) -> None:
    idp.group("Wiki", idp.add("nora@acme.example"))
    with read_by_index(idp):
        rows, _, _ = scim_overview.groups_page(idp.world.tools, idp.operator, idp.connection_id, 1)
    assert [row.members for row in rows] == [1]


def test_who_is_active_by_a_provider_is_not_read_to_find_whom_it_has_let_go(idp: IdentityProvider) -> None:
    world, read = idp.world, []
    here, gone = world.people(2)
    with world.tools.begin() as session:
        for account_id in (here, gone):
            user = session.get_one(ScimUser, (ACME, idp.add(f"{account_id[-6:]}@acme.example")))
            user.account_id, user.active = account_id, account_id == here

    def note(user: object, _context: object) -> None:
        read.append(user.account_id)  # type: ignore[attr-defined]

    event.listen(ScimUser, "load", note)
    with world.tools.begin() as session:
        assert coming_back.led_out_or_let_go(session, ACME, [here, gone]) == {gone}
    event.remove(ScimUser, "load", note)
    assert read == [gone]


def test_a_page_of_people_far_behind_fetches_its_own_alone(idp: IdentityProvider) -> None:
    added = [idp.add(f"someone-{number:02}@acme.example") for number in range(scim_overview.PER_PAGE + 3)]
    with asked_of(idp) as asked:
        pages = [
            scim_overview.people_page(idp.world.tools, idp.operator, idp.connection_id, None, page)
            for page in (1, 2)
        ]
    shown = [row.user for rows, _total in pages for row in rows]
    assert sorted(user.id for user in shown) == sorted(added)
    assert shown == sorted(shown, key=lambda user: (-user.changed_at.timestamp(), user.id))
    assert not [each for each, _parameters in asked if "OFFSET" in each and "scim_user.document" in each]
