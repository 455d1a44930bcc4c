"""What we remember. One file per thing, its queries beside it; each takes the organization or tenant first (S19)."""

from models import audit, credential, organization, people, run, sync, tenant, worker
from models.db import Base, db

__all__ = ["Base", "audit", "credential", "db", "organization", "people", "run", "sync", "tenant", "worker"]
