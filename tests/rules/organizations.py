"""Random organizations for property tests: products, groups and what they grant, and people as a model of Atlassian.

The model knows what a call really does to somebody's access; the rules never see it, only what it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from rules.activity import Activity, ActivityKind
from rules.brake import Brake
from rules.changes import Change, ChangeKind, Snapshot
from rules.deeds import FOR_RULES, Action, Deed
from rules.guards import MACHINE_DOMAINS, Guarded
from rules.idle import Candidate
from rules.organization import OrganizationFacts, ProductFacts, ProtectedKind, Protection
from rules.person import ORG_ADMIN, GroupFacts, GroupRef, ProductAccess, RoleHeld
from rules.rule import How, Mode, Rule, Step, When, Who
from rules.verdict import Ground
from tests.rules.people import NOW, person

T = TypeVar("T")

TODAY = NOW.date()
PRODUCTS = {
    f"ari:cloud:{key}::site/{site}": ProductFacts(
        f"ari:cloud:{key}::site/{site}", key, f"{site}.atlassian.net"
    )
    for key, site in [("jira-software", "one"), ("confluence", "one"), ("confluence", "two")]
}
RESOURCES = sorted(PRODUCTS)
GROUPS = [f"g{number}" for number in range(5)]
ACCOUNTS = [f"account-{number}" for number in range(8)]
ROLES = ["atlassian/user", "atlassian/admin"]


_MEMBERSHIP = {
    ChangeKind.SUSPEND: "suspended",
    ChangeKind.RESTORE: "active",
    ChangeKind.REMOVE: "no_membership",
}
_ACCOUNT = {
    ChangeKind.DEACTIVATE: "inactive",
    ChangeKind.REACTIVATE: "active",
    ChangeKind.KEEP_ACCOUNT: "active",
    ChangeKind.DELETE: "closed",
}


@dataclass
class Real:
    """Somebody as they really are. `apply` makes one call and tells whether it changed anything."""

    account_id: str = "uma"
    direct: set[tuple[str, str]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    membership: str = "active"
    account: str = "active"
    columns: dict[str, object] = field(default_factory=dict)

    def copy(self) -> Real:
        return replace(self, direct=set(self.direct), groups=set(self.groups))

    def access(self, organization: OrganizationFacts) -> set[str]:
        """The products that they can open by any way, were they not suspended."""
        by_group = {each for group in self.groups for each in organization.grants.get(group, ())}
        return by_group | {resource_id for resource_id, _role in self.direct}

    def apply(self, change: Change) -> bool:
        before = self.copy()
        role = (change.about, change.role)
        match change.kind:
            case ChangeKind.LEAVE_GROUP:
                self.groups.discard(change.about)
            case ChangeKind.JOIN_GROUP:
                self.groups.add(change.about)
            case ChangeKind.REVOKE_ROLE:
                self.direct.discard(role)
            case ChangeKind.ASSIGN_ROLE:
                self.direct.add(role)
            case _ if change.kind in _MEMBERSHIP:
                self.membership = _MEMBERSHIP[change.kind]
            case _:
                self.account = _ACCOUNT[change.kind]
        return self != before

    def seen(self, organization: OrganizationFacts, *, with_roles: bool = True) -> Snapshot:
        """What Atlassian shows of them."""
        names = {"inactive": "deactivated", "closed": "for_deletion"}
        status = names.get(self.account) or self.membership.replace("no_membership", "not_invited")
        facts = person(
            self.account_id,
            **{
                "account_status": self.account,
                "membership_status": self.membership,
                "status": status,
                "products": tuple(
                    ProductAccess(each, PRODUCTS[each].key, None)
                    for each in sorted(self.access(organization))
                ),
                "groups": tuple(GroupRef(each, each) for each in sorted(self.groups)),
                **self.columns,
            },
        )
        return Snapshot(facts, self._roles(organization) if with_roles else None)

    def _roles(self, organization: OrganizationFacts) -> tuple[RoleHeld, ...]:
        by_group = {(each, ROLES[0]) for group in self.groups for each in organization.grants.get(group, ())}
        return tuple(
            RoleHeld(
                resource_id,
                role,
                direct=(resource_id, role) in self.direct,
                by_group=(resource_id, role) in by_group,
            )
            for resource_id, role in sorted(self.direct | by_group)
        )


@dataclass(frozen=True)
class Place:
    """An organization with everybody in it; `ground` is what verdicts stand on."""

    ground: Ground
    people: tuple[Real, ...]
    candidates: tuple[Candidate, ...]

    @property
    def organization(self) -> OrganizationFacts:
        return self.ground.organization


def _some(rnd: Random, values: Sequence[T], most: int, least: int = 0) -> list[T]:
    return rnd.sample(values, rnd.randint(least, min(most, len(values))))


def _moment(rnd: Random) -> datetime:
    """Up to forty days in the future, up to 900 days ago."""
    return NOW - timedelta(hours=rnd.randint(-40 * 24, 900 * 24))


def _perhaps_moment(rnd: Random) -> datetime | None:
    return _moment(rnd) if rnd.random() < 0.6 else None


def _perhaps_day(rnd: Random) -> date | None:
    return TODAY - timedelta(days=rnd.randint(-40, 40)) if rnd.random() < 0.1 else None


def _organization(rnd: Random) -> OrganizationFacts:
    return OrganizationFacts(
        products=PRODUCTS,
        groups={
            each: GroupFacts(each, each, synced=rnd.random() < 0.15, modifiable=rnd.random() < 0.85)
            for each in GROUPS
        },
        grants={each: frozenset(_some(rnd, RESOURCES, 2)) for each in GROUPS},
        admins={each: frozenset(_some(rnd, ACCOUNTS, 2, least=1)) for each in RESOURCES},
        site_owners=frozenset(_some(rnd, ACCOUNTS, 1)),
        protections=tuple(_protection(rnd) for _ in range(rnd.randint(0, 2))),
        doors=frozenset({RESOURCES[2]}),
    )


def _protection(rnd: Random) -> Protection:
    kind = rnd.choice([*ProtectedKind])
    values = {
        ProtectedKind.PERSON: ACCOUNTS,
        ProtectedKind.GROUP: GROUPS,
        ProtectedKind.DOMAIN: ["acme.example", "globex.example", "globex.example"],
    }
    until = rnd.choice([None, TODAY + timedelta(days=rnd.randint(-3, 3))])
    return Protection(kind, rnd.choice(values[kind]), "Ask Ana.", until)


def _real(rnd: Random, account_id: str) -> Real:
    """Anybody; mostly somebody who can be changed."""
    emails = [
        None,
        "@",
        "no address",
        "x@globex.example",
        *(f"app@{domain}" for domain in sorted(MACHINE_DOMAINS)),
    ]
    return replace(
        _changeable(rnd, account_id),
        membership=rnd.choice(["active"] * 4 + ["suspended", "no_membership"]),
        account=rnd.choice(["active"] * 6 + ["inactive", "closed"]),
        columns={
            "email": rnd.choice(emails) if rnd.random() < 0.1 else f"{account_id}@acme.example",
            "account_type": rnd.choice(["atlassian"] * 18 + ["app", ""]),
            "management_source": rnd.choice(["invited", "invited", "invited", "synced", ""]),
            "claim_status": rnd.choice(["managed", "managed", "unmanaged", ""]),
            "platform_roles": frozenset({ORG_ADMIN}) if rnd.random() < 0.05 else frozenset(),
            "email_verified": rnd.choice([True, True, None, False]),
            "added_at": _perhaps_moment(rnd),
        },
    )


def _changeable(rnd: Random, account_id: str = "uma") -> Real:
    return Real(
        account_id,
        direct={(rnd.choice(RESOURCES), rnd.choice(ROLES)) for _ in range(rnd.randint(0, 3))},
        groups=set(_some(rnd, GROUPS, 3)),
        columns={"claim_status": "managed"},
    )


def _activity(rnd: Random, access: ProductAccess) -> Activity:
    kind = rnd.choice([ActivityKind.SEEN, ActivityKind.SEEN, ActivityKind.NEVER, ActivityKind.UNKNOWN])
    at = None if kind is ActivityKind.UNKNOWN else _moment(rnd)
    return Activity(kind, at, access.key if kind is ActivityKind.SEEN else "")


def _candidate(rnd: Random, real: Real, organization: OrganizationFacts) -> Candidate:
    seen = real.seen(organization, with_roles=rnd.random() < 0.5)
    return Candidate(
        seen=seen,
        activities=tuple((access, _activity(rnd, access)) for access in seen.facts.products),
        status_since=_perhaps_moment(rnd),
        ends_on=_perhaps_day(rnd),
        away_until=_perhaps_day(rnd),
        said_away_until=_perhaps_day(rnd),
        in_several_directories=rnd.random() < 0.05,
        under_way=rnd.random() < 0.05,
        told_at=_perhaps_moment(rnd),
        kept_at=_moment(rnd) if rnd.random() < 0.2 else None,
        given_back_at=_moment(rnd) if rnd.random() < 0.2 else None,
        refusal="Atlassian says no." if rnd.random() < 0.1 else "",
    )


def _place(rnd: Random) -> Place:
    organization = _organization(rnd)
    people = tuple(_real(rnd, account_id) for account_id in _some(rnd, ACCOUNTS, len(ACCOUNTS), least=4))
    guarded = Guarded(
        rnd.choice([*ACCOUNTS, "ana", "ana"]),
        frozenset(_some(rnd, ACCOUNTS, 1)),
        let_go_by=frozenset(_some(rnd, ACCOUNTS, 1)),
    )
    return Place(
        Ground(guarded, organization, TODAY),
        people,
        tuple(_candidate(rnd, real, organization) for real in people),
    )


# A whole organization drawn value by value takes most of a test's time: Hypothesis draws the seed.
seeds = st.integers(0, 2**32).map(Random)
places = seeds.map(_place)
"""A whole organization."""
organizations_and_somebody = seeds.map(lambda rnd: (_organization(rnd), _real(rnd, "uma")))


@st.composite
def done_deeds(draw: st.DrawFn) -> tuple[OrganizationFacts, Real, Action]:
    """Somebody who can be changed, and a deed that has something to do for them and leaves a way back."""
    rnd = draw(seeds)
    organization = replace(
        _organization(rnd),
        groups={each: GroupFacts(each, each) for each in GROUPS},
        admins={},
        protections=(),
    )
    real = _changeable(rnd)
    if not real.access(organization):
        real.direct.add((RESOURCES[0], ROLES[0]))
    real.groups.add(GROUPS[0])
    groups = sorted(real.groups)
    action = rnd.choice(
        [
            Action(rnd.choice([Deed.SUSPEND, Deed.DEACTIVATE, Deed.DELETE])),
            Action(Deed.REMOVE_ACCESS, products=tuple(RESOURCES)),
            Action(Deed.REMOVE_ACCESS, products=tuple(RESOURCES)),
            Action(Deed.CHANGE_GROUPS, leave=tuple(groups), join=tuple(sorted(set(GROUPS) - set(groups)))),
        ]
    )
    return organization, real, action


tokens = st.lists(
    st.sampled_from([*RESOURCES, "confluence", "jira-software", "gone"]), min_size=1, max_size=2, unique=True
).map(tuple)
some_groups = st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)
actions = st.one_of(
    st.sampled_from([each for each in FOR_RULES if each not in (Deed.REMOVE_ACCESS, Deed.CHANGE_GROUPS)]).map(
        Action
    ),
    st.builds(lambda products: Action(Deed.REMOVE_ACCESS, products=products), tokens),
    st.builds(
        lambda leave, join: Action(Deed.CHANGE_GROUPS, leave=leave, join=tuple(set(join) - set(leave))),
        st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True).map(tuple),
        some_groups,
    ),
)
thresholds = st.sampled_from([None, None, 1, 30, 90, 200])
whens = st.builds(
    When,
    not_seen=thresholds,
    never=thresholds,
    invited=thresholds,
    suspended=thresholds,
    deactivated=thresholds,
    past_end=st.sampled_from([None, None, None, 0, 10]),
    how=st.sampled_from(How),
    products=st.just(()) | tokens,
).filter(lambda when: not when.is_empty)
whos = st.builds(
    Who,
    products=st.just(()) | tokens,
    groups=st.just(()) | some_groups,
    not_groups=st.just(()) | some_groups,
    domains=st.sampled_from([(), (), (), ("acme.example",)]),
    account=st.sampled_from(["", "", "managed", "external"]),
    source=st.sampled_from(["", "", "invited", "synced"]),
    people=st.just(()) | st.lists(st.sampled_from(ACCOUNTS), min_size=1, unique=True).map(tuple),
)


def rules(
    who: st.SearchStrategy[Who] = whos, when: st.SearchStrategy[When] = whens
) -> st.SearchStrategy[Rule]:
    """Any rule, however foolish."""
    return st.builds(
        Rule,
        name=st.just("A rule"),
        who=who,
        steps=st.lists(st.builds(Step, when=when, action=actions), min_size=1, max_size=4).map(tuple),
        mode=st.sampled_from(Mode),
        brake=st.just(Brake(None, None)),
    )


AT_ONCE = When(not_seen=1, never=1, invited=1, suspended=1, deactivated=1, past_end=0, how=How.ANY)
eager_rules = st.builds(
    lambda action: Rule("At once", Who(), (Step(AT_ONCE, action),), Mode.LIVE, Brake(None, None)), actions
)
"""Rules that would take nearly everybody, if nobody held them back."""
