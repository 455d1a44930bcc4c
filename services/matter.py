"""A matter that needs an operator."""

from __future__ import annotations

from dataclasses import dataclass

from rules.topics import Topic


@dataclass(frozen=True, slots=True)
class Matter:
    """`key` names it, so that it is told once; `severity` is error, warning or info; `action_path` solves it.

    Path and label are empty where no page of ours solves it. `people` is how many it is about, where it is about some.
    """

    topic: Topic
    key: str
    severity: str
    sentence: str
    action_label: str
    action_path: str
    people: int = 0

    @property
    def is_grave(self) -> bool:
        return self.severity in ("error", "warning")
