"""The mail channel: one mail to one person, written when it is sent. Every "not sent" has its reason (S56)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from connect.errors import Invalid
from connect.smtp import Answer, Trouble
from models.leaver import find_leaver
from models.mail import MailSender, MailSuppression
from models.organization import Organization, operators_here, zone_of
from models.people import Person, find_person
from models.run import find_case
from models.timed_access import TimedAccess, TimedState, find_timed
from rules.case import IN_QUEUE, CaseState
from rules.farewell import LeaverState
from rules.topics import Topic
from services import grace
from services.digest_links import stop_link
from services.digest_values import digest_values
from services.languages import Catalogue, catalogue
from services.mail_letter import Content, content_of, letter
from services.mail_markdown import Value
from services.mail_reach import NO_ADDRESS, NO_SERVER, SUPPRESSED, is_suppressed
from services.mail_senders import Route, hand_in, our_name, route_of
from services.mail_suppressions import REFUSED, suppress
from services.mail_texts import default_text, text_for
from services.mail_troubles import OF_THE_SERVER, no_such_address, words_of
from services.mail_values import values_about
from services.matter import Matter
from services.matters import matters
from services.parcel import Later, NotSent, Outcome, Parcel, Sent
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

GONE = "They are not in your directory."
NOT_NEEDED = "There was nothing left to tell them when the mail's turn came."
WAITS_FOR_AN_OPERATOR = "They wait under Review. Refuse it there, and the rule's next run warns them anew."
NO_OPERATOR = "They are no operator any more, or want no summaries."
NO_SUCH_ADDRESS = "Their e-mail address is none that a mail can be sent to."
UNREADABLE = "The password of your mail server can no longer be read: type it again under Notices, Mail."


@dataclass(frozen=True, slots=True)
class _Ready:
    """A mail that is written, and the way it takes. `ends_at` is when the deed comes that a warning names."""

    route: Route
    recipient: str
    message: bytes
    ends_at: datetime | None


def send(tools: Toolbox, parcel: Parcel) -> Outcome:
    """One mail to one person. Sent again, it has the same Message-ID, by which mailboxes know it."""
    # Before our own transaction: it may count people anew, and write that down.
    found = matters(tools, parcel.organization_id) if parcel.topic is Topic.DIGEST else []
    with tools.begin() as session:
        ready = _written(tools, session, parcel, found)
    if not isinstance(ready, _Ready):
        return ready
    answer = hand_in(tools, ready.route, recipient=ready.recipient, message=ready.message)
    with tools.begin() as session:
        note_problem(session, parcel.organization_id, answer)
        if answer.trouble is None:
            grace.begin(session, parcel, ready.ends_at, tools.clock())
        return _outcome(tools, session, parcel, ready.recipient, answer)


def filled(
    session: Session,
    organization_id: str,
    topic: Topic,
    values: dict[str, Value],
    said: Catalogue,
    facts: Mapping[str, Any],
) -> Content:
    """The organization's text with its values; ours, when its own can no longer be used."""
    rule_id, deed = str(facts.get("rule_id") or ""), str(facts.get("deed") or "")
    text = text_for(session, organization_id, topic, said.language, rule_id, deed)
    try:
        return content_of(text, values, said.language)
    except Invalid:
        return content_of(default_text(topic, said.language, deed), values, said.language)


def note_problem(session: Session, organization_id: str, answer: Answer) -> None:
    """What the organization's own mail server says about itself is shown where it is set up."""
    row = session.get(MailSender, organization_id)
    if row is None:
        return
    if answer.trouble is None:
        row.problem = ""
    elif answer.trouble in OF_THE_SERVER:
        row.problem = " ".join(words_of(answer))[:300]


