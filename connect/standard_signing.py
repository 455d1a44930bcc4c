"""Signed calls as Standard Webhooks describes them (standardwebhooks.com): one library on both sides of the wire."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_signing_secret() -> str:
    """whsec_…, as the receiver's library takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_headers(
    signing_secrets: Sequence[str], call_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers. With several secrets there are several signatures: one that fits is enough for the reader.

    `call_id` stays the same when something is sent again, so that the reader knows it.
    """
    signatures = [Webhook(secret).sign(call_id, at, body.decode()) for secret in signing_secrets]
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
