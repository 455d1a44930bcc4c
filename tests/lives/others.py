"""What the people concerned say, what others do at Atlassian, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.run import Case
from rules.case import OPEN, CaseState
from rules.topics import AnswerKind
from sandbox.half_told import WORDS
from services import answers, directory_news
from services.keep_links import keep_link
from tests.lives.cast import TO_HAVE
from tests.lives.stage import SOMEBODY, Acts, Stage
from tests.world import ACME

SAID = (AnswerKind.KEEP, AnswerKind.KEEP, AnswerKind.GIVE_UP, AnswerKind.AWAY)
PATHS = (
    "/(suspend|restore)$", "/memberships", "/roles/(assign|revoke)$",
    "/lifecycle/", "/users/search$", "role-assignments",
)  # fmt: skip


def answer_a_warning(life: Stage) -> None:
    case, what = life.one(life.cases(CaseState.WARNED, CaseState.ACTING)), life.pick(*SAID)
    until = life.day(life.pick(0, 5, 40)).isoformat() if what is AnswerKind.AWAY else ""
    _answer(life, case, what, until)


def ask_for_it_back(life: Stage) -> None:
    _answer(life, life.one(life.cases(CaseState.ACTED, CaseState.ACTING)), AnswerKind.ASK_BACK)


def follow_an_old_link(life: Stage) -> None:
    """Whatever has become of it: who says something by it says it too late."""
    for case in life.some(life.cases(CaseState.UNDONE, CaseState.SPARED, CaseState.CANCELLED), 3):
        for what in (AnswerKind.KEEP, AnswerKind.GIVE_UP, AnswerKind.ASK_BACK):
            _answer(life, case, what)


def _answer(life: Stage, case: Case, what: AnswerKind, until: str = "") -> None:
    token = keep_link(life.tools, ACME, case.id, case.account_id).rpartition("/")[2]
    with life.allowed():
        answers.answer(life.tools, token, what, words="Because", until=until)


def somebody_comes(life: Stage) -> None:
    """Rather those to whom something is about to be done."""
    in_hand = {life.cast.names[case.account_id] for case in life.cases(*OPEN)}
    for name in life.some([name for name in SOMEBODY if name in in_hand] or SOMEBODY, 3):
        _happens(life, name, last_active=life.world.clock().isoformat())


def somebody_is_changed(life: Stage) -> None:
    what = life.pick(
        {"membership": "suspended"}, {"membership": "active"}, {"account_status": "inactive"},
        {"account_status": "active"}, {"platform_roles": "atlassian/org-admin"}, {"platform_roles": ""},
    )  # fmt: skip
    _happens(life, life.somebody(), **what)


def somebody_moves(life: Stage) -> None:
    """Into a group, or out of it."""
    name, group, inside = life.somebody(), life.pick(*TO_HAVE), life.pick(True, False)
    with _told_of(life, name):
        if life.cast.put(name, group, member=inside):
            life.watch.note_others(name)


def somebody_is_given_a_role(life: Stage) -> None:
    """Or loses it."""
    name, present = life.somebody(), life.pick(True, False)
    with _told_of(life, name):
        if life.cast.put_role(name, "jira-software", present=present):
            life.watch.note_others(name)


def somebody_leaves(life: Stage) -> None:
    name = life.somebody()
    with _told_of(life, name):
        if life.cast.leave(name):
            life.watch.note_others(name)


def somebody_gets_a_provider(life: Stage) -> None:
    _happens(life, life.somebody(), source=life.pick("synced", "invited"))


def many_are_let_in_again(life: Stage) -> None:
    """By others: there is somebody to act on again."""
    for name in life.some(SOMEBODY, 5):
        with _told_of(life, name):
            changed = life.cast.change(name, membership="active", account_status="active", platform_roles="")
            changed |= life.cast.put(name, "jira-users", member=True)
            if changed:
                life.watch.note_others(name)


def _happens(life: Stage, name: str, last_active: str | None = None, **columns: str) -> None:
    with _told_of(life, name):
        if life.cast.change(name, last_active, **columns) and columns:
            life.watch.note_others(name)


@contextmanager
def _told_of(life: Stage, name: str) -> Iterator[None]:
    """A webhook tells of it, or none does."""
    told = life.pick(True, False)
    with life.watch.step():
        yield
        if told:
            body = {"user": {"accountId": life.cast.ids[name]}}
            directory_news.note_news(life.tools, life.cast.callers["ana"], "user_updated", body)


def something_goes_wrong(life: Stage) -> None:
    kind = life.pick("429", "503", "reset", "html", "500", "garbled", "odd", "403-scopes")
    after = life.pick(True, False) and kind not in ("429", "403-scopes")
    times, skip = life.pick(1, 1, 2, 5), life.pick(0, 0, 1)
    life.world.fault(life.pick(*PATHS), kind, after=after, times=times, skip=skip, seconds=120)


def half_is_told(life: Stage) -> None:
    """Atlassian leaves something out of what it tells of people, or somebody altogether."""
    words = life.pick((), ("groups",), ("productAccess",), ("platformRoles",), WORDS)
    whom = [life.cast.ids[life.somebody()]] if not words else []
    times, skip = life.pick(1, 2, 5), life.pick(0, 0, 1)
    life.world.fault("/users/search$", "half-told", words=words, whom=whom, times=times, skip=skip)


def changes_show_late(life: Stage) -> None:
    life.world.fault("|".join(PATHS[:3]), "delay-visibility", times=3, seconds=10**6)


ACTS: Acts = {
    answer_a_warning: 5,
    ask_for_it_back: 4,
    follow_an_old_link: 4,
    somebody_comes: 8,
    somebody_is_changed: 4,
    somebody_moves: 7,
    somebody_is_given_a_role: 2,
    many_are_let_in_again: 10,
    somebody_leaves: 1,
    somebody_gets_a_provider: 1,
    something_goes_wrong: 4,
    half_is_told: 4,
    changes_show_late: 2,
}
