"""A rule as plain data, what YAML files, JSON and the form all become: read with all problems at once, and written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rules.brake import Brake
from rules.dead_rungs import dead_rungs
from rules.deeds import FOR_RULES, Action, Deed
from rules.plain_data import BadRule, Fields, Problem
from rules.rule import DEFAULT_BRAKE, DEFAULT_SCHEDULE, How, Mode, OnKeep, Rule, Step, Unreachable, When, Who
from rules.rule_data import rule_to_data
from rules.rule_shape import (
    CONDITIONS,
    DEFAULT_FRESH_HOURS,
    DEFAULT_GRACE,
    MOST_DAYS,
    MOST_FRESH_HOURS,
    MOST_GRACE,
    MOST_PEOPLE,
    MOST_STEPS,
    MOST_WARNINGS,
    OF_EVERY,
    default_warnings,
)
from rules.schedule import WEEKDAYS, Every, Schedule

__all__ = ["BadRule", "Problem", "parse_rule", "rule_to_data"]

_RULE = ("name", "mode", "who", "steps", "brake", "fresh_hours", "schedule")
_WHO = ("products", "groups", "not_groups", "domains", "account", "source", "people")
_STEP = (
    "when",
    "then",
    "grace",
    "warn",
    "unreachable",
    "pause",
    "comes_back",
    "by_mail",
    "answer",
    "kept_for",
)
_WHEN = (*CONDITIONS, "how", "products")
_THEN = ("deed", "products", "leave", "join")
_SCHEDULE = ("every", "at", "weekday", "day", "days_before", "cron")


def parse_rule(data: Mapping[str, object]) -> Rule:
    """The rule that the data describes. Raises BadRule with every problem.

    A field that is absent has the default of Rule; without `warn`, the warnings are default_warnings of the grace.
    """
    problems: list[Problem] = []
    fields = Fields(data, "", _RULE, problems)
    name = fields.text("name", 100)
    if name is None and "name" not in fields:
        fields.problem("name", "Give the rule a name.")
    rule = Rule(
        name=name or "",
        mode=Mode(fields.choice("mode", [*Mode]) or Mode.AUDIT),
        who=_who(fields.part("who", _WHO)),
        steps=_steps(fields, problems),
        brake=_brake(fields.part("brake", ("number", "share"))),
        fresh_hours=_or(fields.number("fresh_hours", 1, MOST_FRESH_HOURS, "hours"), DEFAULT_FRESH_HOURS),
        schedule=_schedule(fields.part("schedule", _SCHEDULE)),
    )
    if not problems:
        problems += dead_rungs(rule)
    if problems:
        raise BadRule(tuple(problems))
    return rule


def _who(fields: Fields) -> Who:
    return Who(
        products=fields.texts("products"),
        groups=fields.texts("groups"),
        not_groups=fields.texts("not_groups"),
        domains=fields.texts("domains", _tidy_domain, _domain_objection),
        account=fields.choice("account", ["managed", "external"]) or "",
        source=fields.choice("source", ["invited", "synced"]) or "",
        people=fields.texts("people"),
    )


def _tidy_domain(text: str) -> str:
    return text.strip().removeprefix("@").lower()


def _domain_objection(domain: str) -> str | None:
    if re.fullmatch(r"[^\s@,;/]+\.[^\s@,;/]+", domain):
        return None
    return "This is no domain: write it like acme.com."


def _steps(fields: Fields, problems: list[Problem]) -> tuple[Step, ...]:
    found = fields.list_of("steps", MOST_STEPS, "steps")
    if "steps" not in fields:
        fields.problem("steps", "Say what shall happen, in one step at least.")
    return tuple(_step(Fields(value, fields.path(place), _STEP, problems)) for place, value in found)


def _step(fields: Fields) -> Step:
    if not fields.is_readable:
        return Step(When(), Action(Deed.LIST))
    action = _action(fields)
    grace = fields.number("grace", 0, MOST_GRACE, "days")
    pause = fields.number("pause", 1, MOST_DAYS, "days")
    comes_back = fields.flag("comes_back")
    if "pause" in fields and action.deed is not Deed.SUSPEND:
        fields.problem("pause", "Only a suspension can be for a number of days.")
    if comes_back and "pause" not in fields:
        fields.problem("comes_back", "Say in “pause” after how many days they come back.")
    grace = DEFAULT_GRACE if grace is None else grace
    return Step(
        when=_when(fields),
        action=action,
        grace=grace,
        warn=_warn(fields, grace),
        unreachable=Unreachable(fields.choice("unreachable", [*Unreachable]) or Unreachable.REVIEW),
        pause=pause,
        comes_back=comes_back,
        by_mail=fields.flag("by_mail", absent=True),
        answer=OnKeep(fields.choice("answer", [*OnKeep]) or OnKeep.KEEP),
        kept_for=fields.number("kept_for", 1, MOST_DAYS, "days"),
    )


def _when(step: Fields) -> When:
    fields = step.part("when", _WHEN)
    days = {name: fields.number(name, least, MOST_DAYS, "days") for name, least in CONDITIONS.items()}
    if fields.is_readable and not any(name in fields for name in CONDITIONS):
        step.problem("when", f"Say when, with one of: {', '.join(CONDITIONS)}.")
    elif "products" in fields and "not_seen" not in fields and "never" not in fields:
        fields.problem("products", "They say where “not_seen” and “never” look: fill in one of the two.")
    return When(
        not_seen=days["not_seen"],
        never=days["never"],
        invited=days["invited"],
        suspended=days["suspended"],
        deactivated=days["deactivated"],
        past_end=days["past_end"],
        how=How(fields.choice("how", [*How]) or How.ALL),
        products=fields.texts("products"),
    )


def _action(step: Fields) -> Action:
    fields = step.part("then", _THEN)
    word = fields.choice("deed", [*FOR_RULES])
    products, leave, join = fields.texts("products"), fields.texts("leave"), fields.texts("join")
    if word is None:
        if "deed" not in fields:
            fields.problem("deed", f"Say what happens then: {', '.join(FOR_RULES)}.")
        return Action(Deed.LIST)
    deed = Deed(word)
    if deed is Deed.REMOVE_ACCESS and "products" not in fields:
        fields.problem("products", "Say which products they lose.")
    if deed is Deed.CHANGE_GROUPS and "leave" not in fields and "join" not in fields:
        fields.problem("", "Say which groups they leave or join.")
    if deed is not Deed.REMOVE_ACCESS and "products" in fields:
        fields.problem("products", "Only “remove_access” is about products.")
    for key in ("leave", "join"):
        if deed is not Deed.CHANGE_GROUPS and key in fields:
            fields.problem(key, "Only “change_groups” is about groups.")
    if set(leave) & set(join):
        fields.problem("join", "A group cannot be left and joined at once.")
    return Action(deed, products, leave, join)


def _warn(fields: Fields, grace: int) -> tuple[int, ...]:
    if "warn" not in fields or (grace == 0 and fields.value("warn") == []):
        return default_warnings(grace)
    days: set[int] = set()
    for place, value in fields.list_of("warn", MOST_WARNINGS, "warnings"):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            fields.problem(place, "Write a whole number of days, 1 or more.")
        elif value > grace:
            fields.problem(place, f"The grace is {grace} days: no warning can come earlier than that.")
        elif value in days:
            fields.problem(place, f"{value} is there twice.")
        else:
            days.add(value)
    return tuple(sorted(days, reverse=True))


def _brake(fields: Fields) -> Brake:
    return Brake(
        number=fields.limit("number", MOST_PEOPLE, "people", DEFAULT_BRAKE.number),
        share=fields.limit("share", 100, "per cent", DEFAULT_BRAKE.share),
    )


def _schedule(fields: Fields) -> Schedule:
    word = fields.choice("every", [*Every])
    if word is None:
        if fields.has_any and "every" not in fields:
            fields.problem("every", f"Say how often: {', '.join(Every)}.")
        return DEFAULT_SCHEDULE
    every = Every(word)
    for key in _SCHEDULE[1:]:
        if key in fields and key not in OF_EVERY[every]:
            fields.problem(key, f"Has no meaning with “{every}”: leave it out.")
    default = DEFAULT_SCHEDULE
    hour, minute = _clock_time(fields) or (default.hour, default.minute)
    return Schedule(
        every=every,
        hour=hour,
        minute=minute,
        weekday=WEEKDAYS.index(fields.choice("weekday", WEEKDAYS) or WEEKDAYS[default.weekday]),
        day=_or(fields.number("day", 1, 31, "days"), default.day),
        days_before=_or(fields.number("days_before", 0, 28, "days"), default.days_before),
        cron=_cron(fields, every),
    )


def _clock_time(fields: Fields) -> tuple[int, int] | None:
    if "at" not in fields:
        return None
    value = fields.value("at")
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if found is None:
        # YAML takes 16:00 for the number 960.
        fields.problem("at", 'Write the time in quotes and with four digits, like "06:00".')
        return None
    return int(found[1]), int(found[2])


def _cron(fields: Fields, every: Every) -> str:
    cron = " ".join((fields.text("cron", 100) or "").split())
    if every is Every.CRON and "cron" not in fields:
        fields.problem("cron", 'Write a cron expression, like "0 6 * * 1".')
    elif cron and len(cron.split()) != 5:
        fields.problem("cron", "A cron expression has five parts: minute, hour, day, month, weekday.")
    return cron


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
