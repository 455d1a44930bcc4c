"""What a digest says: what was done, what comes next week, what needs an operator. Looked up when it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.organization import Organization
from models.people import Person
from models.rule import rule_names
from models.run import Case, Run, run_ids_since
from models.tenant import doors_of
from rules.case import CaseState
from rules.deeds import Deed
from rules.topics import Topic
from services.app_links import app_home
from services.batches import batches
from services.coming import ComingPerson, what_comes, whom_it_meets
from services.digest_links import stop_link
from services.digest_words import Done, coming_list, done_list, needs_list
from services.languages import Catalogue
from services.mail_markdown import Value, address, words
from services.mail_values import values_of_everybody
from services.matter import Matter
from services.told_and_kept import WAS_TOLD
from services.toolbox import Toolbox

DONE = (CaseState.ACTED, CaseState.UNDONE, CaseState.UNDO_SKIPPED)
"""Something was done, whatever became of it later."""
MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Digest:
    """`more` people come next week besides those in the list."""

    done: list[Done]
    coming: list[ComingPerson]
    more: int
    matters: list[Matter]

    @property
    def is_empty(self) -> bool:
        # That people are idle is so every day: no news by itself.
        news = [matter for matter in self.matters if matter.topic is not Topic.PEOPLE_IDLE]
        return not (self.done or self.coming or news)


def digest_of(
    session: Session, organization: Organization, since: datetime, until: datetime, found: list[Matter]
) -> Digest:
    """Everything between `since` and `until`, and from then on for a week; `found` are the matters of now."""
    coming = whom_it_meets(session, organization.id, until, MOST_NAMES)
    people = sum(each.people for each in what_comes(session, organization.id, until))
    return Digest(_done(session, organization.id, since, until), coming, people - len(coming), found)


def digest_values(
    tools: Toolbox,
    session: Session,
    organization: Organization,
    person: Person,
    said: Catalogue,
    facts: Mapping[str, Any],
    found: list[Matter],
) -> dict[str, Value]:
    """The variables of a digest. `facts` say from when to when it is about."""
    until = datetime.fromisoformat(facts["until"])
    since = datetime.fromisoformat(facts["since"])
    digest = digest_of(session, organization, since, until, found)
    return values_of_everybody(organization, person) | {
        "since": words(said.date(since.astimezone(ZoneInfo(organization.time_zone)).date())),
        "done": done_list(said, digest.done),
        "coming": coming_list(said, digest.coming, digest.more),
        "needs": needs_list(said, digest.matters),
        "app_link": address(_app_link(tools, session, organization.id)),
        "stop_link": address(stop_link(tools, organization.id, person.account_id)),
    }


def _done(session: Session, organization_id: str, since: datetime, until: datetime) -> list[Done]:
    query = (
        select(Case.deed, Run.rule_id, func.count())
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == organization_id,
            Case.state.in_([state.value for state in DONE]),
            (Case.deed != Deed.TELL.value) | WAS_TOLD,
            Case.finished_at > since,
            Case.finished_at <= until,
        )
        .group_by(Case.deed, Run.rule_id)
    )
    people: Counter[tuple[str, str]] = Counter()
    for run_ids in batches(run_ids_since(session, organization_id, since)):
        for deed, rule_id, count in session.execute(query.where(Case.run_id.in_(run_ids))):
            people[deed, rule_id or ""] += count
    names = rule_names(session, organization_id, [rule_id for _deed, rule_id in people])
    done = [Done(Deed(deed), names.get(rule_id, ""), count) for (deed, rule_id), count in people.items()]
    return sorted(done, key=lambda one: (-one.people, one.deed, one.rule))


def _app_link(tools: Toolbox, session: Session, organization_id: str) -> str:
    """Rollcall in one of the organization's sites."""
    doors = doors_of(session, organization_id)
    return app_home(doors[0].display_url, doors[0].base_url) if doors else tools.settings.base_url
