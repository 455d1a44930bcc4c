"""Mails to oneself, at once: a test of the mail server, or a text as it would arrive. The answer in plain words."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from connect.caller import Caller
from connect.errors import Invalid, NotReady
from models.audit import Event
from models.mail import MailSender
from models.organization import Organization
from models.people import find_person
from services.audit import record
from services.doors import require_organization
from services.languages import catalogue, msgid
from services.mail_letter import Content, content_of, letter
from services.mail_markdown import words
from services.mail_senders import Route, hand_in, our_name, route_of
from services.mail_sending import UNREADABLE, note_problem
from services.mail_texts import Text
from services.mail_troubles import words_of
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

PATIENCE = 30.0
"""Somebody waits for the answer."""
_SUBJECT = msgid("A test mail from Rollcall")
_BODY = msgid(
    "Hello {{ person.name }},\n\n"
    "this mail shows that the mail server of {{ organization }} takes what Rollcall sends.\n"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. Good: the server took the mail; whether it arrives is seen in the mailbox."""

    good: bool
    sentence: str
    next_step: str


def send_test(tools: Toolbox, caller: Caller) -> Tried:
    """Sends a test mail to the caller's own address. Raises Invalid without one, NotReady without a server."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        organization = session.get_one(Organization, organization_id)
        said = catalogue(organization.language)
        person = find_person(session, organization_id, caller.account_id or "")
        values = {
            "person.name": words(person.name if person is not None else ""),
            "organization": words(organization.name),
        }
    content = content_of(Text(said.gettext(_SUBJECT), said.gettext(_BODY)), values, said.language)
    return send_to_myself(tools, caller, content)


def send_to_myself(tools: Toolbox, caller: Caller, content: Content) -> Tried:
    """Sends any content to the caller's own address, now. Raises Invalid without one, NotReady without a server."""
    organization_id = require_organization(tools, caller)
    recipient, route = _way(tools, caller, organization_id)
    message = letter(
        content,
        sender=route.sender,
        recipient=recipient,
        message_id=f"<{uuid.uuid4()}@{our_name(tools)}>",
        at=tools.clock(),
    )
    if message is None:
        raise Invalid("", "Your e-mail address is none that a mail can be sent to.", "Ask an administrator.")
    answer = hand_in(tools, route, recipient=recipient, message=message, longest=PATIENCE)
    if answer.trouble is None:
        tried = Tried(
            True, "The mail server took the mail.", "Look into your mailbox, and into its spam folder."
        )
    else:
        tried = Tried(False, *words_of(answer))
    with tools.begin() as session:
        note_problem(session, organization_id, answer)
        row = session.get(MailSender, organization_id)
        if row is not None:
            row.tested_at = tools.clock() if tried.good else None
        record(
            session,
            Event.MAIL_TESTED,
            at=tools.clock(),
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            result=tried.sentence,
        )
    return tried


def _way(tools: Toolbox, caller: Caller, organization_id: str) -> tuple[str, Route]:
    with tools.begin() as session:
        person = find_person(session, organization_id, caller.account_id or "")
        email = person.email if person is not None else None
        try:
            route = route_of(tools, session, organization_id)
        except CredentialUnreadable as problem:
            raise NotReady(UNREADABLE, reason="unreadable_password") from problem
    if not email:
        raise Invalid(
            "",
            "Your own e-mail address is not in the directory, so there is nowhere to send to.",
            "Let another operator try, or show your address to your organization.",
        )
    if route is None:
        raise NotReady("Your organization has no mail server yet.", "Save a mail server first.")
    return email, route
