"""The page of one run: a preview by hand, a rule's preview, or the live run, with its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from connect.errors import Invalid, NotFound
from models.run import Case
from rules.brake import Brake
from rules.case import CaseState, RunState
from rules.deeds import CAPABILITIES, Deed
from rules.roster import Origin
from rules.verdict import Why
from services import provider_lists, rule_runs, rule_views, run_progress
from services.left_alone import LeftAlone, left_alone
from services.people_file import bad_rows
from services.rule_views import RuleInShort
from services.run_people import RunPeople, Wanted, people_of_run, seen_lately
from services.run_progress import RunView
from views import show
from views.access import caller, tools
from views.page_numbers import page_asked_for
from views.words import DEED_VERBS, MODES, WHYS, case_words

PER_PAGE = 50
ORDER = (
    CaseState.PLANNED,
    CaseState.LISTED,
    CaseState.REVIEW,
    CaseState.HELD,
    CaseState.COULD_NOT_WARN,
    CaseState.WARNED,
    CaseState.ANSWERED,
    CaseState.ACTING,
    CaseState.ACTED,
    CaseState.UNDONE,
    CaseState.UNDO_SKIPPED,
    CaseState.FAILED,
    CaseState.REFUSED,
    CaseState.SPARED,
    CaseState.CANCELLED,
    CaseState.GUARDED,
    CaseState.NOT_POSSIBLE,
)
THE_REST = {"show": "rest"}
"""Those of a rule's scope whose time has not come: they have no case."""
SOURCES: dict[Origin, tuple[str, str]] = {
    Origin.INVITE: ("onboarding", "Invite"),
    Origin.CSV: ("onboarding/file", "From a file"),
    Origin.TICKET: ("onboarding/tickets", "Tickets"),
    Origin.ACCESS_RULE: ("onboarding/access-rules", "Access rules"),
    Origin.SCIM: ("identity-providers", "Identity provider"),
    Origin.LEAVER: ("leavers", "Leavers"),
    Origin.TIMED: ("onboarding/ending", "Access with an end"),
}
"""Where the entries of a roster come from: its place, and what that is called."""
PURPOSES = ("Leave", "Contract ended", "Not used", "Security", "Other")


def content(run_id: str, problem: Invalid | None = None, typed: dict[str, str] | None = None) -> str:
    """The whole page. `problem` and `typed` belong to what is written beside a suspension."""
    view = run_progress.show_run(tools(), caller(), run_id)
    context = people_of(view)
    if _is_plan(view):
        return _rule_preview(view, context)
    if view.state is RunState.PREVIEW and view.origin and not view.undoes:
        return show.place(
            "runs/roster_preview.html",
            tab="onboarding",
            title="Preview",
            source=_source(view),
            bad=bad_rows(tools(), caller(), run_id, 1) if view.origin is Origin.CSV else None,
            **context,
        )
    if view.state is RunState.PREVIEW:
        return show.place(
            "runs/preview.html",
            tab="runs" if view.undoes else "people",
            title="Preview",
            explanation=_explanation(view),
            verb=DEED_VERBS[view.deed] if view.deed else "Change",
            purposes=PURPOSES,
            today=show.today_there(),
            problem=problem,
            typed=typed or {},
            at_work=seen_lately(tools(), caller(), run_id) if view.deed is Deed.SUSPEND else 0,
            **context,
        )
    return show.place("runs/run.html", tab="runs", title=show.run_title(view), modes=MODES, **context)


def _source(view: RunView) -> tuple[str, str]:
    """Where a preview comes from: its access rule, which it is looked at for, or the place of its kind."""
    place, label = SOURCES[view.origin]
    if view.origin is Origin.ACCESS_RULE and view.origin_id:
        return f"{place}/{view.origin_id}", "The access rule"
    return place, label


def _rule_preview(view: RunView, context: dict[str, Any]) -> str:
    """Shown, it counts as looked at: this version of the rule may run live from now on."""
    rule_runs.mark_seen(tools(), caller(), view.id)
    page = _rule_of(view)
    return show.place(
        "runs/rule_preview.html",
        tab="rules",
        title=f"Preview: {view.rule_name}",
        of_rule=page,
        modes=MODES,
        owned=provider_lists.provider_groups(tools(), caller(), view.id),
        is_first=rule_views.is_first_look(tools(), caller(), view.id),
        not_idle=max(view.scope - view.total, 0),
        brake=page.rule.brake if page is not None else Brake(),
        **context,
    )


def _rule_of(view: RunView) -> RuleInShort | None:
    try:
        return rule_views.rule_in_short(tools(), caller(), view.rule_id or "")
    except NotFound:
        return None


def _explanation(view: RunView) -> str:
    if view.undoes:
        return "Only what the run did is taken back, and of nobody whom somebody changed since."
    if view.deed is Deed.SUSPEND:
        return "Suspended people cannot open the organization's products and cost no seat; groups and roles are kept."
    return "Restored people get back what they had: groups and roles were kept, and their seats are billed again."


