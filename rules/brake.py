"""The limit on how many people one run may touch, by number and by share (S47)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brake:
    """None means no limit, 0 means nobody. `share` is in per cent of the people whom the rule is about."""

    number: int | None = None
    share: int | None = None

    def objection(self, chosen: int, scope: int, about: str = "the rule") -> str | None:
        """Why this many people are too many, or None. `scope` is how many people the rule is `about`."""
        if self.number is not None and chosen > self.number:
            return f"{_people(chosen)} would be touched; the brake allows {self.number:,}."
        if self.share is not None and chosen * 100 > self.share * scope:
            return (
                f"{_people(chosen)} would be touched, of {scope:,} whom {about} is about;"
                f" the brake allows {self.share} %."
            )
        return None


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
