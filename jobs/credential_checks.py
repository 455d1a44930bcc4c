"""The daily check of one credential. One that Atlassian does not answer keeps no other organization waiting."""

from __future__ import annotations

from dbos import DBOS

from jobs.workbench import tools
from services import daily_checks

QUEUE = "credential_checks"


@DBOS.workflow(name="check_credential")
def check_credential(_organization_id: str, client_key: str, kind: str, _checked_at: str) -> None:
    check(client_key, kind)


@DBOS.step()
def check(client_key: str, kind: str) -> None:
    daily_checks.check_credential(tools(), client_key, kind)


def workflow_id(client_key: str, kind: str, checked_at: str) -> str:
    """Ours: until it was checked, the same credential is one workflow, however often it is enqueued."""
    return f"credential:{client_key}:{kind}:{checked_at}"
