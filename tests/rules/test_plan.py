"""Plans on random organizations: whom a rule must never choose, in which order it climbs, that it only thinks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.activity import Activity, ActivityKind
from rules.brake import Brake
from rules.case import CaseState
from rules.changes import holds, of_access, still_to_do, whole_person
from rules.deeds import CAPABILITIES, Action, Deed
from rules.guards import MACHINE_DOMAINS, Guarded
from rules.idle import Candidate
from rules.organization import OrganizationFacts
from rules.person import ORG_ADMIN, ProductAccess
from rules.plan import judge_by_rule, out_of_scope, plan
from rules.rule import How, Rule, Step, When, Who
from rules.rungs_beyond import rungs_beyond
from rules.verdict import Ground, Verdict, Why
from tests.rules.organizations import (
    PRODUCTS,
    RESOURCES,
    TODAY,
    Place,
    Real,
    actions,
    eager_rules,
    places,
    rules,
    whens,
)
from tests.rules.people import NOW

JIRA, CONFLUENCE = next(each for each in RESOURCES if "jira" in each), RESOURCES[0]
ORGANIZATION = OrganizationFacts(products=PRODUCTS, doors=frozenset({RESOURCES[2]}))
GROUND = Ground(Guarded("ana", frozenset()), ORGANIZATION, TODAY)
EVERYBODY = Who()


def planned(rule: Rule, place: Place) -> list[tuple[Candidate, Verdict]]:
    return list(plan(rule, place.candidates, place.ground, NOW))


def chosen(rule: Rule, place: Place) -> list[tuple[Candidate, Verdict]]:
    return [each for each in planned(rule, place) if each[1].state is CaseState.PLANNED]


@given(places, rules())
def test_everybody_has_a_verdict_and_a_reason(place: Place, rule: Rule) -> None:
    found = planned(rule, place)
    assert [person for person, _verdict in found] == list(place.candidates)
    for _person, verdict in found:
        assert verdict.reason.endswith((".", "Ask Ana."))
        assert (verdict.state is CaseState.PLANNED) == (verdict.objection is None)
        assert (verdict.why is Why.CHOSEN) == (verdict.state is CaseState.PLANNED)


@settings(max_examples=4 * settings.default.max_examples)
@given(places, eager_rules | rules())
def test_s48_guards_and_protections_hold_for_every_rule(place: Place, rule: Rule) -> None:
    """Said again from the case: yourself, key holders, org admins, machines, site owners, the organization's list."""
    for person, verdict in chosen(rule, place):
        if not rule.steps[verdict.step].action.takes:
            continue
        facts = person.seen.facts
        assert facts.account_id != place.ground.guarded.asked_by
        assert facts.account_id not in place.ground.guarded.let_go_by
        assert facts.account_id not in place.ground.guarded.key_holders
        assert ORG_ADMIN not in facts.platform_roles
        assert facts.account_type in {"", "atlassian"}
        assert not (facts.email or "").endswith(tuple(MACHINE_DOMAINS))
        assert facts.account_id not in place.organization.site_owners
        for protection in place.organization.protections:
            if protection.until is None or protection.until >= TODAY:
                assert protection.value != facts.account_id
                assert protection.value not in person.seen.group_ids
                domain = (facts.email or "").rpartition("@")[2]
                assert protection.kind != "domain" or (domain and domain != protection.value)
        assert person.away_until is None or person.away_until < TODAY
        assert not person.under_way


by_activity = st.builds(
    When,
    not_seen=st.sampled_from([1, 30, 90]),
    never=st.sampled_from([None, 1, 30]),
    how=st.sampled_from(How),
)


@given(places, rules(when=by_activity))
def test_s45_unknown_is_never_chosen(place: Place, rule: Rule) -> None:
    """Nobody knows: with "all", one unknown product is enough; with "any", the product that is idle is a known one."""
    for person, verdict in chosen(rule, place):
        kinds = [activity.kind for _access, activity in person.activities]
        if rule.steps[verdict.step].when.how is How.ALL:
            assert ActivityKind.UNKNOWN not in kinds
        assert set(kinds) - {ActivityKind.UNKNOWN}


