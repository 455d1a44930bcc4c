"""The texts of mails as operators see and change them: list, edit, preview with somebody real, back to ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid, NotFound
from models.audit import Event
from models.delivery import Delivery
from models.mail import MailText
from models.organization import Organization
from models.people import Person, find_person
from models.people_search import find_people
from models.rule import StoredRule
from rules.filters import PeopleFilter
from rules.topics import Channel, DeliveryState, Topic
from services.audit import record
from services.digest_values import digest_values
from services.doors import require_organization
from services.languages import catalogue, languages
from services.mail_letter import Content, content_of
from services.mail_templating import check
from services.mail_texts import TOPICS, VARIABLES, Text, text_for
from services.mail_values import sample_values
from services.matters import matters
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Which:
    """One text: what it is about, in which language, and for which rule (empty: for all)."""

    topic: Topic
    language: str
    rule_id: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One text in the list. `sent` counts the mails about the topic that left and are still in the log."""

    which: Which
    rule_name: str
    own: bool
    sent: int
    last_sent: datetime | None


def which_text(topic: str, language: str, rule_id: str = "") -> Which:
    """What an address means. Raises NotFound."""
    if topic not in TOPICS or language not in languages():
        raise NotFound("There is no such text.", "Go back to the list of texts.")
    return Which(Topic(topic), language, rule_id[:36])


def list_texts(tools: Toolbox, caller: Caller) -> list[Row]:
    """Every text by topic and language, behind it those for single rules."""
    organization_id = require_organization(tools, caller)
    sent = (
        select(Delivery.topic, func.count(), func.max(Delivery.finished_at))
        .where(
            Delivery.organization_id == organization_id,
            Delivery.channel == Channel.MAIL.value,
            Delivery.state == DeliveryState.SENT.value,
        )
        .group_by(Delivery.topic)
    )
    with tools.begin() as session:
        counts = {topic: (count, last) for topic, count, last in session.execute(sent)}
        own = {
            (about, spoken, rule_id)
            for about, spoken, rule_id in session.execute(
                select(MailText.topic, MailText.language, MailText.rule_id).where(
                    MailText.organization_id == organization_id
                )
            )
        }
        names = dict(rules_of(session, organization_id))
    rows = []
    for topic in TOPICS:
        for language in languages():
            single = {rule_id for about, spoken, rule_id in own if (about, spoken) == (topic, language)} - {
                ""
            }
            for rule_id in ("", *sorted(single, key=lambda each: names.get(each, ""))):
                count, last = counts.get(topic.value, (0, None))
                name = names.get(rule_id, "a rule that is gone") if rule_id else ""
                is_own = (topic.value, language, rule_id) in own
                rows.append(Row(Which(topic, language, rule_id), name, is_own, count, last))
    return rows


def rules_of(session: Session, organization_id: str) -> list[tuple[str, str]]:
    """(id, name) of the rules that a text may be written for."""
    query = select(StoredRule.id, StoredRule.name).where(
        StoredRule.organization_id == organization_id, StoredRule.deleted_at.is_(None)
    )
    return [(rule_id, name) for rule_id, name in session.execute(query.order_by(StoredRule.name))]


def open_text(tools: Toolbox, caller: Caller, which: Which) -> tuple[Text, list[tuple[str, str]]]:
    """The text that applies now, and the rules to choose from."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return (
            text_for(session, organization_id, which.topic, which.language, which.rule_id),
            rules_of(session, organization_id) if which.topic is not Topic.DIGEST else [],
        )


def save_text(tools: Toolbox, caller: Caller, which: Which, *, subject: str, body: str) -> None:
    """Writes the organization's own text. Raises Invalid with what cannot be used in it."""
    organization_id = require_organization(tools, caller)
    subject, body = _checked(which, subject, body)
    with tools.begin() as session:
        if which.rule_id and which.rule_id not in dict(rules_of(session, organization_id)):
            raise Invalid("rule", "There is no such rule, or not any more.", "Choose one of the list.")
        key = (organization_id, which.topic.value, which.rule_id, which.language)
        row = session.get(MailText, key)
        if row is None:
            row = MailText(
                organization_id=organization_id,
                topic=which.topic.value,
                rule_id=which.rule_id,
                language=which.language,
            )
            session.add(row)
        row.subject, row.body = subject, body
        row.changed_by, row.changed_at = caller.account_id or "", tools.clock()
        _record(tools, session, caller, organization_id, which, "own")


def back_to_default(tools: Toolbox, caller: Caller, which: Which) -> None:
    """Takes the organization's own text away; ours, or that for all rules, applies again."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        row = session.get(MailText, (organization_id, which.topic.value, which.rule_id, which.language))
        if row is None:
            return
        session.delete(row)
        _record(tools, session, caller, organization_id, which, "default")


def preview_text(
    tools: Toolbox, caller: Caller, which: Which, *, subject: str, body: str, person: str
) -> tuple[Content, str]:
    """What is typed, as somebody of the directory would read it, and their name. Raises Invalid."""
    organization_id = require_organization(tools, caller)
    subject, body = _checked(which, subject, body)
    # Before our own transaction: it may count people anew, and write that down.
    found = matters(tools, organization_id) if which.topic is Topic.DIGEST else []
    said = catalogue(which.language)
    now = tools.clock()
    with tools.begin() as session:
        # A digest has a link that ends it for its reader: it is shown for nobody but the one who looks.
        wanted = "" if which.topic is Topic.DIGEST else person.strip()
        reader = _reader(session, caller, organization_id, wanted, now)
        if which.topic is Topic.DIGEST:
            values = digest_values(
                tools,
                session,
                session.get_one(Organization, organization_id),
                reader,
                said,
                {"since": (now - timedelta(days=7)).isoformat(), "until": now.isoformat()},
                found,
            )
        else:
            rule = dict(rules_of(session, organization_id)).get(which.rule_id, "")
            values = sample_values(tools, session, which.topic, reader, said, rule)
        return content_of(Text(subject, body), values, said.language), reader.name


def _checked(which: Which, subject: str, body: str) -> tuple[str, str]:
    subject = " ".join(subject.replace("\0", "").split())
    body = body.replace("\0", "").replace("\r\n", "\n").strip() + "\n"
    check("subject", subject, VARIABLES[which.topic])
    check("body", body, VARIABLES[which.topic])
    return subject, body


def _reader(session: Session, caller: Caller, organization_id: str, wanted: str, now: datetime) -> Person:
    """Whom a preview is made for: by account id or a part of name or address; the caller when nobody is named."""
    person = find_person(session, organization_id, wanted or caller.account_id or "")
    if person is None and wanted:
        person = next(
            iter(find_people(session, organization_id, PeopleFilter(text=wanted[:100]), now, limit=1)), None
        )
    if person is None:
        raise Invalid(
            "person",
            "Nobody of this name is in your directory.",
            "Type a part of a name or an e-mail address.",
        )
    return person


def _record(
    tools: Toolbox, session: Session, caller: Caller, organization_id: str, which: Which, result: str
) -> None:
    record(
        session,
        Event.MAIL_TEXT_CHANGED,
        at=tools.clock(),
        actor=caller.account_id or "",
        organization_id=organization_id,
        client_key=caller.tenant,
        details={
            "topic": which.topic.value,
            "language": which.language,
            "rule": which.rule_id,
            "text": result,
        },
    )
