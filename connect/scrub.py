"""Takes secrets and addresses of people out of whatever is logged, and lets no line look like two (S41)."""

from __future__ import annotations

import logging
import re

LOGGERS = ("", "gunicorn.error", "gunicorn.access", "dbos")
"""Those with handlers of their own."""

# A token of three base64url parts, wherever it stands: a header, `?jwt=`, an error text.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?", re.ASCII)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|jwt)\s+[A-Za-z0-9+/=_.~-]{8,}", re.ASCII)
_ATLASSIAN = re.compile(r"\bAT(?:ATT|CTT|CO|AA|BB|OA|SCTT|BT)[A-Za-z0-9+/=_.-]{8,}", re.ASCII)
_NAMED = re.compile(
    r"(?i)\b(jwt|token|password|passwd|secret|sharedSecret|shared_secret|api[_-]?key|admin[_-]?key|client_secret)"
    r"([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]{4,}"
)
# The secret of a ticket rule (services/ticket_secrets.py).
_TICKET = re.compile(r"\brct_[A-Za-z0-9_-]{8,}", re.ASCII)
# A personal link opens a page without a log-in (services/keep_links.py, services/digest_links.py; S55).
_LINK = re.compile(r"(/keep|/mail/+stop)/+[A-Za-z0-9_.%~-]{40,}", re.ASCII)
# PostgreSQL shows the row that it refuses.
_ROW = re.compile(r"\b(DETAIL:\s+)[^\n]+")
# What ends a line somewhere, or moves the cursor of whoever reads it.
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
# As long as addresses are, and no longer: a stranger's path of one letter, 8,000 times, must not keep us busy.
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)


def scrub(text: str) -> str:
    """`text` without tokens, keys, passwords, personal links and e-mail addresses."""
    text = _JWT.sub("[token]", text)
    text = _AUTHORIZATION.sub(r"\1 [secret]", text)
    text = _ATLASSIAN.sub("[secret]", text)
    text = _TICKET.sub("[secret]", text)
    text = _NAMED.sub(r"\1\2[secret]", text)
    text = _LINK.sub(r"\1/[token]", text)
    text = _ROW.sub(r"\1[row]", text)
    return _EMAIL.sub("[address]", text)


def one_line(text: str) -> str:
    """`text` with its control characters spelled out."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def scrub_all_logs() -> None:
    """Puts a Scrubber on every handler of the root logger, and of the servers', which do not pass on to the root."""
    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            if not any(isinstance(found, Scrubber) for found in handler.filters):
                handler.addFilter(Scrubber())


class Scrubber(logging.Filter):
    """For a *handler*: everything that leaves through it is scrubbed, tracebacks included; these alone have lines."""

    _tracebacks = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = one_line(scrub(record.getMessage())), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._tracebacks.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        return True