@given(places, whens, actions, st.sampled_from(How))
def test_s45_whose_every_product_is_unknown_is_chosen_by_no_idleness(
    place: Place, when: When, action: Action, how: How
) -> None:
    idle = replace(when, invited=None, suspended=None, deactivated=None, past_end=None, how=how)
    rule = Rule("Idle", EVERYBODY, (Step(idle, action),))
    for person in place.candidates:
        nobody_knows = tuple((access, Activity(ActivityKind.UNKNOWN)) for access, _ in person.activities)
        verdict = judge_by_rule(rule, replace(person, activities=nobody_knows), place.ground, NOW)
        assert verdict.state is not CaseState.PLANNED


@settings(max_examples=4 * settings.default.max_examples)
@given(places, eager_rules)
def test_s48_no_plan_leaves_a_product_without_an_administrator(place: Place, rule: Rule) -> None:
    """Whoever is told or listed stays; anybody else is taken for gone from everything the deed is about."""
    left = {each: set(accounts) for each, accounts in place.organization.admins.items()}
    for person, verdict in chosen(rule, place):
        action = rule.steps[verdict.step].action
        for resource_id, accounts in left.items():
            if may_end(action, resource_id, place.organization):
                accounts.discard(person.seen.facts.account_id)
    assert all(left.values())


def may_end(action: Action, resource_id: str, organization: OrganizationFacts) -> bool:
    product = organization.products[resource_id]
    match action.deed:
        case Deed.LIST | Deed.TELL:
            return False
        case Deed.REMOVE_ACCESS:
            return resource_id in action.products or product.key in action.products
        case Deed.CHANGE_GROUPS:
            return any(resource_id in organization.grants[each] for each in action.leave)
    return True


@given(places, rules())
def test_a_plan_is_the_same_every_time_and_changes_nothing(place: Place, rule: Rule) -> None:
    before = repr(place), repr(rule)
    assert planned(rule, place) == planned(rule, place)
    assert (repr(place), repr(rule)) == before


@given(places, rules())
def test_nobody_is_judged_by_who_else_is_there_but_for_the_last_administrator(
    place: Place, rule: Rule
) -> None:
    for person, verdict in planned(rule, place):
        alone = judge_by_rule(rule, person, place.ground, NOW)
        assert verdict == alone or (alone.objection is None and verdict.why is Why.LAST_ADMIN)


@given(places, rules())
def test_nobody_is_taken_up_a_rung_before_the_one_below(place: Place, rule: Rule) -> None:
    for person, verdict in chosen(rule, place):
        below = rule.steps[: verdict.step]
        for step in below:
            assert not step.action.takes or stands_on(step.action, person, place.organization)
        # Whoever stands on the next rung is not warned of it again.
        above = [step for step in rule.steps[verdict.step :] if step.action.takes]
        assert not above or not stands_on(above[0].action, person, place.organization)


def stands_on(action: Action, person: Candidate, organization: OrganizationFacts) -> bool:
    if action.deed is Deed.REMOVE_ACCESS:
        lost = organization.resources_of(action.products)
        return not any(access.resource_id in lost for access in person.seen.facts.products)
    if action.deed is Deed.CHANGE_GROUPS:
        return not still_to_do(of_access(action), person.seen)
    return all(holds(change, person.seen) for change in whole_person(action))


@given(places, eager_rules | rules())
def test_nobody_comes_to_a_rung_that_can_never_happen(place: Place, rule: Rule) -> None:
    beyond = {problem.field for problem in rungs_beyond(rule, place.organization)}
    for person, verdict in chosen(rule, place):
        assert f"steps.{verdict.step}.then.deed" not in beyond or person.in_several_directories


LOSE_JIRA = Step(When(not_seen=60), Action(Deed.REMOVE_ACCESS, products=("jira-software",)))
LOSE_ALL = Step(When(not_seen=60), Action(Deed.REMOVE_ACCESS, products=("jira-software", "confluence")))
SWAP = Step(When(not_seen=60), Action(Deed.CHANGE_GROUPS, leave=("g1",), join=("g2",)))


