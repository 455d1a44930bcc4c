"""Ready-made rules, as data: what most administrators begin with. None of them acts before somebody says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Template:
    """`key` names it in an address; `data` is what rules.rule_file.parse_rule reads."""

    key: str
    title: str
    sentence: str
    data: Mapping[str, Any]


TEMPLATES = (
    Template(
        "idle-ladder",
        "Idle ladder",
        "Warn after 60 days without a visit, suspend after 90, deactivate whoever stays suspended for 90 days more.",
        {
            "name": "Idle ladder",
            "mode": "review",
            "steps": [
                {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
                {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14},
                {"when": {"suspended": 90}, "then": {"deed": "deactivate"}, "grace": 0},
            ],
            "schedule": {"every": "day"},
        },
    ),
    Template(
        "externals",
        "Externals, 30 days",
        "Suspend external people who have not been seen for 30 days, a week after a first warning.",
        {
            "name": "Externals who stay away",
            "mode": "review",
            "who": {"account": "external"},
            "steps": [{"when": {"not_seen": 30, "never": 30}, "then": {"deed": "suspend"}, "grace": 7}],
            "schedule": {"every": "day"},
        },
    ),
    Template(
        "never-came",
        "Never came, 14 days",
        "Suspend whoever was added 14 days ago and has never opened a product.",
        {
            "name": "Never came",
            "mode": "review",
            "steps": [{"when": {"never": 14}, "then": {"deed": "suspend"}, "grace": 7}],
            "schedule": {"every": "week"},
        },
    ),
    Template(
        "unanswered-invitations",
        "Unanswered invitations",
        "Remind by mail whoever has not answered an invitation for 7 days; take it back after 30.",
        {
            "name": "Unanswered invitations",
            "mode": "review",
            "steps": [
                {"when": {"invited": 7}, "then": {"deed": "tell"}},
                {"when": {"invited": 30}, "then": {"deed": "remove"}, "grace": 0},
            ],
            "schedule": {"every": "day"},
        },
    ),
    Template(
        "contractors",
        "Contractors with an end date",
        "Suspend people on the day after their last day, as an operator wrote it down.",
        {
            "name": "Contractors whose time is over",
            "mode": "review",
            "steps": [{"when": {"past_end": 0}, "then": {"deed": "suspend"}, "grace": 0}],
            "schedule": {"every": "day", "at": "01:00"},
        },
    ),
)
