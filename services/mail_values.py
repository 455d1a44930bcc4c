"""What stands in the variables of a mail: looked up and put into words when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.leaver import find_leaver
from models.organization import Organization, seats_of
from models.people import Person, Seat
from rules.because import Because, BecauseKind
from rules.deeds import Deed
from rules.topics import Topic
from services import mail_words
from services.keep_links import keep_link
from services.languages import ENGLISH, Catalogue
from services.mail_markdown import Value, address, as_typed, words
from services.names import names_of_those_had, product_names
from services.seat_memory import seats_held
from services.toolbox import Toolbox

SAMPLE_GRACE = timedelta(days=14)
_DEED_WORDS = {
    Topic.ENDED: mail_words.ended_words,
    Topic.GIVEN_BACK: mail_words.ended_words,
    Topic.LEAVING: mail_words.leaver_ends_words,
}


def values_about(
    tools: Toolbox,
    session: Session,
    topic: Topic,
    person: Person,
    said: Catalogue,
    *,
    facts: Mapping[str, Any],
    case_id: str | None,
) -> dict[str, Value]:
    """For everything that is told to the person concerned. `facts` are those of the delivery."""
    organization = session.get_one(Organization, person.organization_id)
    names = _names(session, topic, person, facts)
    rule = str(facts.get("rule") or "")
    deed = str(facts.get("deed") or "")
    ends_at = datetime.fromisoformat(facts["ends_at"]) if facts.get("ends_at") else None
    there = ZoneInfo(organization.time_zone)
    values = values_of_everybody(organization, person) | {
        "product": words(mail_words.list_words(said, names[:1])),
        "products": words(mail_words.list_words(said, names)),
        "deed": words(_DEED_WORDS.get(topic, mail_words.ends_words)(said, deed)),
        "rule": words(said.gettext(mail_words.WITH_AN_END) if facts.get("timed") else rule),
        "reason": words(_reason(said, facts, there)),
        "message": as_typed(_message(session, person, facts)),
        "keep_link": address(
            keep_link(tools, person.organization_id, case_id, person.account_id) if case_id else ""
        ),
        "ends_on": words(""),
        "days_left": words(""),
    }
    if ends_at is not None:
        day, today = ends_at.astimezone(there).date(), tools.clock().astimezone(there).date()
        values["ends_on"] = words(said.date(day))
        values["days_left"] = words(mail_words.days_words(said, (day - today).days))
    return values


def values_of_everybody(organization: Organization, person: Person) -> dict[str, Value]:
    """Who is addressed, and by which organization."""
    return {
        "person.name": words(person.name),
        "person.first_name": words(person.name.split()[0] if person.name.split() else person.name),
        "organization": words(organization.name),
    }


def sample_values(
    tools: Toolbox, session: Session, topic: Topic, person: Person, said: Catalogue, rule: str
) -> dict[str, Value]:
    """For a preview: as if a rule were about to suspend this person. The link leads to no case."""
    facts = {
        "deed": Deed.SUSPEND.value,
        "ends_at": (tools.clock() + SAMPLE_GRACE).isoformat(),
        "because_facts": Because(BecauseKind.SEEN, 93, "jira-software").to_words(),
        "rule": rule or "Idle ladder",
    }
    return values_about(tools, session, topic, person, said, facts=facts, case_id="sample")


def _reason(said: Catalogue, facts: Mapping[str, Any], there: ZoneInfo) -> str:
    """Why they were chosen; a sentence that is kept without its facts is English alone."""
    if facts.get("timed"):
        # The moment is the noon of the last day there: at the edges of the world another day elsewhere.
        day = datetime.fromisoformat(facts["ends_at"]).astimezone(there).date()
        return said.gettext("It was given until %(day)s.", day=said.date(day))
    if facts.get("because_facts"):
        return mail_words.because_words(said, Because.from_words(facts["because_facts"]))
    return str(facts.get("because") or "") if said.language == ENGLISH else ""


def _message(session: Session, person: Person, facts: Mapping[str, Any]) -> str:
    """What an operator wrote to a leaver: looked up, so that no delivery holds it (S41)."""
    leaver = find_leaver(session, person.organization_id, str(facts.get("leaver") or ""))
    return leaver.message if leaver is not None else ""


def _names(session: Session, topic: Topic, person: Person, facts: Mapping[str, Any]) -> list[str]:
    """What it is about, by name."""
    if facts.get("names"):
        return [str(name) for name in facts["names"]]
    meant = facts.get("products") or ()
    if topic is Topic.WARNED and meant:
        return names_of_those_had(session, person.organization_id, meant, seats_held(session, person))
    return product_names(session, person.organization_id, _products(session, person, meant))


def _products(session: Session, person: Person, meant: Any) -> list[str]:
    """The products that it is about; those of the person's seats when it is about all, then the organization's."""
    if meant:
        return list(meant)
    query = select(Seat.product_key).where(
        Seat.organization_id == person.organization_id, Seat.account_id == person.account_id
    )
    held = sorted(set(session.scalars(query)))
    return held or [one.key for one in seats_of(session, person.organization_id)]
