"""Hooks: adding one, changing it, switching it, taking it away. Addresses go in and never come out again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound, NotReady
from connect.hook_addresses import check_hook_address
from connect.standard_signing import new_signing_secret
from models.audit import Event
from models.hook import Hook, find_hook, hooks_of
from rules.topics import TO_HOOKS, HookKind, Topic
from services import hook_secrets
from services.audit import record
from services.doors import require_organization
from services.toolbox import Toolbox

MOST_HOOKS = 10
LONGEST_NAME = 100
LONGEST_TOKEN = 500
KINDS: dict[HookKind, str] = {
    HookKind.SLACK: "Slack",
    HookKind.TEAMS: "Microsoft Teams",
    HookKind.JIRA_AUTOMATION: "Jira Automation",
    HookKind.SIGNED: "Signed webhook",
}
"""What a kind is called."""
# Its older addresses carry their secret in the path.
_WITHOUT_TOKEN = "automation.atlassian.com"


def list_hooks(tools: Toolbox, caller: Caller) -> list[Hook]:
    """The organization's hooks, by name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = hooks_of(session, organization_id)
        session.expunge_all()
        return found


def look_at_hook(tools: Toolbox, caller: Caller, hook_id: str) -> Hook:
    """One hook. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        hook = _require_hook(session, organization_id, hook_id)
        session.expunge(hook)
        return hook


def add_hook(
    tools: Toolbox, caller: Caller, *, kind: str, name: str, address: str, token: str, topics: Sequence[str]
) -> tuple[Hook, str]:
    """A new hook, and the secret that signs its calls: shown now and never again; "" for other kinds.

    `token` is the secret that Jira Automation shows beside its address. Raises Invalid with the field that is wrong,
    Conflict when there are enough hooks.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    if kind not in set(HookKind):
        raise Invalid("kind", "Rollcall has no hooks of this kind.", "Choose one of the list.")
    hook = Hook(organization_id=organization_id, id=str(uuid.uuid4()), kind=kind)
    hook.name, hook.topics = _checked_name(name), _checked_topics(topics)
    hook.created_by, hook.created_at, hook.is_on, hook.off_because = caller.account_id or "", now, True, ""
    _take_address(tools, hook, address.strip())
    secret = _take_secret(tools, hook, token.strip())
    with tools.begin() as session:
        if len(hooks_of(session, organization_id)) >= MOST_HOOKS:
            raise Conflict(
                f"Your organization has {MOST_HOOKS} hooks already, and no more fit.",
                "Remove one that nobody reads.",
            )
        session.add(hook)
        _record(session, Event.HOOK_ADDED, hook, caller, now, f"{KINDS[HookKind(kind)]}, {hook.host}")
        session.flush()
        session.expunge(hook)
    return hook, secret


def change_hook(
    tools: Toolbox,
    caller: Caller,
    hook_id: str,
    *,
    name: str,
    address: str,
    token: str,
    topics: Sequence[str],
) -> Hook:
    """Replaces what is typed; an empty address or token leaves the stored one. Raises NotFound and Invalid."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    hook = look_at_hook(tools, caller, hook_id)
    new_name, new_topics = _checked_name(name), _checked_topics(topics)
    new_address = bool(address.strip())
    new_token = hook.kind == HookKind.JIRA_AUTOMATION and bool(token.strip() or hook.secret_sealed is None)
    if new_address:
        _take_address(tools, hook, address.strip())
    if new_token:
        _take_secret(tools, hook, token.strip())
    with tools.begin() as session:
        kept = _require_hook(session, organization_id, hook_id)
        said = {
            "name": kept.name != new_name,
            "events": kept.topics != new_topics,
            "address": new_address,
            "secret": new_token and hook.secret_sealed is not None,
        }
        kept.name, kept.topics = new_name, new_topics
        if new_address:
            kept.address_sealed, kept.host = hook.address_sealed, hook.host
            # Where the old address was gone for good, the new one is what was missing.
            kept.is_on, kept.off_because = kept.is_on or bool(kept.off_because), ""
        if new_token:
            kept.secret_sealed = hook.secret_sealed
        if any(said.values()):
            words = ", ".join(what for what, is_new in said.items() if is_new)
            _record(session, Event.HOOK_CHANGED, kept, caller, now, f"Changed: {words}")
        session.flush()
        session.expunge(kept)
        return kept


def switch_hook(tools: Toolbox, caller: Caller, hook_id: str, *, on: bool) -> Hook:
    """Nobody is called while a hook is off. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        hook = _require_hook(session, organization_id, hook_id)
        if hook.is_on != on:
            hook.is_on, hook.off_because = on, ""
            _record(session, Event.HOOK_CHANGED, hook, caller, now, "Switched on" if on else "Switched off")
        session.flush()
        session.expunge(hook)
        return hook


