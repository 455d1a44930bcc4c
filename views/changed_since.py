"""What is pressed or saved is about what the page showed: whoever has another page open undoes nothing, and starts
nothing else, once that was changed by somebody else, or in another window."""

from __future__ import annotations

from hashlib import sha256

from flask import request

from connect.errors import Conflict


def mark_of(*shown: object) -> str:
    """Stands for what a page shows of what is stored; its form sends it back as `was`. 64 hexadecimal digits."""
    return sha256(repr(shown).encode()).hexdigest()


def require_unchanged(*stored: object) -> None:
    """Raises Conflict when what is stored is not what the page showed from which this request comes."""
    if request.form.get("was", "") != mark_of(*stored):
        raise Conflict(
            "Nothing was done: this has been changed since you opened it.",
            "Open it again, read what it says now, and decide then.",
        )
