"""Each topic in plain English for operators, said once: each kind of hook only gives it its form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from rules.deeds import CAPABILITIES, Deed
from rules.roster import Origin
from rules.topics import TO_THE_PERSON, AnswerKind, Topic

NAMES: dict[Topic, str] = {
    Topic.WARNED: "Somebody was warned",
    Topic.TOLD: "Somebody was told that they are idle",
    Topic.ENDED: "Somebody's access ended",
    Topic.GIVEN_BACK: "Somebody has back what they asked for",
    Topic.ACCESS_ENDS: "Somebody's access ends soon",
    Topic.LEAVING: "Somebody is leaving",
    Topic.ANSWERED: "Somebody answered",
    Topic.RUN_STARTED: "A run has started",
    Topic.RUN_FINISHED: "A run has finished",
    Topic.RUN_BRAKED: "A run was stopped by its brake",
    Topic.RUN_REFUSED: "A run did not begin",
    Topic.RUN_UNDONE: "A run was taken back",
    Topic.REVIEW_WAITING: "People wait for a decision",
    Topic.LOOP_FOUND: "Somebody has access again that a run took",
    Topic.KEY_EXPIRES: "The Admin API key expires soon",
    Topic.KEY_DEAD: "A credential no longer works",
    Topic.SYNC_FAILED: "The directory could not be read",
    Topic.SYNC_OLD: "The directory was not read for a while",
    Topic.MAIL_BROKEN: "Your mail server takes no mails",
    Topic.PEOPLE_IDLE: "People are idle and hold seats",
    Topic.LEAVER_WAITS: "A leaver waits for an operator",
    Topic.ACCESS_STAYS: "Access could not be ended on its last day",
    Topic.NOT_RESTORED: "Somebody could not be restored after their absence",
    Topic.DIGEST: "Summary for operators",
    Topic.TEST: "Test",
}
"""What a topic is called, in a list of choices and as a title."""

_SOMEBODY = "Somebody"
_WILL: dict[Deed | None, str] = {
    Deed.REMOVE_ACCESS: "lose their access to some products",
    Deed.CHANGE_GROUPS: "have their groups changed",
    Deed.SUSPEND: "be suspended",
    Deed.DEACTIVATE: "have their account deactivated",
    Deed.REMOVE: "be removed from the organization",
    Deed.DELETE: "have their account deleted",
}
_DID: dict[Deed | None, str] = {
    Deed.REMOVE_ACCESS: "lost their access to some products",
    Deed.CHANGE_GROUPS: "had their groups changed",
    Deed.SUSPEND: "was suspended",
    Deed.DEACTIVATE: "had their account deactivated",
    Deed.REMOVE: "was removed from the organization",
    Deed.DELETE: "is having their account deleted",
    Deed.RESTORE: "was restored",
    Deed.GIVE_BACK: "has their access back",
    Deed.TAKE_BACK: "no longer has the access that they were given",
    Deed.REACTIVATE: "had their account reactivated",
    Deed.KEEP_ACCOUNT: "keeps their account: its deletion was cancelled",
}
BY_CLOCK = "clock"
"""Where a run came from that nobody asked for: its day had come."""
_RUNS: dict[str, str] = {
    Origin.CSV: "A run from a file",
    Origin.TICKET: "A run for a ticket",
    Origin.ACCESS_RULE: "An access rule",
    Origin.SCIM: "An identity provider",
    Origin.LEAVER: "A run for a leaver",
    Origin.TIMED: "Access with an end",
    BY_CLOCK: "A run by the clock",
}
_SAID = {
    AnswerKind.KEEP: "still needs their access",
    AnswerKind.GIVE_UP: "no longer needs their access",
    AnswerKind.AWAY: "is away for a while",
    AnswerKind.ASK_BACK: "asks for their access back",
    AnswerKind.PROLONG: "asks to have their access for longer",
}


@dataclass(frozen=True, slots=True)
class Words:
    """A title, a sentence, and the path of the page of the app that shows more."""

    title: str
    sentence: str
    path: str


def words_of(
    topic: Topic,
    facts: dict[str, Any],
    *,
    there: ZoneInfo,
    name: str = "",
    account_id: str = "",
    run_id: str | None = None,
) -> Words:
    """What a notice says. `name` is who it is about, as the directory calls them now; its days are those `there`."""
    if topic in TO_THE_PERSON or topic is Topic.ANSWERED:
        path = f"/app/people/{quote(account_id, safe='')}" if account_id else "/app/people"
        return Words(NAMES[topic], _about_somebody(topic, facts, name or _SOMEBODY, there), path)
    if topic.startswith("run:"):
        return Words(NAMES[topic], _about_run(topic, facts), f"/app/runs/{run_id}" if run_id else "/app/runs")
    return Words(NAMES[topic], str(facts.get("sentence") or f"{NAMES[topic]}."), _path(facts))


def _about_somebody(topic: Topic, facts: dict[str, Any], name: str, there: ZoneInfo) -> str:
    deed = _deed(facts)
    because = _as_sentence(str(facts.get("because") or ""))
    if topic is Topic.WARNED:
        will = _WILL.get(deed, "lose their access")
        said = f"{name} was warned: they will {will}{_on_day(facts, there)} unless they come back or answer."
    elif topic is Topic.TOLD:
        said = f"{name} was told that they have not been seen for a while."
    elif topic is Topic.ACCESS_ENDS:
        said = f"{name} was told that the access they were given ends{_on_day(facts, there)}."
    elif topic is Topic.LEAVING:
        # Of access to products nothing stays with them.
        loses = (
            "lose their access to products"
            if deed is Deed.REMOVE_ACCESS
            else _WILL.get(deed, "stay as they are")
        )
        said = f"{name} is leaving: what they own is handed over, then they will {loses}."
    elif topic is Topic.ANSWERED:
        kind = facts.get("answer")
        said = f"{name} {_SAID[AnswerKind(kind)] if kind in set(AnswerKind) else 'answered a warning'}."
    elif topic is Topic.GIVEN_BACK:
        said = f"{name} {_DID.get(deed, 'has their access back')}."
    else:
        said = f"{name} {_DID.get(deed, 'lost their access')}."
    return f"{said} {because}".strip()


def _about_run(topic: Topic, facts: dict[str, Any]) -> str:
    subject = _run(facts)
    deed = _deed(facts)
    reason = _as_sentence(str(facts.get("reason") or ""))
    if topic is Topic.RUN_STARTED:
        what = f": {CAPABILITIES[deed].words}" if deed else ""
        return f"{subject} has started for {_people(facts, 'chosen')}{what}."
    if topic is Topic.RUN_BRAKED:
        return f"{subject} was stopped by its brake: nobody was touched. {reason}".strip()
    if topic is Topic.RUN_REFUSED:
        return f"{subject} did not begin. {reason}".strip()
    done = CAPABILITIES[deed].done.lower() if deed else "done"
    counts = [("acted", "done" if " " in done else done), ("listed", "listed"), ("failed", "failed")]
    counts.append(("spared", "left alone"))
    said = ", ".join(f"{int(facts[key]):,} {word}" for key, word in counts if facts.get(key))
    how = "was taken back" if topic is Topic.RUN_UNDONE else "has finished"
    return f"{subject} {how}: {said or 'there was nobody to change'}."


def _run(facts: dict[str, Any]) -> str:
    if rule := facts.get("rule"):
        return f"The rule “{rule}”"
    if provider := facts.get("provider"):
        return f"The identity provider “{provider}”"
    return _RUNS.get(str(facts.get("origin") or ""), "A run by hand")


def _deed(facts: dict[str, Any]) -> Deed | None:
    deed = facts.get("deed")
    return Deed(deed) if deed in set(Deed) else None


def _people(facts: dict[str, Any], key: str) -> str:
    count = int(facts.get(key) or 0)
    return "1 person" if count == 1 else f"{count:,} people"


def _on_day(facts: dict[str, Any], there: ZoneInfo) -> str:
    """ " on 12 May 2027", nothing when no day is known."""
    try:
        day = datetime.fromisoformat(str(facts.get("ends_at") or "")).astimezone(there)
    except ValueError:
        return ""
    return f" on {day.day} {day:%B %Y}"


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _path(facts: dict[str, Any]) -> str:
    path = str(facts.get("path") or "")
    return path if path.startswith("/app/") else "/app/overview"