@pytest.mark.parametrize(
    ("who", "first", "when", "word"),
    [
        (Who(), LOSE_ALL, When(not_seen=180), "no seat left"),
        (Who(), LOSE_ALL, When(never=180, how=How.ANY), "no seat left"),
        (Who(), LOSE_JIRA, When(not_seen=180, products=(JIRA,)), "no seat left"),
        (Who(), LOSE_JIRA, When(not_seen=180), ""),
        (Who(), LOSE_ALL, When(not_seen=180, suspended=30), ""),
        (Who(), LOSE_ALL, When(past_end=0), ""),
        (Who(products=("jira-software",)), LOSE_JIRA, When(suspended=30), "in the products"),
        (Who(products=("jira-software", "confluence")), LOSE_JIRA, When(suspended=30), ""),
        (Who(groups=("g0",)), LOSE_JIRA, When(suspended=30), "in the groups"),
        (Who(groups=("g0", "g3")), LOSE_JIRA, When(suspended=30), ""),
        (Who(groups=("g1",)), SWAP, When(suspended=30), "in the groups"),
        (Who(not_groups=("g2",)), SWAP, When(suspended=30), "leaves out"),
        (Who(not_groups=("g1",)), SWAP, When(suspended=30), ""),
    ],
)
def test_a_rung_goes_by_nothing_that_one_below_has_taken(
    who: Who, first: Step, when: When, word: str
) -> None:
    """Whoever had lost their seats stayed on that rung for ever, and the next one never came, in silence."""
    organization = replace(ORGANIZATION, grants={"g0": frozenset({JIRA})})
    steps = (first, Step(When(not_seen=90), Action(Deed.LIST)), Step(when, Action(Deed.DEACTIVATE)))
    found = {each.field: each.sentence for each in rungs_beyond(Rule("x", who, steps), organization)}
    sentence = found.get("steps.2.then.deed", "")
    assert sentence.startswith("This can never happen: after step 1 ") if word else not sentence
    assert word in sentence


@given(places, rules())
def test_whoever_is_chosen_is_in_scope_and_can_be_changed(place: Place, rule: Rule) -> None:
    for person, verdict in chosen(rule, place):
        action = rule.steps[verdict.step].action
        facts = person.seen.facts
        assert out_of_scope(rule.who, person, place.organization) is None
        if CAPABILITIES[action.deed].managed_only:
            assert facts.claim_status == "managed"
            assert not person.refusal
        if action.takes:
            assert verdict.changes
            assert not person.in_several_directories
        if action.deed in (Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE, Deed.DELETE):
            assert facts.management_source != "synced"


@given(places, eager_rules | rules())
def test_s55_whoever_still_needs_it_is_neither_warned_nor_taken(place: Place, rule: Rule) -> None:
    """Said again from the case: their answer counts to the last second of as many days as the shortest condition."""
    for person, verdict in chosen(rule, place):
        action, when = rule.steps[verdict.step].action, rule.steps[verdict.step].when
        if person.kept_at is None or not (action.takes or action.deed is Deed.TELL):
            continue
        away = [days for days in (when.not_seen, when.never, when.invited) if days is not None] or [30]
        assert (NOW - person.kept_at) >= timedelta(days=min(away))


@given(places, eager_rules | rules())
def test_whoever_was_just_given_back_is_neither_warned_nor_taken(place: Place, rule: Rule) -> None:
    for person, verdict in chosen(rule, place):
        action, when = rule.steps[verdict.step].action, rule.steps[verdict.step].when
        if person.given_back_at is None or person.seen.facts.status not in {"", "active"}:
            continue
        if when.past_end is not None and person.ends_on and person.given_back_at.date() <= person.ends_on:
            continue
        if action.takes or action.deed is Deed.TELL:
            away = [days for days in (when.not_seen, when.never, when.invited) if days is not None] or [30]
            assert (NOW - person.given_back_at) >= timedelta(days=min(away))


@given(places, eager_rules | rules())
def test_s55_whoever_said_that_they_are_away_is_neither_warned_nor_taken(place: Place, rule: Rule) -> None:
    for person, verdict in chosen(rule, place):
        action = rule.steps[verdict.step].action
        if action.takes or action.deed is Deed.TELL:
            assert person.said_away_until is None or person.said_away_until < TODAY


@given(places, rules())
def test_s56_whoever_is_told_can_read_it(place: Place, rule: Rule) -> None:
    for person, verdict in planned(rule, place):
        if rule.steps[verdict.step].action.deed is not Deed.TELL:
            continue
        facts = person.seen.facts
        can_read = (facts.membership_status, facts.account_status) == ("active", "active") and any(
            access.key == "jira-software" for access in facts.products
        )
        if verdict.state is CaseState.PLANNED:
            assert can_read
        if verdict.why is Why.UNREACHABLE:
            assert not can_read


