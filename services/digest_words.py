"""The lists of a digest: what was done, what comes, what needs an operator. In the organization's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.deeds import Deed
from rules.topics import Topic
from services.coming import ComingPerson
from services.languages import ENGLISH, Catalogue, msgid
from services.mail_markdown import Value, escaped, harmless
from services.matter import Matter

_DONE: dict[Deed, str] = {
    Deed.LIST: msgid("Listed"),
    Deed.TELL: msgid("Told that they are idle"),
    Deed.REMOVE_ACCESS: msgid("Access removed"),
    Deed.CHANGE_GROUPS: msgid("Groups changed"),
    Deed.SUSPEND: msgid("Suspended"),
    Deed.DEACTIVATE: msgid("Deactivated"),
    Deed.REMOVE: msgid("Removed from the organization"),
    Deed.DELETE: msgid("Account deleted"),
    Deed.RESTORE: msgid("Restored"),
    Deed.GIVE_BACK: msgid("Access given back"),
    Deed.REACTIVATE: msgid("Reactivated"),
    Deed.KEEP_ACCOUNT: msgid("Deletion cancelled"),
    Deed.INVITE: msgid("Invited"),
    Deed.GIVE_ACCESS: msgid("Access given"),
    Deed.TAKE_BACK: msgid("Access taken back"),
    Deed.PROLONG: msgid("Access prolonged"),
    Deed.SET_BACK: msgid("Former last day set again"),
}
_NEEDS: dict[Topic, str] = {
    Topic.KEY_EXPIRES: msgid("The Admin API key expires soon."),
    Topic.KEY_DEAD: msgid("A credential no longer works or is missing."),
    Topic.SYNC_FAILED: msgid("The directory could not be read."),
    Topic.SYNC_OLD: msgid("The directory has not been read completely for a while."),
    Topic.MAIL_BROKEN: msgid("Your mail server takes no mails."),
    Topic.REVIEW_WAITING: msgid("People wait for your decision."),
    Topic.LOOP_FOUND: msgid("Somebody has access again that a run took away."),
    Topic.RUN_BRAKED: msgid("A run was stopped by its brake."),
    Topic.RUN_REFUSED: msgid("A run did not begin."),
    Topic.PEOPLE_IDLE: msgid("People hold seats and have not been seen for a long time."),
    Topic.LEAVER_WAITS: msgid("A leaver waits for you."),
    Topic.ACCESS_STAYS: msgid("Access with an end could not be ended."),
    Topic.NOT_RESTORED: msgid("Somebody whose absence is over could not be restored."),
}
"""What each matter is about; of a run, whoever started it: a rule, an access rule, or an identity provider."""


@dataclass(frozen=True, slots=True)
class Done:
    """So many people, by one rule or by hand."""

    deed: Deed
    rule: str
    people: int


def done_list(words: Catalogue, done: Sequence[Done]) -> Value:
    """- Suspended: 12 people (Idle ladder)"""
    return _list(
        words,
        [
            (
                words.ngettext(
                    "%(what)s: %(count)s person",
                    "%(what)s: %(count)s people",
                    one.people,
                    what=words.gettext(_DONE[one.deed]),
                ),
                one.rule,
            )
            for one in done
        ],
    )


def coming_list(words: Catalogue, coming: Sequence[ComingPerson], more: int) -> Value:
    """- 12 May 2027: Uma Lindqvist: Suspended (Idle ladder). `more` people are left out."""
    lines = [
        (f"{words.date(one.day)}: {harmless(one.name)}: {words.gettext(_DONE[one.deed])}", one.rule)
        for one in coming
    ]
    if more:
        lines.append((words.ngettext("and %(count)s more person", "and %(count)s more people", more), ""))
    return _list(words, lines)


def needs_list(words: Catalogue, matters: Sequence[Matter]) -> Value:
    """In English with all numbers, as on the Overview; in other languages what it is about."""
    lines = [
        matter.sentence if words.language == ENGLISH else words.gettext(_NEEDS[matter.topic])
        for matter in matters
    ]
    return _list(words, [(line, "") for line in dict.fromkeys(lines)])


def _list(words: Catalogue, lines: Sequence[tuple[str, str]]) -> Value:
    """Lines, each with a name behind it in brackets."""
    if not lines:
        nothing = words.gettext("Nothing.")
        return Value(nothing, nothing)
    shown = [harmless(f"{line} ({name})" if name else line) for line, name in lines]
    return Value("\n".join(f"- {line}" for line in shown), "\n".join(f"- {escaped(line)}" for line in shown))
