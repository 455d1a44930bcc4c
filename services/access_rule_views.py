"""Access rules as people see them: the list, and one rule with its list, what it gave, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.access_rule import AccessGiven, StoredAccessRule, access_rules_of
from models.profile import find_profile, profiles_of
from models.run import Case, Run
from rules.case import CaseState, RunState
from rules.changes import Change
from rules.organization import OrganizationFacts
from rules.roster import Origin
from services.access_rule_lists import newest_list
from services.access_rules import require_access_rule
from services.doors import require_organization
from services.ground import organization_facts
from services.names import names_of
from services.roster_words import access_in_words
from services.run_progress import RunView, view_of, views_of
from services.toolbox import Toolbox

MOST_SHOWN = 50
MOST_RUNS = 10


@dataclass(frozen=True, slots=True)
class AccessRuleLine:
    """`people` have something from it, `stopped` are those whom it leaves alone."""

    rule: StoredAccessRule
    sentence: str
    people: int
    stopped: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with what the rule gave them, in words; `reason` says why it leaves them alone."""

    account_id: str
    name: str
    gives: str
    given: AccessGiven


@dataclass(frozen=True, slots=True)
class AccessRulePage:
    """`listed` is what the rule would do, by the newest list, of which `cases` are the first; `access` in words.

    Of the `holders`, and of those whom it leaves alone, it has some, by name: there may be as many as people.
    """

    line: AccessRuleLine
    profile_name: str
    profile_gone: bool
    holders: list[Holder]
    stopped: list[Holder]
    listed: RunView | None
    cases: list[Case]
    access: dict[str, str]
    runs: list[RunView]
    written_by: str
    seen_by: str

    @property
    def is_seen(self) -> bool:
        return self.line.rule.seen_version == self.line.rule.version

    @property
    def list_is_current(self) -> bool:
        return self.listed is not None and self.listed.rule_version == self.line.rule.version

    @property
    def more_holders(self) -> int:
        return _more(self.line.people, self.holders)

    @property
    def more_stopped(self) -> int:
        return _more(self.line.stopped, self.stopped)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a rule can be made of: (id, name) each. Groups of an identity provider cannot be given."""

    sources: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    products: list[tuple[str, str]]
    profiles: list[tuple[str, str]]


def list_access_rules(tools: Toolbox, caller: Caller) -> list[AccessRuleLine]:
    """By name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        facts = organization_facts(session, organization_id)
        found = [_line(session, stored, facts) for stored in access_rules_of(session, organization_id)]
        session.expunge_all()
        return found


def access_rule_line(tools: Toolbox, caller: Caller, rule_id: str) -> AccessRuleLine:
    """One of the list. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        found = _line(session, stored, organization_facts(session, organization_id))
        session.expunge_all()
        return found


def access_rule_page(tools: Toolbox, caller: Caller, rule_id: str) -> AccessRulePage:
    """Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        facts = organization_facts(session, organization_id)
        profile = find_profile(session, organization_id, stored.profile_id or "")
        listed = newest_list(session, stored)
        cases = _cases(session, listed)
        names = names_of(session, organization_id, [stored.created_by, stored.seen_by])
        page = AccessRulePage(
            line=_line(session, stored, facts),
            profile_name=profile.name if profile is not None else "",
            profile_gone=stored.profile_id is not None and profile is None,
            holders=_holders(session, stored, facts, AccessGiven.stopped_at.is_(None)),
            stopped=_holders(session, stored, facts, AccessGiven.stopped_at.is_not(None)),
            listed=view_of(session, listed, now) if listed is not None else None,
            cases=cases,
            access=access_in_words(session, organization_id, cases),
            runs=views_of(session, organization_id, _runs(session, stored), now),
            written_by=names.get(stored.created_by, ""),
            seen_by=names.get(stored.seen_by or "", ""),
        )
        session.expunge_all()
        return page