@given(places, rules())
def test_s47_zero_and_no_limit_on_whole_plans(place: Place, rule: Rule) -> None:
    count = len(chosen(rule, place))
    assert (Brake(0, None).objection(count, len(place.people)) is None) == (count == 0)
    assert Brake(None, None).objection(count, len(place.people)) is None


# Examples: each says one thing that the properties above would not notice if it were the other way round.


def seen_days_ago(
    days: int, key: str = "jira-software", resource_id: str = JIRA
) -> tuple[ProductAccess, Activity]:
    at = NOW - timedelta(days=days)
    return ProductAccess(resource_id, key, at), Activity(ActivityKind.SEEN, at, key)


def never(days: int, resource_id: str = CONFLUENCE) -> tuple[ProductAccess, Activity]:
    return ProductAccess(resource_id, "confluence", None), Activity(
        ActivityKind.NEVER, NOW - timedelta(days=days)
    )


UNKNOWN = (ProductAccess(CONFLUENCE, "confluence", None), Activity(ActivityKind.UNKNOWN))


def somebody(*activities: tuple[ProductAccess, Activity], **columns: object) -> Candidate:
    real = Real(
        columns={"products": tuple(access for access, _ in activities), "claim_status": "managed", **columns}
    )
    return Candidate(real.seen(ORGANIZATION), activities)


def suspended(*activities: tuple[ProductAccess, Activity], since: int) -> Candidate:
    real = Real(membership="suspended", columns={"claim_status": "managed"})
    return Candidate(real.seen(ORGANIZATION), activities, status_since=NOW - timedelta(days=since))


LADDER = Rule(
    "Ladder",
    EVERYBODY,
    (
        Step(When(not_seen=60), Action(Deed.TELL)),
        Step(When(not_seen=90), Action(Deed.SUSPEND)),
        Step(When(suspended=90), Action(Deed.DEACTIVATE)),
    ),
)


@pytest.mark.parametrize(
    ("person", "state", "step", "why"),
    [
        (somebody(seen_days_ago(59)), CaseState.SPARED, 0, Why.NOT_IDLE),
        (somebody(seen_days_ago(60)), CaseState.PLANNED, 0, Why.CHOSEN),
        (somebody(seen_days_ago(89)), CaseState.PLANNED, 0, Why.CHOSEN),
        (somebody(seen_days_ago(90)), CaseState.PLANNED, 1, Why.CHOSEN),
        (suspended(seen_days_ago(200), since=89), CaseState.SPARED, 1, Why.DONE),
        (suspended(seen_days_ago(200), since=90), CaseState.PLANNED, 2, Why.CHOSEN),
        (
            somebody(seen_days_ago(200), account_status="inactive", status="deactivated"),
            CaseState.NOT_POSSIBLE,
            1,
            Why.STATUS,
        ),
        (somebody(seen_days_ago(200), UNKNOWN), CaseState.SPARED, 0, Why.UNKNOWN),
        (somebody(UNKNOWN), CaseState.SPARED, 0, Why.UNKNOWN),
        (somebody(), CaseState.SPARED, 0, Why.NOT_IDLE),
    ],
)
def test_the_ladder(person: Candidate, state: CaseState, step: int, why: Why) -> None:
    verdict = judge_by_rule(LADDER, person, GROUND, NOW)
    assert (verdict.state, verdict.step, verdict.why) == (state, step, why)


def test_somebody_is_warned_once_until_they_come_again() -> None:
    idle = somebody(seen_days_ago(70))
    told = replace(idle, told_at=NOW - timedelta(days=5))
    assert judge_by_rule(LADDER, told, GROUND, NOW).why is Why.TOLD
    came_since = replace(idle, told_at=NOW - timedelta(days=75))
    assert judge_by_rule(LADDER, came_since, GROUND, NOW).state is CaseState.PLANNED


def telling(*days: int) -> Rule:
    return Rule("R", EVERYBODY, tuple(Step(When(not_seen=each), Action(Deed.TELL)) for each in days))


