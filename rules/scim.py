"""What an identity provider's word means for one person: at most one thing to do next, from facts alone."""

from __future__ import annotations

from enum import StrEnum

from rules.deeds import Deed


class Provider(StrEnum):
    """Whose provisioning it is; only the set-up guide differs."""

    ENTRA = "entra"
    OKTA = "okta"
    GOOGLE = "google"
    ONELOGIN = "onelogin"
    JUMPCLOUD = "jumpcloud"
    KEYCLOAK = "keycloak"
    OTHER = "other"


class ScimMode(StrEnum):
    """AUDIT only says what would happen."""

    AUDIT = "audit"
    LIVE = "live"


ENDINGS = (Deed.REMOVE_ACCESS, Deed.SUSPEND, Deed.DEACTIVATE, Deed.LIST)
"""What `active: false` and DELETE may mean; LIST does nothing."""
