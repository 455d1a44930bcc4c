"""Leavers: what they own is found, tried dry, handed over, handed back; then their access ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from connect.errors import Conflict, Invalid, NotFound, Unauthorized
from models.credential import Credential, CredentialKind, CredentialState
from models.delivery import Delivery
from models.leaver import Belonging, Leaver
from models.leaver_list import Standing
from models.organization import Organization, Seats
from models.people import Person
from models.run import Run
from rules.deeds import Deed
from rules.farewell import LeaverState
from rules.handover import BelongingState, Found, Kind
from rules.topics import Topic
from sandbox.belongings import Belongings
from sandbox.world import ORGANIZATIONS
from services import leaver_decisions, leaver_evidence, leaver_stops, leavers
from services.absences import set_last_day
from services.hands import Hands
from services.leaver_last_days import begin_by_last_day
from services.leaver_list import list_leavers
from services.leaver_looks import add_belongings
from services.leaver_views import show_leaver
from services.mail_reach import NO_ADDRESS
from services.matters import matters
from tests.questions import WHOLE_AUDIT, asked_of, reading_all_cases
from tests.services.leavers import (
    ANA,
    JON,
    PRIYA,
    UMA,
    begun,
    belongings,
    leaver,
    looks,
    owns,
    plan,
    planned,
    ready,
    states,
    work,
)
from tests.services.mails import mail_switched_on, mails
from tests.world import ACME, ACME_KEY, ANA_TOKEN, World

JIRA = (Kind.PROJECT, Kind.COMPONENT, Kind.FILTER, Kind.DASHBOARD, Kind.ISSUE)


def counted(world: World, leaver_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in belongings(world, leaver_id):
        found[one.kind] = found.get(one.kind, 0) + 1
    return found


def finish(world: World) -> None:
    """The worker goes on until the access has ended."""
    work(world)
    world.act()
    world.later(seconds=3)
    work(world)


def test_what_they_own_is_found_and_what_cannot_be_seen_is_said(world: World) -> None:
    ana = ready(world, confluence=True)
    leaver_id = begun(world, ana)
    found = counted(world, leaver_id)
    assert found.pop(Kind.ISSUE) >= 13
    assert found == {"space": 3, "project": 2, "component": 2, "filter": 4, "dashboard": 2, "token": 3}
    row = leaver(world, leaver_id)
    assert (row.state, row.obstacles, row.resume_at) == (LeaverState.READY, [], None)
    (board,) = (one for one in belongings(world, leaver_id, Kind.SPACE) if one.key == "BOARD")
    assert board.detail == "Nobody else may administer it."
    assert any("Last used" in one.detail for one in belongings(world, leaver_id, Kind.TOKEN))
    assert {one.state for one in looks(world, leaver_id).values()} == {"seen"}
    (entry,) = world.audit("leaver:begun")
    assert (entry.actor, entry.subject, entry.details) == (
        ANA,
        UMA,
        {"leaver": leaver_id, "origin": "hand"},
    )


def test_without_a_token_the_site_is_said_to_be_unseen(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    leaver_id = begun(world, ana)
    seen = {kind: look.state for (kind, _site), look in looks(world, leaver_id).items()}
    assert seen == dict.fromkeys(JIRA, "unseen") | {"person": "seen", "group": "seen", "token": "seen"}
    assert all("API token" in look.reason for look in looks(world, leaver_id).values() if look.reason)
    assert counted(world, leaver_id) == {"token": 3}


TOKENS_OF_UMA = f"/users/{UMA}/manage/api-tokens$"


def test_a_key_that_may_not_see_api_tokens_is_said_and_no_other_organization_blamed(
    sqlite_world: World,
) -> None:
    """Whoever confirms has read that: access ends nevertheless."""
    world = sqlite_world
    ana = ready(world)
    world.fault(TOKENS_OF_UMA, "403-scopes", times=None)
    leaver_id = planned(world, ana)
    look = looks(world, leaver_id)[Kind.TOKEN, ""]
    assert (look.state, "its scopes are too small" in look.reason) == ("unseen", True)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert world.effects(UMA)["suspend"] == 1
    assert owns(world, UMA, "token")


def test_an_account_of_another_organization_is_said_to_be_one(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    world.change(UMA, claim_status="unmanaged")
    leaver_id = planned(world, ana)
    look = looks(world, leaver_id)[Kind.TOKEN, ""]
    assert look.reason.startswith("Their account is managed elsewhere")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE


def test_an_account_that_was_never_confirmed_is_said_to_be_that_and_goes_nevertheless(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = ready(world)
    world.change(UMA, email_verified=0)
    leaver_id = planned(world, ana)
    look = looks(world, leaver_id)[Kind.TOKEN, ""]
    assert look.reason.startswith("The account has never confirmed its e-mail address")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert world.effects(UMA)["suspend"] == 1


def test_a_key_that_may_no_longer_see_api_tokens_waits_for_an_operator(sqlite_world: World) -> None:
    """They were found and are to be revoked: nothing is passed over in silence."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    world.fault(TOKENS_OF_UMA, "403-scopes", times=None)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at, row.run_id) == (LeaverState.ENDING, None, None)
    assert "its scopes are too small" in row.reason
    world.clear_faults()
    leaver_stops.try_again(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert owns(world, UMA, "token") == set()


def assign(world: World, times: int) -> None:
    """So many more open issues of Uma's."""
    owns(world, UMA, "issue")
    rows = [
        ("acme", "issue", str(50_000 + n), f"WEB-{n}", "A task", UMA, "10010", 1, 1) for n in range(times)
    ]
    with world.sandbox.cloud.store.write() as connection:
        connection.executemany("INSERT INTO belonging VALUES (?,?,?,?,?,?,?,?,?,NULL)", rows)


def test_however_many_issues_they_have_each_of_them_is_listed(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    assign(world, 620)
    leaver_id = begun(world, ana)
    issues = owns(world, UMA, "issue")
    listed = {one.reference for one in belongings(world, leaver_id, Kind.ISSUE)}
    assert issues <= listed
    assert len(issues) > 620
    (look,) = (look for (kind, _site), look in looks(world, leaver_id).items() if kind == Kind.ISSUE)
    assert (look.state, look.found, look.unlisted) == ("seen", len(listed), 0)
    view = next(one for one in show_leaver(world.tools, ana, leaver_id).kinds if one.kind is Kind.ISSUE)
    assert (len(view.rows), view.more) == (100, len(listed) - 100)


def test_a_page_counts_tens_of_thousands_of_things_and_reads_those_it_shows(world: World) -> None:
    ana = ready(world)
    leaver_id = planned(world, ana)
    before = show_leaver(world.tools, ana, leaver_id)
    many = [
        Found(Kind.ISSUE, str(number), f"Task {number}", f"MANY-{number}")
        for number in range(500_000, 502_000)
    ]
    with world.tools.begin() as session:
        add_belongings(session, ACME, leaver_id, ana.tenant, many)
    read: list[object] = []

    def note(row: object, _context: object) -> None:
        read.append(row)

    event.listen(Belonging, "load", note)
    page = show_leaver(world.tools, ana, leaver_id)
    event.remove(Belonging, "load", note)
    shown = {kind.kind: len(kind.rows) for kind in (*page.kinds, page.tokens)}
    assert len(read) == sum(shown.values()) < 300
    (issues,) = (kind for kind in page.kinds if kind.kind is Kind.ISSUE)
    (fewer,) = (kind for kind in before.kinds if kind.kind is Kind.ISSUE)
    assert (issues.listed, issues.more) == (fewer.listed + 2000, fewer.listed + 1900)
    assert (page.chosen, page.objections, page.total) == (before.chosen, before.objections, before.total)
    assert issues.counts[BelongingState.FOUND] == 2000


def test_what_was_found_and_could_not_be_listed_is_in_the_evidence(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    assign(world, 220)
    world.fault(r"/search/jql$", "odd", skip=1, times=None)
    leaver_id = begun(world, ana)
    assert len(belongings(world, leaver_id, Kind.ISSUE)) == 100
    (look,) = leaver_evidence.evidence_of(world.tools, ana, leaver_id).unlisted
    total = look.found
    assert total > 220
    assert (look.kind, look.state, look.unlisted) == (Kind.ISSUE, "unseen", total - 100)
    assert show_leaver(world.tools, ana, leaver_id).unlisted == total - 100
    lines = [
        line for line in leaver_evidence.evidence_csv(world.tools, ana, leaver_id) if "not listed" in line
    ]
    assert f"{total - 100} of {total} were found and not listed: they stay as they were." in lines[0]


def test_evidence_is_found_without_reading_all_that_was_ever_done(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    with asked_of(world.tools.engine) as asked:
        evidence = leaver_evidence.evidence_of(world.tools, ana, leaver_id)
    of_the_run = [
        one.entry.event for one in evidence.entries if one.entry.event.startswith(("run:", "case:"))
    ]
    assert of_the_run == ["run:started", "case:acted", "run:finished"]
    assert reading_all_cases(world.tools.engine, asked, WHOLE_AUDIT) == set()


def test_whoever_is_leaving_already_stays_the_leaver_they_are(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    first = leavers.request_leavers(world.tools, ana, [UMA, JON, UMA])
    assert leavers.request_leavers(world.tools, ana, [UMA]) == first[:1]
    assert len(set(first)) == 2
    with pytest.raises(NotFound):
        leavers.request_leavers(world.tools, ana, ["nobody"])
    with pytest.raises(Invalid):
        leavers.request_leavers(world.tools, ana, [])


def test_who_administers_a_space_by_a_role_looks_after_it_too(world: World) -> None:
    ana = ready(world, confluence=True)

    def give(space: str, kind: str, principal: str) -> None:
        world.control(
            "POST", f"/spaces/{space}/roles", {"role": "keepers", "kind": kind, "principal": principal}
        )

    # An administrator of the site would count as nobody of the space's own.
    [somebody] = world.changeable(1)
    give("PEOPLE", "USER", somebody)
    give("TRAVEL", "ACCESS_CLASS", "all-product-admins")
    leaver_id = begun(world, ana)
    found = {one.key: one.detail for one in belongings(world, leaver_id, Kind.SPACE)}
    assert set(found) == {"BOARD", "TRAVEL"}
    assert "by a role, which Rollcall does not see" in found["TRAVEL"]
    assert "by a role" not in found["BOARD"]


def test_everything_is_tried_dry_then_handed_over_then_access_ends(world: World) -> None:
    ana = ready(world, confluence=True)
    leaver_id = planned(world, ana, successors=(JON, PRIYA), note="Thanks for all", why="New job")
    leaver_decisions.choose(
        world.tools,
        ana,
        leaver_id,
        plan(choices=plan().choices | {"filter": PRIYA, "dashboard": ""}),
    )
    work(world)
    objections = {one.key: one.objection for one in belongings(world, leaver_id) if one.objection}
    assert list(objections) == ["BOARD"]
    assert "Recover permissions" in objections["BOARD"]
    assert not world.control("GET", "/effects").get(UMA), "the dry run changes nothing"
    filters = owns(world, UMA, "filter")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.reason) == (LeaverState.DONE, "")
    assert states(world, leaver_id, Kind.DASHBOARD) == {BelongingState.LEFT}
    assert states(world, leaver_id, Kind.FILTER, Kind.ISSUE, Kind.TOKEN) == {BelongingState.MOVED}
    assert filters <= owns(world, PRIYA, "filter")
    assert owns(world, UMA, "issue") == owns(world, UMA, "token") == set()
    stewards = {
        one["principal"]
        for one in world.control("GET", "/spaces/PEOPLE/permissions")
        if one["operation"] == "administer"
    }
    assert {UMA, JON} <= stewards
    held = world.holding(UMA)
    assert held is not None
    assert held["status"][0] == "suspended"
    (run,) = world.rows(Run)
    assert (run.origin, run.origin_id, row.run_id) == ("leaver", leaver_id, run.id)
    moved = world.audit("belonging:moved")
    assert len(moved) == sum(
        1 for one in belongings(world, leaver_id) if one.state == "moved" and one.kind != "token"
    )
    assert len(world.audit("token:revoked")) == 3
    assert {entry.actor for entry in moved} == {ANA}


def test_access_to_every_product_ends_and_an_undo_gives_it_back(world: World) -> None:
    ana = ready(world)
    world.arrange(UMA, groups=["jira-users", "confluence-users"], direct=["confluence"])
    world.later(hours=1)
    world.sync(ana)
    held = world.holding(UMA)
    assert held is not None
    assert len(held["products"]) > 1
    leaver_id = planned(world, ana, deed=Deed.REMOVE_ACCESS.value)
    assert leaver(world, leaver_id).obstacles == []
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.reason) == (LeaverState.DONE, "")
    left = world.holding(UMA)
    assert left is not None
    assert (left["products"], left["groups"], left["direct"]) == ([], [], [])
    assert left["status"] == held["status"], "they stay in the organization"
    assert row.run_id is not None
    assert world.states(row.run_id) == {UMA: "acted"}
    world.undo(ana, row.run_id)
    assert world.holding(UMA) == held


def test_access_ends_when_it_shall_and_not_before(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, ends_at=world.clock() + timedelta(days=3))
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.ENDING
    assert world.effects(UMA)["suspend"] == 0
    assert owns(world, UMA, "token"), "what they work with until then works"
    world.later(days=3)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert world.effects(UMA)["suspend"] == 1


def test_it_is_handed_back_as_far_as_the_successor_still_has_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world, confluence=True)
    before = {kind: owns(world, UMA, kind) for kind in JIRA}
    leaver_id = planned(world, ana, deed=Deed.LIST.value, revoke_tokens=False)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert not any(owns(world, UMA, kind) for kind in JIRA if kind is not Kind.DASHBOARD)
    other = next(iter(before["project"]))
    world.control("PATCH", f"/belongings/project/{other}", {"holder": PRIYA})
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.HANDED_BACK
    after = {kind: owns(world, UMA, kind) for kind in JIRA}
    assert after == before | {"project": before["project"] - {other}}
    (kept,) = (one for one in belongings(world, leaver_id) if one.reference == other)
    assert (kept.state, kept.reason) == ("moved", "Somebody changed it since: it stays as it is.")
    stewards = {
        one["principal"]
        for one in world.control("GET", "/spaces/PEOPLE/permissions")
        if one["operation"] == "administer"
    }
    assert JON not in stewards


@pytest.mark.parametrize("could_read", [False, True])
def test_a_space_that_is_handed_back_is_read_by_whoever_could_before(
    sqlite_world: World, could_read: bool
) -> None:
    world = sqlite_world
    ana = ready(world, confluence=True)

    def held_by_jon() -> set[str]:
        rows = world.control("GET", "/spaces/PEOPLE/permissions")
        return {one["operation"] for one in rows if one["principal"] == JON}

    if could_read:
        (space,) = {one["space"] for one in world.control("GET", "/spaces/PEOPLE/permissions")}
        Belongings(world.sandbox.cloud, ORGANIZATIONS["acme"]).grant(space, "user", JON, "read")
    before = held_by_jon()
    assert before == ({"read"} if could_read else set())
    leaver_id = planned(world, ana, deed=Deed.LIST.value, revoke_tokens=False)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert held_by_jon() == {"read", "administer"}
    (row,) = (one for one in belongings(world, leaver_id, Kind.SPACE) if one.key == "PEOPLE")
    assert (row.had_by, row.gives_read) == ([UMA], not could_read)
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    finish(world)
    assert held_by_jon() == before


def test_what_somebody_else_moved_meanwhile_stays_and_the_operator_decides(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    project = next(iter(owns(world, UMA, "project")))
    world.control("PATCH", f"/belongings/project/{project}", {"holder": PRIYA})
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.ENDING, None)
    assert "could not be handed over" in row.reason
    assert world.effects(UMA)["suspend"] == 0
    (refused,) = (one for one in belongings(world, leaver_id) if one.state == "refused")
    assert refused.reason.startswith("Somebody else has it by now")
    page = show_leaver(world.tools, ana, leaver_id)
    assert page.done == page.total - 1, "what could not be moved is not handed over"
    world.control("PATCH", f"/belongings/project/{project}", {"holder": UMA})
    leaver_stops.try_again(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert project in owns(world, JON, "project")


def test_what_the_successor_got_elsewhere_while_atlassian_was_silent_is_theirs(sqlite_world: World) -> None:
    """No call was made for it: it is not taken from them when the handover is handed back."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, deed=Deed.LIST.value, revoke_tokens=False)
    silent = min(owns(world, UMA, "filter"))
    world.fault(rf"/filter/{silent}$", "503", times=None)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    while leaver(world, leaver_id).resume_at is not None:
        work(world)
        world.later(minutes=16)
    (row,) = (one for one in belongings(world, leaver_id) if one.reference == silent)
    assert (leaver(world, leaver_id).state, row.state) == (LeaverState.ENDING, "refused")
    world.clear_faults()
    world.control("PATCH", f"/belongings/filter/{silent}", {"holder": JON})
    leaver_stops.try_again(world.tools, ana, leaver_id)
    finish(world)
    (row,) = (one for one in belongings(world, leaver_id) if one.reference == silent)
    assert (row.state, row.reason) == ("left", "The successor has it already.")
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.HANDED_BACK
    assert silent in owns(world, JON, "filter")


def test_an_operator_may_go_on_without_what_could_not_be_moved(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    world.control("DELETE", f"/belongings/filter/{next(iter(owns(world, UMA, 'filter')))}")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    leaver_stops.go_on(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE


def test_an_org_admin_is_a_guided_exception_and_no_silent_skip(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, PRIYA)
    (guide,) = leaver(world, leaver_id).obstacles
    assert guide["obstacle"] == "org_admin"
    assert len(guide["steps"]) == 3
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at, row.run_id) == (LeaverState.ENDING, None, None)
    assert row.reason == "Something has to be done by hand first."
    assert [one["obstacle"] for one in row.obstacles] == ["org_admin"]
    (matter,) = (one for one in matters(world.tools, ACME) if one.topic is Topic.LEAVER_WAITS)
    assert matter.sentence == "1 leaver cannot go on: something has to be done by hand first."
    assert matter.action_path == f"/app/leavers/{leaver_id}"
    (entry,) = world.audit("leaver:held_up")
    assert entry.result == "org_admin"
    leaver_stops.try_again(world.tools, ana, leaver_id)
    finish(world)
    (again,) = (one for one in matters(world.tools, ACME) if one.topic is Topic.LEAVER_WAITS)
    assert again.key != matter.key, "in vain once more: told once more"
    world.change(PRIYA, platform_roles="")
    leaver_stops.try_again(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    assert world.effects(PRIYA)["suspend"] == 1


def test_the_last_administrator_of_a_product_is_said_in_the_dry_run_and_before_access_ends(
    sqlite_world: World,
) -> None:
    """Also where the ending that is chosen is another one than the one that was looked at."""
    world = sqlite_world
    for person in (ANA, PRIYA):
        world.control("POST", f"/people/{person}/groups", {"group": "site-admins", "member": False})
    ana = ready(world)
    leaver_id = planned(world, ana, JON, successors=(PRIYA,), deed=Deed.LIST.value, choices={})
    assert leaver(world, leaver_id).obstacles == []
    leaver_decisions.choose(world.tools, ana, leaver_id, plan(deed=Deed.REMOVE_ACCESS.value, choices={}))
    work(world)
    assert {one["obstacle"] for one in leaver(world, leaver_id).obstacles} == {"last_admin"}
    held = world.holding(JON)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at, row.run_id) == (LeaverState.ENDING, None, None)
    assert {one["obstacle"] for one in row.obstacles} == {"last_admin"}
    assert world.holding(JON) == held


def test_a_group_of_the_identity_provider_is_said_before_access_ends(sqlite_world: World) -> None:
    world = sqlite_world
    world.arrange(UMA, groups=["jira-users"])
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET synced = 1 WHERE org = 'acme' AND name = 'jira-users'")
    ana = ready(world)
    held = world.holding(UMA)
    leaver_id = planned(world, ana, deed=Deed.REMOVE_ACCESS.value)
    (guide,) = leaver(world, leaver_id).obstacles
    assert guide["obstacle"] == "provider"
    assert guide["title"] == "jira-users belongs to your identity provider: remove them there."
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.run_id, row.obstacles) == (LeaverState.ENDING, None, [guide])
    assert world.holding(UMA) == held


def test_the_key_owners_tokens_are_never_revoked(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, ANA, deed=Deed.LIST.value)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert [one["obstacle"] for one in leaver(world, leaver_id).obstacles] == ["key_holder"]
    assert not world.requests(r"/manage/api-tokens/.+")


def test_stop_keeps_what_is_moved_and_moves_no_more(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    leaver_stops.stop(world.tools, ana, leaver_id)
    finish(world)
    assert leaver(world, leaver_id).state == LeaverState.STOPPED
    assert states(world, leaver_id) == {"left"}
    assert not world.control("GET", "/effects").get(UMA)
    with pytest.raises(Conflict):
        leaver_stops.stop(world.tools, ana, leaver_id)
    with pytest.raises(Conflict):
        leaver_stops.hand_back(world.tools, ana, leaver_id)


def test_a_successor_who_is_gone_by_then_gets_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    world.change(JON, membership_status="suspended")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    assert states(world, leaver_id, *JIRA) == {"refused"}
    assert not world.control("GET", "/effects").get(UMA)


def test_atlassian_asks_to_wait_and_the_work_goes_on_later(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    world.fault("/filter/search", "429", seconds=120)
    world.fault("/project/search", "503", times=2)
    (leaver_id,) = leavers.request_leavers(world.tools, ana, [UMA])
    for _ in range(4):
        work(world)
        assert leaver(world, leaver_id).state == LeaverState.LOOKING or _ == 3
        world.later(seconds=121)
    assert leaver(world, leaver_id).state == LeaverState.READY
    assert counted(world, leaver_id)["filter"] == 4


def test_a_token_that_atlassian_rejects_is_marked_and_said(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    world.control("POST", f"/keys/{'ATATT3-sandbox-ana-api-token-4kVz7QmD1RwS'}/expire")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    for _ in range(3):
        finish(world)
        world.later(minutes=1)
    assert states(world, leaver_id, *JIRA) == {"refused"}, "no call was made for any of them"
    assert leaver(world, leaver_id).reason.startswith("Something could not be handed over")
    assert world.audit("credential:died")


@pytest.mark.parametrize(
    ("kinds", "rejected"),
    [
        ((Kind.GROUP, Kind.FILTER), CredentialKind.API_TOKEN),
        ((Kind.FILTER, Kind.GROUP), CredentialKind.ADMIN_KEY),
    ],
)
def test_of_two_credentials_in_use_the_one_that_was_rejected_dies(
    sqlite_world: World, kinds: tuple[Kind, Kind], rejected: CredentialKind
) -> None:
    world = sqlite_world
    leaver_id = begun(world, ready(world))
    things = {
        Kind.GROUP: Belonging(kind=Kind.GROUP.value, reference="some-group", successor=""),
        Kind.FILTER: belongings(world, leaver_id, Kind.FILTER)[0],
    }
    first, second = (things[kind] for kind in kinds)

    def use_both() -> None:
        with Hands(world.tools, leaver(world, leaver_id)) as hands:
            hands.holders(first)
            token = rejected is CredentialKind.API_TOKEN
            world.control("POST", f"/keys/{ANA_TOKEN if token else ACME_KEY}/expire")
            hands.holders(second)

    with pytest.raises(Unauthorized):
        use_both()
    assert [one.kind for one in world.rows(Credential) if one.state == CredentialState.REJECTED] == [rejected]


def test_the_last_door_closes_and_leavers_stop(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = begun(world, ana)
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    assert leaver(world, leaver_id).state == LeaverState.STOPPED


def test_a_mail_of_ours_goes_to_the_leaver_and_hooks_are_told(sqlite_world: World) -> None:
    with mail_switched_on(sqlite_world) as world:
        ana = ready(world)
        message = (
            "Please bring your laptop on Friday.\r\n\r\nYour payslips: https://hr.acme.example/pay_slips\r\n"
        )
        message += "- " + "All the best for you. " * 40 + "<b>Ana</b>"
        leaver_id = planned(world, ana, message_by="own", message=message, note="Private")
        leaver_decisions.confirm(world.tools, ana, leaver_id)
        world.deliver()
        (mail,) = mails(world, "uma@acme.example")
        assert mail["subject"] == "You are leaving Acme Industries"
        assert message.replace("\r\n", "\n") in mail["text"].replace("\r\n", "\n"), (
            "with its lines, to its end"
        )
        assert "on Friday.</p>" in mail["html"]
        assert "https://hr.acme.example/pay_slips<br" in mail["html"]
        assert "&lt;b&gt;Ana&lt;/b&gt;" in mail["html"]
        assert "Private" not in mail["text"]
        assert "laptop" not in repr([one.facts for one in world.rows(Delivery)])


def test_who_loses_access_to_every_product_is_not_told_of_some(sqlite_world: World) -> None:
    with mail_switched_on(sqlite_world) as world:
        ana = ready(world)
        leaver_id = planned(world, ana, message_by="own", message="Bye", deed=Deed.REMOVE_ACCESS.value)
        leaver_decisions.confirm(world.tools, ana, leaver_id)
        world.deliver()
        (mail,) = mails(world, "uma@acme.example")
        assert "your access ends.\n" in mail["text"].replace("\r\n", "\n")
        assert "some products" not in mail["text"]


def test_without_a_mail_server_there_is_no_mail_of_ours(sqlite_world: World) -> None:
    ana = ready(sqlite_world)
    with pytest.raises(Invalid) as problem:
        planned(sqlite_world, ana, message_by="own", message="Bye")
    assert problem.value.sentence == "There is no mail server."


def test_a_mail_of_ours_is_not_promised_where_none_arrives(sqlite_world: World) -> None:
    with mail_switched_on(sqlite_world) as world:
        ana = ready(world)
        leaver_id = begun(world, ana)
        with world.tools.begin() as session:
            session.get_one(Person, (ACME, UMA)).email = None
        with pytest.raises(Invalid) as problem:
            leaver_decisions.choose(world.tools, ana, leaver_id, plan(message_by="own", message="Bye"))
        assert (problem.value.field, problem.value.sentence) == ("message_by", NO_ADDRESS)


def test_atlassian_passes_the_message_on(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(
        world, ana, deed=Deed.DEACTIVATE.value, message_by="atlassian", message="All the best."
    )
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    finish(world)
    (call,) = world.requests(r"/lifecycle/disable$")
    assert "All the best." in call["body"]
    assert leaver(world, leaver_id).state == LeaverState.DONE


def test_a_last_day_begins_a_leaver_once_who_waits_for_an_operator(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    day = (world.clock() + timedelta(days=20)).date()
    set_last_day(world.tools, ana, UMA, ends_on=day.isoformat(), note="")
    assert begin_by_last_day(world.tools) == 0
    world.later(days=14)
    assert begin_by_last_day(world.tools) == 1
    assert begin_by_last_day(world.tools) == 0
    (row,) = world.rows(Leaver)
    assert (row.origin, row.account_id) == ("last_day", UMA)
    assert row.ends_at.date() == day + timedelta(days=1)
    work(world)
    assert leaver(world, row.id).state == LeaverState.READY
    world.later(days=30)
    assert begin_by_last_day(world.tools) == 0


def test_whose_moment_is_over_while_nobody_has_confirmed_it_is_not_said_to_be_about_to_leave(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, ends_at=world.clock() + timedelta(days=2))

    def said() -> list[tuple[str, str]]:
        found = matters(world.tools, ACME)
        return [(one.severity, one.sentence) for one in found if one.topic is Topic.LEAVER_WAITS]

    assert said() == [], "who began it need not be told"
    world.later(days=3)
    assert said() == [("warning", "1 person should have left by now: nobody has confirmed how.")]
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    assert said() == []


def test_the_matter_of_several_leads_to_those_who_wait(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    for account_id, successor in ((UMA, JON), (JON, UMA)):
        planned(world, ana, account_id, (successor,), choices={}, ends_at=world.clock() + timedelta(days=2))
    world.later(days=3)
    (matter,) = (one for one in matters(world.tools, ACME) if one.topic is Topic.LEAVER_WAITS)
    assert matter.sentence == "2 people should have left by now: nobody has confirmed how."
    waiting = list_leavers(world.tools, ana, Standing.WAITING, page=1, per_page=25)
    assert matter.action_path == f"/app/leavers?show={Standing.WAITING}"
    assert {row.leaver.account_id for row in waiting.rows} == {UMA, JON}


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        # 11 March, 01:30 in Auckland: seven days before the 18th.
        ("Pacific/Auckland", "2030-03-10T12:30:00+00:00", "2030-03-18"),
        # Still 9 March in Honolulu: that day is not over.
        ("Pacific/Honolulu", "2030-03-10T09:30:00+00:00", "2030-03-09"),
    ],
)
def test_a_last_day_is_near_by_the_day_where_the_organization_lives(
    sqlite_world: World, zone: str, now: str, due: str
) -> None:
    world = sqlite_world
    ana = world.synced()
    with world.tools.begin() as session:
        session.get_one(Organization, ACME).time_zone = zone
    set_last_day(world.tools, ana, UMA, ends_on=due, note="")
    tools = replace(world.tools, clock=lambda: datetime.fromisoformat(now))
    assert begin_by_last_day(tools) == 1
    assert begin_by_last_day(tools) == 0


def test_a_last_day_that_is_over_or_far_where_the_organization_lives_begins_nobody(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    now = datetime(2030, 3, 10, 12, 30, tzinfo=UTC)
    tools = replace(world.tools, clock=lambda: now)
    for zone, day in (("Pacific/Auckland", "2030-03-10"), ("Pacific/Honolulu", "2030-03-18")):
        with world.tools.begin() as session:
            session.get_one(Organization, ACME).time_zone = zone
        set_last_day(world.tools, ana, UMA, ends_on=day, note="")
        assert begin_by_last_day(tools) == 0


def test_whoever_is_no_successor_any_more_gets_nothing_of_what_was_tried_dry(world: World) -> None:
    ana = ready(world)
    leaver_id = planned(world, ana)
    assert leaver(world, leaver_id).state == LeaverState.PLANNED
    leaver_decisions.remove_successor(world.tools, ana, leaver_id, JON)
    with pytest.raises(Conflict):
        leaver_decisions.confirm(world.tools, ana, leaver_id)
    work(world)
    assert owns(world, JON, "project") == set()
    # Named again, they get it once it was tried dry again.
    leaver_decisions.add_successor(world.tools, ana, leaver_id, JON)
    leaver_decisions.choose(world.tools, ana, leaver_id, plan())
    work(world)
    assert leaver(world, leaver_id).state == LeaverState.PLANNED


def test_looking_at_a_leaver_takes_back_nothing_that_was_just_done_to_them(sqlite_world: World) -> None:
    """Their provider let them go: they are suspended, and looked at as a leaver before Atlassian shows that."""
    world = sqlite_world
    ana = ready(world)
    world.fault(f"/users/{UMA}/suspend$", "delay-visibility", seconds=600)
    world.begin_run(ana, [UMA])
    world.act()
    begun(world, ana)
    person = world.stored(Person, ACME, UMA)
    assert (person.status, person.given_back_at) == ("suspended", None)


def test_of_several_sites_nobody_knows_on_which_one_a_product_is_whose_address_is_not_told(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = begun(world, ana)
    with world.tools.begin() as session:
        session.add(Seats(organization_id=ACME, resource_id="ari:desk", key="jira-servicedesk", name="Desk"))
    unseen = show_leaver(world.tools, ana, leaver_id).unseen
    assert [
        one for one in unseen if one.startswith("Everything in Jira on a site that Atlassian does not name:")
    ]
    assert not [one for one in unseen if " on :" in one]