@pytest.mark.parametrize(
    ("rungs", "told_after", "index"),
    [
        ((60, 75), 60, 1),
        ((60, 75), 75, None),
        ((60, 75), 61, 1),
        ((30, 60, 75), 75, None),
        ((75,), 60, 0),
        ((75, 90), 60, 0),
    ],
)
def test_each_rung_that_only_warns_warns_once_whatever_rungs_the_rule_had_before(
    rungs: tuple[int, ...], told_after: int, index: int | None
) -> None:
    """They have stayed away for 76 days, and were told when it was `told_after`, by a rung that may be gone by now."""
    idle = replace(somebody(seen_days_ago(76)), told_at=NOW - timedelta(days=76 - told_after))
    verdict = judge_by_rule(telling(*rungs), idle, GROUND, NOW)
    if index is None:
        assert (verdict.state, verdict.why) == (CaseState.SPARED, Why.TOLD)
    else:
        assert (verdict.state, verdict.step) == (CaseState.PLANNED, index)


A_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("when", "patience"),
    [
        (When(not_seen=90), 90),
        (When(not_seen=90, never=14), 14),
        (When(not_seen=14, never=90), 14),
        (When(invited=7, not_seen=90), 7),
        (When(not_seen=1), 1),
        (When(suspended=3), 30),
        (When(deactivated=400), 30),
        (When(past_end=0), 30),
        (When(past_end=5, suspended=3, not_seen=60), 60),
    ],
)
@pytest.mark.parametrize("deed", [Deed.TELL, Deed.SUSPEND, Deed.REMOVE, Deed.LIST])
def test_s55_an_answer_counts_as_long_as_one_may_stay_away(when: When, patience: int, deed: Deed) -> None:
    """By the shortest condition of the step, to the second; a list takes nothing, and shows them all the same."""
    assert when.patience == patience
    step = Step(replace(when, not_seen=1), Action(deed))
    rule = Rule("R", EVERYBODY, (step,))
    asked = replace(somebody(seen_days_ago(500)), kept_at=NOW - timedelta(days=step.when.patience) + A_SECOND)
    verdict = judge_by_rule(rule, asked, GROUND, NOW)
    if deed is Deed.LIST:
        assert verdict.state is CaseState.PLANNED
        return
    assert (verdict.state, verdict.why) == (CaseState.SPARED, Why.KEPT)
    assert "still need" in verdict.reason
    for kept_at in (NOW - timedelta(days=step.when.patience), NOW - timedelta(days=900), None):
        assert judge_by_rule(rule, replace(asked, kept_at=kept_at), GROUND, NOW).state is CaseState.PLANNED


@pytest.mark.parametrize("deed", [Deed.SUSPEND, Deed.TELL])
def test_s55_the_rule_may_say_for_how_long_an_answer_counts(deed: Deed) -> None:
    step = Step(When(not_seen=90), Action(deed), kept_for=7)
    rule = Rule("A rule", Who(), (step,))
    asked = replace(somebody(seen_days_ago(500)), kept_at=NOW - timedelta(days=7) + A_SECOND)
    assert judge_by_rule(rule, asked, GROUND, NOW).why is Why.KEPT
    late = replace(asked, kept_at=NOW - timedelta(days=7))
    assert judge_by_rule(rule, late, GROUND, NOW).state is CaseState.PLANNED


def test_s55_each_rung_has_its_own_patience() -> None:
    """Answered 70 days ago: the first rung (60 days) may tell them again, the second one (90) may not take yet."""
    kept_at = NOW - timedelta(days=70)
    told, taken = somebody(seen_days_ago(80)), somebody(seen_days_ago(100))
    assert judge_by_rule(LADDER, replace(told, kept_at=kept_at), GROUND, NOW).state is CaseState.PLANNED
    verdict = judge_by_rule(LADDER, replace(taken, kept_at=kept_at), GROUND, NOW)
    assert (verdict.state, verdict.why, verdict.step) == (CaseState.SPARED, Why.KEPT, 1)


@pytest.mark.parametrize("status", ["", "a word of tomorrow"])
def test_a_status_that_nobody_knows_yet_costs_nobody_the_time_since_they_were_given_back(status: str) -> None:
    rule = Rule("R", EVERYBODY, (Step(When(not_seen=90), Action(Deed.SUSPEND)),))
    back = replace(somebody(seen_days_ago(500), status=status), given_back_at=NOW - timedelta(days=1))
    assert judge_by_rule(rule, back, GROUND, NOW).why is Why.GIVEN_BACK


