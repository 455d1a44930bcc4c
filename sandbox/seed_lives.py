"""How the people of a generated organization live: invited, idle, suspended or gone, and when they were last seen."""

from __future__ import annotations

import random

from sandbox import world
from sandbox.draft import Draft


def live(organization: world.Organization, draft: Draft, rnd: random.Random) -> None:
    """Give a state and last-active dates."""
    share = rnd.random()
    if share < 0.05:
        draft.kind, draft.verified, draft.added_days = (
            "invited-never-came",
            False,
            3 + 400 * rnd.random() ** 2,
        )
        draft.mfa = False
        return
    idle = _idle_days(rnd)
    if share < 0.09:
        draft.kind, draft.membership, idle = "suspended", "suspended", 60 + 300 * rnd.random()
    elif share < 0.13:
        draft.kind, draft.account_status, idle = "deactivated", "inactive", 90 + 500 * rnd.random()
        draft.left_days = idle - 5 * rnd.random()
    elif share < 0.132:
        draft.kind, draft.account_status, idle = "for-deletion", "closed", 200 + 200 * rnd.random()
        draft.left_days = 5.0
    if idle is None:
        return
    draft.added_days = max(draft.added_days, idle + 1)
    for product in organization.products:
        if rnd.random() < 0.85:
            later = idle + (0 if rnd.random() < 0.5 else rnd.random() ** 2 * 90)
            draft.active_days[organization.resource(product)] = min(later, draft.added_days)


def _idle_days(rnd: random.Random) -> float | None:
    """Days since somebody was last seen; None = never. Most came this week, a long tail did not."""
    share = rnd.random()
    for limit, low, high in (
        (0.40, 0.02, 2),
        (0.60, 1, 7),
        (0.72, 7, 30),
        (0.80, 30, 60),
        (0.86, 60, 90),
        (0.93, 90, 200),
        (0.97, 200, 800),
    ):
        if share < limit:
            return low + (high - low) * float(rnd.random() ** 1.4)
    return None
