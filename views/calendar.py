"""Calendar: the time zone in which rules run, and the day on which Atlassian bills."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import Invalid
from services.calendars import calendar_of, set_calendar
from services.schedules import known_time_zones
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("calendar", __name__, url_prefix="/app/calendar")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    time_zone, billing_day = calendar_of(tools(), caller())
    return _content(time_zone, "" if billing_day is None else str(billing_day))


@blueprint.post("")
@api
@operator_only
def save() -> str | Response:
    time_zone, billing_day = request.form.get("time_zone", ""), request.form.get("billing_day", "")
    require_unchanged(*calendar_of(tools(), caller()))
    try:
        set_calendar(tools(), caller(), time_zone, billing_day)
    except Invalid as problem:
        return shown_again(_content(time_zone, billing_day, problem=problem), problem)
    return _content(time_zone, billing_day, saved="Saved. Rules that are on have their new dates.")


def _content(time_zone: str, billing_day: str, **extra: Any) -> str:
    return show.place(
        "rules/calendar.html",
        tab="rules",
        title="Calendar",
        time_zone=time_zone,
        billing_day=billing_day,
        zones=known_time_zones(),
        was=mark_of(*calendar_of(tools(), caller())),
        **extra,
    )
