"""A file to keep, streamed: memory does not grow with the organization."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response


def download(rows: Iterator[str], name: str, mimetype: str = "text/csv") -> Response:
    return Response(
        rows,
        mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
