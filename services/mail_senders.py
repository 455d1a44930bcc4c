"""Where an organization's mails are handed in: its own mail server, or the deployment's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid, NotFound
from connect.public_hosts import NOT_FOUND, check_target
from connect.smtp import LONGEST, Answer, MailServer, Security, Trouble, hand_over, is_address
from models.audit import Event
from models.mail import MailSender
from rules.numbers import whole_number
from services.audit import record
from services.doors import require_organization
from services.mail_letter import Sender
from services.toolbox import Toolbox

SECURITIES = (Security.TLS, Security.STARTTLS)
DEFAULT_NAME = "Rollcall"


@dataclass(frozen=True, slots=True)
class SenderView:
    """What may be shown of an organization's own mail server: everything but the password."""

    host: str
    port: int
    security: str
    username: str
    has_password: bool
    from_address: str
    from_name: str
    changed_by: str
    changed_at: datetime
    tested_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class Route:
    """The way out of one organization's mails. `trusted`: the deployment's own server, wherever it is."""

    server: MailServer
    sender: Sender
    trusted: bool


def sender_row(organization_id: str) -> str:
    """The identity of a mail server's row, as the vault binds it."""
    return f"mail_sender/{organization_id}"


def own_sender(tools: Toolbox, caller: Caller) -> SenderView | None:
    """The organization's own mail server; None when it has none."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        row = session.get(MailSender, organization_id)
        if row is None:
            return None
        return SenderView(
            row.host,
            row.port,
            row.security,
            row.username,
            row.password_sealed is not None,
            row.from_address,
            row.from_name,
            row.changed_by,
            row.changed_at,
            row.tested_at,
            row.problem,
        )


def save_sender(
    tools: Toolbox,
    caller: Caller,
    *,
    host: str,
    port: str,
    security: str,
    username: str,
    password: str,
    from_address: str,
    from_name: str,
) -> None:
    """Stores an organization's own mail server; an empty password keeps the one that is there. Raises Invalid."""
    organization_id = require_organization(tools, caller)
    server = _server(tools, host.strip().lower(), port.strip(), security, username.strip(), password)
    sender = Sender(from_address.strip(), _one_line("from_name", from_name, 100))
    if not is_address(sender.address) or not sender.address.isascii():
        raise Invalid("from_address", "This is no e-mail address.", "Write it as it-team@example.com.")
    now = tools.clock()
    with tools.begin() as session:
        row = session.get(MailSender, organization_id)
        if row is None:
            row = MailSender(organization_id=organization_id)
            session.add(row)
        elif not server.password and row.password_sealed is not None and server.username:
            _refuse_elsewhere(row, server)
        if server.password:
            row.password_sealed = tools.vault.seal(
                server.password, row=sender_row(organization_id), column="password_sealed"
            )
        elif not server.username:
            row.password_sealed = None
        elif row.password_sealed is None:
            raise Invalid("password", "A user name needs its password.", "Type it, or leave both empty.")
        row.host, row.port, row.security = server.host, server.port, server.security.value
        row.username, row.from_address, row.from_name = server.username, sender.address, sender.name
        row.changed_by, row.changed_at, row.tested_at, row.problem = caller.account_id or "", now, None, ""
        _record(session, Event.MAIL_SENDER_CHANGED, caller, organization_id, now, details={"host": row.host})


def forget_sender(tools: Toolbox, caller: Caller) -> None:
    """Takes the organization's own mail server away. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        row = session.get(MailSender, organization_id)
        if row is None:
            raise NotFound("There is no mail server of your own, or not any more.", "Reload the page.")
        session.delete(row)
        _record(session, Event.MAIL_SENDER_FORGOTTEN, caller, organization_id, tools.clock())


def route_of(tools: Toolbox, session: Session, organization_id: str) -> Route | None:
    """How this organization's mails leave; None without any server. Raises CredentialUnreadable."""
    row = session.get(MailSender, organization_id)
    if row is not None:
        password = (
            tools.vault.open(row.password_sealed, row=sender_row(organization_id), column="password_sealed")
            if row.password_sealed is not None
            else ""
        )
        server = MailServer(row.host, row.port, Security(row.security), row.username, password)
        return Route(server, Sender(row.from_address, row.from_name), trusted=False)
    default = tools.settings.mail_server
    if default is None:
        return None
    return Route(default, Sender(tools.settings.mail_from, DEFAULT_NAME), trusted=True)


def hand_in(
    tools: Toolbox, route: Route, *, recipient: str, message: bytes, longest: float = LONGEST
) -> Answer:
    """Gives one mail to the server, which is looked up and checked again before each call (S29)."""
    server = route.server
    addresses: tuple[str, ...] = (server.host,)
    if not route.trusted:
        try:
            addresses = check_target(server.host, server.port, tools.settings.private_targets)
        except Invalid as problem:
            return Answer(Trouble.UNREACHABLE, for_good=problem.reason != NOT_FOUND)
    return hand_over(
        server,
        addresses,
        sender=route.sender.address,
        recipient=recipient,
        message=message,
        introduce_as=our_name(tools),
        longest=longest,
    )


def our_name(tools: Toolbox) -> str:
    """The host of our own address: what we call ourselves, and the right side of every Message-ID."""
    return urlsplit(tools.settings.base_url).hostname or "localhost"


def _server(tools: Toolbox, host: str, port: str, security: str, username: str, password: str) -> MailServer:
    number = whole_number(port, 65535)
    if not number:
        raise Invalid("port", "This is no port.", "It is mostly 465 (TLS) or 587 (STARTTLS).")
    if security not in SECURITIES:
        raise Invalid("security", "Choose how the connection is encrypted.", "Your mail provider says which.")
    try:
        check_target(host, number, tools.settings.private_targets)
    except Invalid as problem:
        raise Invalid("host", problem.sentence, problem.next_step, reason=problem.reason) from problem
    username = _one_line("username", username, 255)
    if len(password) > 500 or any(ord(one) < 32 for one in password):
        raise Invalid("password", "This cannot be a password.", "Copy it again.")
    if password and not username:
        raise Invalid("username", "A password needs its user name.", "Type it, or leave both empty.")
    return MailServer(host, number, Security(security), username, password)


def _refuse_elsewhere(row: MailSender, server: MailServer) -> None:
    """A stored password goes nowhere but to where it was given for: else whoever edits the host could read it."""
    known = (row.host, row.port, row.security, row.username)
    if known != (server.host, server.port, server.security.value, server.username):
        raise Invalid(
            "password",
            "The server, the port or the user name is another one.",
            "Type the password again, or leave the user name empty.",
        )


def _one_line(field: str, text: str, longest: int) -> str:
    text = " ".join(text.split())
    if len(text) > longest or any(ord(one) < 32 for one in text):
        raise Invalid(field, f"At most {longest} characters fit here.", "Shorten it.")
    return text


def _record(
    session: Session,
    event: Event,
    caller: Caller,
    organization_id: str,
    now: datetime,
    *,
    details: dict[str, str] | None = None,
) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=organization_id,
        client_key=caller.tenant,
        details=details,
    )
