"""What an identity provider's word means for one person: a table of facts and the next thing to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.changes import Change, ChangeKind
from rules.deeds import Action, Deed
from rules.person import GroupRef, PersonFacts, ProductAccess
from rules.roster import Access
from rules.scim import (
    ACTIVE_AGAIN,
    GIVEN_AGAIN,
    GONE_BY_NOW,
    NO_ACCESS,
    NOT_GIVEN_ANY_MORE,
    TAKEN_BACK,
    Endings,
    Known,
    Rest,
    ScimState,
    Step,
    after,
    next_step,
    no_longer_asked,
)

JIRA, WIKI = "ari:jira", "ari:wiki"
USER = "atlassian/user"
ENDINGS = Endings(Deed.SUSPEND, Deed.DEACTIVATE, (JIRA, WIKI))
HERE = PersonFacts(
    "nora",
    "Nora",
    account_status="active",
    membership_status="active",
    status="active",
    claim_status="managed",
)


def somebody(*groups: str, seats: tuple[str, ...] = (), **changed: str) -> PersonFacts:
    return replace(
        HERE,
        groups=tuple(GroupRef(group, group) for group in groups),
        products=tuple(ProductAccess(seat, "jira", None) for seat in seats),
        **changed,
    )


def known(**changed: object) -> Known:
    return replace(Known(active=True, deleted=False, wanted=NO_ACCESS), **changed)  # type: ignore[arg-type]


def access(*groups: str, roles: tuple[str, ...] = ()) -> Access:
    return Access(tuple((resource, USER) for resource in roles), groups)


@pytest.mark.parametrize(
    ("facts", "step"),
    [
        (known(wanted=access("g")), Step(Deed.INVITE, access("g"))),
        (known(wanted=access("g"), person=somebody("g")), None),
        (known(wanted=access("g"), person=somebody()), Step(Deed.GIVE_ACCESS, access("g"))),
        (
            known(wanted=access(roles=(JIRA,)), person=somebody()),
            Step(Deed.GIVE_ACCESS, access(roles=(JIRA,))),
        ),
        # Product access that they have already, by whichever way.
        (known(wanted=access(roles=(JIRA,)), person=somebody(seats=(JIRA,))), None),
        # What was given, and taken out by somebody else since, is given again as long as a group gives it.
        (
            known(wanted=access(roles=(JIRA,)), given=access(roles=(JIRA,)), person=somebody()),
            Step(Deed.GIVE_ACCESS, access(roles=(JIRA,))),
        ),
        # What only this connection gave goes, what somebody else gave stays.
        (known(given=access("g"), person=somebody("g", "h")), Step(Deed.TAKE_BACK, access("g"))),
        (known(given=access("g"), person=somebody("h")), None),
        (known(given=access("g"), others=access("g"), person=somebody("g")), None),
        (known(given=access(roles=(JIRA,)), person=somebody()), Step(Deed.TAKE_BACK, access(roles=(JIRA,)))),
        # First what is new, then what is over: nobody is without access in between.
        (
            known(wanted=access("h"), given=access("g"), person=somebody("g")),
            Step(Deed.GIVE_ACCESS, access("h")),
        ),
        (known(active=False, person=somebody("g")), Step(Deed.SUSPEND)),
        (known(active=False, person=somebody(membership_status="suspended")), None),
        (known(deleted=True, person=somebody()), Step(Deed.DEACTIVATE)),
        # Nobody goes whom the provider has by another name; what the name that is gone brought is taken back.
        (known(deleted=True, again=True, person=somebody()), None),
        (known(active=False, again=True, person=somebody(membership_status="suspended")), None),
        (
            known(deleted=True, again=True, given=access("g"), person=somebody("g")),
            Step(Deed.TAKE_BACK, access("g")),
        ),
        (known(deleted=True, person=somebody(account_status="inactive")), None),
        (known(active=False, person=None, wanted=access("g")), None),
        (known(taken=Deed.SUSPEND, person=somebody(membership_status="suspended")), Step(Deed.RESTORE)),
        (known(taken=Deed.DEACTIVATE, person=somebody(account_status="inactive")), Step(Deed.REACTIVATE)),
    ],
)
def test_the_next_thing_to_do(facts: Known, step: Step | None) -> None:
    found = next_step(facts, ENDINGS)
    if step is None:
        assert isinstance(found, Rest)
        assert found.state is ScimState.SETTLED
    else:
        assert found == step


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (known(), ScimState.SETTLED, "not invited"),
        (known(wanted=access("g"), invited=True), ScimState.WAITING, "does not show them yet"),
        (known(wanted=access("g"), has_address=False), ScimState.FAILED, "no e-mail address"),
        (known(person=somebody(membership_status="suspended")), ScimState.FAILED, "not by this connection"),
        (known(person=somebody(account_status="closed")), ScimState.FAILED, "not by this connection"),
        (known(person=somebody()), ScimState.SETTLED, "nothing is given"),
    ],
)
def test_a_rest_says_why(facts: Known, state: ScimState, words: str) -> None:
    found = next_step(facts, ENDINGS)
    assert isinstance(found, Rest)
    assert found.state is state
    assert words in found.reason


def test_each_word_may_mean_something_else() -> None:
    gone, off = known(deleted=True, active=False, person=somebody(seats=(JIRA,))), known(active=False)
    remove = Endings(Deed.LIST, Deed.REMOVE_ACCESS, (JIRA, WIKI))
    assert next_step(gone, remove) == Step(Deed.REMOVE_ACCESS, products=(JIRA, WIKI))
    assert next_step(replace(gone, person=somebody()), remove) == Rest(ScimState.SETTLED)
    left_alone = next_step(replace(off, person=somebody("g")), remove)
    assert isinstance(left_alone, Rest)
    assert "that is what this connection says" in left_alone.reason


def test_only_what_takes_counts_for_the_brake() -> None:
    assert {deed for deed in Deed if Step(deed).takes} == {
        Deed.TAKE_BACK, Deed.REMOVE_ACCESS, Deed.SUSPEND, Deed.DEACTIVATE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "action", "why"),
    [
        (known(), Action(Deed.SUSPEND), ACTIVE_AGAIN),
        (known(), Action(Deed.DEACTIVATE), ACTIVE_AGAIN),
        (known(), Action(Deed.REMOVE_ACCESS, products=(JIRA,)), ACTIVE_AGAIN),
        (known(active=False), Action(Deed.SUSPEND), None),
        (known(active=False, again=True), Action(Deed.SUSPEND), ACTIVE_AGAIN),
        (known(deleted=True), Action(Deed.SUSPEND), None),
        (known(active=False), Action(Deed.RESTORE), GONE_BY_NOW),
        (known(deleted=True), Action(Deed.INVITE), GONE_BY_NOW),
        (known(), Action(Deed.REACTIVATE), None),
        (known(wanted=access("g", "h")), Action(Deed.GIVE_ACCESS, join=("g",)), None),
        (known(wanted=access("h")), Action(Deed.GIVE_ACCESS, join=("g", "h")), NOT_GIVEN_ANY_MORE),
        (known(wanted=access("g")), Action(Deed.INVITE, roles=((JIRA, USER),)), NOT_GIVEN_ANY_MORE),
        (known(wanted=access("h")), Action(Deed.TAKE_BACK, join=("g",)), None),
        (known(wanted=access("g")), Action(Deed.TAKE_BACK, join=("g", "h")), GIVEN_AGAIN),
        (known(others=access(roles=(JIRA,))), Action(Deed.TAKE_BACK, roles=((JIRA, USER),)), GIVEN_AGAIN),
    ],
)
def test_what_is_taken_back_is_not_asked_for_any_more(facts: Known, action: Action, why: str | None) -> None:
    assert no_longer_asked(facts, action) == why
    assert why is None or why in TAKEN_BACK


GROUPS, ROLES = st.sets(st.sampled_from("abc")), st.sets(st.sampled_from([JIRA, WIKI]))
ACCESSES = st.builds(lambda groups, roles: access(*sorted(groups), roles=tuple(sorted(roles))), GROUPS, ROLES)


@given(
    wanted=ACCESSES,
    given_before=ACCESSES,
    inside=GROUPS,
    active=st.booleans(),
    deleted=st.booleans(),
    is_here=st.booleans(),
    when_inactive=st.sampled_from([Deed.LIST, Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE_ACCESS]),
)
def test_done_step_by_step_it_comes_to_a_rest(
    wanted: Access,
    given_before: Access,
    inside: set[str],
    active: bool,
    deleted: bool,
    is_here: bool,
    when_inactive: Deed,
) -> None:
    """Each step is carried out on the person; soon nothing is left to do, and no step comes twice."""
    inside = inside if is_here else set()
    facts = known(
        active=active,
        deleted=deleted,
        wanted=wanted,
        given=given_before,
        person=somebody(*inside, seats=(JIRA,)) if is_here else None,
    )
    endings = Endings(when_inactive, Deed.SUSPEND, (JIRA, WIKI))
    met: list[Step] = []
    while isinstance(step := next_step(facts, endings), Step):
        assert step not in met
        action = Action(step.deed, step.products, join=step.access.groups, roles=step.access.roles)
        assert no_longer_asked(facts, action) is None
        met.append(step)
        facts = done(facts, step)
        assert len(met) < 6
    if (
        facts.active
        and not facts.deleted
        and facts.person is not None
        and facts.person.membership_status == "active"
    ):
        held = {group.id for group in facts.person.groups}
        assert set(wanted.groups) <= held
        assert not (set(given_before.groups) - set(wanted.groups)) & held, (
            "what was given and is over is gone"
        )
        assert inside - set(given_before.groups) <= held, "nobody loses what others gave"


def done(facts: Known, step: Step) -> Known:
    """The person after a step, and what the connection has given by then."""
    person = facts.person or somebody()
    held = {group.id for group in person.groups}
    giving = [Change(ChangeKind.JOIN_GROUP, group) for group in step.access.groups]
    giving += [Change(ChangeKind.ASSIGN_ROLE, resource, role) for resource, role in step.access.roles]
    taking = [Change(ChangeKind.LEAVE_GROUP, group) for group in step.access.groups]
    taking += [Change(ChangeKind.REVOKE_ROLE, resource, role) for resource, role in step.access.roles]
    seats = tuple(one.resource_id for one in person.products)
    match step.deed:
        case Deed.INVITE | Deed.GIVE_ACCESS:
            products = tuple(resource for resource, _ in step.access.roles)
            person = somebody(*held, *step.access.groups, seats=(*seats, *products))
            return replace(facts, person=person, given=after(facts.given, giving))
        case Deed.TAKE_BACK:
            person = somebody(*(held - set(step.access.groups)), seats=seats)
            return replace(facts, person=person, given=after(facts.given, taking))
        case Deed.REMOVE_ACCESS:
            return replace(facts, person=somebody())
        case Deed.SUSPEND:
            return replace(facts, person=replace(person, membership_status="suspended"), taken=Deed.SUSPEND)
        case _:
            return replace(facts, person=replace(person, account_status="inactive"), taken=step.deed)
