"""What people answer by the link in their warning: theirs alone, once, and it counts (S55)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.answer import Answer, Decision
from models.delivery import Delivery
from models.organization import Organization, Seats, seats_of
from models.people import Person, Seat
from models.run import Case, Run
from models.tenant import Tenant
from rules.topics import Topic
from services import answer_queue, exports, give_backs, keeping, people, rules, runs
from services.answers import KEPT, locked, settle
from services.keep_links import keep_link
from services.leaving import leave
from services.matters import matters
from services.own_case import Stage, own_case
from tests.questions import asked_of, reading_all_cases
from tests.world import ACME, World

pytestmark = pytest.mark.slow

HOSTILE = "{{ ''.__class__ }} <img src=x onerror=alert(1)>\r\n=1+1\u202e\0 שלום " + "x" * 400


def step(**more: Any) -> dict[str, Any]:
    return {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14, "warn": [14, 3], **more}


def warned(world: World, count: int = 1, **more: Any) -> tuple[Caller, str, list[str]]:
    """(operator, run, people) after their first warning."""
    ana = world.store_key()
    found = world.people(count)
    world.sync(ana)
    rule_id = world.rule(ana, step(**more), who={"people": found})
    return ana, world.run_rule(ana, rule_id), found


def link_of(world: World, run_id: str, account_id: str) -> str:
    return keep_link(world.tools, ACME, world.case(run_id, account_id).id, account_id)


def stage(world: World, link: str) -> Stage:
    return own_case(world.tools, link.rpartition("/")[2]).stage


def say(world: World, link: str, answer: str, **fields: str) -> requests.Response:
    return world.http.post(link, {"answer": answer, **fields}, allow_redirects=False)


def only(world: World) -> Answer:
    (found,) = world.rows(Answer)
    return found  # type: ignore[no-any-return]


def test_s55_looking_changes_nothing(world: World) -> None:
    _, run_id, (person,) = warned(world)
    link = link_of(world, run_id, person)
    before = world.dump()
    for method in ("GET", "HEAD", "GET", "OPTIONS"):
        answer = world.http.request(method, link)
        assert answer.status_code == 200
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    page = world.http.get(link).text
    case = world.case(run_id, person)
    first, *others = case.name.split()
    assert first in page
    assert not any(other in page for other in (*others, person, "@"))
    assert f"Your access ends on {case.due_at:%-d %B %Y}" in page
    assert "<script" not in page
    assert world.dump() == before


def test_s55_keep_spares_them_once_and_counts(world: World) -> None:
    ana, run_id, (person, other) = warned(world, 2)
    link = link_of(world, run_id, person)
    for _ in range(3):
        answer = say(world, link, "keep", words="  I audit\r\nin spring. ")
        assert (answer.status_code, answer.headers["Location"]) == (303, link.removeprefix(world.url))
    assert world.states(run_id) == {person: "spared", other: "warned"}
    assert (world.case(run_id, person).reason, only(world).words) == (KEPT, "I audit\nin spring.")
    assert [(one.actor, one.result) for one in world.audit("case:kept", "answer:given")] == [(person, "")]
    assert "You keep your access" in world.http.get(link).text
    # Another answer comes too late, and says so.
    late = say(world, link, "give_up")
    assert (late.status_code, "There is nothing to answer any more." in late.text) == (409, True)
    world.later(days=14)
    world.act()
    assert world.states(run_id) == {person: "spared", other: "acted"}
    again = world.run_rule(ana, world.stored(Run, ACME, run_id).rule_id)
    assert world.case(again, person).why == "kept"


def test_s55_pressed_twice_at_once_is_one_answer(world: World) -> None:
    _, run_id, (person,) = warned(world)
    link = link_of(world, run_id, person)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(
            pool.map(
                lambda _: (
                    requests.post(link, {"answer": "keep"}, allow_redirects=False, timeout=30).status_code
                ),
                range(4),
            )
        )
    assert statuses == [303] * 4
    assert len(world.audit("case:kept")) == 1
    only(world)


def test_s55_the_days_that_the_rule_says(world: World) -> None:
    ana, run_id, (person,) = warned(world, kept_for=20)
    say(world, link_of(world, run_id, person), "keep")
    rule_id = world.stored(Run, ACME, run_id).rule_id
    world.later(days=19)
    assert world.case(world.run_rule(ana, rule_id), person).why == "kept"
    world.later(days=2)
    world.sync(ana)
    assert world.case(world.run_rule(ana, rule_id), person).state == "warned"


def test_who_no_longer_needs_it_loses_it_at_the_next_tick(world: World) -> None:
    _, run_id, (person, other) = warned(world, 2)
    link = link_of(world, run_id, person)
    say(world, link, "give_up", words="I moved on")
    assert (world.calls(person), stage(world, link)) == (0, Stage.SOON), "a web request acts on nobody"
    world.tick()
    assert world.states(run_id) == {person: "acted", other: "warned"}
    assert [(one.actor, one.details) for one in world.audit("answer:given")] == [
        (person, {"deed": "suspend", "answer": "give_up"})
    ]
    assert stage(world, link) is Stage.ENDED


def test_who_changes_their_mind_in_time_keeps_it(world: World) -> None:
    _, run_id, (person,) = warned(world)
    link = link_of(world, run_id, person)
    say(world, link, "give_up")
    assert "Changed your mind?" in world.http.get(link).text
    say(world, link, "keep")
    world.tick()
    assert (world.states(run_id), world.calls(person)) == ({person: "spared"}, 0)


def test_who_is_away_is_left_alone_by_every_rule_until_that_day(world: World) -> None:
    ana, run_id, (person,) = warned(world)
    link = link_of(world, run_id, person)
    until = (world.clock() + timedelta(days=40)).date()
    say(world, link, "away", until=until.isoformat(), words="Parental leave")
    assert world.case(run_id, person).reason == f"They answered that they are away until {until:%-d %B %Y}."
    assert f"you are away until {until:%-d %B %Y}" in world.http.get(link).text
    another = world.rule(ana, step(), name="Another", who={"people": [person]})
    case = world.case(world.run_rule(ana, another), person)
    assert (case.why, case.reason) == ("kept", f"Answered that they are away until {until:%-d %B %Y}.")
    world.later(days=41)
    world.sync(ana)
    assert world.case(world.run_rule(ana, another), person).state == "warned"


@pytest.mark.parametrize("until", ["", "tomorrow", "2001-01-01", "2199-01-01", "2027-02-30", "\0"])
def test_a_bad_date_is_said_in_a_sentence_and_changes_nothing(world: World, until: str) -> None:
    _, run_id, (person,) = warned(world)
    before = world.dump()
    answer = say(world, link_of(world, run_id, person), "away", until=until, words="<b>kept</b>")
    assert (answer.status_code, 'id="until-problem"' in answer.text) == (422, True)
    assert "&lt;b&gt;kept&lt;/b&gt;" in answer.text
    assert world.dump() == before


def test_s55_hostile_words_do_no_harm(world: World) -> None:
    ana, run_id, (person,) = warned(world, answer="review")
    link = link_of(world, run_id, person)
    assert say(world, link, "keep", words="x" * 501).status_code == 422
    assert say(world, link, "keep", words=HOSTILE).status_code == 303
    words = only(world).words
    assert words == HOSTILE.replace("\r", "").replace("\u202e", "").replace("\0", "")
    queue = world.call("GET", "/app/review?show=answered").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in queue
    assert "{{ &#39;&#39;.__class__ }}" in queue
    assert "<img src=x" not in queue
    csv = "".join(exports.run_csv(world.tools, ana, run_id))
    assert "__class__" in csv
    # In the audit nobody reads somebody's reasons.
    assert "__class__" not in "".join(exports.audit_csv(world.tools, ana))


def test_s55_another_s_link_is_not_mine(world: World) -> None:
    """Signed for one person and one case: what is cut, glued or guessed opens nothing, and says nothing."""
    _, run_id, (mine, other) = warned(world, 2)
    link = link_of(world, run_id, mine)
    crossed = keep_link(world.tools, ACME, world.case(run_id, other).id, mine)
    gone = keep_link(world.tools, ACME, "no-such-case", mine)
    elsewhere = keep_link(world.tools, "no-such-organization", world.case(run_id, mine).id, mine)
    before = world.dump()
    bodies = set()
    for signed in (crossed, gone, elsewhere):
        assert world.http.get(signed).status_code == 410
        assert say(world, signed, "keep").status_code == 410
        bodies.add(world.http.get(signed).text)
    assert len(bodies) == 1
    address, _, token = link.rpartition("/")
    head, _, signature = token.rpartition(".")
    stolen = link_of(world, run_id, other).rpartition(".")[2]
    for forged in (
        f"{address}/{token[:-1]}", f"{address}/{head}.{stolen}", f"{address}/{token}x", f"{address}/x",
        f"{address}/%00",
        f"{address}/{signature}", f"{address}/{token.swapcase()}", f"{address}/é.é", f"{address}/{'x' * 4000}",
    ):  # fmt: skip
        assert world.http.get(forged).status_code == 404
        assert say(world, forged, "keep").status_code == 404
        bodies.add(world.http.get(forged).text)
    assert len(bodies) == 2
    assert world.dump() == before


@pytest.mark.parametrize("end", ["stop", "off", "came back", "uninstalled"])
def test_s55_the_link_ends_with_the_case(world: World, end: str) -> None:
    ana, run_id, (person,) = warned(world)
    link = link_of(world, run_id, person)
    match end:
        case "stop":
            runs.stop(world.tools, ana, run_id)
        case "off":
            rules.switch_off(world.tools, ana, world.stored(Run, ACME, run_id).rule_id)
        case "came back":
            world.signal(person)
            world.later(days=15)
            world.act()
        case "uninstalled":
            world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
            assert world.stored(Organization, ACME).doorless_since is not None
    before = world.dump()
    page = world.http.get(link)
    assert (page.status_code, "There is nothing to answer here any more" in page.text) == (410, True)
    for answer in ("keep", "give_up", "away", "ask_back"):
        assert say(world, link, answer, until="2099-01-01").status_code in (410, 422)
    assert world.dump() == before


def test_s55_too_often_is_refused_for_this_link_alone(world: World) -> None:
    _, run_id, (person, other) = warned(world, 2)
    link = link_of(world, run_id, person)
    statuses = [world.http.get(link).status_code for _ in range(25)]
    assert (statuses[:20], set(statuses[20:])) == ([200] * 20, {429})
    refused = say(world, link, "give_up")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "Wait a minute" in refused.text
    assert world.http.get(link_of(world, run_id, other)).status_code == 200
    assert set(world.states(run_id).values()) == {"warned"}


@pytest.mark.parametrize("way", ["link", "product"])
def test_a_rule_may_send_answers_to_review(world: World, way: str) -> None:
    ana, run_id, people_warned = warned(world, 3, answer="review")
    granted, refused, waits = people_warned
    decides = "an operator of your organization reads it and decides"
    assert decides in world.http.get(link_of(world, run_id, refused)).text
    for person in people_warned:
        if way == "link":
            say(world, link_of(world, run_id, person), "keep", words="Please")
        else:
            answer = world.call("POST", "/app/keep", person)
            assert "an operator of your organization decides" in answer.text
            assert keeping.own_warning(world.tools, world.caller(person)) is None
    assert set(world.states(run_id).values()) == {"answered"}
    assert len(answer_queue.asking(world.tools, ana)) == 3
    cases = {person: world.case(run_id, person).id for person in people_warned}
    assert answer_queue.grant(world.tools, ana, [cases[granted]]) == 1
    assert answer_queue.refuse(world.tools, ana, [cases[refused]]) == 1
    assert world.states(run_id) == {granted: "spared", refused: "warned", waits: "answered"}
    page = world.http.get(link_of(world, run_id, refused)).text
    assert "did not agree" in page
    assert decides not in page
    assert "Keep my access" not in page, "nothing is asked twice"
    world.later(days=15)
    world.act()
    assert world.states(run_id) == {granted: "spared", refused: "acted", waits: "answered"}
    answer_queue.refuse(world.tools, ana, [cases[waits]])
    world.act()
    assert world.states(run_id)[waits] == "acted", "the grace was over while they waited"
    assert [(one.event, one.result) for one in world.audit("answer:decided")] == [
        ("answer:decided", "approved"), ("answer:decided", "refused"), ("answer:decided", "refused"),
    ]  # fmt: skip
    assert world.audit("case:kept") == []
    # Stop ends those who wait, too.
    with pytest.raises(Conflict):
        answer_queue.grant(world.tools, ana, list(cases.values()))


def ended(world: World, count: int = 1) -> tuple[Caller, str, list[str]]:
    """The same when their access is gone, and Atlassian shows it."""
    ana, run_id, found = warned(world, count)
    world.later(days=15)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    world.settled()
    return ana, run_id, found


def test_who_asks_for_it_gets_it_back_from_an_operator(world: World) -> None:
    ana, run_id, (person, other) = ended(world, 2)
    for one in (person, other):
        for _ in range(2):
            assert say(world, link_of(world, run_id, one), "ask_back", words="Year end").status_code == 303
    assert [one.actor for one in world.audit("answer:given")] == [person, other]
    assert world.effects(person)["restore"] == 0
    asking = answer_queue.asking(world.tools, ana)
    assert {(one.case.account_id, one.answer.words, one.asks_back) for one in asking} == {
        (person, "Year end", True), (other, "Year end", True),
    }  # fmt: skip
    answer_queue.grant(world.tools, ana, [world.case(run_id, person).id])
    answer_queue.refuse(world.tools, ana, [world.case(run_id, other).id])
    assert world.effects(person)["restore"] == 0, "the worker acts"
    assert stage(world, link_of(world, run_id, person)) is Stage.GRANTED
    world.act()
    assert world.states(run_id) == {person: "undone", other: "acted"}
    assert (world.effects(person)["restore"], world.effects(other)["restore"]) == (1, 0)
    assert stage(world, link_of(world, run_id, person)) is Stage.GIVEN_BACK
    assert stage(world, link_of(world, run_id, other)) is Stage.NOT_GRANTED
    told = [one for one in world.rows(Delivery) if one.topic == "person:given_back" and one.channel == "mail"]
    assert [one.account_id for one in told] == [person]
    with pytest.raises(Conflict):
        answer_queue.grant(world.tools, ana, [world.case(run_id, person).id])


def test_no_way_back_is_said_before_anything_is_done(world: World) -> None:
    ana, run_id, (person,) = ended(world)
    say(world, link_of(world, run_id, person), "ask_back")
    world.change(person, membership_status="active")
    world.sync(ana)
    before = world.dump()
    with pytest.raises(Conflict) as conflict:
        answer_queue.grant(world.tools, ana, [world.case(run_id, person).id])
    assert "cannot be given back" in conflict.value.sentence
    assert world.dump() == before
    assert answer_queue.refuse(world.tools, ana, [world.case(run_id, person).id]) == 1


def held_in(session: Session, seats: Seats) -> int:
    """How many active people hold a seat."""
    query = (
        select(func.count(Seat.account_id))
        .join(
            Person, (Person.account_id == Seat.account_id) & (Person.organization_id == Seat.organization_id)
        )
        .where(Seat.resource_id == seats.resource_id, Person.status == "active", Person.left_at.is_(None))
    )
    return session.scalar(query) or 0


@pytest.mark.parametrize("usage", [True, False], ids=["Atlassian counts", "we count"])
def test_a_seat_cap_gives_it_back_by_itself(world: World, usage: bool) -> None:
    ana, run_id, found = ended(world, 3)
    lost = world.case(run_id, found[0]).earlier["products"]
    with world.tools.begin() as session:
        jira = next(one for one in seats_of(session, ACME) if one.resource_id in lost)
        session.get_one(Organization, ACME).give_back_cap = held_in(session, jira) + 2
        if usage:
            jira.usage = held_in(session, jira)
    for person in found:
        say(world, link_of(world, run_id, person), "ask_back")
    assert all(world.effects(person)["restore"] == 0 for person in found), "not in a web request"
    assert len(give_backs.give_back_within_caps(world.tools)) == 2
    assert give_backs.give_back_within_caps(world.tools) == []
    world.act()
    world.later(minutes=11)
    assert give_backs.give_back_within_caps(world.tools) == []
    back = [person for person in found if world.effects(person)["restore"]]
    assert len(back) == 2
    assert [one.result for one in world.audit("answer:decided")] == ["automatic"] * 2
    # Nobody more than the cap: the third one waits for an operator.
    (left,) = answer_queue.asking(world.tools, ana)
    assert left.case.account_id not in back


def test_who_gives_back_asks_once_for_all_and_reads_no_case_there_ever_was(sqlite_world: World) -> None:
    """For each of fifty who ask, all cases and all seats were read while nobody else could write."""
    world = sqlite_world
    _ana, run_id, found = ended(world, 4)
    with world.tools.begin() as session:
        session.get_one(Organization, ACME).give_back_cap = 1_000_000
        for one in seats_of(session, ACME):
            one.usage = None
    say(world, link_of(world, run_id, found[0]), "ask_back")
    give_backs.give_back_within_caps(world.tools)
    for person in found[1:]:
        say(world, link_of(world, run_id, person), "ask_back")
    with asked_of(world.tools.engine) as asked:
        assert len(give_backs.give_back_within_caps(world.tools)) == 3
    counted = [question for question in asked if "count(" in question[0]]
    assert sum("FROM seat " in statement for statement, _parameters in counted) == 1
    assert sum("FROM run_case " in statement for statement, _parameters in counted) == 1
    assert reading_all_cases(world.tools.engine, counted) == set()


def test_everybody_who_asks_is_a_new_matter(world: World) -> None:
    """Also when others of the same run were helped before: hooks are told of a matter once."""
    ana, run_id, (first, second) = ended(world, 2)
    keys = []
    for person in (first, second):
        say(world, link_of(world, run_id, person), "ask_back")
        keys += [one.key for one in matters(world.tools, ACME) if one.topic is Topic.REVIEW_WAITING]
        answer_queue.refuse(world.tools, ana, [world.case(run_id, person).id])
        assert not [one for one in matters(world.tools, ACME) if one.topic is Topic.REVIEW_WAITING]
        world.later(minutes=10)
    assert len(set(keys)) == 2


def test_what_an_operator_refuses_this_moment_is_not_given_back_by_itself(world: World) -> None:
    ana, run_id, (person,) = ended(world)
    case = world.case(run_id, person)
    with world.tools.begin() as session:
        session.get_one(Organization, ACME).give_back_cap = 1_000_000
    say(world, link_of(world, run_id, person), "ask_back")
    with ThreadPoolExecutor(1) as pool:
        with world.tools.begin() as session:
            # The operator's request, up to the moment before its end.
            (held,) = locked(session, Case.organization_id == ACME, Case.id == case.id)
            answered = session.get_one(Answer, (ACME, case.id, "ask_back"))
            settle(session, answered, held, Decision.REFUSED, by=ana.account_id or "", now=world.clock())
            session.flush()
            begun = pool.submit(give_backs.give_back_within_caps, world.tools)
            time.sleep(0.5)
        assert begun.result() == []
    assert only(world).decision == Decision.REFUSED
    world.act()
    assert world.effects(person)["restore"] == 0


@pytest.mark.parametrize("by", ["itself", "an operator"])
def test_what_could_not_be_given_back_waits_for_an_operator_who_reads_why(world: World, by: str) -> None:
    """Atlassian refuses it: nobody is told that it is on its way, and nothing is tried for ever."""
    ana, run_id, (person,) = ended(world)
    link, case = link_of(world, run_id, person), world.case(run_id, person)
    say(world, link, "ask_back")
    [first] = [one for one in matters(world.tools, ACME) if one.topic is Topic.REVIEW_WAITING]
    if by == "itself":
        with world.tools.begin() as session:
            session.get_one(Organization, ACME).give_back_cap = 1_000_000
        [_undo] = give_backs.give_back_within_caps(world.tools)
    else:
        answer_queue.grant(world.tools, ana, [case.id])
    assert stage(world, link) is Stage.GRANTED
    world.later(minutes=1)
    world.fault(f"/users/{person}/restore$", "403-scopes", times=None)
    world.act()
    assert (stage(world, link), world.effects(person)["restore"]) == (Stage.ASKED, 0)
    [waits] = answer_queue.asking(world.tools, ana)
    assert "its scopes are too small" in waits.tried
    [again] = [one for one in matters(world.tools, ACME) if one.topic is Topic.REVIEW_WAITING]
    assert again.key != first.key, "hooks are told of it"
    assert "its scopes are too small" in world.audit("answer:decided")[-1].result
    world.clear_faults()
    world.later(minutes=30)
    assert give_backs.give_back_within_caps(world.tools) == []
    answer_queue.grant(world.tools, ana, [case.id])
    world.act()
    assert (stage(world, link), world.effects(person)["restore"]) == (Stage.GIVEN_BACK, 1)
    assert answer_queue.asking(world.tools, ana) == []


def test_without_a_cap_everybody_waits(world: World) -> None:
    ana, run_id, (person,) = ended(world)
    say(world, link_of(world, run_id, person), "ask_back")
    assert give_backs.give_back_within_caps(world.tools) == []
    assert len(answer_queue.asking(world.tools, ana)) == 1


def test_who_was_removed_reads_that_and_whom_to_ask(world: World) -> None:
    """A mail of the organization's own text may have the link: no way leads back, and an administrator can invite."""
    _, run_id, (person,) = warned(world, then={"deed": "remove"})
    world.later(days=15)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.deed) == ("acted", "remove")
    link = link_of(world, run_id, person)
    page = world.http.get(link)
    assert page.status_code == 200
    assert f"You were removed from your organization on {case.finished_at:%-d %B %Y}" in page.text
    assert "ask an administrator of your organization" in page.text
    assert "<form" not in page.text
    assert say(world, link, "ask_back").status_code == 409
    world.later(days=91)
    assert world.http.get(link).status_code == 410


