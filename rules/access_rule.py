"""Access rules: who is in one of these groups has that access too, as long as it holds.

A rule takes back only what it gave itself, and only when no other rule still gives it. Somebody who had it before is
never touched. What another system takes out again and again is not given for ever: that is a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rules.access_path import USER_ROLE
from rules.changes import Change, ChangeKind
from rules.deeds import Action, Deed
from rules.roster import Access, Entry

LOOP_AFTER = 2
"""So often may it be gone, although the rule gave it, before the rule leaves this person alone."""
GONE = "Was gone already."
KEPT = "Kept: the rule lets people keep what it gave."


@dataclass(frozen=True, slots=True)
class AccessRule:
    """`sources` are group ids, any of which is enough. `keep_when_over`: what was given stays with the person."""

    sources: tuple[str, ...]
    gives: Access
    keep_when_over: bool = False

    @property
    def parts(self) -> frozenset[Change]:
        """What it gives, one by one."""
        return frozenset(parts_of(self.gives))

    def holds_for(self, groups: Iterable[str]) -> bool:
        return not frozenset(groups).isdisjoint(self.sources)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody as the planner sees them. `products` are the resource ids that they can open, by whichever way.

    `can_get`: active here and not led out, so that something can be given; `can_lose`: not deactivated and not away.
    `under_way`: a run of this rule has them in hand.
    """

    account_id: str
    groups: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    can_get: bool = True
    can_lose: bool = True
    under_way: bool = False

    def has(self, part: Change) -> bool:
        return part.about in (self.groups if part.kind is ChangeKind.JOIN_GROUP else self.products)


@dataclass(frozen=True, slots=True)
class Given:
    """What the rule gave to somebody. `shows`: what is known of them was read after that; `missing`: how often it was

    found gone. `stopped`: the rule leaves them alone.
    """

    shows: bool = True
    missing: int = 0
    stopped: bool = False


Parts = Mapping[str, Mapping[Change, Given]]
"""Account id → what the rule gave them."""


@dataclass(slots=True)
class AccessPlan:
    """What is to be done, by account id, with a reason each. `scope` counts whom the rule is about.

    Of what was given: `lost` was found gone and is given again, `loops` were found gone too often, `over` is no longer
    the rule's to take back, and why. `later`: these get one thing and lose another; the second waits for the first.
    """

    scope: int = 0
    give: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    take: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    because: dict[str, str] = field(default_factory=dict)
    lost: list[tuple[str, Change]] = field(default_factory=list)
    loops: list[tuple[str, Change]] = field(default_factory=list)
    over: list[tuple[str, Change, str]] = field(default_factory=list)
    later: list[str] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """The same as a roster: what is taken back comes first."""
        return [
            Entry(deed, account_id=account_id, access=access_of(parts), because=self.because[account_id])
            for deed, people in ((Deed.TAKE_BACK, self.take), (Deed.GIVE_ACCESS, self.give))
            for account_id, parts in people.items()
        ]


def plan_access(
    rule: AccessRule,
    people: Iterable[Member],
    given: Parts,
    others: Sequence[AccessRule] = (),
    names: Mapping[str, str] | None = None,
) -> AccessPlan:
    """Who gets and who loses what. `others` are the rules that give something at the same time; `names` of groups.

    Planning again after it was done, with nobody changed, finds nothing to do.
    """
    plan = AccessPlan()
    for person in people:
        mine = given.get(person.account_id, {})
        holds = rule.holds_for(person.groups)
        plan.scope += holds or bool(mine)
        if person.under_way:
            continue
        wanted = rule.parts if holds else frozenset()
        take = _to_take(plan, rule, person, mine, wanted, _given_by(others, person))
        give = _to_give(plan, person, mine, wanted)
        if take:
            plan.take[person.account_id] = take
            plan.because[person.account_id] = _why_taken(rule, names or {}, holds=holds)
            if give:
                plan.later.append(person.account_id)
        elif give:
            plan.give[person.account_id] = give
            plan.because[person.account_id] = _why_given(rule, person, names or {})
    return plan


