"""Proving a credential at Atlassian: what it opens, whose it is, whether that is enough (S27)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from connect.errors import AccessForbidden, Invalid, Unauthorized, Why
from connect.gateway.confluence import ConfluenceSite
from connect.gateway.jira import MyselfRecord
from connect.gateway.organization import OrganizationRecord, WorkspaceRecord
from services.toolbox import Toolbox

PATIENCE = 10.0
"""Seconds until an answer begins: somebody waits for several of them, and the page they wait at gives up after 70."""

ELSEWHERE = "other_organization"
"""The reason that stands for a key that works, but not for the organization and the site that it is to open."""
REJECTED = frozenset({"key_rejected", "token_rejected"})
"""The reasons that stand for a 401: expired, revoked or never made, Atlassian says the same."""


@dataclass(frozen=True, slots=True)
class Door:
    """The caller's tenant, copied out of the database before Atlassian is asked anything."""

    client_key: str
    product: str
    base_url: str
    organization_id: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a key was found to open."""

    organization: OrganizationRecord
    workspaces: list[WorkspaceRecord]


def prove_key(tools: Toolbox, door: Door, key: str) -> Opened:
    """What an Admin API key opens, if its organization owns the door's site and the key may list people.

    Raises Invalid("key") with a sentence for each failure, and AtlassianError.
    """
    with tools.atlassian.organization(key, PATIENCE) as gateway:
        try:
            organizations = gateway.organizations()
            names = []
            for organization in organizations:
                workspaces = gateway.workspaces(organization.id)
                if any(_same_site(workspace.host_url, door.base_url) for workspace in workspaces):
                    for directory in gateway.directories(organization.id):
                        gateway.people_page(organization.id, directory.id, limit=1)
                    return Opened(organization, workspaces)
                names.append(organization.name or organization.id)
        except Unauthorized:
            raise Invalid(
                "key",
                "Atlassian rejects this key: it is mistyped, was revoked, or expired earlier than the day given here.",
                "Look it up under Settings → API keys of your organization. If it is listed and has not expired, "
                "copy it again; otherwise create a new key.",
                reason="key_rejected",
            ) from None
        except AccessForbidden as problem:
            if problem.why is not Why.SCOPE:
                raise
            raise Invalid(
                "key",
                "Atlassian accepts this key, but its scopes are too small: it may not list people.",
                "Create a key without scopes: Rollcall needs to read people and to suspend them.",
                reason="key_scope_too_small",
            ) from None
    if not names:
        raise Invalid(
            "key",
            "This key opens no organization.",
            "Create it in the organization that owns this site.",
            reason="key_opens_nothing",
        )
    raise Invalid(
        "key",
        f"This key belongs to “{', '.join(names)}”, which does not own {urlsplit(door.base_url).netloc}.",
        "Create a key in the organization that owns this site, or configure Rollcall on a site of that organization.",
        reason=ELSEWHERE,
    )


def prove_token(tools: Toolbox, door: Door, email: str, token: str) -> MyselfRecord:
    """Whose API token it is, if the Admin Email is theirs and they administer the door's product.

    Raises Invalid("email" | "token") with a sentence for each failure, and AtlassianError.
    """
    with tools.atlassian.site_by_token(door.product, door.base_url, email, token, PATIENCE) as site:
        try:
            owner = site.current_user() if isinstance(site, ConfluenceSite) else site.myself()
            may_administer = site.may_administer()
        except Unauthorized:
            raise Invalid(
                "token",
                "Atlassian rejects this e-mail address and token together: one is mistyped, the token has scopes, "
                "was revoked, or expired earlier than the day given here.",
                "Look it up under Security → API tokens of the account with this address. If it is listed without "
                "scopes and has not expired, copy it again; otherwise create a new one.",
                reason="token_rejected",
            ) from None
        except AccessForbidden as problem:
            if problem.why is Why.SCOPE:
                raise Invalid(
                    "token",
                    "Atlassian accepts this token, but its scopes are too small.",
                    "Create a token without scopes, with the same account.",
                    reason="token_scope_too_small",
                ) from None
            may_administer = False
            owner = MyselfRecord("", None, "")
    if owner.email is not None and owner.email.casefold() != email.casefold():
        raise Invalid(
            "email",
            "The token works, but it belongs to an account with another e-mail address.",
            "Type the address of the account that made the token.",
            reason="email_mismatch",
        )
    if not may_administer:
        raise Invalid(
            "token",
            f"This account may not administer {'Confluence' if door.product == 'confluence' else 'Jira'}.",
            "Make the token with an administrator's account, or give this account the administrator role.",
            reason="not_an_administrator",
        )
    return owner


def _same_site(host_url: str | None, base_url: str) -> bool:
    # Whole origins are compared: a common ending proves nothing (S27).
    if not host_url:
        return False
    theirs, ours = urlsplit(host_url), urlsplit(base_url)
    return (theirs.scheme, theirs.netloc.lower()) == (ours.scheme, ours.netloc.lower())
