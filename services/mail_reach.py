"""Can a mail reach somebody? Each no is a sentence for people, without the address (S56)."""

from __future__ import annotations

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from models.mail import MailSender, MailSuppression
from services.toolbox import Toolbox

NO_ADDRESS = "No mail can reach them: Atlassian shows us no e-mail address of theirs."
NO_SERVER = "No mail can reach them: your organization has no mail server yet."
SUPPRESSED = "No mail is sent to them: their address was refused, or an operator took it out."


def can_mail(tools: Toolbox, session: Session, organization_id: str, email: str | None) -> str:
    """Why no mail can be sent to this address of the directory; empty when one can."""
    if not email:
        return NO_ADDRESS
    if not has_sender(tools, session, organization_id):
        return NO_SERVER
    return SUPPRESSED if is_suppressed(session, organization_id, email) else ""


def has_sender(tools: Toolbox, session: Session, organization_id: str) -> bool:
    """Whether there is a mail server: the organization's own, or the deployment's."""
    return tools.settings.mail_server is not None or session.get(MailSender, organization_id) is not None


def is_suppressed(session: Session, organization_id: str, email: str) -> bool:
    """Whether nothing is sent to this address any more. A person's next address is a new one."""
    query = select(literal(1)).where(
        MailSuppression.organization_id == organization_id, MailSuppression.address == email.lower()
    )
    return session.scalar(query.limit(1)) is not None
