"""A rule while it is being typed: the fields of the form, from a rule, from a request, and back to a rule's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from rules.deeds import Deed
from rules.numbers import whole_number
from rules.plain_data import Problem
from rules.rule import How, OnKeep, Rule, Step, Unreachable
from rules.rule_shape import CONDITIONS, MOST_STEPS, OF_EVERY
from rules.schedule import WEEKDAYS, Every

KINDS: dict[str, tuple[str, str]] = {
    "not_seen": ("have not been seen for", "days"),
    "never": ("never came, and were added", "days ago or earlier"),
    "invited": ("have not answered an invitation for", "days"),
    "suspended": ("have been suspended for", "days"),
    "deactivated": ("have been deactivated for", "days"),
    "past_end": ("are past their last day by more than", "days"),
}
"""Condition → what stands before and behind its number."""


@dataclass(frozen=True, slots=True)
class Condition:
    kind: str = "not_seen"
    days: str = ""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step as typed. `products` is where the conditions look, `deed_products` what the deed takes."""

    conditions: tuple[Condition, ...] = (Condition(),)
    how: str = How.ALL.value
    products: tuple[str, ...] = ()
    deed: str = Deed.SUSPEND.value
    deed_products: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    grace: str = "14"
    warn: str = "14, 3"
    unreachable: str = Unreachable.REVIEW.value
    pause: str = ""
    comes_back: bool = False
    by_mail: str = "yes"
    answer: str = OnKeep.KEEP.value
    kept_for: str = ""

    @property
    def by_activity(self) -> bool:
        return any(condition.kind in ("not_seen", "never") for condition in self.conditions)

    @property
    def acts(self) -> bool:
        return self.deed not in (Deed.LIST, Deed.TELL)

    @property
    def warns(self) -> bool:
        return self.deed == Deed.TELL or (self.acts and self.grace != "0")


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything on the form, as words. `texts` are the plain fields by path, `lists` those with several values.

    `version` is the one that the form was filled in with, empty for a new rule.
    """

    texts: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    rungs: tuple[Rung, ...]
    ticked: frozenset[str] = field(default_factory=frozenset)
    version: str = ""


TEXTS = (
    "name", "mode", "who.domains", "who.account", "who.source", "who.people", "brake.number", "brake.share",
    "fresh_hours", "schedule.every", "schedule.at", "schedule.weekday", "schedule.day", "schedule.days_before",
    "schedule.cron",
)  # fmt: skip
LISTS = ("who.products", "who.groups", "who.not_groups")
TICKS = ("brake.number.none", "brake.share.none")


def draft_of(rule: Rule) -> Draft:
    """The form filled in with a rule."""
    schedule, brake = rule.schedule, rule.brake
    texts = {
        "name": rule.name,
        "mode": rule.mode.value,
        "who.domains": ", ".join(rule.who.domains),
        "who.account": rule.who.account,
        "who.source": rule.who.source,
        "who.people": "\n".join(rule.who.people),
        "brake.number": "" if brake.number is None else str(brake.number),
        "brake.share": "" if brake.share is None else str(brake.share),
        "fresh_hours": str(rule.fresh_hours),
        "schedule.every": schedule.every.value,
        "schedule.at": f"{schedule.hour:02}:{schedule.minute:02}",
        "schedule.weekday": WEEKDAYS[schedule.weekday],
        "schedule.day": str(schedule.day),
        "schedule.days_before": str(schedule.days_before),
        "schedule.cron": schedule.cron,
    }
    lists = {
        "who.products": rule.who.products,
        "who.groups": rule.who.groups,
        "who.not_groups": rule.who.not_groups,
    }
    unlimited = {f"brake.{name}.none" for name in ("number", "share") if getattr(brake, name) is None}
    return Draft(texts, lists, tuple(_rung_of(step) for step in rule.steps), frozenset(unlimited))


def read_draft(form: MultiDict[str, str]) -> Draft:
    """The form as it was sent."""
    count = min(whole_number(form.get("rungs", "")) or 0, MOST_STEPS)
    return Draft(
        {name: form.get(name, "").strip() for name in TEXTS},
        {name: tuple(form.getlist(name)) for name in LISTS},
        tuple(_read_rung(form, f"steps.{index}.") for index in range(count)),
        frozenset(name for name in TICKS if form.get(name)),
        form.get("version", ""),
    )


def changed(draft: Draft, order: str) -> Draft:
    """The draft after one of its buttons: add, remove:1, up:1, or:1 (one more condition), unless:1:2 (one less)."""
    word, *numbers = order.split(":")
    places = [place for place in map(whole_number, numbers) if place is not None]
    rungs = list(draft.rungs)
    if word == "add" and len(rungs) < MOST_STEPS:
        rungs.append(Rung())
    elif places and places[0] < len(rungs):
        _change_rung(rungs, word, places)
    return replace(draft, rungs=tuple(rungs))


def _change_rung(rungs: list[Rung], word: str, places: list[int]) -> None:
    at = places[0]
    if word == "remove" and len(rungs) > 1:
        del rungs[at]
    elif word == "up" and at > 0:
        rungs[at - 1], rungs[at] = rungs[at], rungs[at - 1]
    elif word == "or":
        used = {condition.kind for condition in rungs[at].conditions}
        unused = next((kind for kind in KINDS if kind not in used), None)
        if unused is not None:
            rungs[at] = replace(rungs[at], conditions=(*rungs[at].conditions, Condition(unused)))
    elif word == "unless" and len(places) > 1 and len(rungs[at].conditions) > 1:
        kept = [one for index, one in enumerate(rungs[at].conditions) if index != places[1]]
        rungs[at] = replace(rungs[at], conditions=tuple(kept))


def data_of(draft: Draft) -> tuple[dict[str, Any], list[Problem]]:
    """What rules.rule_file.parse_rule reads, and what only the form can say. Numbers that are none stay words."""
    texts = draft.texts
    problems: list[Problem] = []
    data: dict[str, Any] = {
        **_filled({"name": texts["name"]}),
        "mode": texts["mode"],
        "steps": [_step(rung, f"steps.{index}", problems) for index, rung in enumerate(draft.rungs)],
        "brake": {
            name: "none" if f"brake.{name}.none" in draft.ticked else _number(texts[f"brake.{name}"])
            for name in ("number", "share")
        },
        "fresh_hours": _number(texts["fresh_hours"]),
        "schedule": schedule_of(draft),
    }
    who = _filled(
        {
            **{name.removeprefix("who."): list(draft.lists[name]) for name in LISTS},
            "domains": texts["who.domains"].replace(",", " ").split(),
            "account": texts["who.account"],
            "source": texts["who.source"],
            "people": texts["who.people"].replace(",", " ").split(),
        }
    )
    return data | ({"who": who} if who else {}), problems


def schedule_of(draft: Draft) -> dict[str, Any]:
    """The schedule alone, with the fields that go with it."""
    every = draft.texts["schedule.every"]
    fields = OF_EVERY[Every(every)] if every in set(Every) else ()
    numbers = ("day", "days_before")
    values = {name: draft.texts[f"schedule.{name}"] for name in fields}
    if not values.get("cron", "").strip():
        # An empty field is one that nobody has filled in yet.
        values.pop("cron", None)
    return {"every": every} | {
        name: _number(value) if name in numbers else value for name, value in values.items()
    }


def _rung_of(step: Step) -> Rung:
    when, action = step.when, step.action
    found = [(kind, getattr(when, kind)) for kind in CONDITIONS]
    return Rung(
        conditions=tuple(Condition(kind, str(days)) for kind, days in found if days is not None),
        how=when.how.value,
        products=when.products,
        deed=action.deed.value,
        deed_products=action.products,
        leave=action.leave,
        join=action.join,
        grace=str(step.grace),
        warn=", ".join(str(days) for days in step.warn),
        unreachable=step.unreachable.value,
        pause="" if step.pause is None else str(step.pause),
        comes_back=step.comes_back,
        by_mail="yes" if step.by_mail else "no",
        answer=step.answer.value,
        kept_for="" if step.kept_for is None else str(step.kept_for),
    )


def _read_rung(form: MultiDict[str, str], at: str) -> Rung:
    kinds, days = form.getlist(f"{at}kind"), form.getlist(f"{at}days")
    usual = Rung()
    return Rung(
        conditions=tuple(Condition(kind, number.strip()) for kind, number in zip(kinds, days, strict=False))
        or usual.conditions,
        how=form.get(f"{at}how", usual.how),
        products=tuple(form.getlist(f"{at}when.products")),
        deed=form.get(f"{at}then.deed", usual.deed),
        deed_products=tuple(form.getlist(f"{at}then.products")),
        leave=tuple(form.getlist(f"{at}then.leave")),
        join=tuple(form.getlist(f"{at}then.join")),
        grace=form.get(f"{at}grace", usual.grace).strip(),
        warn=form.get(f"{at}warn", usual.warn).strip(),
        unreachable=form.get(f"{at}unreachable", usual.unreachable),
        pause=form.get(f"{at}pause", "").strip(),
        comes_back=bool(form.get(f"{at}comes_back")),
        by_mail=form.get(f"{at}by_mail", usual.by_mail),
        answer=form.get(f"{at}answer", usual.answer),
        kept_for=form.get(f"{at}kept_for", "").strip(),
    )


def _step(rung: Rung, path: str, problems: list[Problem]) -> dict[str, Any]:
    when: dict[str, Any] = {}
    for condition in rung.conditions:
        if condition.kind in when:
            problems.append(Problem(f"{path}.when.{condition.kind}", "This condition is there twice."))
        when[condition.kind] = _number(condition.days)
    if rung.by_activity:
        when |= {"how": rung.how} | _filled({"products": list(rung.products)})
    then: dict[str, Any] = {"deed": rung.deed}
    if rung.deed == Deed.REMOVE_ACCESS:
        then |= _filled({"products": list(rung.deed_products)})
    if rung.deed == Deed.CHANGE_GROUPS:
        then |= _filled({"leave": list(rung.leave), "join": list(rung.join)})
    step: dict[str, Any] = {"when": when, "then": then} | _warned(rung)
    if not rung.acts:
        return step
    grace = _number(rung.grace)
    warn = [_number(word) for word in rung.warn.replace(",", " ").split()] if grace != 0 else []
    step |= {"grace": grace, "unreachable": rung.unreachable} | _filled({"warn": warn})
    if rung.deed == Deed.SUSPEND:
        step |= {"comes_back": rung.comes_back} | ({"pause": _number(rung.pause)} if rung.pause else {})
    return step


def _warned(rung: Rung) -> dict[str, Any]:
    """How people are warned, and what their answer does."""
    words: dict[str, Any] = {"by_mail": rung.by_mail == "yes"} if rung.warns else {}
    if rung.warns and rung.acts:
        words["answer"] = rung.answer
    if rung.kept_for and rung.deed != Deed.LIST:
        words["kept_for"] = _number(rung.kept_for)
    return words


def _number(word: str) -> int | str:
    try:
        return int(word) if word.isascii() and len(word) < 10 else word
    except ValueError:
        return word


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