def _written(
    tools: Toolbox, session: Session, parcel: Parcel, found: list[Matter]
) -> _Ready | NotSent | Later:
    organization_id = parcel.organization_id
    person = find_person(session, organization_id, parcel.target)
    if person is None:
        return NotSent(GONE)
    objection = _objection(session, parcel, person)
    if objection:
        return NotSent(objection)
    try:
        route = route_of(tools, session, organization_id)
    except CredentialUnreadable:
        return Later(UNREADABLE)
    if route is None:
        return NotSent(NO_SERVER)
    organization = session.get_one(Organization, organization_id)
    said = catalogue(organization.language)
    ends_at = grace.told_end(session, parcel, tools.clock())
    facts = parcel.facts if ends_at is None else parcel.facts | {"ends_at": ends_at.isoformat()}
    stop = ""
    if parcel.topic is Topic.DIGEST:
        stop = stop_link(tools, organization_id, person.account_id)
        values = digest_values(tools, session, organization, person, said, parcel.facts, found)
    else:
        values = values_about(tools, session, parcel.topic, person, said, facts=facts, case_id=parcel.case_id)
    message = letter(
        filled(session, organization_id, parcel.topic, values, said, parcel.facts),
        sender=route.sender,
        recipient=person.email or "",
        message_id=f"<{parcel.id}@{our_name(tools)}>",
        at=tools.clock(),
        stop_link=stop,
    )
    if message is None:
        return NotSent(NO_SUCH_ADDRESS)
    return _Ready(route, person.email or "", message, ends_at)


def _objection(session: Session, parcel: Parcel, person: Person) -> str:
    """Why nothing is sent to this person, or not any more; empty when nothing stands against it."""
    if not person.email:
        return NO_ADDRESS
    if is_suppressed(session, person.organization_id, person.email):
        return SUPPRESSED
    known = session.get(MailSuppression, (person.organization_id, person.account_id))
    if known is not None:
        # They have another address by now: it is a new one.
        session.delete(known)
    if _waits_for_an_operator(session, parcel):
        return WAITS_FOR_AN_OPERATOR
    if _is_not_needed(session, parcel, person):
        return NOT_NEEDED
    if parcel.topic is Topic.DIGEST:
        wanted = [
            operator.account_id
            for operator in operators_here(session, person.organization_id)
            if operator.digest_stopped_at is None
        ]
        if person.account_id not in wanted:
            return NO_OPERATOR
    return ""


def _waits_for_an_operator(session: Session, parcel: Parcel) -> bool:
    """Whether a warning is sent again of somebody who went to review without it."""
    case = find_case(session, parcel.organization_id, parcel.case_id or "")
    return parcel.topic is Topic.WARNED and case is not None and case.state in IN_QUEUE


def _is_not_needed(session: Session, parcel: Parcel, person: Person) -> bool:
    """Whether what the mail is about is over by now."""
    organization_id = person.organization_id
    if parcel.topic is Topic.WARNED and parcel.case_id is not None:
        case = find_case(session, organization_id, parcel.case_id)
        if case is None or case.state != CaseState.WARNED or case.kept_at is not None:
            return True
        return grace.is_of_an_earlier_one(session, organization_id, case.id, parcel.created_at)
    if parcel.topic is Topic.ACCESS_ENDS:
        timed = find_timed(session, organization_id, parcel.case_id or "")
        return timed is None or timed.state != TimedState.OPEN or _names_another_day(session, parcel, timed)
    if parcel.topic is Topic.ENDED and not parcel.facts.get("timed"):
        case = find_case(session, organization_id, parcel.case_id or "")
        return case is not None and case.state == CaseState.UNDONE
    if parcel.topic is Topic.LEAVING:
        leaver = find_leaver(session, organization_id, str(parcel.facts.get("leaver") or ""))
        return leaver is None or leaver.state in (LeaverState.STOPPED, LeaverState.HANDED_BACK)
    return False


def _names_another_day(session: Session, parcel: Parcel, timed: TimedAccess) -> bool:
    """Whether the last day was moved since the mail was put on its way."""
    ends_at = datetime.fromisoformat(parcel.facts["ends_at"])
    return ends_at.astimezone(zone_of(session, parcel.organization_id)).date() != timed.until


def _outcome(tools: Toolbox, session: Session, parcel: Parcel, recipient: str, answer: Answer) -> Outcome:
    if answer.trouble is None:
        return Sent(answer.status)
    sentence, _next_step = words_of(answer)
    # What is wrong with the server can be mended while we wait; only a no to this mail is final.
    final = answer.trouble in (Trouble.RECIPIENT, Trouble.MESSAGE) and answer.for_good
    if not final:
        return Later(sentence, answer.status)
    if no_such_address(answer):
        person = find_person(session, parcel.organization_id, parcel.target)
        if person is not None and (person.email or "").lower() == recipient.lower():
            suppress(session, person, REFUSED, tools.clock())
        return NotSent(REFUSED, answer.status)
    return NotSent(sentence, answer.status)
