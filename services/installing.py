"""Install and uninstall: what Atlassian tells about an installation, once it is proven (cases S3-S5, S15-S18, S57).

The order in which events arrive does not matter: the one that was *signed* last wins.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connect.errors import NotAuthenticated
from connect.tokens import LEEWAY, LifecycleProof
from models.audit import APP, Event
from models.credential import Credential
from models.install_key import keep_install_key
from models.tenant import (
    Installation,
    Tenant,
    body_hash_of,
    close_tenant_gate,
    find_tenant,
    holder_of,
    install_again,
    remember_token,
    sealed_secret_of,
)
from services.audit import record
from services.leaving import leave
from services.lifecycle_payload import Payload, read_payload
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

logger = logging.getLogger("rollcall.installing")


def tenant_row(client_key: str) -> str:
    """The identity of a tenant's row, as the vault binds it."""
    return f"tenant/{client_key}"


def shared_secret_of(tools: Toolbox, client_key: str) -> str | None:
    """The secret a tenant signs with; None when it is unknown or uninstalled, or its secret does not open."""
    with tools.look() as connection:
        sealed = sealed_secret_of(connection, client_key)
    if sealed is None:
        return None
    try:
        return tools.vault.open(sealed, row=tenant_row(client_key), column="shared_secret_sealed")
    except CredentialUnreadable:
        logger.exception("the shared secret of tenant %s does not open", client_key)
        return None


def install(tools: Toolbox, proof: LifecycleProof, body: bytes) -> None:
    """First installation, or a new one over an old one: the secret and the address are replaced.

    Raises NotAuthenticated when body and token do not belong together, Invalid("<field>") for an unusable body.
    """
    payload = read_payload(tools.origins, proof, body, "installed")
    _once_more_on_a_race(tools, proof, payload)


def uninstall(tools: Toolbox, proof: LifecycleProof, body: bytes) -> None:
    """Secrets are wiped and jobs cancelled now; the rest is purged later (S16). Raises as `install`."""
    payload = read_payload(tools.origins, proof, body, "uninstalled")
    _once_more_on_a_race(tools, proof, payload)


def note_unreachable(tools: Toolbox, client_key: str) -> None:
    """The site refuses our signature. Remembered, nothing else: a 401 is no uninstallation (S16)."""
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        if tenant is not None and tenant.unreachable_since is None:
            tenant.unreachable_since = tools.clock()


def note_reachable(tools: Toolbox, client_key: str) -> None:
    """The site accepts our signature again."""
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        if tenant is not None:
            tenant.unreachable_since = None


def _once_more_on_a_race(tools: Toolbox, proof: LifecycleProof, payload: Payload) -> None:
    try:
        _accept(tools, proof, payload)
    except IntegrityError:
        # Atlassian's retry arrived beside the first try and lost: now it finds what the winner wrote.
        _accept(tools, proof, payload)


def _accept(tools: Toolbox, proof: LifecycleProof, payload: Payload) -> None:
    # Sealed before the transaction: nobody waits for it.
    sealed = _seal(tools, payload)
    with tools.begin() as session:
        used_with = body_hash_of(session.connection(), proof.token_hash)
        if used_with is not None:
            if used_with != payload.body_hash:
                raise NotAuthenticated(reason="token_used_with_another_body")
            return
        if sealed is not None and _install_again(session, tools, proof, payload, sealed):
            return
        close_tenant_gate(session, payload.client_key)
        tenant = find_tenant(session, payload.client_key)
        if tenant is not None and proof.issued_at < tenant.last_lifecycle_at:
            logger.info(
                "an event older than the last one was ignored: %s %s", payload.event_type, payload.client_key
            )
            return
        _remember_proof(session, tools, proof, payload)
        if sealed is not None:
            _install(session, tools, proof, payload, tenant, sealed)
        else:
            _uninstall(session, tools, proof, payload, tenant)


def _remember_proof(session: Session, tools: Toolbox, proof: LifecycleProof, payload: Payload) -> None:
    """The token, which is spent; and the key that opened it, which only Atlassian can have signed with."""
    remember_token(
        session.connection(),
        token_hash=proof.token_hash,
        body_hash=payload.body_hash,
        client_key=payload.client_key,
        expires_at=proof.expires_at + 2 * LEEWAY,
    )
    key = tools.install_keys.known(proof.kid)
    if key is not None:
        keep_install_key(session.connection(), proof.kid, key.pem, key.read_at)


