"""A rule read aloud: one plain English sentence, so that nobody switches on what they did not mean."""

from __future__ import annotations

from collections.abc import Iterable

from rules.deeds import Action, Deed
from rules.organization import OrganizationFacts
from rules.products import product_name
from rules.rule import How, Mode, OnKeep, Rule, Step, Unreachable, When, Who
from rules.schedule import WEEKDAYS, Every, Schedule

_MODES = {
    Mode.AUDIT: "nobody is touched, they are only listed",
    Mode.REVIEW: "every case waits for an operator",
    Mode.LIVE: "Rollcall acts by itself",
}


def sentence_of(rule: Rule, organization: OrganizationFacts) -> str:
    """The whole rule, from when it runs to how carefully."""
    steps = [
        step_words(step, organization, who_words(rule.who, organization) if index == 0 else "those")
        for index, step in enumerate(rule.steps)
    ]
    return f"{schedule_words(rule.schedule)}: {'; '.join(steps)}; {_MODES[rule.mode]}."


def step_words(step: Step, organization: OrganizationFacts, people: str = "people") -> str:
    """One step, without a full stop: "people who have not been seen for 90 days are suspended, …"."""
    words = f"{people} {when_words(step.when, organization)} {deed_words(step.action, organization)}"
    if step.pause is not None:
        words += f" for {_days(step.pause)}" + (", then restored" if step.comes_back else "")
    if step.action.deed is Deed.TELL and not step.by_mail:
        return f"{words}, in the product alone"
    if not step.action.takes:
        return words
    if not step.warns:
        return f"{words}, without a warning"
    words += f", {_days(step.grace)} after a first warning"
    if step.unreachable is Unreachable.GO_ON:
        words += ", even if no notice can reach them"
    return words + _answer_words(step)


def _answer_words(step: Step) -> str:
    """How they are warned and what their answer does, where the rule says something of its own."""
    words = "" if step.by_mail else ", warned in the product alone"
    if step.answer is OnKeep.REVIEW:
        words += ", and whoever still needs it waits for an operator"
    if step.kept_for is not None:
        words += f", and whoever keeps it is left alone for {_days(step.kept_for)}"
    return words


def schedule_words(schedule: Schedule) -> str:
    """When it runs, as the beginning of a sentence."""
    at = f"at {schedule.hour:02}:{schedule.minute:02}"
    match schedule.every:
        case Every.MANUAL:
            return "When somebody runs it"
        case Every.DAY:
            return f"Every day {at}"
        case Every.WEEK:
            return f"Every {WEEKDAYS[schedule.weekday].capitalize()} {at}"
        case Every.MONTH:
            day = "last day" if schedule.day == 31 else _ordinal(schedule.day)
            return f"On the {day} of every month {at}"
        case Every.BILLING:
            before = f"{_days(schedule.days_before)} before" if schedule.days_before else "On"
            return f"{before} the billing date {at}"
        case Every.CRON:
            return f"At the times of “{schedule.cron}”"


def who_words(who: Who, organization: OrganizationFacts) -> str:
    """The people whom a rule is about, before it asks how idle they are."""
    words = ["people"]
    if who.people:
        words = [
            "people on its list (1 person)"
            if len(who.people) == 1
            else f"the {len(who.people)} people on its list"
        ]
    if who.account:
        words.append(f"with {'managed' if who.account == 'managed' else 'external'} accounts")
    if who.source:
        words.append("who were invited" if who.source == "invited" else "from your identity provider")
    if who.products:
        words.append(f"with {_products(who.products, organization, 'or')}")
    if who.groups:
        words.append(f"in {_groups(who.groups, organization, 'or')}")
    if who.not_groups:
        words.append(f"not in {_groups(who.not_groups, organization, 'or')}")
    if who.domains:
        words.append(f"with an address at {_listed(who.domains, 'or')}")
    return " ".join(words)


def when_words(when: When, organization: OrganizationFacts) -> str:
    """The conditions of a step, as a clause about people."""
    found = []
    if when.not_seen is not None:
        found.append(f"who have not been seen{_where('in', when, organization)} for {_days(when.not_seen)}")
    if when.never is not None:
        came = f"never came{_where('to', when, organization)}"
        found.append(f"who were added {_days(when.never)} ago or earlier and {came}")
    if when.invited is not None:
        found.append(f"who have not answered their invitation for {_days(when.invited)}")
    if when.suspended is not None:
        found.append(f"who have been suspended for {_days(when.suspended)}")
    if when.deactivated is not None:
        found.append(f"whose account has been deactivated for {_days(when.deactivated)}")
    if when.past_end is not None:
        since = f" by more than {_days(when.past_end)}" if when.past_end else ""
        found.append(f"whose last day is over{since}")
    return ", or ".join(found)


def deed_words(action: Action, organization: OrganizationFacts) -> str:
    """What happens to them, as the verb of "people …"."""
    match action.deed:
        case Deed.REMOVE_ACCESS:
            return f"lose their access to {_products(action.products, organization, 'and')}"
        case Deed.CHANGE_GROUPS:
            parts = [
                f"{verb} {_groups(groups, organization, 'and')}"
                for verb, groups in (("leave", action.leave), ("join", action.join))
                if groups
            ]
            return " and ".join(parts)
        case deed:
            return _DONE[deed]


_DONE = {
    Deed.LIST: "are listed",
    Deed.TELL: "are warned",
    Deed.SUSPEND: "are suspended",
    Deed.DEACTIVATE: "have their accounts deactivated",
    Deed.REMOVE: "are removed from the organization",
    Deed.DELETE: "have their accounts deleted",
    Deed.RESTORE: "are restored",
    Deed.GIVE_BACK: "get their access back",
    Deed.REACTIVATE: "have their accounts reactivated",
    Deed.KEEP_ACCOUNT: "keep their accounts",
}


def _where(preposition: str, when: When, organization: OrganizationFacts) -> str:
    whole = when.how is How.ALL
    if not when.products:
        return "" if whole else f" {preposition} at least one of their products"
    names = _products(when.products, organization, "or" if whole else "and")
    if len(when.products) == 1:
        return f" {preposition} {names}"
    # Idle in all of them is, in English, not seen in any of them.
    return f" {preposition} {'any' if whole else 'at least one'} of {names}"


def _products(tokens: Iterable[str], organization: OrganizationFacts, last: str) -> str:
    names = []
    for token in tokens:
        product = organization.products.get(token)
        if product is not None and product.host:
            names.append(f"{product.name} on {product.host.removeprefix('https://')}")
        else:
            names.append(organization.product_words(token) if ":" in token else product_name(token))
    return _listed(dict.fromkeys(names), last)


def _groups(group_ids: Iterable[str], organization: OrganizationFacts, last: str) -> str:
    groups = (organization.groups.get(each) for each in group_ids)
    names = [
        "a group that is gone"
        if group is None
        else f"the group “{group.name}”{' (gone)' if group.gone else ''}"
        for group in groups
    ]
    return _listed(dict.fromkeys(names), last)


def _listed(names: Iterable[str], last: str) -> str:
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"
