"""Why a credential is of no use: expired or revoked, Atlassian says the same 401; the day typed with it tells."""

from __future__ import annotations

from datetime import date

from connect.errors import Unauthorized
from models.credential import CredentialKind

NAMES = {CredentialKind.ADMIN_KEY: "Admin API key", CredentialKind.API_TOKEN: "API token"}
REPLACE_IT = {
    CredentialKind.ADMIN_KEY: (
        "Create a new key under Settings → API keys of your organization, and save it under Configure Token."
    ),
    CredentialKind.API_TOKEN: (
        "Create a new token under Security → API tokens of the account that made it, "
        "and save it under Configure Token."
    ),
}


_OTHERWISE = {
    CredentialKind.ADMIN_KEY: "it was revoked",
    CredentialKind.API_TOKEN: "it was revoked, its account has another address now or is closed",
}


def rejection(kind: CredentialKind, expires_on: date, today: date) -> Unauthorized:
    """What to say of a credential that Atlassian rejects; its reason tells which."""
    name = NAMES[kind]
    # On its last day it may be over already: Atlassian counts to the hour.
    if expires_on <= today:
        return Unauthorized(
            f"The {name} expired on {expires_on.day} {expires_on:%B %Y}.",
            REPLACE_IT[kind],
            reason="credential_expired",
        )
    return Unauthorized(
        f"Atlassian rejects the {name}, though it should last until {expires_on.day} {expires_on:%B %Y}: "
        f"{_OTHERWISE[kind]}, or that date is wrong.",
        REPLACE_IT[kind],
        reason="credential_rejected",
    )


def unreadable(kind: CredentialKind) -> Unauthorized:
    """What to say of a credential that does not open: nobody can show it to Atlassian any more."""
    return Unauthorized(
        f"The stored {NAMES[kind]} can no longer be read: the key that sealed it is gone.",
        REPLACE_IT[kind],
        reason="credential_unreadable",
    )
