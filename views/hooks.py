"""Hooks: addresses that are called when something happens."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from models.hook import Hook
from rules.topics import TO_HOOKS, HookKind, Topic
from services import hook_testing, hooks
from services.names import names_of
from services.notice_words import NAMES
from services.parcel import Later, Outcome, Sent
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("hooks", __name__, url_prefix="/app/hooks")
FIELDS = ("kind", "name", "address", "token")
GROUPS = (
    ("Runs", "run:"),
    (
        "What needs an operator",
        ("review:", "loop:", "key:", "sync:", "mail:", "leaver:", "access:", "absence:"),
    ),
    ("People", "person:"),
)
"""The topics as the form shows them."""
TICKED = (
    Topic.RUN_FINISHED,
    Topic.RUN_BRAKED,
    Topic.RUN_REFUSED,
    Topic.REVIEW_WAITING,
    Topic.LOOP_FOUND,
    Topic.KEY_EXPIRES,
    Topic.KEY_DEAD,
    Topic.SYNC_FAILED,
    Topic.MAIL_BROKEN,
    Topic.ACCESS_STAYS,
    Topic.NOT_RESTORED,
)
"""What a new hook is told unless somebody says otherwise."""


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _list()


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    return _form({"kind": HookKind.SLACK.value}, [topic.value for topic in TICKED])


@blueprint.post("")
@api
@operator_only
def add() -> str | Response:
    typed, topics = _typed()
    try:
        hook, secret = hooks.add_hook(tools(), caller(), topics=topics, **typed)
    except Invalid as problem:
        return shown_again(_form(typed, topics, problem=problem), problem)
    how = "Copy its secret, then send" if secret else "Send"
    return _list(
        saved=f"“{hook.name}” is added. {how} a test to see that it works.", secret=secret, fresh=hook
    )


@blueprint.get("/<hook_id>")
@api
@operator_only
def edit(hook_id: str) -> str:
    hook = hooks.look_at_hook(tools(), caller(), hook_id)
    return _form({"kind": hook.kind, "name": hook.name}, hook.topics, hook=hook)


@blueprint.post("/<hook_id>")
@api
@operator_only
def change(hook_id: str) -> str | Response:
    typed, topics = _typed()
    hook = hooks.look_at_hook(tools(), caller(), hook_id)
    require_unchanged(hook.name, hook.topics, hook.host)
    del typed["kind"]
    try:
        changed = hooks.change_hook(tools(), caller(), hook_id, topics=topics, **typed)
    except Invalid as problem:
        return shown_again(_form(typed | {"kind": hook.kind}, topics, hook=hook, problem=problem), problem)
    return _list(saved=f"“{changed.name}” is saved.")


@blueprint.post("/<hook_id>/test")
@api
@operator_only
def send_test(hook_id: str) -> str:
    hook = hooks.look_at_hook(tools(), caller(), hook_id)
    return _list(tested=hook, outcome=hook_testing.try_hook(tools(), caller(), hook_id))


@blueprint.post("/<hook_id>/switch")
@api
@operator_only
def switch(hook_id: str) -> str:
    on = request.form.get("on") == "yes"
    hook = hooks.switch_hook(tools(), caller(), hook_id, on=on)
    return _list(saved=f"“{hook.name}” is {'on' if on else 'off: it is not called'}.")


@blueprint.post("/<hook_id>/secret")
@api
@operator_only
def new_secret(hook_id: str) -> str:
    hook, secret = hooks.new_secret(tools(), caller(), hook_id)
    saved = f"“{hook.name}” has a new secret. The one before it is valid for another day."
    return _list(saved=saved, secret=secret, fresh=hook)


@blueprint.post("/<hook_id>/remove")
@api
@operator_only
def remove(hook_id: str) -> str:
    hook = hooks.remove_hook(tools(), caller(), hook_id)
    return _list(saved=f"“{hook.name}” is removed.")


def _typed() -> tuple[dict[str, str], list[str]]:
    return {name: request.form.get(name, "")[:3000] for name in FIELDS}, request.form.getlist("topics")


def _list(
    *,
    saved: str = "",
    secret: str = "",
    fresh: Hook | None = None,
    tested: Hook | None = None,
    outcome: Outcome | None = None,
) -> str:
    found = hooks.list_hooks(tools(), caller())
    with tools().begin() as session:
        names = names_of(
            session, found[0].organization_id if found else None, (hook.created_by for hook in found)
        )
    return show.place(
        "hooks/index.html",
        tab="notices",
        title="Hooks",
        hooks=found,
        names=names,
        most=hooks.MOST_HOOKS,
        kinds=hooks.KINDS,
        topic_names=NAMES,
        saved=saved,
        secret=secret,
        fresh=fresh,
        tested=tested,
        works=isinstance(outcome, Sent),
        later=isinstance(outcome, Later),
        outcome=outcome,
    )


def _form(
    typed: dict[str, str], topics: list[str], *, hook: Hook | None = None, problem: Invalid | None = None
) -> str:
    return show.place(
        "hooks/form.html",
        tab="notices",
        title=f"Hook “{hook.name}”" if hook else "New hook",
        hook=hook,
        typed=typed,
        chosen=topics,
        groups=_groups(),
        kinds=hooks.KINDS,
        problem=problem,
        was=mark_of(hook.name, hook.topics, hook.host) if hook else "",
        base_url=tools().settings.base_url,
        address=f"hooks/{hook.id}" if hook else "hooks/new",
    )


def _groups() -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (title, [(topic.value, NAMES[topic]) for topic in TO_HOOKS if topic.startswith(starts)])
        for title, starts in GROUPS
    ]