def _seal(tools: Toolbox, payload: Payload) -> bytes | None:
    if payload.shared_secret is None:
        return None
    row = tenant_row(payload.client_key)
    return tools.vault.seal(payload.shared_secret, row=row, column="shared_secret_sealed")


def _install_again(
    session: Session, tools: Toolbox, proof: LifecycleProof, payload: Payload, sealed: bytes
) -> bool:
    """What Atlassian sends most: a new secret for an installed tenant. False when it is not that."""
    installation = _installation(session, proof, payload, sealed)
    replaced = install_again(session.connection(), payload.client_key, installation)
    if replaced is None:
        return False
    _remember_proof(session, tools, proof, payload)
    _record(session, tools, Event.TENANT_REINSTALLED, payload, replaced.organization_id)
    return True


def _install(
    session: Session,
    tools: Toolbox,
    proof: LifecycleProof,
    payload: Payload,
    tenant: Tenant | None,
    sealed: bytes,
) -> None:
    now = tools.clock()
    event = Event.TENANT_INSTALLED
    if tenant is None:
        tenant = Tenant(client_key=payload.client_key, installed_at=now)
        session.add(tenant)
    elif tenant.uninstalled_at is None:
        event = Event.TENANT_REINSTALLED
    else:
        tenant.installed_at = now
    for name, value in _installation(session, proof, payload, sealed).items():
        setattr(tenant, name, value)
    tenant.uninstalled_at = None
    tenant.unreachable_since = None
    _record(session, tools, event, payload, tenant.organization_id)


def _uninstall(
    session: Session, tools: Toolbox, proof: LifecycleProof, payload: Payload, tenant: Tenant | None
) -> None:
    now = tools.clock()
    if tenant is None:
        # It overtook its own `installed`, which must find that it is the older one.
        tenant = Tenant(client_key=payload.client_key, installed_at=proof.issued_at)
        session.add(tenant)
    elif tenant.uninstalled_at is not None:
        tenant.last_lifecycle_at = proof.issued_at
        return
    tenant.product = payload.product.value
    tenant.base_url = payload.base_url
    tenant.display_url = payload.display_url
    tenant.description = payload.description
    tenant.oauth_client_id = payload.oauth_client_id
    tenant.entitlement_id = payload.entitlement_id
    tenant.last_lifecycle_at = proof.issued_at
    tenant.installation_id = None
    tenant.shared_secret_sealed = None
    tenant.uninstalled_at = now
    session.execute(delete(Credential).where(Credential.client_key == tenant.client_key))
    session.flush()
    organization_id = tenant.organization_id
    leave(session, tenant, actor=APP, now=now, reason="Rollcall was uninstalled.")
    _record(session, tools, Event.TENANT_UNINSTALLED, payload, organization_id)


def _installation(session: Session, proof: LifecycleProof, payload: Payload, sealed: bytes) -> Installation:
    return {
        "product": payload.product.value,
        "base_url": payload.base_url,
        "display_url": payload.display_url,
        "description": payload.description,
        "shared_secret_sealed": sealed,
        "oauth_client_id": payload.oauth_client_id,
        "installation_id": _free_installation_id(session, payload),
        "entitlement_id": payload.entitlement_id,
        "last_lifecycle_at": proof.issued_at,
    }


def _free_installation_id(session: Session, payload: Payload) -> str | None:
    """The installation id, unless another tenant has it: an id in a body takes nothing away from anybody (S5)."""
    if payload.installation_id is None:
        return None
    holder = holder_of(session.connection(), payload.installation_id)
    return payload.installation_id if holder in (None, payload.client_key) else None


def _record(
    session: Session, tools: Toolbox, event: Event, payload: Payload, organization_id: str | None
) -> None:
    record(
        session,
        event,
        at=tools.clock(),
        actor=APP,
        organization_id=organization_id,
        client_key=payload.client_key,
        details={"product": payload.product.value, "site": urlsplit(payload.base_url).netloc},
    )
