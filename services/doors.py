"""Doors: which organization a tenant leads to, and which key opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import update

from connect.caller import Caller
from connect.errors import AppError, NotReady, Unauthorized
from connect.gateway.http import READ_SECONDS
from connect.gateway.organization import OrganizationGateway
from models.audit import APP, Event
from models.credential import LONGEST_RESULT, Credential, CredentialKind, CredentialState, admin_keys_of
from models.tenant import find_tenant, home_behind, organization_behind
from services.audit import record
from services.expiry import rejection, unreadable
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable


@dataclass(frozen=True, slots=True)
class Home:
    """An organization, and the time zone in which its days begin."""

    organization_id: str
    time_zone: str


def credential_row(client_key: str, kind: CredentialKind) -> str:
    """The identity of a credential's row, as the vault binds it."""
    return f"credential/{client_key}/{kind.value}"


def organization_of(tools: Toolbox, caller: Caller) -> str | None:
    """The organization behind the caller's tenant; None while nobody has proven one."""
    with tools.look() as connection:
        return organization_behind(connection, caller.tenant)


def home_of(tools: Toolbox, caller: Caller) -> Home | None:
    """Like organization_of, for pages: one question says as well which days they show."""
    with tools.look() as connection:
        found = home_behind(connection, caller.tenant)
    return Home(*found) if found is not None else None


def require_organization(tools: Toolbox, caller: Caller) -> str:
    """Like organization_of, but raises NotReady with what to do next."""
    organization_id = organization_of(tools, caller)
    if organization_id is None:
        raise NotReady(
            "Rollcall does not know your organization yet.",
            "Save an Admin API key under Configure Token.",
            reason="no_organization",
        )
    return organization_id


@contextmanager
def opened(
    tools: Toolbox, organization_id: str, patience: float = READ_SECONDS
) -> Iterator[OrganizationGateway]:
    """The organization API by the best key of its doors.

    When Atlassian rejects the key, or it does not open any more, it is marked, so that the next attempt takes another
    door's. `patience`: seconds at most until an answer begins. Raises NotReady without any key, and AtlassianError.
    """
    with tools.begin() as session:
        keys = admin_keys_of(session, organization_id)
        if not keys:
            raise NotReady(
                "There is no Admin API key.", "Save one under Configure Token.", reason="no_admin_key"
            )
        client_key, sealed, expires_on = keys[0].client_key, keys[0].sealed, keys[0].expires_on
    row = credential_row(client_key, CredentialKind.ADMIN_KEY)
    try:
        key = tools.vault.open(sealed, row=row, column="sealed")
    except CredentialUnreadable as gone:
        lost = unreadable(CredentialKind.ADMIN_KEY)
        mark_rejected(tools, client_key, CredentialKind.ADMIN_KEY, sealed, lost)
        raise lost from gone
    with tools.atlassian.organization(key, patience) as gateway:
        try:
            yield gateway
        except Unauthorized as error:
            # Of two doors that are open at once, the other one's credential may be fine.
            if not gateway.met(error):
                raise
            problem = rejection(CredentialKind.ADMIN_KEY, expires_on, tools.clock().date())
            mark_rejected(tools, client_key, CredentialKind.ADMIN_KEY, sealed, problem)
            raise problem from error


def mark_rejected(
    tools: Toolbox, client_key: str, kind: CredentialKind, sealed: bytes, problem: AppError
) -> None:
    """Remembers that a credential is of no use any more, and why, unless it has been replaced meanwhile."""
    now = tools.clock()
    with tools.begin() as session:
        marked = session.execute(
            update(Credential)
            .where(
                Credential.client_key == client_key,
                Credential.kind == kind.value,
                Credential.sealed == sealed,
                Credential.state != CredentialState.REJECTED.value,
            )
            .values(
                state=CredentialState.REJECTED.value,
                checked_at=now,
                check_result=check_result(problem),
            )
        )
        tenant = find_tenant(session, client_key)
        if marked.rowcount and tenant is not None:  # type: ignore[attr-defined]
            record(
                session,
                Event.CREDENTIAL_DIED,
                at=now,
                actor=APP,
                organization_id=tenant.organization_id,
                client_key=client_key,
                result=problem.sentence,
                details={"kind": kind.value},
            )


def check_result(problem: AppError) -> str:
    """What Configure Token shows of a failed check: what is wrong, and what to do about it."""
    return f"{problem.sentence} {problem.next_step}"[:LONGEST_RESULT]
