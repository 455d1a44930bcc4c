"""The mail channel."""

from __future__ import annotations

from services.parcel import NotSent, Outcome, Parcel
from services.toolbox import Toolbox


def send(tools: Toolbox, parcel: Parcel) -> Outcome:
    """One mail to one person."""
    return NotSent("Your organization has no mail server yet.")
