"""How values look: dates, numbers, initials; and how a place of the app is rendered, whole or as a fragment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from zlib import crc32
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, render_template, url_for

from connect.caller import Via
from models.audit import AuditEntry
from models.people import Seat
from models.run import Case
from rules.activity import never_came
from rules.case import CHANGED, CaseState
from rules.deeds import CAPABILITIES, Deed
from rules.numbers import whole_number
from rules.products import product_name
from rules.topics import Topic
from services.doors import Home, home_of
from services.flags import new_flag
from services.matter import Matter
from services.matters import matters
from services.run_progress import RunView
from views import audit_words, words
from views.access import caller, tools

OPERATOR_TABS = (
    ("overview", "Overview"),
    ("people", "People"),
    ("onboarding", "Onboarding"),
    ("leavers", "Leavers"),
    ("rules", "Rules"),
    ("review", "Review"),
    ("runs", "Runs"),
    ("notices", "Notices"),
    ("audit", "Audit"),
    ("configure", "Configure Token"),
)
ADMIN_TABS = (("configure", "Configure Token"),)
KINDS = (
    ("active", "Active"),
    ("idle30", "30 to 59 days"),
    ("idle60", "60 to 89 days"),
    ("idle90", "90+ days"),
    ("never", "Never"),
    ("unknown", "Unknown"),
)
"""The parts of a product's bar, in order."""
TONES = 8


def place(template: str, *, tab: str, title: str, operator: bool = True, **context: object) -> str:
    """One place of the app: a whole page when the host opens its frame, else a fragment for htmx."""
    return render_template(
        "layout.html" if caller().via is Via.IFRAME else "fragment.html",
        content=template,
        tab=tab,
        tabs=OPERATOR_TABS if operator else ADMIN_TABS if tab else (),
        title=title,
        now=tools().clock(),
        ap_script_url=tools().settings.ap_script_url,
        operator=operator,
        **(_needs(tab) if operator else {}),
        **context,
    )


def part(template: str, **context: object) -> str:
    """A piece of a place, for htmx to put where it belongs."""
    return render_template(template, now=tools().clock(), **context)


def _needs(tab: str) -> dict[str, object]:
    """What needs the operator: all of it for the Overview, one matter for the strip elsewhere, a flag for a new one."""
    home = _home()
    if home is None:
        return {}
    found = matters(tools(), home.organization_id, caller().tenant)
    waiting = sum(one.people for one in found if one.topic is Topic.REVIEW_WAITING)
    # Whoever stands where it is solved need not be sent there.
    elsewhere = [one for one in found if urlsplit(one.action_path).path != f"/app/{tab}"]
    return {
        "matters": found,
        "strip": elsewhere[0] if elsewhere and tab != "overview" else None,
        "more": len(elsewhere) - 1,
        "flag": _flag(new_flag(tools(), caller(), found)),
        "badges": {"overview": sum(one.is_grave for one in found), "review": waiting},
    }


def _home() -> Home | None:
    """The organization whose page this is: asked for once in a request, when its page is drawn."""
    if "rollcall_home" not in g:
        g.rollcall_home = home_of(tools(), caller())
    return cast(Home | None, g.rollcall_home)


def zone() -> str:
    """In which the days begin that the organization decides: its people read the same ones in their mails."""
    home = _home()
    return home.time_zone if home is not None else "UTC"


def today_there() -> date:
    """The first day that an operator may choose."""
    return tools().clock().astimezone(ZoneInfo(zone())).date()


def _flag(matter: Matter | None) -> dict[str, str] | None:
    """A matter as a flag of the host."""
    if matter is None:
        return None
    return {
        "title": "Rollcall needs your attention",
        "body": matter.sentence,
        "type": matter.severity,
        "action": matter.action_label,
        "address": matter.action_path.removeprefix("/app/").lstrip("/"),
    }


