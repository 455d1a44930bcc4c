"""There are no cookies: nobody looks for one on every request, and nobody begins a session by mistake."""

from __future__ import annotations

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """Flask's own way to say that there is no session; writing to it raises."""

    def open_session(self, app: Flask, request: Request) -> None:
        """No session."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Never called: there is nothing to save."""
