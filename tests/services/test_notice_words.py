"""What a notice says: every topic, with all that is known and with nothing."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.topics import Topic
from services.notice_words import NAMES, words_of

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("topic", "facts", "sentence"),
    [
        (
            Topic.WARNED,
            {"deed": "suspend", "ends_at": "2027-05-12T06:00:00+00:00", "because": "93 days away"},
            "Sam was warned: they will be suspended on 12 May 2027 unless they come back or answer. 93 days away.",
        ),
        (Topic.TOLD, {"because": ""}, "Sam was told that they have not been seen for a while."),
        (Topic.ENDED, {"deed": "remove_access"}, "Sam lost their access to some products."),
        (Topic.GIVEN_BACK, {"deed": "restore"}, "Sam was restored."),
        (Topic.ANSWERED, {"answer": "ask_back"}, "Sam asks for their access back."),
        (
            Topic.RUN_STARTED,
            {"rule": "Idle", "deed": "suspend", "chosen": 1},
            "The rule “Idle” has started for 1 person: suspend them.",
        ),
        (
            Topic.RUN_FINISHED,
            {"rule": "Idle", "deed": "suspend", "acted": 1200, "failed": 1, "spared": 3},
            "The rule “Idle” has finished: 1,200 suspended, 1 failed, 3 left alone.",
        ),
        (Topic.RUN_FINISHED, {"deed": "remove_access", "acted": 2}, "A run by hand has finished: 2 done."),
        (Topic.RUN_FINISHED, {"acted": 0}, "A run by hand has finished: there was nobody to change."),
        (
            Topic.RUN_STARTED,
            {"origin": "ticket", "deed": "invite", "chosen": 1},
            "A run for a ticket has started for 1 person: invite them.",
        ),
        (
            Topic.RUN_STARTED,
            {"origin": "leaver", "deed": "deactivate", "chosen": 1},
            "A run for a leaver has started for 1 person: deactivate their account.",
        ),
        (
            Topic.RUN_UNDONE,
            {"origin": "timed", "deed": "take_back", "acted": 1},
            "Access with an end was taken back: 1 done.",
        ),
        (Topic.RUN_UNDONE, {"deed": "restore", "acted": 4}, "A run by hand was taken back: 4 restored."),
        (
            Topic.RUN_BRAKED,
            {"rule": "Idle", "reason": "It would touch 40 people"},
            "The rule “Idle” was stopped by its brake: nobody was touched. It would touch 40 people.",
        ),
        (
            Topic.RUN_REFUSED,
            {"rule": "Idle", "reason": "The sync is old. Sync now."},
            "The rule “Idle” did not begin. The sync is old. Sync now.",
        ),
        (
            Topic.LEAVING,
            {"deed": "remove_access"},
            "Sam is leaving: what they own is handed over, then they will lose their access to products.",
        ),
        (Topic.KEY_DEAD, {"sentence": "The API token has expired."}, "The API token has expired."),
    ],
)
def test_what_is_said(topic: Topic, facts: dict[str, Any], sentence: str) -> None:
    assert words_of(topic, facts, there=UTC, name="Sam").sentence == sentence


@pytest.mark.parametrize(("there", "day"), [("Asia/Tokyo", 13), ("America/Los_Angeles", 12)])
def test_a_day_is_the_one_where_the_organization_lives(there: str, day: int) -> None:
    facts = {"deed": "suspend", "ends_at": "2027-05-12T20:30:00+00:00"}
    said = words_of(Topic.WARNED, facts, there=ZoneInfo(there)).sentence
    assert f"suspended on {day} May 2027" in said


@pytest.mark.parametrize("topic", Topic)
@pytest.mark.parametrize(
    "facts", [{}, {"deed": "other", "ends_at": "soon", "answer": "?", "path": "https://evil"}]
)
def test_every_topic_says_something_even_without_facts(topic: Topic, facts: dict[str, Any]) -> None:
    words = words_of(topic, facts, there=UTC)
    assert words.title == NAMES[topic]
    assert words.sentence.endswith(".")
    assert words.path.startswith("/app/")


def test_where_to_read_more() -> None:
    assert words_of(Topic.ENDED, {}, there=UTC, account_id="712020:a/b").path == "/app/people/712020%3Aa%2Fb"
    assert words_of(Topic.RUN_BRAKED, {}, there=UTC, run_id="r1").path == "/app/runs/r1"
    assert words_of(Topic.KEY_DEAD, {"path": "/app/configure"}, there=UTC).path == "/app/configure"