@pytest.mark.parametrize("deed", [Deed.TELL, Deed.SUSPEND, Deed.REMOVE, Deed.LIST])
def test_their_time_counts_from_the_day_on_which_they_were_given_back(deed: Deed) -> None:
    """While their access was gone they could not come; a list takes nothing, and shows them all the same."""
    rule = Rule("R", EVERYBODY, (Step(When(not_seen=90), Action(deed), kept_for=7),))
    back = replace(somebody(seen_days_ago(500)), given_back_at=NOW - timedelta(days=90) + A_SECOND)
    verdict = judge_by_rule(rule, back, GROUND, NOW)
    if deed is Deed.LIST:
        assert verdict.state is CaseState.PLANNED
        return
    assert (verdict.state, verdict.why) == (CaseState.SPARED, Why.GIVEN_BACK)
    assert verdict.reason.startswith("Was given access on ")
    for moment in (NOW - timedelta(days=90), None):
        assert (
            judge_by_rule(rule, replace(back, given_back_at=moment), GROUND, NOW).state is CaseState.PLANNED
        )


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (When(not_seen=90), Why.GIVEN_BACK),
        (When(not_seen=90, products=("jira-software",)), Why.CHOSEN),
        (When(not_seen=90, products=("confluence",)), Why.GIVEN_BACK),
        (When(not_seen=90, how=How.ANY), Why.CHOSEN),
        (When(past_end=0), Why.CHOSEN),
    ],
)
def test_a_product_that_was_given_lately_counts_where_a_rule_is_about_it(when: When, why: Why) -> None:
    confluence, before = seen_days_ago(300, "confluence", CONFLUENCE)
    given = confluence, replace(before, since=NOW - timedelta(days=1))
    person = replace(somebody(seen_days_ago(200), given), ends_on=NOW.date() - timedelta(days=9))
    rule = Rule("R", EVERYBODY, (Step(when, Action(Deed.SUSPEND)),))
    assert judge_by_rule(rule, person, GROUND, NOW).why is why


@pytest.mark.parametrize("when", [When(past_end=0), When(not_seen=90, past_end=0)])
def test_whoever_was_given_back_until_a_day_has_it_until_that_day(when: When) -> None:
    """A contractor is back for two weeks: what they could not come for has nothing to do with the end."""
    rule = Rule("R", EVERYBODY, (Step(when, Action(Deed.SUSPEND)),))
    back = replace(somebody(seen_days_ago(100)), given_back_at=NOW - timedelta(days=14))
    over = replace(back, ends_on=TODAY - timedelta(days=1))
    assert judge_by_rule(rule, over, GROUND, NOW).state is CaseState.PLANNED
    for still_here in (replace(back, ends_on=TODAY), replace(back, ends_on=TODAY - timedelta(days=15))):
        assert judge_by_rule(rule, still_here, GROUND, NOW).state is CaseState.SPARED


def test_who_is_suspended_again_since_goes_up_the_ladder() -> None:
    rule = Rule("R", EVERYBODY, (Step(When(suspended=3), Action(Deed.REMOVE)),))
    again = replace(
        somebody(seen_days_ago(500), status="suspended", membership_status="suspended"),
        status_since=NOW - timedelta(days=4),
        given_back_at=NOW - timedelta(days=5),
    )
    assert judge_by_rule(rule, again, GROUND, NOW).state is CaseState.PLANNED


def test_an_answer_keeps_nobody_who_is_not_idle_or_in_hand() -> None:
    """Other reasons to leave somebody alone are told as they are."""
    answered = replace(somebody(seen_days_ago(10)), kept_at=NOW)
    assert judge_by_rule(LADDER, answered, GROUND, NOW).why is Why.NOT_IDLE
    in_hand = replace(somebody(seen_days_ago(100)), kept_at=NOW, under_way=True)
    assert judge_by_rule(LADDER, in_hand, GROUND, NOW).why is Why.UNDER_WAY


@pytest.mark.parametrize(
    ("activities", "why"),
    [
        ([seen_days_ago(70)], Why.CHOSEN),
        ([seen_days_ago(70, "confluence", CONFLUENCE)], Why.UNREACHABLE),
    ],
)
def test_s56_a_rung_that_only_tells_says_whom_it_cannot_reach(
    activities: list[tuple[ProductAccess, Activity]], why: Why
) -> None:
    verdict = judge_by_rule(LADDER, somebody(*activities), GROUND, NOW)
    assert (verdict.why, verdict.step) == (why, 0)


