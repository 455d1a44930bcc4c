"""What the form of a rule shows beside the typed words: what it reads like, its dates, its problems, its choices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.deeds import CAPABILITIES, FOR_RULES
from rules.organization import OrganizationFacts
from rules.plain_data import Problem
from rules.products import product_name
from rules.rule import Rule
from rules.rule_file import BadRule, parse_rule
from rules.schedule import WEEKDAYS, Every
from rules.sentence import sentence_of
from services.calendars import calendar_of, dates_of
from services.doors import require_organization
from services.ground import organization_facts
from services.group_choices import group_choices
from services.schedules import problem_of
from services.summary import summary
from views import show
from views.access import caller, tools
from views.rule_draft import KINDS, Draft, data_of, schedule_of
from views.words import MODES

NOTHING = {"when": {"never": 1}, "then": {"deed": "list"}}
"""A step that makes a rule of a schedule, so that its dates can be asked for."""
EVERY = (
    (Every.MANUAL, "only when somebody runs it"),
    (Every.DAY, "every day"),
    (Every.WEEK, "every week"),
    (Every.MONTH, "every month"),
    (Every.BILLING, "before the billing date"),
    (Every.CRON, "at the times of a cron expression"),
)


class Problems:
    """Sentences by the path of their field."""

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self.all = list(found)

    def at(self, *paths: str) -> str:
        """What is wrong at these fields, or at a value inside of them."""
        wrong = [
            one.sentence
            for one in self.all
            if any(one.field == path or one.field.startswith(f"{path}.") for path in paths)
        ]
        return " ".join(dict.fromkeys(wrong))

    def only(self, path: str) -> str:
        """What is wrong at this field itself."""
        return " ".join(one.sentence for one in self.all if one.field == path)


@dataclass(frozen=True, slots=True)
class Echo:
    """How the rule reads, and when it would run. `trouble` is why there are no dates."""

    sentence: str
    dates: list[datetime]
    time_zone: str
    trouble: str


def form(
    draft: Draft,
    rule_id: str | None,
    *,
    tried: bool = False,
    problems: Sequence[Problem] | None = None,
    fresh_rung: int | None = None,
) -> dict[str, Any]:
    """Everything that rules/form.html shows. Problems are said from the first attempt to save on (`tried`)."""
    organization_id = require_organization(tools(), caller())
    data, own = data_of(draft)
    rule, found = _parsed(data)
    with tools().begin() as session:
        organization = organization_facts(session, organization_id)
    said = problems if problems is not None else (*own, *found)
    return {
        "draft": draft,
        "rule_id": rule_id,
        "tried": tried,
        "problems": Problems(said if tried else ()),
        "echo": _echo(rule, draft, organization, organization_id),
        "fresh_rung": fresh_rung,
        "kind_words": KINDS,
        "kind_choices": [(kind, words) for kind, (words, _unit) in KINDS.items()],
        "modes": MODES,
        "every": EVERY,
        "weekday_choices": [(day, day.capitalize()) for day in WEEKDAYS],
        "deeds": [(deed, CAPABILITIES[deed]) for deed in FOR_RULES],
        "deed_choices": [(deed, CAPABILITIES[deed].words) for deed in FOR_RULES],
        "product_choices": _products(organization),
        "group_choices": group_choices(tools(), caller(), _chosen_groups(draft)),
        "domain_choices": [domain for domain, _people in summary(tools(), organization_id).facets.domains],
    }


def redraw(draft: Draft, rule_id: str | None, **more: Any) -> str:
    """The form alone, for htmx to put in place of itself."""
    return show.part("rules/form.html", **form(draft, rule_id, **more))


def _parsed(data: dict[str, Any]) -> tuple[Rule | None, Sequence[Problem]]:
    try:
        return parse_rule(data), ()
    except BadRule as bad:
        return None, bad.problems


def _echo(rule: Rule | None, draft: Draft, organization: OrganizationFacts, organization_id: str) -> Echo:
    time_zone, billing_day = calendar_of(tools(), caller())
    sentence = sentence_of(rule, organization) if rule is not None else ""
    alone, wrong = _parsed({"name": "dates", "steps": [NOTHING], "schedule": schedule_of(draft)})
    if alone is None:
        return Echo(sentence, [], time_zone, " ".join(problem.sentence for problem in wrong))
    trouble = problem_of(alone.schedule, billing_day)
    if trouble is not None:
        return Echo(sentence, [], time_zone, trouble.sentence)
    with tools().begin() as session:
        dates, _zone = dates_of(session, organization_id, alone.schedule, tools().clock())
    return Echo(sentence, dates, time_zone, "")


def _products(organization: OrganizationFacts) -> list[tuple[str, str]]:
    """Product keys, and where a product is on several sites each of them by its own."""
    by_key: dict[str, list[tuple[str, str]]] = {}
    for resource_id, product in organization.products.items():
        by_key.setdefault(product.key, []).append((resource_id, product.host.rpartition("/")[2]))
    choices = []
    for key, places in sorted(by_key.items(), key=lambda each: product_name(each[0])):
        name = product_name(key)
        choices.append((key, f"{name}, on every site" if len(places) > 1 else name))
        choices += [(resource_id, f"{name} on {host}") for resource_id, host in places if len(places) > 1]
    return choices


def _chosen_groups(draft: Draft) -> list[str]:
    return [
        *draft.lists["who.groups"],
        *draft.lists["who.not_groups"],
        *(group_id for rung in draft.rungs for group_id in (*rung.leave, *rung.join)),
    ]
