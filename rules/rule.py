"""A rule as a value: which people, idle how, what then, warned how, how carefully, when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.brake import Brake
from rules.deeds import Action, Deed
from rules.schedule import Schedule

DEFAULT_BRAKE = Brake(number=100, share=10)
DEFAULT_SCHEDULE = Schedule()


LONG_ENOUGH = 30
"""Days for which an answer counts where no condition speaks of staying away."""


class Mode(StrEnum):
    """AUDIT only lists, REVIEW waits for an operator with every case, LIVE acts."""

    AUDIT = "audit"
    REVIEW = "review"
    LIVE = "live"


class Unreachable(StrEnum):
    """What happens to people whom no notice can reach (S56)."""

    REVIEW = "review"
    GO_ON = "go_on"


class OnKeep(StrEnum):
    """What "I still need it" does: KEEP ends the case there, REVIEW lets it wait for an operator."""

    KEEP = "keep"
    REVIEW = "review"


class How(StrEnum):
    """Idle in ALL of the products looked at, or in ANY of them."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Who:
    """Everybody, narrowed by whatever is filled in; within one field, any of its values will do.

    `products` are product keys or resource ids, `groups` and `not_groups` group ids, `people` account ids.
    """

    products: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    not_groups: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    account: str = ""
    source: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """Any of the conditions that are filled in is enough; the numbers are days.

    `not_seen` and `never` look at `products` (empty: every product with a seat) in the way `how` says.
    """

    not_seen: int | None = None
    never: int | None = None
    invited: int | None = None
    suspended: int | None = None
    deactivated: int | None = None
    past_end: int | None = None
    how: How = How.ALL
    products: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return all(
            days is None
            for days in (
                self.not_seen, self.never, self.invited, self.suspended, self.deactivated, self.past_end,
            )
        )  # fmt: skip

    @property
    def patience(self) -> int:
        """For how many days an answer counts: as long as somebody may stay away before the shortest condition holds."""
        away = [days for days in (self.not_seen, self.never, self.invited) if days is not None]
        return min(away, default=LONG_ENOUGH)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder. `grace` is the days from the first warning to the deed; 0: no warning beforehand.

    `warn` are the days before the deed on which they are warned. `pause` is for how many days a suspension is meant;
    when they are over, the person is restored by itself if `comes_back` says so. `by_mail`: warnings go out by mail,
    too. `answer` says what "I still need it" does, `kept_for` for how many days that counts (None: see patience).
    """

    when: When
    action: Action
    grace: int = 14
    warn: tuple[int, ...] = (14, 3)
    unreachable: Unreachable = Unreachable.REVIEW
    pause: int | None = None
    comes_back: bool = False
    by_mail: bool = True
    answer: OnKeep = OnKeep.KEEP
    kept_for: int | None = None

    @property
    def patience(self) -> int:
        """For how many days an answer counts."""
        return self.kept_for or self.when.patience

    @property
    def warns(self) -> bool:
        return self.grace > 0 and self.action.deed not in (Deed.LIST, Deed.TELL)


@dataclass(frozen=True, slots=True)
class Rule:
    """`steps` are in order: nobody is taken up a rung before the one below it is reached.

    `fresh_hours`: a sync older than that is no ground to act on.
    """

    name: str
    who: Who
    steps: tuple[Step, ...]
    mode: Mode = Mode.AUDIT
    brake: Brake = DEFAULT_BRAKE
    fresh_hours: int = 48
    schedule: Schedule = DEFAULT_SCHEDULE

    @property
    def needs_second_operator(self) -> bool:
        return any(step.action.deed is Deed.DELETE for step in self.steps)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return tuple(step.action.deed for step in self.steps)