@pytest.mark.parametrize(
    ("by_mail", "product", "why"),
    [
        (True, "confluence", Why.CHOSEN),
        (False, "confluence", Why.UNREACHABLE),
        (False, "jira-software", Why.CHOSEN),
    ],
)
def test_s56_a_rung_that_tells_in_the_product_alone_reaches_nobody_by_mail(
    by_mail: bool, product: str, why: Why
) -> None:
    ground = replace(GROUND, organization=replace(GROUND.organization, mails=True))
    rule = replace(LADDER, steps=(replace(LADDER.steps[0], by_mail=by_mail),))
    seen = seen_days_ago(70) if product == "jira-software" else seen_days_ago(70, "confluence", CONFLUENCE)
    assert judge_by_rule(rule, somebody(seen), ground, NOW).why is why


LAST_SEEN = "Last seen 93 days ago, in Jira."
NEVER_CAME = "Never came to Confluence; added 14 days ago."


@pytest.mark.parametrize(
    ("when", "person", "sentence"),
    [
        (When(not_seen=90), somebody(seen_days_ago(93)), LAST_SEEN),
        (When(not_seen=90), somebody(seen_days_ago(93), seen_days_ago(3, "confluence", CONFLUENCE)), None),
        (When(not_seen=90), somebody(seen_days_ago(93), never(400)), LAST_SEEN),
        (When(not_seen=90, how=How.ANY), somebody(seen_days_ago(93), UNKNOWN), "Last seen in Jira 93 days ago."),
        (When(not_seen=90, products=("confluence",)), somebody(seen_days_ago(93), UNKNOWN), None),
        (When(not_seen=90, products=("jira-software",)), somebody(seen_days_ago(93), UNKNOWN), LAST_SEEN),
        (When(not_seen=90, products=("gone",)), somebody(seen_days_ago(93)), None),
        (When(never=14), somebody(never(14)), "Never came; added 14 days ago."),
        (When(never=14), somebody(never(13)), None),
        (When(never=14), somebody(never(14), seen_days_ago(400)), None),
        (When(never=14, how=How.ANY), somebody(never(14), seen_days_ago(1)), NEVER_CAME),
        (When(not_seen=14), somebody(never(400)), None),
    ],
)  # fmt: skip
def test_idle_how(when: When, person: Candidate, sentence: str | None) -> None:
    verdict = judge_by_rule(Rule("R", EVERYBODY, (Step(when, Action(Deed.SUSPEND)),)), person, GROUND, NOW)
    assert (verdict.reason if verdict.objection is None else None) == sentence


INVITED_LONG_AGO = {"email_verified": False, "added_at": NOW - timedelta(days=30)}


@pytest.mark.parametrize(
    ("columns", "activities", "comes"),
    [
        (INVITED_LONG_AGO, [], True),
        (INVITED_LONG_AGO, [never(30)], True),
        (INVITED_LONG_AGO, [seen_days_ago(29)], False),
        (INVITED_LONG_AGO, [UNKNOWN], False),
        (INVITED_LONG_AGO | {"added_at": NOW - timedelta(days=29)}, [], False),
        (INVITED_LONG_AGO | {"added_at": None}, [], False),
        (INVITED_LONG_AGO | {"email_verified": None}, [], False),
        (INVITED_LONG_AGO | {"email_verified": True}, [], False),
    ],
)
def test_unanswered_invitations(
    columns: dict[str, object], activities: list[tuple[ProductAccess, Activity]], comes: bool
) -> None:
    rule = Rule("R", EVERYBODY, (Step(When(invited=30), Action(Deed.REMOVE)),))
    assert (judge_by_rule(rule, somebody(*activities, **columns), GROUND, NOW).objection is None) is comes


@pytest.mark.parametrize(
    ("past_end", "ended", "comes"),
    [(0, -1, False), (0, 0, False), (0, 1, True), (3, 3, False), (3, 4, True)],
)
def test_the_last_day_is_theirs_until_it_is_over(past_end: int, ended: int, comes: bool) -> None:
    rule = Rule("R", EVERYBODY, (Step(When(past_end=past_end), Action(Deed.SUSPEND)),))
    person = replace(somebody(), ends_on=TODAY - timedelta(days=ended))
    assert (judge_by_rule(rule, person, GROUND, NOW).objection is None) is comes