def no_longer_due(
    rule: AccessRule, others: Sequence[AccessRule], action: Action, groups: frozenset[str]
) -> str | None:
    """Why what was planned is not right any more for somebody in these groups now; None: it is."""
    parts = frozenset(parts_of(Access(action.roles, action.join)))
    holds = rule.holds_for(groups)
    if action.deed is Deed.GIVE_ACCESS:
        if not holds:
            return "Is not in the groups any more that the rule is about."
        return None if parts <= rule.parts else "The rule was changed and does not give this any more."
    if holds and not parts.isdisjoint(rule.parts):
        return "Is in the groups again that the rule is about."
    if any(other.holds_for(groups) and not parts.isdisjoint(other.parts) for other in others):
        return "Another access rule still gives it."
    return None


def circle(edges: Mapping[str, Iterable[str]], sources: Iterable[str], targets: Iterable[str]) -> str | None:
    """The first of `targets` from which the rules lead back to one of `sources`: then each would feed the other.

    `edges` is group id → the groups that the other rules give to its members.
    """
    goals = frozenset(sources)
    for target in targets:
        seen: set[str] = set()
        ahead = [target]
        while ahead:
            here = ahead.pop()
            if here in goals:
                return target
            if here not in seen:
                seen.add(here)
                ahead.extend(edges.get(here, ()))
    return None


def parts_of(access: Access) -> tuple[Change, ...]:
    """Access, one by one."""
    return (
        *(Change(ChangeKind.ASSIGN_ROLE, resource_id, role) for resource_id, role in access.roles),
        *(Change(ChangeKind.JOIN_GROUP, group_id) for group_id in access.groups),
    )


def access_of(parts: Iterable[Change]) -> Access:
    """The same put together again."""
    found = list(parts)
    return Access(
        tuple((part.about, part.role) for part in found if part.kind is ChangeKind.ASSIGN_ROLE),
        tuple(part.about for part in found if part.kind is ChangeKind.JOIN_GROUP),
    )


def may_give(access: Access) -> bool:
    """Whether a rule may give this: it opens products, and makes nobody an administrator."""
    return all(role == USER_ROLE for _resource_id, role in access.roles)


def _given_by(others: Sequence[AccessRule], person: Member) -> frozenset[Change]:
    return frozenset(part for rule in others if rule.holds_for(person.groups) for part in rule.parts)


def _to_take(
    plan: AccessPlan,
    rule: AccessRule,
    person: Member,
    mine: Mapping[Change, Given],
    wanted: frozenset[Change],
    elsewhere: frozenset[Change],
) -> tuple[Change, ...]:
    take = []
    for part, record in mine.items():
        if part in wanted:
            continue
        if rule.keep_when_over:
            plan.over.append((person.account_id, part, KEPT))
        elif record.stopped or (record.shows and not person.has(part)):
            plan.over.append((person.account_id, part, GONE))
        elif part not in elsewhere and person.can_lose:
            take.append(part)
    return _in_order(take)


def _to_give(
    plan: AccessPlan, person: Member, mine: Mapping[Change, Given], wanted: frozenset[Change]
) -> tuple[Change, ...]:
    give = []
    for part in wanted:
        record = mine.get(part)
        if person.has(part) or not person.can_get:
            continue
        if record is None:
            give.append(part)
        elif record.shows and not record.stopped:
            if record.missing + 1 >= LOOP_AFTER:
                plan.loops.append((person.account_id, part))
            else:
                plan.lost.append((person.account_id, part))
                give.append(part)
    return _in_order(give)


def _in_order(parts: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(parts, key=lambda part: (part.kind.value, part.about, part.role)))


def _why_given(rule: AccessRule, person: Member, names: Mapping[str, str]) -> str:
    source = next(group for group in rule.sources if group in person.groups)
    return f"Is in {names.get(source, 'a group of the rule')}."


def _why_taken(rule: AccessRule, names: Mapping[str, str], *, holds: bool) -> str:
    if holds:
        return "The rule does not give this any more."
    if len(rule.sources) == 1:
        return f"No longer in {names.get(rule.sources[0], 'the group of the rule')}."
    return "No longer in any of the groups of the rule."