def register(app: Flask) -> None:
    """Gives the templates their words, and the addresses of our own files by version."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"asset": asset, "today_there": today_there, "zone": zone}
    app.jinja_env.filters |= {
        "ago": ago,
        "answer_tone": lambda answer: words.ANSWERS[answer.kind][1],
        "answer_word": lambda answer: words.ANSWERS[answer.kind][0],
        "decision_words": lambda answer: words.DECISIONS[answer.decision],
        "audit_result": audit_result,
        "bars": bars,
        "case_tone": words.case_tone,
        "case_words": words.case_words,
        "clock": lambda moment: f"{moment:%H:%M} UTC",
        "counted": _several,
        "date": day,
        "day": day,
        "day_there": day_there,
        "delay_words": lambda delay: words.DELAYS[delay.by],
        "deed_done": lambda deed: CAPABILITIES[deed].done,
        "duration": duration,
        "entry_words": lambda entry: audit_words.event_words(entry.event, entry.details),
        "event_subject": audit_words.event_subject,
        "event_tone": audit_words.event_tone,
        "field_words": field_words,
        "from_iso": date.fromisoformat,
        "host": lambda address: urlsplit(address).netloc,
        "in_zone": in_zone,
        "initials": initials,
        "iso": lambda moment: moment.isoformat(timespec="seconds"),
        "mode_sentence": lambda mode: words.MODES[mode][2],
        "mode_tone": lambda mode: words.MODES[mode][1],
        "mode_word": lambda mode: words.MODES[mode][0],
        "moment": lambda moment: f"{moment.day} {moment:%b %Y, %H:%M} UTC",
        "never_since": never_since,
        "number": number,
        "place": lambda path: path.removeprefix("/app/").lstrip("/"),
        "product": product_name,
        "products": products,
        "query": urlencode,
        "run_done": run_done,
        "counted_as": words.counted_words,
        "run_state": lambda run: words.RUN_STATES[run.state][0],
        "run_title": run_title,
        "origin": lambda origin: words.ORIGINS[origin],
        "run_verb": lambda run: words.DEED_VERBS[run.deed] if run.deed else "Go ahead with",
        "run_tone": lambda run: words.RUN_STATES[run.state][1],
        "status": lambda status: words.STATUSES.get(status, (status.capitalize(), ""))[0],
        "status_tone": lambda status: words.STATUSES.get(status, ("", ""))[1],
        "taken_back": lambda run: words.taken_back(run.counts, run.by_deed),
        "stop": lambda text: text if text.endswith((".", "!", "?")) else f"{text}.",
        "tone": lambda account_id: crc32(account_id.encode()) % TONES,
        "undoable": undoable,
        "until": until,
        "way_back": words.way_back_words,
        "will": words.will_words,
    }


@cache
def asset(name: str) -> str:
    """The address of a file of static/, with a version that changes with its bytes: browsers may keep it for ever."""
    path = Path(current_app.static_folder or "") / name
    return url_for("static", filename=name, v=f"{crc32(path.read_bytes()):08x}")


def day(moment: date) -> str:
    """3 May 2026."""
    return f"{moment.day} {moment:%B %Y}"


def day_there(moment: datetime, time_zone: str) -> str:
    """4 May 2026, as the calendars there show it: for a moment that stands for a day, such as the end of a grace."""
    return day(moment.astimezone(ZoneInfo(time_zone)))


def ago(moment: datetime, now: datetime) -> str:
    """93 days ago; for the last two days finer: 5 minutes ago, 3 hours ago."""
    seconds = max(int((now - moment).total_seconds()), 0)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return _several(seconds // 60, "minute") + " ago"
    if seconds < 2 * 86400:
        return _several(seconds // 3600, "hour") + " ago"
    return f"{number(seconds // 86400)} days ago"


def until(moment: datetime, now: datetime) -> str:
    """in 3 days; for the next two days finer: in 5 minutes, in 3 hours."""
    seconds = int((moment - now).total_seconds())
    if seconds < 60:
        return "in a moment"
    if seconds < 3600:
        return "in " + _several(seconds // 60, "minute")
    if seconds < 2 * 86400:
        return "in " + _several(seconds // 3600, "hour")
    return f"in {number(seconds // 86400)} days"


def in_zone(moment: datetime, time_zone: str) -> str:
    """Mon 30 Nov 2026, 06:00, as the clocks there show it."""
    there = moment.astimezone(ZoneInfo(time_zone))
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


def duration(seconds: int) -> str:
    """45 s · 2 min 10 s · 1 h 5 min."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def number(value: int | None) -> str:
    """2,000; nothing for nothing."""
    return "" if value is None else f"{value:,}"


def initials(name: str) -> str:
    """Two letters that stand for a name; one for a name of one word."""
    parts = [part for part in name.replace("-", " ").split() if part[0].isalnum()]
    if not parts:
        return "?"
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper()


def products(seats: Sequence[Seat]) -> str:
    """The names of somebody's products, each once."""
    return ", ".join(sorted({product_name(seat.product_key) for seat in seats}))


def never_since(seats: Sequence[Seat], added_at: datetime | None) -> datetime | None:
    """Since when somebody who never came could have come: since they were added, and their newest seat is there."""
    return never_came(added_at, max((seat.since for seat in seats if seat.since), default=None)).at


def run_title(run: RunView) -> str:
    """Suspend 143 people; a rule's run has the name of the rule."""
    verb = words.DEED_VERBS[run.deed] if run.deed else "Change"
    title = run.rule_name or f"{verb} {_several(run.chosen, 'person', 'people')}"
    if not run.undoes:
        return title
    return f"Undo: {title if run.rule_name else title[0].lower() + title[1:]}"


def run_done(run: RunView) -> str:
    """What was done to them, behind a number: suspended."""
    return words.counted_words(run.deed) if run.deed else ("changed" if run.origin else "done")


def undoable(case: Case) -> bool:
    """Whether a way leads back from what this case did."""
    return CaseState(case.state) in CHANGED and CAPABILITIES[Deed(case.deed)].opposite is not None


def field_words(path: str) -> str:
    """rules.0.steps.1.then.deed as people count: Rule 1, step 2, then, deed."""
    found: list[str] = []
    for part in path.split("."):
        place = whole_number(part)
        if place is not None and found:
            found[-1] = f"{found[-1].removesuffix('s')} {place + 1}"
        elif part:
            found.append(part.replace("_", " "))
    return ", ".join(found).capitalize()


def audit_result(entry: AuditEntry) -> str:
    return audit_words.result_words(entry.result, entry.details)


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a bar that is 1000 wide."""

    kind: str
    start: float
    width: float


def bars(product: Any) -> list[Bar]:
    """The parts of a product's bar: shares of everybody with a seat."""
    counts = [(kind, int(getattr(product, kind))) for kind, _words in KINDS]
    total = sum(count for _kind, count in counts) or 1
    parts, start = [], 0.0
    for kind, count in counts:
        width = round(1000 * count / total, 2)
        parts.append(Bar(kind, round(start, 2), width))
        start += width
    return parts


def address(path: str, query: Mapping[str, str]) -> str:
    """A place with its filter, as the host's location bar keeps it: people?idle=90."""
    return f"{path}?{urlencode(query)}" if query else path


def _several(count: int, one: str, more: str = "") -> str:
    return f"{number(count)} {one if count == 1 else more or one + 's'}"
