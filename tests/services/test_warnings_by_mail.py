"""A warning that only a mail can bring: it counts when the mail was sent, and not before (S56)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from connect.caller import Caller
from models.delivery import Delivery
from models.mail import MailSender
from models.notice import Notice
from models.people import Person
from models.run import Run
from rules.topics import AnswerKind, Topic
from services import (
    answer_queue,
    calendars,
    delivery_log,
    leasing,
    mail_suppressions,
    retention,
    retrying,
    rule_runs,
    rules,
    sending,
)
from services.answers import answer
from services.exports import run_csv
from services.keep_links import keep_link
from services.mail_history import mails_to
from services.mail_reach import NO_ADDRESS
from services.mail_sending import NOT_NEEDED, WAITS_FOR_AN_OPERATOR
from services.mail_suppressions import REFUSED
from services.own_case import own_case
from services.run_people import Wanted, people_of_run
from services.warning import NO_MAIL_WENT_OUT, NOT_IN_A_PRODUCT
from tests.services.mails import mail_switched_on, mails, send_due
from tests.services.workers import once, with_something_between
from tests.world import ACME, ACME_KEY, ORGANIZATIONS, World

pytestmark = pytest.mark.slow


@pytest.fixture
def post(world: World) -> Iterator[World]:
    """There is a mail server; Rollcall is in Jira alone."""
    with mail_switched_on(world):
        yield world


def idle(world: World, **more: Any) -> tuple[Caller, str, str]:
    """(operator, somebody whom no notice in a product reaches, the rule about them)."""
    ana = world.store_key()
    (person,) = world.people(1, groups=["confluence-users"])
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14, "warn": [14, 3], **more}
    return ana, person, world.rule(ana, step, who={"people": [person]})


def warned(world: World, **more: Any) -> tuple[Caller, str, str]:
    """(operator, somebody whom no notice in a product reaches, the run that warned them)."""
    ana, person, rule_id = idle(world, **more)
    return ana, person, world.run_rule(ana, rule_id)


def mail_rows(world: World, account_id: str) -> list[Delivery]:
    """Their mails, the oldest first."""
    found = [row for row in world.rows(Delivery) if row.target == account_id]
    return sorted(found, key=lambda row: row.created_at)


def server_stored(world: World) -> None:
    """The organization has a mail server from now on."""
    server = MailSender(
        organization_id=ACME,
        host="mail.example.com",
        port=465,
        security="tls",
        from_address="it@acme.example",
        changed_by="ana",
        changed_at=world.clock(),
    )
    with world.tools.begin() as session:
        session.add(server)


def test_whoever_is_suspended_is_warned_by_mail_alone(post: World) -> None:
    ana = post.store_key()
    (person,) = post.people(1, membership_status="suspended")
    post.sync(ana)
    post.later(days=91)
    post.sync(ana)
    step = {"when": {"suspended": 90}, "then": {"deed": "deactivate"}, "grace": 14, "warn": [14]}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    assert post.states(run_id) == {person: "warned"}
    send_due(post)
    (mail,) = mails(post)
    assert "in 14 days" in mail["text"]


def test_a_mail_is_enough_of_a_warning(post: World) -> None:
    ana, person, run_id = warned(post)
    assert post.states(run_id) == {person: "warned"}
    send_due(post)
    (mail,) = mails(post)
    assert "in 14 days" in mail["text"]
    assert "You were last seen in Confluence 100 days ago." in mail["text"]
    assert re.search(rf"{post.url}/keep/\S+", mail["text"])
    post.later(days=11)
    post.act()
    send_due(post)
    assert "in 3 days" in mails(post)[0]["text"]
    assert "You were last seen in Confluence 111 days ago." in mails(post)[0]["text"]
    post.later(days=3, hours=1)
    post.act()
    assert post.states(run_id) == {person: "acted"}
    send_due(post)
    assert mails(post)[0]["subject"] == "Your access to Confluence has changed"
    assert "You were last seen in Confluence 114 days ago." in mails(post)[0]["text"]
    assert [row.topic for row in mails_to(post.tools, ana, person)] == [
        Topic.ENDED,
        Topic.WARNED,
        Topic.WARNED,
    ]


def test_s56_a_refused_mail_is_no_warning(post: World) -> None:
    post.control("POST", "/mail-faults", {"kind": "refuse"})
    ana, person, run_id = warned(post)
    send_due(post)
    assert post.states(run_id) == {person: "could_not_warn"}
    assert post.case(run_id, person).reason == f"The mail could not be delivered: {REFUSED}"
    # They are not out of danger: it is the warning that comes too late.
    mail_suppressions.let_go(post.tools, ana, person)
    (row,) = mail_rows(post, person)
    delivery_log.send_again(post.tools, ana, row.id)
    send_due(post)
    assert mail_rows(post, person)[0].reason == WAITS_FOR_AN_OPERATOR
    post.later(days=20)
    post.tick()
    assert post.states(run_id) == {person: "could_not_warn"}
    assert post.calls(person) == 0


def test_why_a_mail_was_not_sent_stands_beside_the_case(post: World) -> None:
    """Somebody was warned in the product; the mail beside it found no address."""
    ana = post.store_key()
    hidden, known = post.people(2)
    post.sync(ana)
    with post.tools.begin() as session:
        session.get_one(Person, (ACME, hidden)).email = None
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [hidden, known]}))
    send_due(post)
    assert set(post.states(run_id).values()) == {"warned"}, "in the product they were told"
    found = people_of_run(post.tools, ana, run_id, Wanted(), page=1, per_page=10)
    assert found.unsent == {post.case(run_id, hidden).id: NO_ADDRESS}
    rows = list(csv.DictReader(io.StringIO("".join(run_csv(post.tools, ana, run_id)).lstrip("\ufeff"))))
    assert {row["account id"]: row["mail not sent"] for row in rows} == {hidden: NO_ADDRESS, known: ""}


def test_s56_a_mail_that_failed_by_a_fault_of_our_own_is_no_warning_either(post: World) -> None:
    _ana, person, run_id = warned(post)
    (delivery,) = post.rows(Delivery)
    with post.tools.begin() as session:
        session.get_one(Delivery, (ACME, delivery.id)).attempt = len(leasing.PAUSES) + 1
    sending.fail(post.tools, ACME, delivery.id, len(leasing.PAUSES) + 1)
    assert post.states(run_id) == {person: "could_not_warn"}
    post.later(days=20)
    post.tick()
    assert post.calls(person) == 0


def test_s56_nobody_is_touched_while_the_only_warning_waits(post: World) -> None:
    post.control("POST", "/mail-faults", {"kind": "busy", "times": None})
    _ana, person, run_id = warned(post, grace=1, warn=[1])
    send_due(post)
    post.later(days=1, minutes=1)
    post.tick()
    assert post.states(run_id) == {person: "warned"}
    assert post.calls(person) == 0
    post.control("DELETE", "/mail-faults")
    post.later(hours=11)
    send_due(post)
    assert "in 1 day" in mails(post)[0]["text"]
    post.later(hours=23)
    post.act()
    assert post.calls(person) == 0, "the grace began when the mail left"
    post.later(hours=1, minutes=2)
    post.act()
    assert post.states(run_id) == {person: "acted"}
    assert len([row for row in post.rows(Delivery) if row.topic == Topic.WARNED]) == 1


def test_s56_the_grace_begins_when_the_first_mail_leaves_late(post: World) -> None:
    """The worker was down over the weekend; the second warning is a reminder, however late."""
    _ana, person, run_id = warned(post)
    told = post.case(run_id, person).due_at
    there = "Pacific/Kiritimati" if told.hour >= 10 else "Pacific/Pago_Pago"
    calendars.set_calendar(post.tools, post.caller("ana"), there, "")
    post.later(days=3)
    send_due(post)
    case = post.case(run_id, person)
    assert timedelta() <= case.due_at - told - timedelta(days=3) < timedelta(minutes=2)
    assert case.resume_at == case.due_at - timedelta(days=3)
    assert [one.ends_at for one in post.rows(Notice)] == [case.due_at]
    assert "in 14 days" in mails(post)[0]["text"]
    (entry,) = post.audit("case:put_off")
    day = case.due_at.astimezone(ZoneInfo(there))
    assert day.date() != case.due_at.date()
    assert entry.result == f"Their warning left late: the grace ends on {day:%-d %B %Y}."
    post.later(days=11, minutes=1)
    post.act()
    post.later(days=1)
    send_due(post)
    assert "in 2 days" in mails(post)[0]["text"]
    assert post.case(run_id, person).due_at == case.due_at
    post.later(days=2)
    post.act()
    assert post.states(run_id) == {person: "acted"}


def test_a_mail_that_leaves_as_usual_moves_nothing(post: World) -> None:
    _ana, person, run_id = warned(post)
    before = post.case(run_id, person)
    post.later(minutes=14)
    send_due(post)
    after = post.case(run_id, person)
    assert (after.due_at, after.resume_at) == (before.due_at, before.resume_at)
    assert post.audit("case:put_off") == []


def test_s56_a_mail_that_leaves_the_moment_before_the_deed_still_begins_the_grace(post: World) -> None:
    _ana, person, run_id = warned(post, grace=1, warn=[1])
    post.later(days=2)
    leaves = once("after", "person", lambda: send_due(post))
    post.act(with_something_between(post.tools, leaves))
    assert post.states(run_id) == {person: "warned"}
    assert post.case(run_id, person).due_at > post.clock() + timedelta(hours=23)
    assert post.calls(person) == 0


def test_s56_whoever_was_told_in_a_product_has_the_grace_from_then_on(post: World) -> None:
    ana = post.store_key()
    (person,) = post.people(1)
    post.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    told = post.case(run_id, person).due_at
    post.later(days=3)
    send_due(post)
    assert "in 11 days" in mails(post)[0]["text"]
    assert post.case(run_id, person).due_at == told


def test_a_mail_whose_rule_was_switched_off_meanwhile_is_not_sent(post: World) -> None:
    post.control("POST", "/mail-faults", {"kind": "busy"})
    ana, person, run_id = warned(post)
    send_due(post)
    rules.switch_off(post.tools, ana, post.stored(Run, ACME, run_id).rule_id)
    assert post.states(run_id)[person] != "warned"
    post.later(minutes=1)
    send_due(post)
    (delivery,) = post.rows(Delivery)
    assert (delivery.state, delivery.reason) == ("not_sent", NOT_NEEDED)
    assert mails(post) == []


def test_s56_a_mail_server_that_comes_while_they_are_read_sends_the_warning(world: World) -> None:
    """One answer says whether a mail reaches them and whether it goes out."""
    ana, person, rule_id = idle(world)
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    world.act(with_something_between(world.tools, once("after", "person", lambda: server_stored(world))))
    assert world.states(run_id) == {person: "warned"}
    assert [row.topic for row in mail_rows(world, person)] == [Topic.WARNED]


def test_s56_whom_no_product_reaches_and_no_mail_was_written_to_was_not_warned(post: World) -> None:
    _ana, person, run_id = warned(post)
    with post.tools.begin() as session:
        session.execute(delete(Delivery).where(Delivery.account_id == person))
    post.later(days=15)
    post.act()
    assert post.states(run_id) == {person: "could_not_warn"}
    assert post.case(run_id, person).reason == f"{NOT_IN_A_PRODUCT} {NO_MAIL_WENT_OUT}"
    assert post.calls(person) == 0


def test_a_warning_that_was_sent_is_remembered_as_long_as_its_grace(post: World) -> None:
    _ana, person, run_id = warned(post, grace=120, warn=[120])
    send_due(post)
    post.later(days=119)
    retention.purge(post.tools)
    assert len(mail_rows(post, person)) == 1
    post.later(days=2)
    post.act()
    assert post.states(run_id) == {person: "acted"}
    send_due(post)
    post.later(days=91)
    retention.purge(post.tools)
    assert mail_rows(post, person) == []


def test_s56_a_mail_of_an_earlier_grace_warns_of_no_later_one(post: World) -> None:
    """Sent or not: whoever is tried again is written to anew, and only that mail counts."""
    ana, person, run_id = warned(post)
    send_due(post)
    failed_and_tried_again(post, ana, run_id)
    post.later(days=14, minutes=1)
    post.act()
    assert post.states(run_id) == {person: "warned"}, "the new mail has not left"
    send_due(post)
    assert "in 14 days" in mails(post)[0]["text"]
    failed_and_tried_again(post, ana, run_id)
    send_due(post)
    assert [row.state for row in mail_rows(post, person)] == ["sent", "sent", "sent"]
    assert post.calls(person) == 0


def test_s56_a_mail_of_an_earlier_grace_that_waited_is_not_sent(post: World) -> None:
    ana, person, run_id = warned(post)
    failed_and_tried_again(post, ana, run_id)
    send_due(post)
    assert [(row.state, row.reason) for row in mail_rows(post, person)] == [
        ("not_sent", NOT_NEEDED),
        ("sent", ""),
    ]
    assert post.states(run_id) == {person: "warned"}


def test_s56_whose_only_mail_was_refused_was_not_told(post: World) -> None:
    """A rung that only tells; a passing no of the server, so that the next run may reach them."""
    ana = post.store_key()
    (person,) = post.people(1, groups=["confluence-users"])
    post.sync(ana)
    tells = {"when": {"not_seen": 60}, "then": {"deed": "tell"}}
    rule_id = post.rule(ana, tells, who={"people": [person]})
    run_id = post.run_rule(ana, rule_id)
    assert post.states(run_id) == {person: "acted"}
    (row,) = mail_rows(post, person)
    with post.tools.begin() as session:
        session.get_one(Delivery, (ACME, row.id)).attempt = len(leasing.PAUSES) + 1
    sending.fail(post.tools, ACME, row.id, len(leasing.PAUSES) + 1)
    case = post.case(run_id, person)
    assert (case.state, case.why) == ("acted", "unreachable")
    (entry,) = post.audit("case:could_not_warn")
    assert entry.result == case.reason
    assert case.reason.startswith("The mail could not be delivered: ")
    post.settled()
    again = post.run_rule(ana, rule_id)
    assert post.states(again) == {person: "acted"}
    send_due(post)
    assert post.case(again, person).why == ""
    assert len(mails(post)) == 1
    post.settled()
    assert post.states(post.run_rule(ana, rule_id)).get(person) != "acted", "told is told"


def test_whose_mail_an_operator_sends_again_is_told_once(post: World) -> None:
    ana = post.store_key()
    (person,) = post.people(1, groups=["confluence-users"])
    post.sync(ana)
    tells = {"when": {"not_seen": 60}, "then": {"deed": "tell"}}
    rule_id = post.rule(ana, tells, who={"people": [person]})
    run_id = post.run_rule(ana, rule_id)
    post.control("POST", "/mail-faults", {"kind": "busy", "times": None})
    for pause in leasing.PAUSES:
        send_due(post)
        post.later(seconds=pause.total_seconds() + 1)
    send_due(post)
    assert post.case(run_id, person).why == "unreachable"
    post.control("DELETE", "/mail-faults")
    (row,) = mail_rows(post, person)
    delivery_log.send_again(post.tools, ana, row.id)
    send_due(post)
    assert len(mails(post)) == 1
    assert (post.case(run_id, person).why, post.case(run_id, person).reason) == ("", "")
    assert post.states(post.run_rule(ana, rule_id)).get(person) != "acted"


def failed_and_tried_again(world: World, ana: Caller, run_id: str) -> None:
    """The key expires, a new one comes after the date that they were told."""
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.later(days=15)
    world.act()
    assert set(world.states(run_id).values()) == {"failed"}
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert set(world.states(run_id).values()) == {"warned"}


@pytest.mark.parametrize("of_one_site", [False, True], ids=["on every site", "on one site"])
def test_a_mail_names_what_was_taken_and_what_came_back(post: World, of_one_site: bool) -> None:
    """They have Confluence as well, and kept it."""
    ana = post.store_key()
    (person,) = post.people(1, groups=["jira-users", "confluence-users"])
    post.sync(ana)
    jira = ORGANIZATIONS["acme"].resource("jira-software") if of_one_site else "jira-software"
    step = {"when": {"not_seen": 90}, "then": {"deed": "remove_access", "products": [jira]}, "grace": 3}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    send_due(post)
    post.later(days=4)
    post.act()
    send_due(post)
    post.settled()
    case_id = post.case(run_id, person).id
    token = keep_link(post.tools, ACME, case_id, person).rpartition("/")[2]
    answer(post.tools, token, AnswerKind.ASK_BACK)
    answer_queue.grant(post.tools, ana, [case_id])
    post.act()
    send_due(post)
    assert [mail["subject"] for mail in mails(post)] == [
        "You have your access to Jira back",
        "Your access to Jira has changed",
        "Do you still need your access to Jira?",
    ]


@pytest.mark.parametrize(
    ("deed", "groups", "lost"),
    [
        ({"deed": "remove_access", "products": ["jira-software", "confluence"]}, ["jira-users"], "Jira"),
        (
            {"deed": "change_groups", "leave": ["confluence-users"]},
            ["jira-users", "confluence-users"],
            "Confluence",
        ),
    ],
)
def test_a_mail_names_nothing_that_they_had_not_or_kept(
    post: World, deed: dict[str, Any], groups: list[str], lost: str
) -> None:
    ana = post.store_key()
    (person,) = post.people(1, groups=groups)
    post.sync(ana)
    if "leave" in deed:
        deed = deed | {"leave": [post.groups()[name]["id"] for name in deed["leave"]]}
    shown = (lost,) if "products" in deed else ()
    step = {"when": {"not_seen": 90}, "then": deed, "grace": 3}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    send_due(post)
    if "products" in deed:
        assert mails(post)[0]["subject"] == f"Do you still need your access to {lost}?"
    case_id = post.case(run_id, person).id
    token = keep_link(post.tools, ACME, case_id, person).rpartition("/")[2]
    assert own_case(post.tools, token).products == shown
    post.later(days=4)
    post.act()
    send_due(post)
    post.settled()
    assert own_case(post.tools, token).products == shown
    answer(post.tools, token, AnswerKind.ASK_BACK)
    answer_queue.grant(post.tools, ana, [case_id])
    post.act()
    send_due(post)
    assert [mail["subject"] for mail in mails(post)][:2] == [
        f"You have your access to {lost} back",
        f"Your access to {lost} has changed",
    ]


@pytest.mark.parametrize(
    ("group", "about"), [("org-admins", "org-admins"), ("confluence-users", "Confluence")]
)
def test_mails_about_a_group_name_what_it_opens_or_the_group(post: World, group: str, about: str) -> None:
    ana = post.store_key()
    (person,) = post.people(1, groups=["jira-users", group])
    post.sync(ana)
    deed = {"deed": "change_groups", "leave": [post.groups()[group]["id"]]}
    step = {"when": {"not_seen": 90}, "then": deed, "grace": 3}
    run_id = post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    send_due(post)
    post.later(days=4)
    post.act()
    send_due(post)
    post.settled()
    case_id = post.case(run_id, person).id
    token = keep_link(post.tools, ACME, case_id, person).rpartition("/")[2]
    answer(post.tools, token, AnswerKind.ASK_BACK)
    answer_queue.grant(post.tools, ana, [case_id])
    post.act()
    send_due(post)
    assert [mail["subject"] for mail in mails(post)] == [
        f"You have your access to {about} back",
        f"Your access to {about} has changed",
        f"Do you still need your access to {about}?",
    ]


def test_a_mail_to_somebody_removed_names_what_they_had(post: World) -> None:
    ana = post.store_key()
    (person,) = post.people(1)
    post.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "remove"}, "grace": 3}
    post.run_rule(ana, post.rule(ana, step, who={"people": [person]}))
    post.later(days=4)
    post.act()
    send_due(post)
    mail = mails(post)[0]
    assert mail["subject"] == "Your access to Jira has changed"
    # Their page has no way back: neither has the mail.
    assert "You have been removed from the organization." in mail["text"]
    assert "ask an administrator of Acme" in mail["text"]
    assert "/keep/" not in mail["text"]


def test_nobody_who_has_their_access_back_is_told_afterwards_that_it_ended(post: World) -> None:
    """The mail server was busy until the run was taken back."""
    ana, person, run_id = warned(post)
    send_due(post)
    post.later(days=15)
    post.act()
    post.control("POST", "/mail-faults", {"kind": "busy"})
    send_due(post)
    post.settled()
    post.undo(ana, run_id)
    assert post.states(run_id) == {person: "undone"}
    before = len(mails(post))
    post.later(minutes=10)
    send_due(post)
    assert len(mails(post)) == before
    ended = mail_rows(post, person)[-1]
    assert (ended.topic, ended.state, ended.reason) == (Topic.ENDED, "not_sent", NOT_NEEDED)
