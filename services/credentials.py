"""The two credentials of a door once they are stored: shown without the secret, checked, forgotten (S27, S42)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import (
    AccessForbidden,
    AppError,
    AtlassianError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from models.audit import Event
from models.credential import Credential, CredentialKind, CredentialState, credential_of
from models.tenant import Tenant, close_tenant_gate, doors_of, find_tenant
from services.audit import record
from services.doors import check_result, credential_row, mark_rejected
from services.expiry import NAMES, rejection
from services.leaving import leave
from services.names import names_of
from services.proving import ELSEWHERE, REJECTED, Door, prove_key, prove_token
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

WORKING = "Works."
A_SLIP_LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CredentialView:
    """What may be shown of a stored credential. `email` is the Admin Email of an API token.

    `version` is another one as soon as another credential is stored in its place. `is_last_door`: without it nothing
    opens the organization any more.
    """

    kind: CredentialKind
    last_four: str
    email: str | None
    stored_by: str
    stored_by_name: str
    stored_at: datetime
    expires_on: date
    expires_in_days: int
    state: str
    checked_at: datetime
    check_result: str
    version: str
    is_last_door: bool


def show(tools: Toolbox, caller: Caller, kind: CredentialKind) -> CredentialView | None:
    """The caller's door's credential of one kind, without the secret; None when none is stored."""
    with tools.begin() as session:
        tenant = find_tenant(session, caller.tenant)
        credential = credential_of(session, caller.tenant, kind)
        if tenant is None or credential is None:
            return None
        names = names_of(session, tenant.organization_id, [credential.stored_by])
        email = None
        # What can no longer be read must not keep anybody from replacing it.
        with suppress(CredentialUnreadable):
            email = tools.vault.open(
                credential.email_sealed or b"", row=credential_row(caller.tenant, kind), column="email_sealed"
            )
        return CredentialView(
            kind=kind,
            last_four=credential.last_four,
            email=email,
            stored_by=credential.stored_by,
            stored_by_name=names.get(credential.stored_by, ""),
            stored_at=credential.stored_at,
            expires_on=credential.expires_on,
            expires_in_days=(credential.expires_on - tools.clock().date()).days,
            state=credential.state,
            checked_at=credential.checked_at,
            check_result=credential.check_result,
            version=_version(credential),
            is_last_door=kind is CredentialKind.ADMIN_KEY and _is_last_door(session, tenant),
        )


def check_now(tools: Toolbox, caller: Caller, kind: CredentialKind) -> CredentialView:
    """Asks Atlassian whether the stored credential still works and remembers the answer."""
    said = check(tools, caller.tenant, kind, actor=somebody(caller))
    view = show(tools, caller, kind)
    if view is None:
        raise NotFound("There is nothing to check: it was forgotten.", "Reload the page.")
    return view if said is None else replace(view, check_result=said)


def check(tools: Toolbox, client_key: str, kind: CredentialKind, *, actor: str) -> str | None:
    """The check behind *Check now* and the daily one. Never raises AtlassianError: the answer is stored.

    Returns what to say of it; None when the credential was replaced or forgotten meanwhile. A site that two checks in a
    row, an hour apart, do not find in the key's organization is no door into it any more (S27).
    """
    with tools.begin() as session:
        credential = credential_of(session, client_key, kind)
        tenant = find_tenant(session, client_key)
        if credential is None or tenant is None:
            raise NotFound("There is nothing to check: it was forgotten.", "Reload the page.")
        door = as_door(tenant)
        sealed, email_sealed = credential.sealed, credential.email_sealed
        expires_on, found_before = credential.expires_on, credential.check_result
    state = CredentialState.WORKING
    problem: AppError | None = None
    try:
        _prove_again(tools, door, kind, sealed, email_sealed)
    except (Invalid, AccessForbidden) as error:
        state, problem = CredentialState.REJECTED, error
        if error.reason in REJECTED:
            problem = rejection(kind, expires_on, tools.clock().date())
    except AtlassianError as error:
        state, problem = CredentialState.UNCHECKED, error
    if state is CredentialState.REJECTED and problem is not None:
        mark_rejected(tools, client_key, kind, sealed, problem)
    now = tools.clock()
    with tools.begin() as session:
        close_tenant_gate(session, client_key)
        credential = credential_of(session, client_key, kind)
        if credential is None or credential.sealed != sealed:
            return None
        # One answer may be a slip, also of Atlassian's, and so may the next one that comes soon after.
        if (
            problem is not None
            and problem.reason == ELSEWHERE
            and check_result(problem) == found_before
            and credential.checked_at <= now - A_SLIP_LASTS
        ):
            problem = _unlink(session, client_key, problem, actor, now) or problem
        said = check_result(problem) if problem is not None else WORKING
        # Of a credential that was rejected, no answer says that it works again: why it does not stays known.
        if state is not CredentialState.UNCHECKED or credential.state != CredentialState.REJECTED:
            credential.state, credential.check_result = state.value, said
        credential.checked_at = now
        record(
            session,
            Event.CREDENTIAL_CHECKED,
            at=now,
            actor=actor,
            organization_id=door.organization_id,
            client_key=client_key,
            result=problem.sentence if problem is not None else WORKING,
            details={"kind": kind.value},
        )
        return said


def _unlink(session: Session, client_key: str, found: AppError, actor: str, now: datetime) -> AppError | None:
    """Closes a door that leads elsewhere; what to say about it. None when it leads nowhere already."""
    tenant = session.get_one(Tenant, client_key)
    organization_id = tenant.organization_id
    if organization_id is None:
        return None
    leave(session, tenant, actor=actor, now=now, reason="The site has left the organization.")
    record(
        session,
        Event.ORGANIZATION_UNLINKED,
        at=now,
        actor=actor,
        organization_id=organization_id,
        client_key=client_key,
        result=found.sentence,
    )
    return Invalid(
        "key",
        "Two checks found that this site is no longer in the organization that the key opens: nobody here sees its "
        "people, runs and audit any more.",
        "Replace the key by one of the organization that owns this site.",
        reason=ELSEWHERE,
    )


def _prove_again(
    tools: Toolbox, door: Door, kind: CredentialKind, sealed: bytes, email_sealed: bytes | None
) -> None:
    row = credential_row(door.client_key, kind)
    try:
        secret = tools.vault.open(sealed, row=row, column="sealed")
        email = tools.vault.open(email_sealed, row=row, column="email_sealed") if email_sealed else ""
    except CredentialUnreadable:
        raise Invalid(
            "", "What is stored can no longer be read: its key is gone.", "Replace it.", reason="unreadable"
        ) from None
    if kind is CredentialKind.API_TOKEN:
        prove_token(tools, door, email, secret)
        return
    opened = prove_key(tools, door, secret)
    if door.organization_id is None:
        raise Invalid(
            "key",
            "The key opens this site's organization, but Rollcall is not linked to it any more.",
            "Save the key once more: whoever does so becomes an operator.",
            reason="not_linked",
        )
    if opened.organization.id != door.organization_id:
        raise Invalid(
            "key",
            "The key now opens another organization.",
            "Replace it by a key of the organization that Rollcall knows.",
            reason=ELSEWHERE,
        )


def forget(tools: Toolbox, caller: Caller, kind: CredentialKind, version: str | None = None) -> None:
    """Deletes a credential. Without its admin key a tenant is no door any more: people and runs are out of reach.

    Raises Conflict when another one is there than the `version` that the caller was shown.
    """
    account_id = somebody(caller)
    now = tools.clock()
    with tools.begin() as session:
        close_tenant_gate(session, caller.tenant)
        tenant = find_tenant(session, caller.tenant)
        credential = credential_of(session, caller.tenant, kind)
        if tenant is None or credential is None:
            raise NotFound("There is nothing to forget.", "Reload the page.")
        if version not in (None, _version(credential)):
            raise Conflict(
                f"The {NAMES[kind]} was replaced in the meantime: the new one is kept.",
                "Reload the page and look again.",
            )
        organization_id = tenant.organization_id
        session.delete(credential)
        if kind is CredentialKind.ADMIN_KEY:
            leave(session, tenant, actor=account_id, now=now, reason="The Admin API key was forgotten.")
        record(
            session,
            Event.CREDENTIAL_FORGOTTEN,
            at=now,
            actor=account_id,
            organization_id=organization_id,
            client_key=caller.tenant,
            details={"kind": kind.value},
        )


def _version(credential: Credential) -> str:
    return credential.stored_at.isoformat()


def _is_last_door(session: Session, tenant: Tenant) -> bool:
    return tenant.organization_id is not None and len(doors_of(session, tenant.organization_id)) == 1


def as_door(tenant: Tenant) -> Door:
    """The tenant, copied out of the database."""
    return Door(tenant.client_key, tenant.product, tenant.base_url, tenant.organization_id)


def somebody(caller: Caller) -> str:
    """The caller's account id. Raises Forbidden for anonymous visitors."""
    if caller.account_id is None:
        raise Forbidden(
            "Anonymous visitors may not do this.", "Log in as an administrator.", reason="anonymous"
        )
    return caller.account_id
