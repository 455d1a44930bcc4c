"""A mail as bytes: headers, the readable text and the same as HTML in one small layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, Policy
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from markupsafe import Markup

from connect.smtp import is_address
from services.mail_markdown import Value, harmless, to_html
from services.mail_templating import in_markdown, in_plain_words, subject_line
from services.mail_texts import Text

LAYOUTS = Path(__file__).resolve().parent.parent / "templates" / "mails"
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")


class _InOneLine(UnstructuredHeader, BaseHeader):
    """An address longer than a line would become encoded words, in which no mail program looks for one."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _InOneLine)
_PLAIN = SMTP.clone(header_factory=_HEADERS)
_WITH_UTF8 = SMTPUTF8.clone(header_factory=_HEADERS)


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says. `html` is the text alone, without the layout around it."""

    subject: str
    text: str
    html: Markup
    language: str

    @property
    def direction(self) -> str:
        return "rtl" if self.language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mail comes from."""

    address: str
    name: str


def content_of(text: Text, values: Mapping[str, Value], language: str) -> Content:
    """A text with its values filled in. Raises Invalid for a text that cannot be used."""
    return Content(
        subject_line(text.subject, values),
        in_plain_words(text.body, values).strip() + "\n",
        Markup(to_html(in_markdown(text.body, values))),  # noqa: S704 - made by markdown-it without any tags of others
        language,
    )


def letter(
    content: Content,
    *,
    sender: Sender,
    recipient: str,
    message_id: str,
    at: datetime,
    stop_link: str = "",
) -> bytes | None:
    """The message, ready to be handed in; None when the recipient's address is none."""
    if not is_address(recipient):
        return None
    message = EmailMessage(policy=_PLAIN if recipient.isascii() else _WITH_UTF8)
    message["From"] = _address(sender.address, harmless(sender.name))
    message["To"] = _address(recipient)
    message["Subject"] = content.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    if stop_link:
        # RFC 8058: one click, a POST, nobody has to log in.
        message["List-Unsubscribe"] = f"<{stop_link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(content.text, cte="quoted-printable")
    message.add_alternative(_layout().render(content=content), subtype="html", cte="quoted-printable")
    # Behind the content: with it goes what was said about the one before.
    message["Content-Language"] = content.language
    return message.as_bytes()


def _address(spec: str, name: str = "") -> Address:
    # In two parts: as one, the library takes none with letters outside ASCII before the @ (RFC 6531).
    local, _at, domain = spec.rpartition("@")
    return Address(name, local, domain)


@cache
def _layout() -> Template:
    loader = FileSystemLoader(LAYOUTS)
    return Environment(loader=loader, autoescape=select_autoescape(default=True)).get_template("mail.html")
