"""What a row with a last day means for somebody who has some of it for a time already."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot
from rules.deeds import CAPABILITIES, Action, Deed, EndMoved
from rules.guards import Guarded
from rules.organization import OrganizationFacts
from rules.person import GroupFacts, GroupRef
from rules.prolonging import (
    NOT_THERE,
    moved_words,
    not_there_any_more,
    set_back_words,
    with_what_they_have,
)
from rules.roster import Access, Entry, action_from_words, action_of, action_to_words
from rules.timed import Given
from rules.verdict import Ground, Verdict, Why
from tests.rules.organizations import TODAY
from tests.rules.people import person

MAY, JUNE, AUGUST = date(2027, 5, 1), date(2027, 6, 1), date(2027, 8, 1)
JOIN, OTHER = Change(ChangeKind.JOIN_GROUP, "contractors"), Change(ChangeKind.JOIN_GROUP, "sales")
GUEST = Change(ChangeKind.ASSIGN_ROLE, "confluence", "atlassian/guest")
ROW = Entry(
    Deed.GIVE_ACCESS, account_id="uma", access=Access(groups=("contractors",)), ends_on=AUGUST, prolongs=True
)
DONE = Verdict(CaseState.NOT_POSSIBLE, "Has this access already.", Why.DONE)
ORGANIZATION = OrganizationFacts(
    grants={name: frozenset({"confluence"}) for name in ("contractors", "sales")} | {"berlin": frozenset()}
)
NOBODY = Snapshot(person())


def said(
    row: Entry, *given: Given, verdict: Verdict = DONE, seen: Snapshot = NOBODY
) -> tuple[Deed, tuple[EndMoved, ...], Verdict]:
    action, found = with_what_they_have(row, action_of(row, None), verdict, given, seen, ORGANIZATION)
    return action.deed, action.ends, found


def test_a_later_day_prolongs_what_is_there_and_says_both_days() -> None:
    deed, ends, verdict = said(ROW, Given("c1", MAY, (JOIN,)))
    assert (deed, ends) == (Deed.PROLONG, (EndMoved("c1", MAY, AUGUST),))
    assert (verdict.state, verdict.reason) == (CaseState.PLANNED, "From 1 May 2027 to 1 August 2027.")
    assert verdict.changes == ()


def test_each_part_is_prolonged_and_what_ends_later_is_left() -> None:
    row = replace(ROW, access=Access(groups=("contractors", "sales", "berlin")))
    long = Given("c3", date(2028, 1, 1), (Change(ChangeKind.JOIN_GROUP, "berlin"),))
    deed, ends, verdict = said(row, Given("c1", JUNE, (JOIN,)), long, Given("c2", MAY, (OTHER,)))
    assert (deed, ends) == (Deed.PROLONG, (EndMoved("c2", MAY, AUGUST), EndMoved("c1", JUNE, AUGUST)))
    assert verdict.reason == "From 1 May 2027 and 1 June 2027 to 1 August 2027."


@pytest.mark.parametrize(
    ("row", "given", "why", "reason"),
    [
        (replace(ROW, ends_on=MAY), Given("c1", MAY, (JOIN,)), Why.DONE,
         "Has this access already, until 1 May 2027."),
        (replace(ROW, ends_on=MAY), Given("c1", AUGUST, (JOIN,)), Why.LAST_DAY,
         ("Has this access already, until 1 August 2027. The list says 1 May 2027, which is sooner: their last day is "
         "left as it is. To end it sooner, say so under Onboarding, Access with an end.")),
        (ROW, Given("c1", MAY, (JOIN, OTHER)), Why.LAST_DAY,
         ("Has this access until 1 May 2027, given together with more than the list names. "
         "Prolong it under Onboarding, Access with an end.")),
        (replace(ROW, starts_on=JUNE), Given("c1", MAY, (JOIN,)), Why.LAST_DAY,
         ("Has this access until 1 May 2027, and the list begins later, on 1 June 2027. "
         "Check the list again once it has ended.")),
        (ROW, Given("c1", MAY, (JOIN,), is_open=False), Why.LAST_DAY,
         "Its last day is over, and its end has not come through. Look under Onboarding, Access with an end."),
        (replace(ROW, prolongs=False), Given("c1", MAY, (JOIN,)), Why.DONE,
         ("Has this access already, until 1 May 2027. Prolong it under Onboarding, Access with an end, or by a list "
         "with a last day.")),
        (replace(ROW, ends_on=None, prolongs=False), Given("c1", MAY, (JOIN,)), Why.DONE,
         ("Has this access already, until 1 May 2027. Prolong it under Onboarding, Access with an end, or by a list "
         "with a last day.")),
        (ROW, Given("c1", MAY, (OTHER,)), Why.DONE, "Has this access already."),
    ],
    ids=["same", "sooner", "more", "gap", "stuck", "by a profile", "for good", "something else"],
)  # fmt: skip
def test_who_is_not_prolonged_reads_why(row: Entry, given: Given, why: Why, reason: str) -> None:
    deed, ends, verdict = said(row, given)
    assert (deed, ends) == (Deed.GIVE_ACCESS, ())
    assert (verdict.state, verdict.why, verdict.reason) == (CaseState.NOT_POSSIBLE, why, reason)


def test_a_start_that_follows_at_once_is_no_gap() -> None:
    row = replace(ROW, starts_on=MAY + timedelta(days=1))
    assert said(row, Given("c1", MAY, (JOIN,)))[0] is Deed.PROLONG


def test_an_invitation_that_brought_it_is_prolonged_too() -> None:
    assert said(ROW, Given("c1", MAY, (Change(ChangeKind.INVITE), JOIN)))[0] is Deed.PROLONG


def test_a_role_that_no_preview_sees_counts_as_there_when_we_gave_it() -> None:
    row = replace(ROW, access=Access(roles=(("confluence", "atlassian/guest"),)))
    verdict = Verdict(CaseState.PLANNED, changes=(GUEST,))
    assert said(row, Given("c1", MAY, (GUEST,)), verdict=verdict)[0] is Deed.PROLONG
    assert said(row, Given("c1", MAY, (GUEST,), is_open=False), verdict=verdict)[0] is Deed.GIVE_ACCESS


def test_who_lacks_a_part_gets_that_first_and_reads_what_ends() -> None:
    row = replace(ROW, access=Access(groups=("contractors", "sales")))
    verdict = Verdict(CaseState.PLANNED, changes=(OTHER,))
    deed, ends, found = said(row, Given("c1", MAY, (JOIN,)), verdict=verdict)
    assert (deed, ends, found.state, found.changes) == (Deed.GIVE_ACCESS, (), CaseState.PLANNED, (OTHER,))
    assert found.reason.startswith("What they have of it until 1 May 2027 ends then. Check the list again")


def test_who_moved_between_groups_until_a_day_is_prolonged_with_that() -> None:
    row = replace(ROW, deed=Deed.CHANGE_GROUPS, leave=("marketing",))
    left = Change(ChangeKind.LEAVE_GROUP, "marketing")
    assert said(row, Given("c1", MAY, (left, JOIN)))[0] is Deed.PROLONG
    # A row that does not speak of the move back does not put that off.
    assert said(ROW, Given("c1", MAY, (left, JOIN)))[2].why is Why.LAST_DAY


@drawn(
    st.lists(st.tuples(st.integers(-50, 50), st.booleans(), st.sets(st.sampled_from([JOIN, OTHER])))),
    st.integers(-50, 50),
)
def test_nobody_ends_sooner_by_a_list(given: list[tuple[int, bool, set[Change]]], wanted: int) -> None:
    day = AUGUST + timedelta(days=wanted)
    had = [
        Given(f"c{number}", AUGUST + timedelta(days=days), tuple(changes), is_open)
        for number, (days, is_open, changes) in enumerate(given)
    ]
    _deed, ends, verdict = said(replace(ROW, ends_on=day), *had)
    by_case = {each.of: each for each in had}
    assert all(end.before < end.until == day for end in ends)
    assert all(by_case[end.of].until == end.before and by_case[end.of].changes == (JOIN,) for end in ends)
    assert bool(ends) == (verdict.state is CaseState.PLANNED)


def test_there_and_back_and_both_in_words() -> None:
    end = EndMoved("c1", MAY, AUGUST)
    assert end.inverse().inverse() == end
    action = Action(Deed.PROLONG, join=("contractors",), ends=(end,))
    assert action_from_words(Deed.PROLONG, action_to_words(action)) == action
    assert CAPABILITIES[Deed.PROLONG].opposite is Deed.SET_BACK
    assert not action.takes
    assert moved_words([end.inverse()]) == "From 1 August 2027 to 1 May 2027."
    assert set_back_words([end.inverse()], MAY) == "From 1 August 2027 to 1 May 2027."
    over = "From 1 August 2027 to 1 May 2027. That day is over: their access ends at once."
    assert set_back_words([end.inverse()], JUNE) == over


@pytest.mark.parametrize(
    ("groups", "columns", "reason"),
    [
        (("contractors",), {}, None),
        ((), {}, NOT_THERE),
        (("contractors",), {"membership_status": "suspended"}, "Is suspended: restore them first."),
    ],
    ids=["there", "gone", "suspended"],
)
def test_what_they_have_is_looked_at_at_the_deed(
    groups: tuple[str, ...], columns: dict[str, object], reason: str | None
) -> None:
    seen = Snapshot(person("uma", groups=tuple(GroupRef(each, each) for each in groups), **columns), ())
    organization = OrganizationFacts(groups={"contractors": GroupFacts("contractors", "contractors")})
    ground = Ground(Guarded("ana", frozenset()), organization, TODAY)
    action = Action(Deed.PROLONG, join=("contractors",), ends=(EndMoved("c1", MAY, AUGUST),))
    assert not_there_any_more(action, seen, ground, in_several_directories=False) == reason


PRODUCT = Entry(
    Deed.GIVE_ACCESS,
    account_id="uma",
    access=Access(roles=(("confluence", "atlassian/guest"),)),
    ends_on=AUGUST,
    prolongs=True,
)


def in_groups(*names: str) -> Snapshot:
    return Snapshot(person(groups=tuple(GroupRef(name, name) for name in names)))


@pytest.mark.parametrize("wanted", [AUGUST, None])
def test_a_product_that_is_there_by_a_group_until_a_sooner_day_is_not_there_for_long(
    wanted: date | None,
) -> None:
    row = replace(PRODUCT, ends_on=wanted)
    deed, ends, verdict = said(row, Given("c1", MAY, (JOIN,)), seen=in_groups("contractors", "berlin"))
    assert (deed, ends, verdict.why) == (Deed.GIVE_ACCESS, (), Why.LAST_DAY)
    assert verdict.reason == (
        "Has this access already, by a group that they are in until 1 May 2027: "
        "prolong that under Onboarding, Access with an end."
    )
    last = said(
        row, Given("c1", MAY, (JOIN,)), Given("c2", JUNE, (OTHER,)), seen=in_groups("contractors", "sales")
    )
    assert "until 1 June 2027" in last[2].reason


def test_a_product_that_is_there_by_another_group_as_well_is_there() -> None:
    seen = in_groups("contractors", "sales")
    assert said(PRODUCT, Given("c1", MAY, (JOIN,)), seen=seen)[2] == DONE
    assert said(PRODUCT, Given("c1", AUGUST, (JOIN,)), seen=in_groups("contractors"))[2] == DONE
    assert said(PRODUCT, Given("c1", MAY, (JOIN,)), seen=in_groups("berlin"))[2] == DONE


def test_a_product_by_a_group_until_a_sooner_day_is_not_prolonged_by_what_else_is() -> None:
    row = replace(PRODUCT, access=replace(PRODUCT.access, groups=("berlin",)))
    berlin = Given("c1", MAY, (Change(ChangeKind.JOIN_GROUP, "berlin"),))
    by_group = Given("c2", JUNE, (JOIN,))
    for there in (berlin, replace(berlin, until=AUGUST)):
        deed, ends, verdict = said(row, there, by_group, seen=in_groups("berlin", "contractors"))
        assert (deed, ends, verdict.why) == (Deed.GIVE_ACCESS, (), Why.LAST_DAY)
        assert "by a group that they are in until 1 June 2027" in verdict.reason
    # By a group that stays, or that is prolonged with it, or by a role that is, it does not end.
    seen = in_groups("berlin", "contractors", "sales")
    assert said(row, berlin, by_group, seen=seen)[0] is Deed.PROLONG
    both = replace(row, access=replace(row.access, groups=("berlin", "contractors")))
    assert said(both, berlin, by_group, seen=in_groups("berlin", "contractors"))[0] is Deed.PROLONG
    by_role = replace(berlin, changes=(*berlin.changes, GUEST))
    assert said(row, by_role, by_group, seen=in_groups("berlin", "contractors"))[0] is Deed.PROLONG
