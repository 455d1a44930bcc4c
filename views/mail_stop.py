"""The page behind "no more summaries": without log-in, for one operator. Looking changes nothing (mail scanners do)."""

from __future__ import annotations

from flask import Blueprint, render_template

from services.digest_links import read_stop_link, stop_digest
from views.access import public, tools

blueprint = Blueprint("mail_stop", __name__, url_prefix="/mail/stop")


@blueprint.get("/<stop_token>")
@public
def ask(stop_token: str) -> str:
    read_stop_link(tools(), stop_token)
    return render_template("mail/stop.html", stopped=False)


@blueprint.post("/<stop_token>")
@public
def stop(stop_token: str) -> str:
    """By the button, or by the mail program itself (RFC 8058)."""
    stop_digest(tools(), stop_token)
    return render_template("mail/stop.html", stopped=True)
