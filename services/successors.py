"""Successors as they are now: active, no leavers themselves, with the product on the site of what they are to have."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from sqlalchemy import select

from connect.errors import Gone
from models.leaver import Belonging, Leaver, leaving_among
from models.people import Person
from models.tenant import Tenant
from rules.handover import Kind, Successor, objection_to
from rules.organization import ProductFacts
from rules.person import PersonFacts
from rules.products import family_of
from services.doors import opened
from services.ground import organization_facts
from services.left_out import half_told, left_out
from services.toolbox import Toolbox


class Successors:
    """The successors of one leaver. Everybody is read once: an object lives for one round of the worker."""

    def __init__(self, tools: Toolbox, leaver: Leaver) -> None:
        self._tools = tools
        self._leaver = leaver
        self._people: dict[str, PersonFacts | None] = {}
        self._hosts: dict[str, str] = {}
        self._leaving: dict[str, bool] = {}
        self._products: dict[str, ProductFacts] = {}

    def objection(self, belonging: Belonging) -> str:
        """Why the successor of this belonging may not have it; empty when they may."""
        account_id = belonging.successor
        person = self._person(account_id)
        host = self._host(belonging.client_key)
        families = frozenset(
            family_of(product.key)
            for access in (person.products if person is not None else ())
            if (product := self._products.get(access.resource_id)) is not None
            and urlsplit(product.host).netloc.lower() == host
        )
        successor = Successor(person, families, self._leaving.get(account_id, False))
        return objection_to(successor, Kind(belonging.kind), self._leaver.account_id)

    def person(self, account_id: str) -> PersonFacts | None:
        """The person, read now; None when no directory of the organization has them."""
        return self._person(account_id)

    def _person(self, account_id: str) -> PersonFacts | None:
        if account_id not in self._people:
            organization_id = self._leaver.organization_id
            with self._tools.begin() as session:
                known = session.get(Person, (organization_id, account_id))
                directory_id = known.directory_id if known is not None else "-"
                self._leaving[account_id] = bool(leaving_among(session, organization_id, [account_id]))
                self._products = dict(organization_facts(session, organization_id).products)
            facts = None
            with opened(self._tools, organization_id) as gateway, suppress(Gone):
                facts = gateway.person(organization_id, directory_id, account_id)
            if facts is not None:
                with self._tools.begin() as session:
                    if "productAccess" in left_out(session, organization_id, facts):
                        raise half_told()
            self._people[account_id] = facts
        return self._people[account_id]

    def _host(self, client_key: str) -> str:
        if client_key not in self._hosts:
            with self._tools.begin() as session:
                address = session.scalar(select(Tenant.base_url).where(Tenant.client_key == client_key))
            self._hosts[client_key] = urlsplit(address or "").netloc.lower()
        return self._hosts[client_key]