def test_after_a_while_the_link_says_nothing_any_more(world: World) -> None:
    _, run_id, (person,) = ended(world)
    link = link_of(world, run_id, person)
    world.later(days=91)
    assert stage(world, link) is Stage.CLOSED
    assert say(world, link, "ask_back").status_code == 410


def test_s55_nobody_asks_an_organization_that_left(world: World) -> None:
    ana, run_id, (person,) = ended(world)
    link = link_of(world, run_id, person)
    with world.tools.begin() as session:
        tenant = session.get_one(Tenant, ana.tenant)
        leave(session, tenant, actor="ana", now=world.clock(), reason="Uninstalled.")
    assert stage(world, link) is Stage.CLOSED
    before = world.dump()
    assert say(world, link, "ask_back").status_code == 410
    assert world.dump() == before


def test_s19_another_organization_decides_nothing(world: World) -> None:
    _, run_id, (person,) = ended(world)
    say(world, link_of(world, run_id, person), "ask_back", words="Please")
    gina = world.synced("globex")
    case_id = world.case(run_id, person).id
    before = world.dump()
    assert answer_queue.asking(world.tools, gina) == []
    for deed in (answer_queue.grant, answer_queue.refuse):
        with pytest.raises(Conflict):
            deed(world.tools, gina, [case_id])
    assert world.dump() == before
    assert people.person_page(world.tools, world.caller("ana"), person).answers[0].words == "Please"
