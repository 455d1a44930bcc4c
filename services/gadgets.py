"""The dashboard's gadget: idle people and idle seats by product, and what became of them in a month."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from connect.caller import Caller
from connect.errors import Invalid
from models.panel import Gadget
from rules.products import product_name
from services.days import THRESHOLDS, Trend, first_day, idle_people, idle_seats, people_trend, seats_trend
from services.directory import upsert
from services.doors import require_organization
from services.summary import IDLE_DAYS, summary
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Item:
    """A gadget by the ids that the product signed: which dashboard, which place on it."""

    dashboard_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product: idle seats of all seats, and the change."""

    key: str
    name: str
    idle: int
    seats: int
    trend: Trend


@dataclass(frozen=True, slots=True)
class GadgetView:
    """`product` is empty for all of them. `first_day`: since when days are counted, None while there is none."""

    product: str
    days: int
    people: int
    trend: Trend
    lines: list[ProductLine]
    products: list[tuple[str, str]]
    first_day: date | None
    thresholds: tuple[int, ...] = field(default=THRESHOLDS)

    @property
    def product_name(self) -> str:
        return product_name(self.product) if self.product else ""


def view_gadget(tools: Toolbox, caller: Caller, item: Item) -> GadgetView:
    """What the gadget shows now. For operators. Raises NotReady without a door."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    products = summary(tools, organization_id).by_product
    with tools.begin() as session:
        kept = session.get(Gadget, (organization_id, caller.tenant, item.dashboard_id, item.item_id))
        product, days = (kept.product, kept.days) if kept is not None else ("", IDLE_DAYS)
        people = idle_people(session, organization_id, product, days, now)
        today = now.date()
        lines = []
        for one in products:
            if product in ("", one.key):
                idle = idle_seats(one, days)
                trend = seats_trend(session, organization_id, one.key, days, idle, today)
                lines.append(ProductLine(one.key, one.name, idle, one.seats, trend))
        return GadgetView(
            product=product,
            days=days,
            people=people,
            trend=people_trend(session, organization_id, product, days, people, today),
            lines=lines,
            products=[(one.key, one.name) for one in products],
            first_day=first_day(session, organization_id),
        )


def set_gadget(tools: Toolbox, caller: Caller, item: Item, *, product: str, days: str) -> None:
    """Remembers which product and threshold this gadget shows. Raises Invalid with the field that is wrong."""
    organization_id = require_organization(tools, caller)
    if product and product not in {one.key for one in summary(tools, organization_id).by_product}:
        raise Invalid("product", "Nobody has a seat in this product.", "Choose one of the list.")
    if days not in {str(threshold) for threshold in THRESHOLDS}:
        raise Invalid("days", "Days are counted for 30, 60 and 90.", "Choose one of them.")
    with tools.begin() as session:
        row = {
            "organization_id": organization_id,
            "client_key": caller.tenant,
            "dashboard_id": item.dashboard_id,
            "item_id": item.item_id,
            "product": product,
            "days": int(days),
        }
        upsert(session, Gadget, [row])
