"""A rule written as plain data, as short as it can be said."""

from __future__ import annotations

from typing import Any

from rules.brake import Brake
from rules.rule import DEFAULT_BRAKE, DEFAULT_SCHEDULE, How, Mode, OnKeep, Rule, Step, Unreachable
from rules.rule_shape import CONDITIONS, DEFAULT_FRESH_HOURS, DEFAULT_GRACE, OF_EVERY, default_warnings
from rules.schedule import WEEKDAYS, Every, Schedule


def rule_to_data(rule: Rule) -> dict[str, Any]:
    """The shortest data that parse_rule reads as this rule."""
    who = rule.who
    return {
        "name": rule.name,
        **_unless(Mode.AUDIT, mode=rule.mode),
        **_filled(
            who=_filled(
                products=list(who.products),
                groups=list(who.groups),
                not_groups=list(who.not_groups),
                domains=list(who.domains),
                account=who.account,
                source=who.source,
                people=list(who.people),
            )
        ),
        "steps": [_step_to_data(step) for step in rule.steps],
        **_filled(brake=_brake_to_data(rule.brake)),
        **_unless(DEFAULT_FRESH_HOURS, fresh_hours=rule.fresh_hours),
        **_filled(schedule=_schedule_to_data(rule.schedule)),
    }


def _step_to_data(step: Step) -> dict[str, Any]:
    when, action = step.when, step.action
    days = {name: getattr(when, name) for name in CONDITIONS if getattr(when, name) is not None}
    return {
        "when": {**days, **_unless(How.ALL, how=when.how), **_filled(products=list(when.products))},
        "then": {
            "deed": action.deed.value,
            **_filled(products=list(action.products), leave=list(action.leave), join=list(action.join)),
        },
        **_unless(DEFAULT_GRACE, grace=step.grace),
        **_unless(list(default_warnings(step.grace)), warn=list(step.warn)),
        **_unless(Unreachable.REVIEW, unreachable=step.unreachable),
        **_filled(pause=step.pause, comes_back=step.comes_back),
        **_unless(True, by_mail=step.by_mail),
        **_unless(OnKeep.KEEP, answer=step.answer),
        **_filled(kept_for=step.kept_for),
    }


def _brake_to_data(brake: Brake) -> dict[str, Any]:
    data = {}
    if brake.number != DEFAULT_BRAKE.number:
        data["number"] = _limit(brake.number)
    if brake.share != DEFAULT_BRAKE.share:
        data["share"] = _limit(brake.share)
    return data


def _limit(value: int | None) -> int | str:
    return "none" if value is None else value


def _schedule_to_data(schedule: Schedule) -> dict[str, Any]:
    if schedule.every is Every.MANUAL:
        return {}
    words, usual = _schedule_words(schedule), _schedule_words(DEFAULT_SCHEDULE)
    said = {key: words[key] for key in OF_EVERY[schedule.every] if words[key] != usual[key]}
    return {"every": schedule.every.value, **said}


def _schedule_words(schedule: Schedule) -> dict[str, Any]:
    return {
        "at": f"{schedule.hour:02}:{schedule.minute:02}",
        "weekday": WEEKDAYS[schedule.weekday],
        "day": schedule.day,
        "days_before": schedule.days_before,
        "cron": schedule.cron,
    }


def _filled(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def _unless(default: object, **fields: Any) -> dict[str, Any]:
    return {key: getattr(value, "value", value) for key, value in fields.items() if value != default}
