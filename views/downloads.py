"""A file to keep, streamed: memory does not grow with the organization."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response


def download(rows: Iterator[str], name: str) -> Response:
    return Response(
        rows,
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