def choices(tools: Toolbox, caller: Caller) -> Choices:
    """Raises NotReady without an organization."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        facts = organization_facts(session, organization_id)
        profiles = [(each.id, each.name) for each in profiles_of(session, organization_id)]
    groups = sorted(
        (each for each in facts.groups.values() if not each.gone), key=lambda group: group.name.casefold()
    )
    return Choices(
        sources=[(each.id, f"{each.name} (synced)" if each.synced else each.name) for each in groups],
        groups=[(each.id, each.name) for each in groups if not each.synced and each.modifiable],
        products=sorted(
            ((each.resource_id, _product(each.resource_id, facts)) for each in facts.products.values()),
            key=lambda choice: choice[1],
        ),
        profiles=profiles,
    )


def sentence_of(stored: StoredAccessRule, facts: OrganizationFacts) -> str:
    """Who is in team-design also has Jira on acme and is in figma, as long as that holds."""
    sources = _listed([facts.group_name(each) for each in stored.sources], "or")
    groups = _listed([facts.group_name(each) for each in stored.groups], "and")
    products = _listed([_product(each[0], facts) for each in stored.roles], "and")
    gives = (
        f"also has {products}{f' and is in {groups}' if groups else ''}"
        if products
        else f"is also in {groups}"
    )
    until = "and keeps it when that is over" if stored.keep_when_over else "as long as that holds"
    return f"Who is in {sources} {gives}, {until}."


def _line(session: Session, stored: StoredAccessRule, facts: OrganizationFacts) -> AccessRuleLine:
    query = (
        select(AccessGiven.stopped_at.is_not(None), func.count(AccessGiven.account_id.distinct()))
        .where(
            AccessGiven.organization_id == stored.organization_id,
            AccessGiven.rule_id == stored.id,
            AccessGiven.over_at.is_(None),
        )
        .group_by(AccessGiven.stopped_at.is_not(None))
    )
    counts = {bool(stopped): count for stopped, count in session.execute(query)}
    return AccessRuleLine(stored, sentence_of(stored, facts), counts.get(False, 0), counts.get(True, 0))


def _holders(
    session: Session, stored: StoredAccessRule, facts: OrganizationFacts, which: ColumnElement[bool]
) -> list[Holder]:
    # The first by account id: to find the first by name, a database would read all of them.
    query = (
        select(AccessGiven)
        .where(
            AccessGiven.organization_id == stored.organization_id,
            AccessGiven.rule_id == stored.id,
            AccessGiven.over_at.is_(None),
            which,
        )
        .order_by(AccessGiven.account_id)
        .limit(MOST_SHOWN)
    )
    records = session.scalars(query).all()
    names = names_of(session, stored.organization_id, [each.account_id for each in records])
    found = [
        Holder(
            each.account_id,
            names.get(each.account_id, "Somebody who is not in the directory"),
            _part(each.part, facts),
            each,
        )
        for each in records
    ]
    return sorted(found, key=lambda holder: (holder.name.casefold(), holder.gives))


def _more(people: int, shown: Sequence[Holder]) -> int:
    return max(people - len({holder.account_id for holder in shown}), 0)


def _part(part: Change, facts: OrganizationFacts) -> str:
    return _product(part.about, facts) if part.role else facts.group_name(part.about)


def _cases(session: Session, listed: Run | None) -> list[Case]:
    if listed is None:
        return []
    query = select(Case).where(Case.organization_id == listed.organization_id, Case.run_id == listed.id)
    first = (Case.state != CaseState.PLANNED.value, Case.name, Case.id)
    return list(session.scalars(query.order_by(*first).limit(MOST_SHOWN)))


def _runs(session: Session, stored: StoredAccessRule) -> Sequence[Run]:
    query = select(Run).where(
        Run.organization_id == stored.organization_id,
        Run.origin == Origin.ACCESS_RULE.value,
        Run.origin_id == stored.id,
        Run.state != RunState.PREVIEW.value,
    )
    return session.scalars(query.order_by(Run.created_at.desc()).limit(MOST_RUNS)).all()


def _product(resource_id: str, facts: OrganizationFacts) -> str:
    product = facts.products.get(resource_id)
    if product is None or not product.host:
        return facts.product_words(resource_id)
    return f"{product.name} on {product.site}"


def _listed(names: Sequence[str], last: str) -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)