def test_a_status_since_nobody_knows_when_never_matches() -> None:
    person = replace(suspended(since=400), status_since=None)
    assert judge_by_rule(LADDER, person, GROUND, NOW).why is Why.DONE


@pytest.mark.parametrize("deed", [Deed.SUSPEND, Deed.TELL])
def test_s55_their_own_word_counts_to_the_last_day(deed: Deed) -> None:
    rule = Rule("A rule", Who(), (Step(When(not_seen=90), Action(deed)),))
    away = replace(somebody(seen_days_ago(93)), said_away_until=TODAY)
    verdict = judge_by_rule(rule, away, GROUND, NOW)
    assert (verdict.state, verdict.why) == (CaseState.SPARED, Why.KEPT)
    assert verdict.reason == f"Answered that they are away until {TODAY:%-d %B %Y}."
    back = replace(away, said_away_until=TODAY - timedelta(days=1))
    assert judge_by_rule(rule, back, GROUND, NOW).state is CaseState.PLANNED


@pytest.mark.parametrize("away", [0, 1])
def test_somebody_away_is_left_in_peace_to_the_last_day(away: int) -> None:
    person = replace(somebody(seen_days_ago(93)), away_until=TODAY + timedelta(days=away))
    assert judge_by_rule(LADDER, person, GROUND, NOW).state is CaseState.GUARDED
    back = replace(person, away_until=TODAY - timedelta(days=1))
    assert judge_by_rule(LADDER, back, GROUND, NOW).state is CaseState.PLANNED
    # They are restored within minutes, and no rule is faster.
    verdict = judge_by_rule(LADDER, replace(back, comes_back=True), GROUND, NOW)
    assert verdict.state is CaseState.GUARDED
    assert verdict.reason.endswith(": is to be restored.")


@pytest.mark.parametrize(
    ("who", "columns", "about"),
    [
        (Who(), {}, True),
        (Who(account="managed"), {"claim_status": "managed"}, True),
        (Who(account="managed"), {"claim_status": "unmanaged"}, False),
        (Who(account="external"), {"claim_status": "unmanaged"}, True),
        (Who(account="external"), {"claim_status": "managed"}, False),
        # Nobody can say that this account is external.
        (Who(account="external"), {"claim_status": ""}, False),
        (Who(source="synced"), {"management_source": "synced"}, True),
        (Who(source="invited"), {"management_source": "synced"}, False),
        (Who(domains=("acme.example",)), {"email": "uma@ACME.example"}, True),
        (Who(domains=("acme.example",)), {"email": "uma@sub.acme.example"}, False),
        (Who(domains=("acme.example",)), {"email": None}, False),
        (Who(people=("uma",)), {}, True),
        (Who(people=("ana",)), {}, False),
        (Who(products=("jira-software",)), {}, True),
        (Who(products=("confluence",)), {}, False),
        (Who(products=("gone",)), {}, False),
        (Who(groups=("g1",)), {}, False),
    ],
)
def test_who(who: Who, columns: dict[str, object], about: bool) -> None:
    assert (out_of_scope(who, somebody(seen_days_ago(1), **columns), ORGANIZATION) is None) is about


def test_groups_in_and_out() -> None:
    organization = OrganizationFacts(products=PRODUCTS, grants={"g1": frozenset(), "g2": frozenset()})
    person = Candidate(Real(groups={"g1", "g2"}).seen(organization))

    def about(who: Who) -> bool:
        return out_of_scope(who, person, organization) is None

    assert about(Who(groups=("g1", "g9")))
    assert not about(Who(groups=("g1",), not_groups=("g2",)))
    assert about(Who(not_groups=("g9",)))


def test_the_last_administrators_are_not_taken_together() -> None:
    organization = OrganizationFacts(products=PRODUCTS, admins={JIRA: frozenset({"uma", "umi"})})
    ground = replace(GROUND, organization=organization)
    people = [
        Candidate(Real(each).seen(organization), (seen_days_ago(93),)) for each in ("ulf", "uma", "umi")
    ]
    rule = Rule("R", EVERYBODY, (Step(When(not_seen=90), Action(Deed.SUSPEND)),))
    states = [verdict.state for _person, verdict in plan(rule, people, ground, NOW)]
    assert states == [CaseState.PLANNED, CaseState.PLANNED, CaseState.NOT_POSSIBLE]
