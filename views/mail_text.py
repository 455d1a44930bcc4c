"""One text of a mail: edit it, look at it as somebody would read it, send it to oneself, go back to ours."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import AppError, Invalid
from services import mail_editing, mail_testing
from services.languages import languages
from services.mail_editing import Which, which_text
from services.mail_texts import MEANINGS, NAMES, VARIABLES
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("mail_text", __name__, url_prefix="/app/mail/texts/<topic>/<language>")


@blueprint.get("")
@api
@operator_only
def edit(topic: str, language: str) -> str:
    """`?rule=` opens the text for one rule."""
    return _content(which_text(topic, language, request.args.get("rule", "")))


@blueprint.post("")
@api
@operator_only
def save(topic: str, language: str) -> str | Response:
    which = _which(topic, language)
    typed = _typed()
    text, _rules = mail_editing.open_text(tools(), caller(), which)
    require_unchanged(text.subject, text.body)
    try:
        mail_editing.save_text(tools(), caller(), which, subject=typed["subject"], body=typed["body"])
    except Invalid as problem:
        return shown_again(_content(which, typed, problem=problem), problem)
    return _content(which, saved="Saved. The next mail is written with this text.")


@blueprint.post("/default")
@api
@operator_only
def default(topic: str, language: str) -> str:
    which = _which(topic, language)
    mail_editing.back_to_default(tools(), caller(), which)
    return _content(which, saved="The text of your own is gone; what you see now applies.")


@blueprint.post("/preview")
@api
@operator_only
def preview(topic: str, language: str) -> str:
    """A text that cannot be used is a sentence in the preview's place: somebody is still typing."""
    return show.part("mail/preview.html", **_preview(_which(topic, language), _typed()))


@blueprint.post("/send-me")
@api
@operator_only
def send_me(topic: str, language: str) -> str:
    which = _which(topic, language)
    typed = _typed()
    try:
        content, _reader = mail_editing.preview_text(tools(), caller(), which, **typed)
        tried = mail_testing.send_to_myself(tools(), caller(), content)
    except AppError as problem:
        tried = mail_testing.Tried(False, problem.sentence, problem.next_step)
    return show.part("mail/tried.html", tried=tried)


def _which(topic: str, language: str) -> Which:
    return which_text(topic, language, request.form.get("rule", ""))


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("subject", "body", "person")}


def _preview(which: Which, typed: dict[str, str]) -> dict[str, Any]:
    try:
        content, reader = mail_editing.preview_text(tools(), caller(), which, **typed)
    except Invalid as problem:
        return {"mistake": problem}
    return {"mail": content, "reader": reader}


def _content(which: Which, typed: dict[str, str] | None = None, **extra: Any) -> str:
    text, rules = mail_editing.open_text(tools(), caller(), which)
    typed = typed or {"subject": text.subject, "body": text.body, "person": ""}
    place = f"mail/texts/{which.topic}/{which.language}"
    return show.place(
        "mail/text.html",
        tab="notices",
        title=NAMES[which.topic],
        which=which,
        text=text,
        rules=rules,
        typed=typed,
        was=mark_of(text.subject, text.body),
        variables=[(name, MEANINGS[name]) for name in VARIABLES[which.topic]],
        languages=languages(),
        here=place,
        address=show.address(place, {"rule": which.rule_id} if which.rule_id else {}),
        **_preview(which, typed),
        **extra,
    )
