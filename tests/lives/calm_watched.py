"""What must hold when everything works, has been worked off, and the directory was read."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.absence import Absence
from models.access_rule import AccessGiven, AccessRuleNews, StoredAccessRule
from models.answer import Answer, Decision
from models.audit import AuditEntry
from models.leaver import Leaver
from models.people import Membership, Person, Seat
from models.reread import Reread
from models.run import Case, Run
from models.scim import ScimConnection, ScimUser
from models.ticket import TicketCall
from models.timed_access import TimedAccess, TimedState
from rules.case import WAITING, RunState
from rules.deeds import Deed
from rules.farewell import OVER, WORKING, LeaverState
from rules.rule import Mode
from rules.scim import ScimMode, ScimState
from rules.tickets import CallState
from rules.topics import Topic
from services import runs, timed_access
from services.matters import matters
from services.summary import summary
from tests.lives.cast import Having
from tests.lives.leaving import check_belongings
from tests.lives.moment import Row, moment_of
from tests.lives.post import check_mails
from tests.lives.stage import Stage
from tests.lives.twin import make_a_twin, of_the_twin
from tests.world import ACME

A_WHILE = timedelta(hours=2)
MACHINES = ("bot", "service")
_STOPPED = select(AccessGiven).where(AccessGiven.stopped_at.is_not(None))
_LED_OUT = select(Leaver).where(
    Leaver.state == LeaverState.DONE.value, Leaver.deed == Deed.REMOVE_ACCESS.value
)
"""A group that they were left in is no reason to let them in again, until others give them a product."""


def check_calm(life: Stage) -> None:
    life.watch.check_calm(_traced(life))
    _check_nobody_is_lost(life)
    _check_memory(life)
    _check_access_rules(life)
    check_mails(life)
    check_belongings(life)
    _check_pages(life)
    look_next_door(life)


def look_next_door(life: Stage) -> None:
    """Nothing was touched there. From now on it is a twin of what is here now."""
    assert life.cast.next_door() == life.cast.next_door_before, "another organization was touched"
    twin = of_the_twin(life.world)
    for name, rows in life.cast.twin.items():
        assert twin[name] == rows, f"another organization's {name} was touched"
    with life.watch.step():
        # What the worker finds of itself, for all organizations at once.
        runs.finish_runs(life.tools)
        timed_access.due_ends(life.tools)
    life.cast.twin = make_a_twin(life.world, life.world.clock())


def _traced(life: Stage) -> set[tuple[str, str | None, str | None]]:
    told = life.rows(select(AuditEntry).where(AuditEntry.event.like("case:%")))
    return {(entry.event, entry.run_id, entry.subject) for entry in told}


def _check_pages(life: Stage) -> None:
    """What the Overview says is so, and nothing needs an operator that does not."""
    totals = summary(life.tools, ACME).totals
    here = life.rows(select(Person).where(Person.left_at.is_(None)))
    counted = [len([one for one in here if one.status == status]) for status in ("active", "suspended")]
    assert [totals.people, totals.active, totals.suspended] == [len(here), *counted], totals
    topics = {matter.topic for matter in matters(life.tools, ACME)}
    assert not topics & {Topic.KEY_DEAD, Topic.SYNC_FAILED, Topic.SYNC_OLD, Topic.MAIL_BROKEN}, topics
    waits = [*life.cases(*WAITING), *life.rows(select(Answer).where(Answer.decision == Decision.WAITS.value))]
    assert waits or Topic.REVIEW_WAITING not in topics, "nobody waits for a review"
    stays = life.rows(select(TimedAccess).where(TimedAccess.state == TimedState.NOT_ENDED.value))
    assert bool(stays) == (Topic.ACCESS_STAYS in topics), f"{len(stays)} that did not end, and {topics}"
    leaving = life.rows(select(Leaver).where(Leaver.state.not_in([state.value for state in OVER])))
    assert leaving or Topic.LEAVER_WAITS not in topics, "nobody is leaving"


def _check_nobody_is_lost(life: Stage) -> None:
    """Whoever waits, waits for an operator, or for a day to come."""
    now = life.world.clock()
    for leaver in life.rows(select(Leaver).where(Leaver.state.in_([state.value for state in WORKING]))):
        waits = leaver.resume_at is not None and leaver.resume_at > now
        assert waits or leaver.reason, f"a leaver is lost: {leaver.state} {leaver.run_id}"
    for timed in life.rows(select(TimedAccess)):
        assert timed.state != TimedState.ENDING, f"an end is lost: {timed.end_run_id} {timed.reason}"
        assert timed.state != TimedState.OPEN or timed.until >= now.date(), f"never ended: {timed.case_id}"
    for absence in life.rows(select(Absence).where(Absence.ended_at.is_(None), Absence.comes_back)):
        assert absence.ends_on is None or absence.ends_on >= now.date(), (
            f"away for ever: {absence.account_id}"
        )
    live = select(ScimConnection).where(ScimConnection.mode == ScimMode.LIVE.value)
    ids = [connection.id for connection in life.rows(live)]
    for user in life.rows(select(ScimUser).where(ScimUser.connection_id.in_(ids))):
        assert user.state != ScimState.WORKING, f"in nobody's hands: {user.user_name} {user.reason}"
        assert user.dirty_at is None or user.dirty_at > now or user.reason, f"waits: {user.user_name}"
    assert not life.rows(select(Reread).where(Reread.resume_at <= now)), "somebody waits for ever to be read"
    is_live = select(StoredAccessRule).where(StoredAccessRule.mode == Mode.LIVE.value)
    ids = [rule.id for rule in life.rows(is_live)]
    assert not life.rows(select(AccessRuleNews).where(AccessRuleNews.rule_id.in_(ids))), (
        "no rule has looked at them"
    )
    underway = TicketCall.state.in_([CallState.RECEIVED.value, CallState.GIVING.value])
    for ticket in life.rows(select(TicketCall).where(underway)):
        waits = ticket.resume_at is not None and ticket.resume_at > now
        assert waits, f"a ticket is lost: {ticket.reason}"


def _check_memory(life: Stage) -> None:
    """What the last sync and our own deeds have left in memory is what Atlassian has."""
    people = {person.account_id: person for person in life.rows(select(Person))}
    groups = {(each.account_id, each.group_id) for each in life.rows(select(Membership))}
    seats = {(each.account_id, each.resource_id) for each in life.rows(select(Seat))}
    for name, account_id in life.cast.ids.items():
        having, person = life.cast.having(name), people[account_id]
        if having is None:
            assert person.left_at is not None, f"{name} is gone, and nobody knows"
            continue
        assert person.left_at is None, f"{name} is here, and nobody knows"
        known = (person.membership_status, person.account_status)
        assert known == (having.membership, having.account), f"{name} is {having}, known as {known}"
        known_groups = {group for whose, group in groups if whose == account_id}
        assert known_groups == having.groups, f"{name} is in {having.groups}, known in {known_groups}"
        known_seats = {seat for whose, seat in seats if whose == account_id}
        held = life.cast.products(name)
        assert known_seats == held, f"{name} has {held}, known with {known_seats}"


def _check_access_rules(life: Stage) -> None:
    """Who is inside has what a live rule gives, and who is outside has lost what it gave; or a case says why not."""
    moment = moment_of(life.cast)
    live = [rule for rule in moment.access_rules.values() if rule["mode"] == Mode.LIVE]
    stopped = {(each.rule_id, each.account_id) for each in life.rows(_STOPPED)}
    led_out = {each.account_id for each in life.rows(_LED_OUT)}
    recent = {run.id: run for run in life.rows(select(Run).where(Run.created_at > moment.now - A_WHILE))}
    of_late = life.rows(select(Case).where(Case.run_id.in_(recent)))
    tried = {(recent[case.run_id].origin_id, case.account_id) for case in of_late}
    braked = {run["origin_id"] for run in moment.runs.values() if run["state"] == RunState.BRAKED}
    for rule in live:
        if rule["id"] in braked:
            continue
        for name, account_id in life.cast.ids.items():
            having, key = moment.having[name], (rule["id"], account_id)
            if key in stopped | tried or having is None or having.account != "active":
                continue
            inside = not having.groups.isdisjoint(rule["sources"])
            products = life.cast.products(name)
            held, may_get = having.groups | products, products or account_id not in led_out
            parts = {*rule["groups"], *(resource for resource, _role in rule["roles"])}
            if inside and having.membership == "active" and held and may_get and name not in MACHINES:
                assert parts <= held, (
                    f"{name} is inside and lacks what {rule['name']} gives: {rule['last_result']}"
                )
            given = {about for rule_id, who, _kind, about in moment.given if (rule_id, who) == key}
            if not inside and not rule["keep_when_over"]:
                kept = {about for other in live for about in _given_by(other, having) if other is not rule}
                assert not given & held - kept, f"{name} is outside and keeps what {rule['name']} gave"


def _given_by(rule: Row, having: Having) -> set[str]:
    if having.groups.isdisjoint(rule["sources"]):
        return set()
    return {*rule["groups"], *(resource for resource, _role in rule["roles"])}
