"""The sites of an organization, opened with the API token that one of its doors keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from connect.errors import NotReady, Unauthorized
from connect.gateway.confluence_spaces import ConfluenceSpaces
from connect.gateway.jira_belongings import JiraBelongings
from models.credential import CredentialKind, CredentialState, credential_of
from models.tenant import Product, find_tenant
from services.doors import credential_row, mark_rejected
from services.expiry import rejection, unreadable
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

Site = JiraBelongings | ConfluenceSpaces


@dataclass(frozen=True, slots=True)
class SiteKey:
    """Where a door stands, and whose API token opens it."""

    product: str
    base_url: str
    email: str
    token: str
    owner: str


@contextmanager
def site_opened(tools: Toolbox, organization_id: str, client_key: str) -> Iterator[Site]:
    """The site of one door of this organization, by its API token.

    Raises NotReady without one, and AtlassianError; a token that Atlassian rejects is marked.
    """
    key, sealed, expires_on = _key_of(tools, organization_id, client_key)
    opening = tools.atlassian.spaces if key.product == Product.CONFLUENCE else tools.atlassian.belongings
    with opening(key.base_url, key.email, key.token) as site:
        try:
            yield site
        except Unauthorized as error:
            # Of two doors that are open at once, the other one's credential may be fine.
            if not site.met(error):
                raise
            problem = rejection(CredentialKind.API_TOKEN, expires_on, tools.clock().date())
            mark_rejected(tools, client_key, CredentialKind.API_TOKEN, sealed, problem)
            raise problem from error


def token_owner(tools: Toolbox, organization_id: str, client_key: str) -> str:
    """Whose API token opens a site; empty when nobody knows."""
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        if tenant is None or tenant.organization_id != organization_id:
            return ""
        credential = credential_of(session, client_key, CredentialKind.API_TOKEN)
        return (credential.owner_account_id or "") if credential is not None else ""


def _key_of(tools: Toolbox, organization_id: str, client_key: str) -> tuple[SiteKey, bytes, date]:
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        # The door may lead to another organization by now (S19).
        if tenant is None or tenant.organization_id != organization_id or tenant.uninstalled_at is not None:
            raise NotReady("Rollcall is not installed there any more.", "Install it again, then look again.")
        credential = credential_of(session, client_key, CredentialKind.API_TOKEN)
        if credential is None:
            raise NotReady(
                "There is no API token for this site.",
                "Save one under Configure Token, in the product itself, then look again.",
                reason="no_api_token",
            )
        if credential.state == CredentialState.REJECTED.value:
            raise NotReady(
                f"The API token of this site is of no use: {credential.check_result}",
                "Then look again.",
                reason="api_token_rejected",
            )
        row = credential_row(client_key, CredentialKind.API_TOKEN)
        try:
            email = tools.vault.open(credential.email_sealed or b"", row=row, column="email_sealed")
            token = tools.vault.open(credential.sealed, row=row, column="sealed")
        except CredentialUnreadable as gone:
            raise unreadable(CredentialKind.API_TOKEN) from gone
        key = SiteKey(tenant.product, tenant.base_url, email, token, credential.owner_account_id or "")
        return key, credential.sealed, credential.expires_on
