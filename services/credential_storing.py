"""Storing the two credentials of a door: proven at Atlassian first, then sealed; a key makes an organization known."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import (
    AccessForbidden,
    Conflict,
    Invalid,
    NotFound,
    Unauthorized,
)
from connect.gateway.jira import MyselfRecord
from models.audit import Event
from models.credential import Credential, CredentialKind, CredentialState, credential_of
from models.organization import Operator, OperatorReason, Organization, close_gate
from models.tenant import Tenant, close_tenant_gate, find_tenant
from services.audit import record
from services.credentials import WORKING, as_door, somebody
from services.doors import credential_row
from services.leaving import leave
from services.proving import Door, Opened, prove_key, prove_token
from services.seats import replace_seats
from services.syncing import start_sync
from services.toolbox import Toolbox

LONGEST_LIFE = timedelta(days=366)
"""Atlassian lets no admin key and no API token live longer than a year."""
LONGEST_SECRET = 2000
MOVED = "The key now opens another organization."


def store_admin_key(tools: Toolbox, caller: Caller, *, key: str, expires_on: str) -> None:
    """Proves an Admin API key, links the tenant to its organization, makes the giver an operator, starts a sync.

    Raises Invalid("key" | "expires_on"), NotFound once it is uninstalled, Conflict while the organization is being
    forgotten, or AtlassianError; then nothing is stored.
    """
    account_id = somebody(caller)
    expiry = _expiry(expires_on, tools.clock().date())
    key = _secret("key", key, "Admin API key")
    door = _door(tools, caller)
    try:
        opened = prove_key(tools, door, key)
    except (Invalid, Unauthorized, AccessForbidden) as problem:
        _record_refusal(tools, door, account_id, CredentialKind.ADMIN_KEY, problem.reason)
        raise
    now = tools.clock()
    with tools.begin() as session:
        tenant = _still_installed(session, door)
        _link(session, tenant, opened, account_id, now)
        replaced = _put(tools, session, door, CredentialKind.ADMIN_KEY, key, account_id, expiry, now)
        _record_stored(
            session,
            door,
            opened.organization.id,
            account_id,
            CredentialKind.ADMIN_KEY,
            now,
            replaced=replaced,
        )
        start_sync(session, opened.organization.id, requested_by=account_id, now=now)


def store_api_token(tools: Toolbox, caller: Caller, *, email: str, token: str, expires_on: str) -> None:
    """Proves an API token with its Admin Email on the tenant's own site and stores both, or neither.

    Raises Invalid("email" | "token" | "expires_on"), NotFound once it is uninstalled, or AtlassianError; then nothing
    is stored.
    """
    account_id = somebody(caller)
    expiry = _expiry(expires_on, tools.clock().date())
    token = _secret("token", token, "API token")
    email = email.strip()
    if (
        not 3 <= len(email) <= 320
        or email.count("@") != 1
        or not email.isprintable()
        or {" ", ":"} & set(email)
    ):
        raise Invalid(
            "email", "This is not an e-mail address.", "Type the address of the account that made the token."
        )
    door = _door(tools, caller)
    try:
        owner = prove_token(tools, door, email, token)
    except (Invalid, Unauthorized, AccessForbidden) as problem:
        _record_refusal(tools, door, account_id, CredentialKind.API_TOKEN, problem.reason)
        raise
    now = tools.clock()
    with tools.begin() as session:
        tenant = _still_installed(session, door)
        replaced = _put(
            tools, session, door, CredentialKind.API_TOKEN, token, account_id, expiry, now, email, owner
        )
        _record_stored(
            session,
            door,
            tenant.organization_id,
            account_id,
            CredentialKind.API_TOKEN,
            now,
            replaced=replaced,
        )


def _link(session: Session, tenant: Tenant, opened: Opened, account_id: str, now: datetime) -> None:
    found = opened.organization
    if tenant.organization_id not in (None, found.id):
        record(
            session,
            Event.ORGANIZATION_UNLINKED,
            at=now,
            actor=account_id,
            organization_id=tenant.organization_id,
            client_key=tenant.client_key,
            result=MOVED,
        )
        leave(session, tenant, actor=account_id, now=now, reason=MOVED)
    close_gate(session, found.id)
    organization = session.get(Organization, found.id)
    if organization is None:
        organization = Organization(id=found.id, name=found.name, created_at=now)
        session.add(organization)
    elif organization.forgotten_since is not None:
        raise Conflict(
            "What Rollcall knew of this organization is just being forgotten: its last installation ended long ago.",
            "Save the key again in half an hour.",
            reason="being_forgotten",
        )
    organization.name, organization.doorless_since = found.name, None
    session.flush()
    if tenant.organization_id is None:
        record(
            session,
            Event.ORGANIZATION_LINKED,
            at=now,
            actor=account_id,
            organization_id=found.id,
            client_key=tenant.client_key,
        )
    tenant.organization_id = found.id
    replace_seats(session, found.id, opened.workspaces)
    if session.get(Operator, (found.id, account_id)) is None:
        session.add(
            Operator(
                organization_id=found.id,
                account_id=account_id,
                reason=OperatorReason.GAVE_KEY.value,
                named_by=account_id,
                named_at=now,
            )
        )
        record(
            session, Event.OPERATOR_NAMED, at=now, actor=account_id, organization_id=found.id, subject=account_id,
            result=OperatorReason.GAVE_KEY.value,
        )  # fmt: skip


def _put(
    tools: Toolbox,
    session: Session,
    door: Door,
    kind: CredentialKind,
    secret: str,
    account_id: str,
    expiry: date,
    now: datetime,
    email: str = "",
    owner: MyselfRecord | None = None,
) -> bool:
    row = credential_row(door.client_key, kind)
    credential = credential_of(session, door.client_key, kind)
    replaced = credential is not None
    if credential is None:
        credential = Credential(client_key=door.client_key, kind=kind.value)
        session.add(credential)
    credential.sealed = tools.vault.seal(secret, row=row, column="sealed")
    credential.email_sealed = tools.vault.seal(email, row=row, column="email_sealed") if email else None
    credential.last_four = secret[-4:]
    credential.owner_account_id = owner.account_id if owner is not None else None
    credential.stored_by, credential.stored_at, credential.expires_on = account_id, now, expiry
    credential.state, credential.checked_at, credential.check_result = (
        CredentialState.WORKING.value,
        now,
        WORKING,
    )
    session.flush()
    return replaced


def _record_stored(
    session: Session,
    door: Door,
    organization_id: str | None,
    account_id: str,
    kind: CredentialKind,
    now: datetime,
    *,
    replaced: bool,
) -> None:
    record(
        session,
        Event.CREDENTIAL_REPLACED if replaced else Event.CREDENTIAL_STORED,
        at=now,
        actor=account_id,
        organization_id=organization_id,
        client_key=door.client_key,
        details={"kind": kind.value},
    )


def _record_refusal(tools: Toolbox, door: Door, account_id: str, kind: CredentialKind, reason: str) -> None:
    with tools.begin() as session:
        record(
            session,
            Event.CREDENTIAL_REFUSED,
            at=tools.clock(),
            actor=account_id,
            organization_id=door.organization_id,
            client_key=door.client_key,
            result=reason,
            details={"kind": kind.value},
        )


def _door(tools: Toolbox, caller: Caller) -> Door:
    with tools.begin() as session:
        return as_door(_installed(session, caller.tenant))


def _still_installed(session: Session, door: Door) -> Tenant:
    """The door's tenant as it is now, and stays until this transaction ends. Raises NotFound when it is uninstalled.

    Proving takes a while: what an uninstall in between has wiped must not come back (S16).
    """
    close_tenant_gate(session, door.client_key)
    return _installed(session, door.client_key)


def _installed(session: Session, client_key: str) -> Tenant:
    tenant = find_tenant(session, client_key)
    if tenant is None or tenant.uninstalled_at is not None:
        raise NotFound("Rollcall is not installed here any more.", "Install it again.")
    return tenant


def _secret(field: str, value: str, what: str) -> str:
    value = value.strip()
    if not value:
        raise Invalid(field, f"The {what} is missing.", "Paste it here.")
    if (
        len(value) < 16
        or len(value) > LONGEST_SECRET
        or not value.isascii()
        or not value.isprintable()
        or " " in value
    ):
        raise Invalid(
            field, f"This does not look like an {what}.", "Copy it again at Atlassian, whole and alone."
        )
    return value


def _expiry(value: str, today: date) -> date:
    try:
        expiry = date.fromisoformat(value.strip())
    except ValueError:
        raise Invalid(
            "expires_on", "This is not a date.", "Give the day on which Atlassian lets it expire."
        ) from None
    if expiry < today:
        raise Invalid(
            "expires_on", "This day is over: the credential has expired.", "Create a new one at Atlassian.",
            reason="expired",
        )  # fmt: skip
    if expiry > today + LONGEST_LIFE:
        raise Invalid(
            "expires_on",
            "Atlassian lets nothing live longer than a year.",
            "Look up the expiry date at Atlassian.",
        )
    return expiry
