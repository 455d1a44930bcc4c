"""Files that somebody uploads: their bytes, or at the form why not."""

from __future__ import annotations

from typing import IO

from flask import request

from connect.errors import Invalid
from views.access import is_too_large

_MEGABYTE = 1024 * 1024


def uploaded(field: str = "file") -> IO[bytes] | None:
    """The file that was sent in this field; None when none was chosen.

    Raises Invalid at the field when more was sent than the view takes: then nothing of the form can be read.
    """
    if is_too_large():
        most = (request.max_content_length or 0) // _MEGABYTE
        raise Invalid(
            field, f"This file is larger than {most} MB.", "Split it, and do one part after the other."
        )
    sent = request.files.get(field)
    return sent.stream if sent is not None and sent.filename else None
