"""What we remember. One file per thing, its queries beside it; each takes the organization or tenant first (S19)."""

from models import (
    absence,
    answer,
    audit,
    credential,
    delivery,
    hook,
    mail,
    notice,
    organization,
    people,
    protected,
    rule,
    run,
    sync,
    tenant,
    worker,
)
from models.db import Base, db

__all__ = [
    "Base",
    "absence",
    "answer",
    "audit",
    "credential",
    "db",
    "delivery",
    "hook",
    "mail",
    "notice",
    "organization",
    "people",
    "protected",
    "rule",
    "run",
    "sync",
    "tenant",
    "worker",
]
