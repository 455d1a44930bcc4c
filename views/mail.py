"""Mail: the organization's mail server, language and summaries, and addresses that nothing is sent to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from connect.errors import AppError, Invalid
from models.organization import Operator, Organization
from rules.topics import DigestEvery
from services import digests, mail_editing, mail_senders, mail_suppressions, mail_testing
from services.doors import require_organization
from services.languages import languages
from services.mail_texts import NAMES
from services.names import names_of
from views import show
from views.access import api, caller, operator_only, tools
from views.errors import shown_again

blueprint = Blueprint("mail", __name__, url_prefix="/app/mail")
FIELDS = ("host", "port", "security", "username", "from_address", "from_name")
EMPTY = dict.fromkeys(FIELDS, "") | {"security": "tls", "port": "465"}
"""The form of an organization without a mail server of its own."""
UNSAVED = ("What you typed is not stored yet, and a test uses what is stored.", "Save first, then test.")
DIGEST_WORDS = [
    (DigestEvery.OFF, "Never"),
    (DigestEvery.DAY, "Every morning at seven"),
    (DigestEvery.WEEK, "Monday mornings at seven"),
]


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _content()


@blueprint.post("/sender")
@api
@operator_only
def save_sender() -> str | Response:
    typed = {name: request.form.get(name, "") for name in FIELDS}
    try:
        mail_senders.save_sender(tools(), caller(), **typed, password=request.form.get("password", ""))
    except Invalid as problem:
        return shown_again(_content(typed, problem=problem), problem)
    return _content(saved="The mail server is stored. Send a test mail: only then you know that it works.")


@blueprint.post("/sender/forget")
@api
@operator_only
def forget_sender() -> str:
    mail_senders.forget_sender(tools(), caller())
    return _content(saved="The mail server is forgotten.")


@blueprint.post("/test")
@api
@operator_only
def test() -> str:
    """The answer of the mail server is an outcome, not an error of ours; the page keeps what is typed on it."""
    if not _is_stored():
        return _tried(mail_testing.Tried(False, *UNSAVED))
    try:
        return _tried(mail_testing.send_test(tools(), caller()))
    except AppError as problem:
        return _tried(mail_testing.Tried(False, problem.sentence, problem.next_step))


@blueprint.post("/settings")
@api
@operator_only
def save_settings() -> str | Response:
    try:
        digests.change_settings(
            tools(),
            caller(),
            language=request.form.get("language", ""),
            digest=request.form.get("digest", ""),
        )
    except Invalid as problem:
        return shown_again(_content(problem=problem), problem)
    return _content(saved="Saved.")


@blueprint.post("/digest-again")
@api
@operator_only
def digest_again() -> str:
    digests.want_digest(tools(), caller())
    return _content(saved="You get summaries again.")


@blueprint.post("/suppressed/<account_id>/let-go")
@api
@operator_only
def let_go(account_id: str) -> str:
    mail_suppressions.let_go(tools(), caller(), account_id)
    return _content(saved="Mails go to this person again.")


def _tried(tried: mail_testing.Tried) -> str:
    return show.part("mail/tested.html", tried=tried)


def _is_stored() -> bool:
    """Whether the form on the screen says what is stored; a request without it says nothing else."""
    stored = _known(mail_senders.own_sender(tools(), caller()))
    typed = {name: request.form.get(name, stored[name]).strip() for name in FIELDS}
    return typed == stored and not request.form.get("password")


def _known(sender: mail_senders.SenderView | None) -> dict[str, str]:
    return {name: str(getattr(sender, name)) for name in FIELDS} if sender else EMPTY


def _content(typed: dict[str, str] | None = None, **extra: Any) -> str:
    organization_id = require_organization(tools(), caller())
    sender = mail_senders.own_sender(tools(), caller())
    with tools().begin() as session:
        organization = session.get_one(Organization, organization_id)
        settings = {"language": organization.language, "digest": organization.digest}
        time_zone = organization.time_zone
        me = session.get(Operator, (organization_id, caller().account_id or ""))
        stopped = me is not None and me.digest_stopped_at is not None
        named = me is not None
        names = names_of(session, organization_id, [sender.changed_by if sender else ""])
    return show.place(
        "mail/index.html",
        tab="notices",
        title="Mail",
        sender=sender,
        names=names,
        has_default=tools().settings.mail_server is not None,
        default_from=tools().settings.mail_from,
        typed=_known(sender) | (typed or {}),
        settings=settings,
        time_zone=time_zone,
        languages=languages(),
        digest_words=DIGEST_WORDS,
        digest_stopped=stopped,
        is_named=named,
        texts=mail_editing.list_texts(tools(), caller()),
        text_names=NAMES,
        suppressed=mail_suppressions.list_suppressed(tools(), caller()),
        **extra,
    )
