"""The numbers of each day, written down once a day, and what became of them since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.organization import Organization
from models.panel import SummaryDay, days_between
from models.people_search import count_people
from models.sync import SyncState, latest_sync
from rules.filters import PeopleFilter
from services.apart import apart
from services.directory import upsert
from services.summary import ProductActivity, summary
from services.toolbox import Toolbox

THRESHOLDS = (30, 60, 90)
"""After how many days somebody counts as idle: what is written down for every day."""
TREND_DAYS = 30
SLACK_DAYS = 7
"""A day on which nobody counted is stood for by one up to so many days before it."""
KEPT_DAYS = 400


@dataclass(frozen=True, slots=True)
class Trend:
    """`before` is what was counted on `day`; both are None while nobody had counted yet. `points`: oldest first."""

    before: int | None
    day: date | None
    points: list[int]


def write_days(tools: Toolbox) -> None:
    """Writes down today's numbers of every organization whose directory was read, once; forgets very old days."""
    now = tools.clock()
    today = now.date()
    with tools.begin() as session:
        session.execute(delete(SummaryDay).where(SummaryDay.day < today - timedelta(days=KEPT_DAYS)))
        known = select(SummaryDay.organization_id).where(SummaryDay.day == today)
        due = select(Organization.id).where(
            Organization.doorless_since.is_(None), Organization.id.not_in(known)
        )
        organizations = session.scalars(due).all()
    apart(lambda each: _write_day(tools, each, now), organizations, "the numbers of the day")


def _write_day(tools: Toolbox, organization_id: str, now: datetime) -> None:
    with tools.begin() as session:
        if latest_sync(session, organization_id, SyncState.COMPLETE) is None:
            return
    products = summary(tools, organization_id).by_product
    with tools.begin() as session:
        numbers = _numbers(session, organization_id, products, now)
        row = {"organization_id": organization_id, "day": now.date(), "numbers": numbers}
        upsert(session, SummaryDay, [row])


def idle_seats(product: ProductActivity, days: int) -> int:
    """Seats of a product whose holders were not seen there for so many days (one of THRESHOLDS)."""
    parts = {30: product.idle30, 60: product.idle60, 90: product.idle90}
    return sum(count for threshold, count in parts.items() if threshold >= days)


def idle_people(session: Session, organization_id: str, product: str, days: int, now: datetime) -> int:
    """Active people who were not seen for so many days, in one product or, when it is empty, anywhere."""
    wanted = PeopleFilter(idle=days, status="active", product=product)
    return count_people(session, organization_id, wanted, now)


def people_trend(
    session: Session, organization_id: str, product: str, days: int, current: int, today: date
) -> Trend:
    """How many idle people there were, against `current`."""
    return _trend(session, organization_id, today, current, product, "people", days)


def seats_trend(
    session: Session, organization_id: str, product: str, days: int, current: int, today: date
) -> Trend:
    """How many idle seats there were in a product, against `current`."""
    return _trend(session, organization_id, today, current, product, "seats", days)


def first_day(session: Session, organization_id: str) -> date | None:
    """Since when days are written down."""
    query = select(SummaryDay.day).where(SummaryDay.organization_id == organization_id)
    return session.scalar(query.order_by(SummaryDay.day).limit(1))


def _numbers(
    session: Session, organization_id: str, products: list[ProductActivity], now: datetime
) -> dict[str, Any]:
    """{product key, "" for all: {"people" or "seats": {"90": how many are idle}}}."""
    numbers: dict[str, Any] = {"": {"people": {}}}
    for days in THRESHOLDS:
        numbers[""]["people"][str(days)] = idle_people(session, organization_id, "", days, now)
    for product in products:
        numbers[product.key] = {
            "people": {
                str(days): idle_people(session, organization_id, product.key, days, now)
                for days in THRESHOLDS
            },
            "seats": {str(days): idle_seats(product, days) for days in THRESHOLDS},
        }
    return numbers


def _trend(
    session: Session, organization_id: str, today: date, current: int, product: str, what: str, days: int
) -> Trend:
    start = today - timedelta(days=TREND_DAYS)
    rows = days_between(session, organization_id, start - timedelta(days=SLACK_DAYS), today)
    counted = {
        row.day: int(row.numbers[product][what][str(days)])
        for row in rows
        if what in row.numbers.get(product, {})
    }
    day = max((day for day in counted if day <= start), default=None)
    points = [count for one, count in counted.items() if (day or start) <= one < today]
    return Trend(counted[day] if day is not None else None, day, [*points, current])
