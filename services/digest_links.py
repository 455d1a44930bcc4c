"""The link in a digest that ends it for one operator: signed, without log-in, one click is enough (RFC 8058)."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer

from connect.errors import NotFound
from models.organization import Operator
from services.toolbox import Toolbox


def stop_link(tools: Toolbox, organization_id: str, account_id: str) -> str:
    """The address of the page that ends the digest for this operator."""
    token = _serializer(tools).dumps([organization_id, account_id])
    return f"{tools.settings.base_url}/mail/stop/{token if isinstance(token, str) else token.decode()}"


def read_stop_link(tools: Toolbox, token: str) -> tuple[str, str]:
    """(organization id, account id). Raises NotFound for anything that we did not sign."""
    try:
        organization_id, account_id = _serializer(tools).loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound(reason="bad_stop_link") from None
    return organization_id, account_id


def stop_digest(tools: Toolbox, token: str) -> None:
    """No more digests to this operator; again changes nothing. Raises NotFound."""
    organization_id, account_id = read_stop_link(tools, token)
    with tools.begin() as session:
        operator = session.get(Operator, (organization_id, account_id))
        if operator is not None and operator.digest_stopped_at is None:
            operator.digest_stopped_at = tools.clock()


def _serializer(tools: Toolbox) -> URLSafeSerializer:
    # SHA-256 instead of the default SHA-1; the salt keeps a keep link from being taken for this one.
    return URLSafeSerializer(
        tools.settings.secret_key, salt="digest-stop", signer_kwargs={"digest_method": hashlib.sha256}
    )