def new_secret(tools: Toolbox, caller: Caller, hook_id: str) -> tuple[Hook, str]:
    """Another secret for a signed hook: shown now and never again. The one before it signs as well for a day.

    Raises NotFound, NotReady for other kinds.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    secret = new_signing_secret()
    with tools.begin() as session:
        hook = _require_hook(session, organization_id, hook_id)
        if hook.kind != HookKind.SIGNED:
            raise NotReady("Only signed webhooks have a secret of ours.", "Change the address instead.")
        hook_secrets.replace_secret(tools, hook, secret, now)
        _record(session, Event.HOOK_CHANGED, hook, caller, now, "Changed: secret")
        session.flush()
        session.expunge(hook)
    return hook, secret


def remove_hook(tools: Toolbox, caller: Caller, hook_id: str) -> Hook:
    """Takes a hook away; what was on its way to it ends as not sent. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        hook = _require_hook(session, organization_id, hook_id)
        _record(session, Event.HOOK_REMOVED, hook, caller, now, f"{KINDS[HookKind(hook.kind)]}, {hook.host}")
        session.delete(hook)
        session.flush()
        return hook


def _take_address(tools: Toolbox, hook: Hook, address: str) -> None:
    if not address:
        raise Invalid("address", "A hook needs an address.", "Copy it from the other side and paste it here.")
    found = check_hook_address(HookKind(hook.kind), address, tools.settings.private_targets)
    hook.host = found.host
    hook_secrets.seal_address(tools, hook, address)


def _take_secret(tools: Toolbox, hook: Hook, token: str) -> str:
    if hook.kind == HookKind.SIGNED:
        secret = new_signing_secret()
        hook_secrets.seal_secret(tools, hook, secret)
        return secret
    if hook.kind == HookKind.JIRA_AUTOMATION:
        if not token and hook.host != _WITHOUT_TOKEN:
            raise Invalid(
                "token", "Jira Automation asks for a secret.", "Copy it from the rule's trigger, too."
            )
        if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise Invalid(
                "token",
                "This does not look like a secret of Jira Automation.",
                "Copy it from the rule's trigger.",
            )
        if token:
            hook_secrets.seal_secret(tools, hook, token)
    return ""


def _checked_name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise Invalid("name", "A hook needs a name.", "Say where it leads, such as #it-operations.")
    if len(name) > LONGEST_NAME:
        raise Invalid("name", f"At most {LONGEST_NAME} characters fit here.", "Shorten the name.")
    return name


def _checked_topics(topics: Sequence[str]) -> list[str]:
    chosen = set(topics)
    if chosen - set(TO_HOOKS):
        raise Invalid("topics", "Rollcall does not tell hooks of this.", "Choose from the list.")
    if not chosen:
        raise Invalid("topics", "A hook that is told nothing is of no use.", "Tick at least one event.")
    return [topic.value for topic in Topic if topic in chosen]


def _require_hook(session: Session, organization_id: str, hook_id: str) -> Hook:
    hook = find_hook(session, organization_id, hook_id)
    if hook is None:
        raise NotFound("This hook does not exist, or not any more.", "Reload the list.")
    return hook


def _record(session: Session, event: Event, hook: Hook, caller: Caller, now: datetime, result: str) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=hook.organization_id,
        client_key=caller.tenant,
        result=result,
        details={"hook": hook.id, "name": hook.name},
    )
