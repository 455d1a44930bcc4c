"""A matter that needs somebody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attention:
    """`key` names the matter, so that a flag is shown once for it; `severity` is error, warning or info."""

    key: str
    severity: str
    sentence: str
    action_label: str
    action_path: str
