"""The mailboxes at the hub's /mail: every mail that the pretend post office took, for people to read and click."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup, escape

from sandbox import mailbox
from sandbox.cloud import Cloud
from sandbox.mailbox import Mail

_LINK = re.compile(r"https?://[^\s<>\"')\]]+")
# The page of a mail may do nothing but look like something, and open what is clicked in a window of its own.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("mail_pages", __name__)

    def found(number: int) -> Mail:
        mail = mailbox.find(cloud.store, number)
        if mail is None:
            abort(404, "this mail is gone")
        return mail

    @routes.get("/mail")
    def every_mail() -> str:
        """?to=address: one person's mailbox."""
        return page(None)

    @routes.get("/mail/<int:number>")
    def one_mail(number: int) -> str:
        return page(found(number))

    @routes.get("/mail/<int:number>/html")
    def html_of(number: int) -> Response:
        html = found(number).part("html").replace("<head>", '<head><base target="_blank">', 1)
        return Response(html, mimetype="text/html", headers={"Content-Security-Policy": _MAIL_POLICY})

    def page(mail: Mail | None) -> str:
        recipient = request.args.get("to", "")
        return render_template(
            "mail.html",
            mails=mailbox.mails(cloud.store, recipient),
            recipient=recipient,
            mail=mail,
            text=_with_links(mail.part("plain")) if mail else "",
            post_office=cloud.post_office,
        )

    return routes


def _with_links(text: str) -> Markup:
    parts, end = [], 0
    for link in _LINK.finditer(text):
        parts += [
            escape(text[end : link.start()]),
            Markup('<a href="{0}" target="_blank">{0}</a>').format(link[0]),
        ]
        end = link.end()
    return Markup("").join([*parts, escape(text[end:])])
