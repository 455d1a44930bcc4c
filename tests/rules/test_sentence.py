"""A rule read aloud."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from rules.organization import OrganizationFacts, ProductFacts
from rules.person import GroupFacts
from rules.plain_data import BadRule
from rules.rule import Step
from rules.rule_file import parse_rule
from rules.schedule import Every, Schedule
from rules.sentence import schedule_words, sentence_of, step_words
from tests.rules.rule_data import rules

ONE = "ari:cloud:jira-software::site/one"
ORGANIZATION = OrganizationFacts(
    products={ONE: ProductFacts(ONE, "jira-software", "https://one.atlassian.net")},
    groups={each: GroupFacts(each, name) for each, name in [("g1", "staff"), ("g2", "guests")]},
)


def test_a_whole_rule() -> None:
    rule = parse_rule(
        {
            "name": "Idle",
            "mode": "review",
            "who": {"products": ["confluence"]},
            "steps": [{"when": {"not_seen": 90}, "then": {"deed": "suspend"}}],
            "schedule": {"every": "day"},
        }
    )
    assert sentence_of(rule, ORGANIZATION) == (
        "Every day at 06:00: people with Confluence who have not been seen for 90 days are suspended,"
        " 14 days after a first warning; every case waits for an operator."
    )


def test_a_ladder_for_some() -> None:
    rule = parse_rule(
        {
            "name": "Ladder",
            "who": {
                "account": "external",
                "groups": ["g1", "g2"],
                "not_groups": ["gone"],
                "domains": ["acme.com", "acme.de", "acme.fr"],
            },
            "steps": [
                {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
                {
                    "when": {"not_seen": 90, "never": 1},
                    "then": {"deed": "suspend"},
                    "grace": 1,
                    "unreachable": "go_on",
                },
                {"when": {"suspended": 90}, "then": {"deed": "remove"}, "grace": 0},
            ],
        }
    )
    assert sentence_of(rule, ORGANIZATION) == (
        "When somebody runs it: people with external accounts in the group “staff” or the group “guests”"
        " not in a group that is gone with an address at acme.com, acme.de or acme.fr"
        " who have not been seen for 60 days are warned;"
        " those who have not been seen for 90 days, or who were added 1 day ago or earlier and never came"
        " are suspended, 1 day after a first warning, even if no notice can reach them;"
        " those who have been suspended for 90 days are removed from the organization, without a warning;"
        " nobody is touched, they are only listed."
    )


LOSE_ONE = {"deed": "remove_access", "products": [ONE]}
MOVE = {"deed": "change_groups", "leave": ["g1", "g2"], "join": ["x"]}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"when": {"not_seen": 90, "products": ["confluence", ONE]}, "then": LOSE_ONE},
            (
                "people who have not been seen in any of Confluence or Jira on one.atlassian.net for 90 days"
                " lose their access to Jira on one.atlassian.net, 14 days after a first warning"
            ),
        ),
        (
            {
                "when": {"not_seen": 90, "how": "any", "products": ["confluence", ONE]},
                "then": {"deed": "list"},
            },
            (
                "people who have not been seen in at least one of Confluence and Jira on one.atlassian.net for 90 days"
                " are listed"
            ),
        ),
        (
            {"when": {"never": 14, "products": ["confluence"]}, "then": {"deed": "delete"}, "grace": 0},
            (
                "people who were added 14 days ago or earlier and never came to Confluence"
                " have their accounts deleted, without a warning"
            ),
        ),
        (
            {"when": {"not_seen": 9, "how": "any"}, "then": MOVE},
            (
                "people who have not been seen in at least one of their products for 9 days leave the group “staff” and"
                " the group “guests” and join a group that is gone, 14 days after a first warning"
            ),
        ),
        (
            {
                "when": {"past_end": 0},
                "then": {"deed": "suspend"},
                "grace": 0,
                "pause": 30,
                "comes_back": True,
            },
            "people whose last day is over are suspended for 30 days, then restored, without a warning",
        ),
        (
            {"when": {"past_end": 7, "invited": 3, "deactivated": 1}, "then": {"deed": "deactivate"}},
            (
                "people who have not answered their invitation for 3 days,"
                " or whose account has been deactivated for 1 day,"
                " or whose last day is over by more than 7 days have their accounts deactivated,"
                " 14 days after a first warning"
            ),
        ),
        (
            {
                "when": {"not_seen": 90},
                "then": {"deed": "suspend"},
                "by_mail": False,
                "answer": "review",
                "kept_for": 180,
            },
            (
                "people who have not been seen for 90 days are suspended, 14 days after a first warning,"
                " warned in the product alone, and whoever still needs it waits for an operator,"
                " and whoever keeps it is left alone for 180 days"
            ),
        ),
        (
            {"when": {"not_seen": 60}, "then": {"deed": "tell"}, "by_mail": False},
            "people who have not been seen for 60 days are warned, in the product alone",
        ),
    ],
)
def test_steps(step: dict[str, Any], words: str) -> None:
    assert step_words(step_of(step), ORGANIZATION) == words


def step_of(data: dict[str, Any]) -> Step:
    return parse_rule({"name": "A rule", "steps": [data]}).steps[0]


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(), "When somebody runs it"),
        (Schedule(Every.DAY, hour=23, minute=5), "Every day at 23:05"),
        (Schedule(Every.WEEK, weekday=6), "Every Sunday at 06:00"),
        (Schedule(Every.MONTH, day=1), "On the 1st of every month at 06:00"),
        (Schedule(Every.MONTH, day=12), "On the 12th of every month at 06:00"),
        (Schedule(Every.MONTH, day=23), "On the 23rd of every month at 06:00"),
        (Schedule(Every.MONTH, day=31), "On the last day of every month at 06:00"),
        (Schedule(Every.BILLING, days_before=3), "3 days before the billing date at 06:00"),
        (Schedule(Every.BILLING, days_before=0), "On the billing date at 06:00"),
        (Schedule(Every.CRON, cron="0 6 * * 1"), "At the times of “0 6 * * 1”"),
    ],
)
def test_schedules(schedule: Schedule, words: str) -> None:
    assert schedule_words(schedule) == words


@given(rules)
def test_every_rule_is_one_sentence(data: dict[str, Any]) -> None:
    try:
        rule = parse_rule(data)
    except BadRule:
        return
    sentence = sentence_of(rule, ORGANIZATION)
    assert sentence.endswith(".")
    assert sentence.count(";") >= len(rule.steps)
