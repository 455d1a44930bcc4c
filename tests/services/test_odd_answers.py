"""What Atlassian's specifications allow and its answers mostly don't have: nothing of it breaks or bends a sync."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connect.gateway.organization import EXPAND, MOST_UNREADABLE
from models.people import Group, Membership, Person, ProductAdmin, Seat
from models.sync import Sync
from rules.deeds import Deed
from rules.roster import Access
from sandbox.world import ORGANIZATIONS
from services import leaver_decisions, syncing
from services.directory_reading import MOST_PAGES, SyncStep, take_pages
from services.still_here import MOST_ASKED
from tests.connect.listener import Call, Reply
from tests.services.leavers import UMA, leaver, planned, ready, work
from tests.services.retold import Row, Tell, is_reading_of_people, retold, with_everybody
from tests.services.test_timed_access import begin, keep_time, timed
from tests.world import ACME, PEOPLE, World


def test_a_product_without_a_name_is_a_seat_with_its_last_sign_of_life(world: World) -> None:
    ana = world.synced()
    before = {person.account_id: (person.activity, person.seen_at) for person in world.rows(Person)}
    world.later(hours=1)

    def nameless(person: Row) -> Row:
        access = [{name: each[name] for name in each if name != "key"} for each in person["productAccess"]]
        return person | {"productAccess": access}

    with retold(world, with_everybody(nameless)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people) == ("complete", PEOPLE)
    assert {seat.product_key for seat in world.rows(Seat)} == {""}
    assert {person.account_id: (person.activity, person.seen_at) for person in world.rows(Person)} == before


def test_a_directory_whose_pages_go_round_ends_the_sync_and_nobody_has_left(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    world.later(hours=1)
    calls = 0

    def round_about(call: Call, answer: Any) -> Any:
        nonlocal calls
        if not is_reading_of_people(call):
            return answer
        calls += 1
        if calls > PEOPLE:
            return Reply(503)
        here = json.loads(call.body).get("cursor", "start")
        people = answer["data"] if answer and "data" in answer else []
        links = {"next": {"start": "this", "this": "that", "that": "this"}[here]}
        return Reply(200, json.dumps({"data": people[:3], "links": links}).encode())

    with retold(world, round_about) as tools:
        result = world.sync(ana, tools)
    assert (result.state, calls) == ("failed", 3)
    assert "does not understand" in result.problem
    assert all(person.left_at is None for person in world.rows(Person))


def test_a_directory_that_never_ends_ends_the_sync(sqlite_world: World) -> None:
    world = sqlite_world
    world.store_key()
    world.control("POST", "/settings", {"max_page": 1})
    ((organization_id, sync_id, attempt),) = syncing.due_syncs(world.tools)
    assert syncing.take_up(world.tools, organization_id, sync_id, attempt)
    assert take_pages(world.tools, ACME, sync_id) == SyncStep.MORE
    with world.tools.begin() as session:
        session.get_one(Sync, sync_id).pages = MOST_PAGES
    assert take_pages(world.tools, ACME, sync_id) == SyncStep.DONE
    assert world.stored(Sync, sync_id).state == "failed"


def test_a_group_keeps_its_name_though_atlassian_does_not_tell_it_again(world: World) -> None:
    ana = world.synced()
    names = {group.group_id: group.name for group in world.rows(Group)}
    assert all(names.values())
    world.later(hours=1)

    def nameless(call: Call, answer: Any) -> Any:
        if call.path.endswith("/groups/search"):
            answer["data"] = [
                {name: group[name] for name in group if name != "name"} for group in answer["data"]
            ]
        elif is_reading_of_people(call):
            for person in answer["data"]:
                person["groups"] = [group | {"name": None} for group in person["groups"]]
        return answer

    with retold(world, nameless) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert {group.group_id: group.name for group in world.rows(Group)} == names


TRELLO = "ari:cloud:trello::workspace/1"
NO_SUCH_RESOURCE = Reply(
    400, json.dumps({"errors": [{"code": "ADMIN-400-4", "title": "Invalid resource"}]}).encode()
)


@pytest.mark.parametrize(
    "refusal",
    [
        NO_SUCH_RESOURCE,
        Reply(400, json.dumps({"code": "ADMIN-UAM-400-3", "message": "Invalid Role for Resource"}).encode()),
        Reply(404, json.dumps({"errors": [{"code": "ADMIN-404-1", "title": "Unknown resource"}]}).encode()),
    ],
)
def test_a_product_that_no_directory_knows_ends_no_sync(refusal: Reply, sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    before = world.dump()
    world.later(hours=1)

    def with_trello(call: Call, answer: Any) -> Any:
        if call.path.endswith("/workspaces"):
            answer["data"].append({"id": TRELLO, "attributes": {"typeKey": "trello", "name": "Boards"}})
        return refusal if TRELLO.encode() in call.body else answer

    with retold(world, with_trello) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people, result.problem) == ("complete", PEOPLE, "")
    for table in ("group_grant", "product_admin"):
        assert world.dump()[table] == before[table]


def test_s48_a_product_about_which_nobody_can_be_asked_once_keeps_its_administrators_and_groups(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    before = world.dump()
    resource_id = world.rows(ProductAdmin)[0].resource_id
    world.later(hours=1)

    def without_one(call: Call, answer: Any) -> Any:
        return Reply(404, b'{"code": 404}') if resource_id.encode() in call.body else answer

    with retold(world, without_one) as tools:
        assert world.sync(ana, tools).state == "complete"
    for table in ("group_grant", "product_admin"):
        assert world.dump()[table] == before[table]


def test_s48_a_product_that_nobody_is_said_to_administer_keeps_those_who_do(world: World) -> None:
    ana = world.synced()
    before = world.dump()["product_admin"]
    resource_id = world.rows(ProductAdmin)[0].resource_id
    world.later(hours=1)

    def without_one(call: Call, answer: Any) -> Any:
        asks_for_admins = b'"roleIds"' in call.body and resource_id.encode() in call.body
        return answer | {"data": []} if asks_for_admins else answer

    with retold(world, without_one) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert world.dump()["product_admin"] == before


def test_a_product_that_nobody_administers_any_more_has_no_administrator(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    resource_id = world.rows(ProductAdmin)[0].resource_id
    world.later(hours=1)
    with world.sandbox.cloud.store.write() as connection:
        for table in ("team_role", "direct_role"):
            connection.execute(
                f"DELETE FROM {table} WHERE resource = ? AND role = 'atlassian/admin'", (resource_id,)
            )

    def exactly(call: Call, answer: Any) -> Any:
        asks_for_admins = b'"roleIds"' in call.body and resource_id.encode() in call.body
        return answer | {"data": []} if asks_for_admins else answer

    with retold(world, exactly) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert resource_id not in {row.resource_id for row in world.rows(ProductAdmin)}


def test_when_no_product_can_be_asked_about_what_is_known_stays(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    before = world.dump()
    world.later(hours=1)

    def without_products(call: Call, answer: Any) -> Any:
        return NO_SUCH_RESOURCE if b'"resourceIds"' in call.body else answer

    with retold(world, without_products) as tools:
        result = world.sync(ana, tools)
    assert (result.state, "does not understand" in result.problem) == ("failed", True)
    for table in ("group_grant", "product_admin"):
        assert world.dump()[table] == before[table]


def without_roles(call: Call, answer: Any) -> Any:
    asked = call.path.partition("?")[0]
    return Reply(404, b'{"code": 404}') if asked.endswith("/role-assignments") else answer


def without_a_directory(call: Call, answer: Any) -> Any:
    return Reply(404, b'{"code": 404}') if is_reading_of_people(call) else answer


@pytest.mark.parametrize("tell", [without_roles, without_a_directory])
def test_whom_atlassian_does_not_find_by_half_is_not_taken_for_gone(tell: Tell, sqlite_world: World) -> None:
    """Else what they were given for a time would be believed to have gone with them, and they kept it."""
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1)
    world.sync(ana)
    role = (ORGANIZATIONS["acme"].resource("confluence"), "atlassian/user")
    case_id = begin(world, ana, person, 3, access=Access(roles=(role,)))
    world.later(days=4)

    with retold(world, tell) as tools:
        keep_time(world, tools)
        world.act(tools)
    assert timed(world, case_id).state == "not_ended", "an operator reads why"
    held = world.holding(person)
    assert held is not None
    assert held["direct"] == [("confluence", "atlassian/user")]


@pytest.mark.parametrize("tell", [without_roles, without_a_directory])
def test_a_leaver_whom_atlassian_does_not_find_by_half_is_not_done(tell: Tell, sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, deed=Deed.REMOVE_ACCESS.value, choices={})
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    with retold(world, tell) as tools:
        work(world, tools)
    found = leaver(world, leaver_id)
    assert (found.state == "done", world.effects_by(UMA)) == (False, {})
    assert found.reason.endswith("Sync now, then look again.")


def test_s46_an_organization_without_anybody_is_an_odd_answer(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    world.later(hours=1)

    def nobody(call: Call, answer: Any) -> Any:
        return {"data": [], "links": {}} if is_reading_of_people(call) else answer

    with retold(world, nobody) as tools:
        result = world.sync(ana, tools)
    assert (result.state, "does not understand" in result.problem) == ("failed", True)
    assert all(person.left_at is None for person in world.rows(Person))
    assert world.sync(ana).state == "complete"


@pytest.mark.parametrize("told", ["nothing", "null"])
@pytest.mark.parametrize("word", ["groups", "productAccess"])
def test_s46_what_is_left_out_of_a_whole_page_is_not_lost_by_everybody(
    word: str, told: str, world: World
) -> None:
    ana = world.synced()
    before = world.dump()
    world.later(hours=1)

    def left_out(person: Row) -> Row:
        return {name: person[name] for name in person if name != word} | (
            {word: None} if told == "null" else {}
        )

    with retold(world, with_everybody(left_out)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, "does not understand" in result.problem) == ("failed", True)
    for table in ("seat", "membership"):
        assert world.dump()[table] == before[table]


def test_who_was_let_go_may_come_without_a_word_about_what_they_had(world: World) -> None:
    ana = world.synced()
    world.later(hours=1)

    def let_go(person: Row) -> Row:
        left = {name: person[name] for name in person if name not in EXPAND}
        return left | {"status": "deactivated", "accountStatus": "inactive"}

    with retold(world, with_everybody(let_go)) as tools:
        assert world.sync(ana, tools).state == "complete"
    for model in (Membership, Seat):
        assert not [row for row in world.rows(model) if row.organization_id == ACME]


def empty_is_left_out(person: Row) -> Row:
    return {name: person[name] for name in person if name not in EXPAND or person[name]}


def with_nothing(world: World) -> None:
    """Nobody but the admins has a group, a product or a role; on most pages nobody at all."""
    world.control("POST", "/settings", {"max_page": 20})
    admins = "SELECT seq FROM person WHERE platform_roles LIKE '%org-admin%'"
    with world.sandbox.cloud.store.write() as connection:
        for table in ("member", "direct_role"):
            connection.execute(f"DELETE FROM {table} WHERE seq NOT IN ({admins})")


@pytest.mark.parametrize("word", ["groups", "productAccess"])
def test_s48_what_is_left_out_of_a_few_is_not_lost_by_them(word: str, world: World) -> None:
    """Nor by those of a last page, or of a small organization."""
    ana = world.synced()
    chosen = world.people(MOST_UNREADABLE)
    world.later(hours=1)
    world.sync(ana)
    before = world.dump()
    world.later(hours=1)

    def left_out(person: Row) -> Row:
        few = person["accountId"] in chosen
        return {name: person[name] for name in person if name != word or not few}

    with retold(world, with_everybody(left_out)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people) == ("complete", PEOPLE)
    for table in ("seat", "membership"):
        assert world.dump()[table] == before[table]


def test_whoever_has_lost_everything_may_come_without_a_word_about_it(world: World) -> None:
    ana = world.synced()
    with_nothing(world)
    world.later(hours=1)
    with retold(world, with_everybody(empty_is_left_out)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.problem) == ("complete", "")
    some = [*world.rows(Membership), *world.rows(Seat)]
    admins = {person.account_id for person in world.rows(Person) if person.is_org_admin}
    assert {row.account_id for row in some if row.organization_id == ACME} <= admins


def test_whoever_has_nothing_is_met_for_the_first_time_all_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    with_nothing(world)
    with retold(world, with_everybody(empty_is_left_out)) as tools:
        result = world.sync(ana, tools)
        assert (result.state, result.people) == ("complete", PEOPLE)
        asked = len(world.requests("/groups/search"))
        world.later(hours=1)
        assert world.sync(ana, tools).state == "complete"
    assert len(world.requests("/groups/search")) - asked < asked, "nobody is asked about again"


@pytest.mark.parametrize("word", ["groups", "productAccess"])
def test_s48_what_is_left_out_of_the_first_reading_is_not_taken_for_nothing(
    word: str, sqlite_world: World
) -> None:
    world = sqlite_world
    ana = world.store_key()

    def left_out(person: Row) -> Row:
        return {name: person[name] for name in person if name != word}

    with retold(world, with_everybody(left_out)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, "does not understand" in result.problem) == ("failed", True)
    assert world.sync(ana).state == "complete"


LONG = "x" * 600


def test_what_is_too_long_for_a_database_is_one_odd_person_and_no_end_of_the_sync(world: World) -> None:
    ana = world.synced()
    before = world.dump()
    world.later(hours=1)
    first, second, third = sorted(person.account_id for person in world.rows(Person))[:3]
    odd: dict[str, Row] = {
        first: {"groups": [{"id": LONG, "name": LONG}]},
        second: {"productAccess": [{"id": LONG, "key": "confluence"}]},
        third: {"productAccess": [{"id": "ari:cloud:confluence::site/1", "key": LONG}]},
    }

    def too_long(call: Call, answer: Any) -> Any:
        if is_reading_of_people(call):
            answer["data"] = [person | odd.get(person["accountId"], {}) for person in answer["data"]]
        elif call.path.endswith("/workspaces"):
            answer["data"][0]["attributes"] |= {"name": LONG, "typeKey": LONG, "hostUrl": LONG}
        elif "/users/count" in call.path:
            answer = {"count": 2**40}
        return answer

    with retold(world, too_long) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people) == ("complete", PEOPLE)
    for table in ("seat", "membership"):
        for account_id in (first, second):
            kept = [row for row in before[table] if account_id in row]
            assert [row for row in world.dump()[table] if account_id in row] == kept


def test_s46_whoever_slips_from_page_to_page_while_they_are_read_has_not_left(world: World) -> None:
    ana = world.synced()
    before = world.dump()
    world.later(hours=1)
    chosen = world.changeable(12)
    *slipped, gone = chosen
    world.control("DELETE", f"/people/{gone}")

    def without_them(call: Call, answer: Any) -> Any:
        if is_reading_of_people(call) and b'"accountIds"' not in call.body:
            answer["data"] = [person for person in answer["data"] if person["accountId"] not in chosen]
        return answer

    with retold(world, without_them) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people) == ("complete", PEOPLE - 1)
    assert {person.account_id for person in world.rows(Person) if person.left_at is not None} == {gone}
    for table in ("seat", "membership"):
        held = [row for row in before[table] if set(row) & set(slipped)]
        assert [row for row in world.dump()[table] if set(row) & set(slipped)] == held


@pytest.mark.parametrize(("are_there", "ends_as"), [(True, "failed"), (False, "complete")])
def test_s46_a_list_that_ends_before_its_end_says_of_nobody_that_they_have_left(
    are_there: bool, ends_as: str, world: World
) -> None:
    """More than can be asked about are missing in it: those who are asked about tell."""
    many = {f"712020:0b0b0b0b-0000-4000-8000-{number:012}": {} for number in range(MOST_ASKED + 20)}
    listed, there = [*many], {*many}

    def with_many(call: Call, answer: Any) -> Any:
        if is_reading_of_people(call) and not answer.get("links", {}).get("next"):
            for one in json.loads(call.body).get("accountIds", listed):
                if one in there:
                    many[one] = many[one] or answer["data"][0] | {"accountId": one, "email": None}
                    answer["data"].append(many[one])
        return answer

    ana = world.synced()
    with retold(world, with_many) as tools:
        world.later(hours=1)
        assert world.sync(ana, tools).people == PEOPLE + len(many)
        world.later(hours=1)
        listed, there = [], there if are_there else set()
        result = world.sync(ana, tools)
    assert result.state == ends_as
    left = {person.account_id for person in world.rows(Person) if person.left_at is not None}
    assert left == (set() if are_there else set(many))


@pytest.mark.parametrize("more", [{}, {"email": None}], ids=["", "without an address"])
@pytest.mark.parametrize("told", [None, "", "../who"])
def test_s46_whoever_is_told_of_without_their_account_id_has_not_left(
    told: str | None, more: Row, world: World
) -> None:
    ana = world.synced()
    before = world.dump()
    odd, gone = world.changeable(2)
    world.later(hours=1)

    def anonymous(person: Row) -> Row:
        return person | {"accountId": told} | more if person["accountId"] == odd else person

    world.control("DELETE", f"/people/{gone}")
    with retold(world, with_everybody(anonymous)) as tools:
        assert world.sync(ana, tools).state == "complete"
    left = {person.account_id: person.left_at is not None for person in world.rows(Person)}
    assert (left[odd], left[gone]) == (False, True)
    for table in ("seat", "membership"):
        held = [row for row in before[table] if odd in row]
        assert [row for row in world.dump()[table] if odd in row] == held