@dataclass(frozen=True, slots=True)
class Chip:
    """Something to look at alone: `words` is its part of the address, empty for everybody."""

    label: str
    count: int
    words: dict[str, str]
    current: bool


def people_of(view: RunView) -> dict[str, Any]:
    """One page of the run's people, of the kind that the request asks for."""
    wanted = _wanted()
    asked = page_asked_for()
    found = people_of_run(tools(), caller(), view.id, wanted, page=asked, per_page=PER_PAGE)
    rows: Sequence[Case | LeftAlone] = found.cases
    total, kind = found.total, _words_of(wanted)
    if _asks_for_the_rest(view):
        rows, total = left_alone(tools(), caller(), view.id, text=wanted.text, page=asked, per_page=PER_PAGE)
        kind = THE_REST
    pages = max(-(-total // PER_PAGE), 1)
    page = min(asked, pages)
    query = kind | ({"text": wanted.text} if wanted.text else {})
    return {
        "run": view,
        "cases": rows,
        "answers": found.answers,
        "unsent": found.unsent,
        "access": found.access,
        "deeds": found.deeds,
        "delays": found.delays,
        "whys_done": found.whys.get(Why.DONE, 0),
        "removed": found.deeds.get(Deed.REMOVE, 0),
        "states": _states(view, kind),
        "kinds": _kinds(view, found, kind),
        "kind": kind,
        "text": wanted.text,
        "page": page,
        "pages": pages,
        "per_page": PER_PAGE,
        "shown_total": total,
        "live": is_live(view),
        "pace": "10s" if view.to_do and view.to_do == view.waiting else "1s",
        "query": urlencode(query | {"page": str(page)}),
        "path": show.address(f"runs/{view.id}", query),
        "address": show.address(f"runs/{view.id}", query | ({"page": str(page)} if page > 1 else {})),
    }


def _is_plan(view: RunView) -> bool:
    return view.state is RunState.PREVIEW and bool(view.rule_id) and not view.undoes


def _asks_for_the_rest(view: RunView) -> bool:
    return _is_plan(view) and request.args.get("show") == THE_REST["show"]


def is_live(view: RunView) -> bool:
    """Whether results may still come in: after Stop, whoever is being changed this moment still gets one."""
    return view.state is RunState.RUNNING or (
        view.state is RunState.STOPPED and view.counts.get(CaseState.ACTING, 0) > 0
    )


def _wanted() -> Wanted:
    """The kind of people that the address asks for; odd words ask for everybody."""
    words = request.args
    state, deed, why = words.get("show", ""), words.get("deed", ""), words.get("why", "")
    return Wanted(
        state=CaseState(state) if state in set(CaseState) else None,
        deed=Deed(deed) if deed in set(Deed) else None,
        why=Why(why) if why in set(Why) and why else None,
        text=words.get("text", "").strip()[:100],
        new=words.get("new") == "yes",
        back=words.get("back") == "yes",
    )


def _words_of(wanted: Wanted) -> dict[str, str]:
    found = {
        "show": wanted.state or "",
        "deed": wanted.deed or "",
        "why": wanted.why or "",
        "new": "yes" if wanted.new else "",
        "back": "yes" if wanted.back else "",
    }
    return {word: str(value) for word, value in found.items() if value}


def _states(view: RunView, kind: dict[str, str]) -> list[Chip]:
    everybody = "Everybody with a verdict" if _is_plan(view) else "Everybody"
    chips = [Chip(everybody, view.total, {}, not kind)]
    for state in ORDER:
        count = view.counts.get(state)
        if count:
            words = {"show": state.value}
            # A roster often says what is so already: that stands among those for whom nothing can be done.
            nothing = view.origin and state is CaseState.NOT_POSSIBLE
            said = case_words(state, view.deed, view.state, view.mode)
            label = "Nothing to do, or not possible" if nothing else said
            chips.append(Chip(label, count, words, kind == words))
    rest = max(view.scope - view.total, 0)
    if _is_plan(view) and rest:
        chips.append(Chip("Not idle", rest, THE_REST, kind == THE_REST))
    return chips


def _kinds(view: RunView, found: RunPeople, kind: dict[str, str]) -> list[Chip]:
    """By deed where there are several, by reason, and who is new or came back."""
    chips = []
    if len(found.deeds) > 1:
        chips += [
            (CAPABILITIES[deed].words.capitalize(), found.deeds[deed], {"deed": deed.value})
            for deed in Deed
            if deed in found.deeds
        ]
    # Whoever is guarded has a chip by state already.
    chips += [
        (WHYS[why], found.whys[why], {"why": why.value})
        for why in Why
        if why in found.whys and why is not Why.GUARD
    ]
    if view.state is RunState.PREVIEW and view.rule_id and 0 < view.new < view.chosen:
        chips.append(("New since the last time", view.new, {"new": "yes"}))
    if found.back:
        chips.append(("Came back", found.back, {"back": "yes"}))
    return [Chip(label, count, words, kind == words) for label, count, words in chips]
