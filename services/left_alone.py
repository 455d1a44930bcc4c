"""The rest of a rule's scope: whom a plan leaves alone because their time has not come, with the reason, page by page.

They have no case: in a large organization they are most of the people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from connect.caller import Caller
from models.people import Person
from models.rule import find_version
from models.run import Case
from rules.case import CaseState
from rules.deeds import Deed
from rules.plan import judge_by_rule
from rules.rule_file import parse_rule
from services.candidates import people_as_candidates
from services.doors import require_organization
from services.ground import ground_of
from services.runs import require_run
from services.scope import scope_of
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Shown among the cases of a run, it reads like one that ended before it began."""

    account_id: str
    name: str
    reason: str
    state: str = CaseState.SPARED.value
    deed: str = Deed.LIST.value
    because: str = ""
    note: str = ""
    is_new: bool = False
    came_back_at: datetime | None = None


def left_alone(
    tools: Toolbox, caller: Caller, run_id: str, *, text: str, page: int, per_page: int
) -> tuple[list[LeftAlone], int]:
    """One page, by name, and how many there are. The reason is as of now. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        version = find_version(session, organization_id, run.rule_id or "", run.rule_version or 0)
        if version is None:
            return [], 0
        rule = parse_rule(version.definition)
        ground = ground_of(tools, session, organization_id, version.created_by, now)
        with_a_case = select(Case.account_id).where(
            Case.organization_id == organization_id, Case.run_id == run_id
        )
        conditions = [
            *scope_of(organization_id, rule.who, ground.organization),
            Person.account_id.not_in(with_a_case),
        ]
        if text:
            conditions.append(Person.name.icontains(text, autoescape=True))
        total = session.scalar(select(func.count(Person.account_id)).where(*conditions)) or 0
        last = max(-(-total // per_page), 1)
        query = select(Person.account_id, Person.name).where(*conditions)
        rows = session.execute(
            query.order_by(Person.name, Person.account_id)
            .offset((min(page, last) - 1) * per_page)
            .limit(per_page)
        ).all()
        people = people_as_candidates(
            session, organization_id, [row.account_id for row in rows], ground.organization
        )
        found = []
        for account_id, name in rows:
            verdict = judge_by_rule(rule, people[account_id], ground, now)
            reason = "Has become idle since this preview." if verdict.objection is None else verdict.reason
            found.append(LeftAlone(account_id, name, reason))
        return found, total
