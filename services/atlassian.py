"""Opening the gateways: which address, which credential, whose clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from connect.gateway.confluence import ConfluenceSite
from connect.gateway.confluence_spaces import ConfluenceSpaces
from connect.gateway.credentials import as_app, basic
from connect.gateway.http import READ_SECONDS, Authorization
from connect.gateway.jira import JiraSite
from connect.gateway.jira_belongings import JiraBelongings
from connect.gateway.jira_tickets import JiraTickets
from connect.gateway.organization import OrganizationGateway
from connect.hosts import SiteOrigins
from models.tenant import Product


@dataclass(frozen=True, slots=True)
class Atlassian:
    """The one organization API and all the sites. Each gateway serves one chain of calls and is closed after it."""

    api_url: str
    app_key: str
    origins: SiteOrigins
    clock: Callable[[], datetime]

    @contextmanager
    def organization(self, admin_key: str, patience: float = READ_SECONDS) -> Iterator[OrganizationGateway]:
        """The organization API by an Admin API key. `patience`: seconds at most until an answer begins."""
        gateway = OrganizationGateway(self.api_url, admin_key, clock=self.clock, patience=patience)
        with closing(gateway):
            yield gateway

    @contextmanager
    def site_as_app(
        self, product: str, base_url: str, client_key: str, secret: str, patience: float = READ_SECONDS
    ) -> Iterator[JiraSite | ConfluenceSite]:
        """A tenant's own site, signed with its shared secret. `patience`: seconds at most until an answer begins."""
        authorization = as_app(app_key=self.app_key, client_key=client_key, secret=secret, clock=self.clock)
        with closing(self._site(product, base_url, authorization, patience)) as site:
            yield site

    @contextmanager
    def site_by_token(
        self, product: str, base_url: str, email: str, token: str, patience: float = READ_SECONDS
    ) -> Iterator[JiraSite | ConfluenceSite]:
        """A tenant's own site, by an account's API token. `patience`: seconds at most until an answer begins."""
        with closing(self._site(product, base_url, basic(email, token), patience)) as site:
            yield site

    @contextmanager
    def tickets_as_app(self, base_url: str, client_key: str, secret: str) -> Iterator[JiraTickets]:
        """The tickets of a tenant's own Jira, signed with its shared secret: to be read."""
        authorization = as_app(app_key=self.app_key, client_key=client_key, secret=secret, clock=self.clock)
        with closing(self._tickets(base_url, authorization)) as tickets:
            yield tickets

    @contextmanager
    def tickets_by_token(self, base_url: str, email: str, token: str) -> Iterator[JiraTickets]:
        """The same by an account's API token: to be commented."""
        with closing(self._tickets(base_url, basic(email, token))) as tickets:
            yield tickets

    def _tickets(self, base_url: str, authorization: Authorization) -> JiraTickets:
        return JiraTickets(base_url, origins=self.origins, authorization=authorization, clock=self.clock)

    @contextmanager
    def belongings(self, base_url: str, email: str, token: str) -> Iterator[JiraBelongings]:
        """What people own in a Jira, by an account's API token."""
        site = JiraBelongings(
            base_url, origins=self.origins, authorization=basic(email, token), clock=self.clock
        )
        with closing(site):
            yield site

    @contextmanager
    def spaces(self, base_url: str, email: str, token: str) -> Iterator[ConfluenceSpaces]:
        """Who administers which space of a Confluence, by an account's API token."""
        site = ConfluenceSpaces(
            base_url, origins=self.origins, authorization=basic(email, token), clock=self.clock
        )
        with closing(site):
            yield site

    def _site(
        self, product: str, base_url: str, authorization: Authorization, patience: float = READ_SECONDS
    ) -> JiraSite | ConfluenceSite:
        kind = ConfluenceSite if product == Product.CONFLUENCE else JiraSite
        return kind(
            base_url,
            origins=self.origins,
            authorization=authorization,
            clock=self.clock,
            patience=patience,
        )
