"""Hook: an address of the organization that is called when something happens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class Hook(Base):
    """`address_sealed`: whoever knows a Slack or Teams address may post there, so it is a secret; `host` is shown.

    `secret_sealed` signs the generic kind, or is the token that Jira Automation asks for; the one before it signs
    beside it until `former_until`. `topics` are values of rules.topics.Topic. `off_because` is empty unless the other
    side made us switch the hook off.
    """

    __tablename__ = "hook"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    host: Mapped[str] = mapped_column(String(255))
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    topics: Mapped[list[str]] = mapped_column(JSON)
    is_on: Mapped[bool] = mapped_column(default=True)
    off_because: Mapped[str] = mapped_column(String(300), default="")
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_hook(session: Session, organization_id: str, hook_id: str) -> Hook | None:
    return session.get(Hook, (organization_id, hook_id))


# Asked for every deed: not built anew each time.
_HOOKS = select(Hook).where(Hook.organization_id == bindparam("organization_id")).order_by(Hook.name, Hook.id)


def hooks_of(session: Session, organization_id: str) -> list[Hook]:
    """The hooks of an organization, by name."""
    return list(session.scalars(_HOOKS, {"organization_id": organization_id}))
