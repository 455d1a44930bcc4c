"""The personal link in a warning: signed for one person and one case; it says nothing else (S55)."""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer

from connect.errors import NotFound
from services.toolbox import Toolbox


def keep_link(tools: Toolbox, organization_id: str, case_id: str, account_id: str) -> str:
    """The address of the page on which this person answers about this case."""
    token = _serializer(tools).dumps([organization_id, case_id, account_id])
    return f"{tools.settings.base_url}/keep/{token if isinstance(token, str) else token.decode()}"


def read_keep_link(tools: Toolbox, token: str) -> tuple[str, str, str]:
    """(organization id, case id, account id). Raises NotFound for anything that we did not sign."""
    try:
        organization_id, case_id, account_id = _serializer(tools).loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound(reason="bad_keep_link") from None
    return organization_id, case_id, account_id


def _serializer(tools: Toolbox) -> URLSafeSerializer:
    # SHA-256 instead of the default SHA-1; the salt keeps other signed things from being taken for a link.
    return URLSafeSerializer(
        tools.settings.secret_key, salt="keep-link", signer_kwargs={"digest_method": hashlib.sha256}
    )
