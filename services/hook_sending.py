"""The hook channel: one call of one hook, and what its answer means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from connect.errors import Invalid
from connect.hook_addresses import check_hook_address
from connect.public_hosts import NOT_FOUND
from connect.standard_signing import signature_headers
from connect.webhook_out import WHOLE_SECONDS, Answer, NoAnswer, call_hook
from models.audit import APP, Event
from models.hook import Hook, find_hook
from models.organization import zone_of
from rules.topics import HookKind, Topic
from services import hook_secrets
from services.app_links import link_to
from services.audit import record
from services.hook_payloads import Message, body_of
from services.names import names_of
from services.notice_words import words_of
from services.parcel import Later, NotSent, Outcome, Parcel, Sent
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

JIRA_TOKEN_HEADER = "X-Automation-Webhook-Token"
LONGEST_PAUSE = timedelta(days=1)
_NOW_AND_THEN = frozenset({408, 425, 429})
_GONE = "The other side says that this address is gone for good."


@dataclass(frozen=True, slots=True)
class _Call:
    """A hook, copied out of the database, with the notice for it."""

    kind: HookKind
    address: str
    address_sealed: bytes
    signing_secrets: tuple[str, ...]
    message: Message


def send(tools: Toolbox, parcel: Parcel, *, seconds: float = WHOLE_SECONDS) -> Outcome:
    """One call. The address is looked up now: it may mean another machine than when it was saved (S29)."""
    now = tools.clock()
    with tools.begin() as session:
        call = _call(tools, session, parcel, now)
    if isinstance(call, NotSent):
        return call
    try:
        address = check_hook_address(call.kind, call.address, tools.settings.private_targets)
    except Invalid as refused:
        return (Later if refused.reason == NOT_FOUND else NotSent)(refused.sentence)
    body = body_of(call.kind, call.message)
    headers = _headers(call, now, body)
    outcome = _meaning(call_hook(address, body, headers, now=now, seconds=seconds), now)
    if outcome.status == 410:
        _switch_off(tools, parcel, call)
    return outcome


def _call(tools: Toolbox, session: Session, parcel: Parcel, now: datetime) -> _Call | NotSent:
    hook = find_hook(session, parcel.organization_id, parcel.target)
    if hook is None:
        return NotSent("The hook was removed.")
    if not hook.is_on and parcel.topic is not Topic.TEST:
        return NotSent("The hook is switched off.")
    try:
        address, signing_secrets = (
            hook_secrets.open_address(tools, hook),
            hook_secrets.open_secrets(tools, hook, now),
        )
    except CredentialUnreadable:
        return NotSent("The hook's address can no longer be read. Type it again.")
    message = _message(session, parcel)
    return _Call(HookKind(hook.kind), address, hook.address_sealed, signing_secrets, message)


def _message(session: Session, parcel: Parcel) -> Message:
    name = names_of(session, parcel.organization_id, [parcel.account_id]).get(parcel.account_id, "")
    words = words_of(
        parcel.topic,
        parcel.facts,
        there=zone_of(session, parcel.organization_id),
        name=name,
        account_id=parcel.account_id,
        run_id=parcel.run_id,
    )
    return Message(
        id=parcel.id,
        topic=parcel.topic,
        created_at=parcel.created_at,
        words=words,
        link=link_to(session, parcel.organization_id, words.path),
        facts=parcel.facts,
        person=(parcel.account_id, name or "Somebody") if parcel.account_id else None,
        run_id=parcel.run_id,
        case_id=parcel.case_id,
    )


def _headers(call: _Call, now: datetime, body: bytes) -> dict[str, str]:
    if call.kind is HookKind.SIGNED:
        return signature_headers(call.signing_secrets, call.message.id, now, body)
    if call.kind is HookKind.JIRA_AUTOMATION and call.signing_secrets:
        return {JIRA_TOKEN_HEADER: call.signing_secrets[0]}
    return {}


def _meaning(answer: Answer | NoAnswer, now: datetime) -> Outcome:
    if isinstance(answer, NoAnswer):
        return Later(answer.trouble.value)
    status = answer.status
    if 200 <= status < 300:
        return Sent(status)
    if status in _NOW_AND_THEN or status >= 500:
        until = None if answer.until is None else min(answer.until, now + LONGEST_PAUSE)
        said = "asks to be called less often" if status == 429 else f"failed with status {status}"
        return Later(f"The other side {said}.", status, until)
    if 300 <= status < 400:
        return NotSent(
            "The address answers with a redirect, which Rollcall does not follow. Give the address it leads to.",
            status,
        )
    if status == 410:
        return NotSent(f"{_GONE} The hook was switched off.", status)
    return NotSent(f"The other side refused it with status {status}.", status)


def _switch_off(tools: Toolbox, parcel: Parcel, call: _Call) -> None:
    """Nobody is called who said to be gone, unless the address was replaced meanwhile."""
    now = tools.clock()
    with tools.begin() as session:
        switched = session.execute(
            update(Hook)
            .where(
                Hook.organization_id == parcel.organization_id,
                Hook.id == parcel.target,
                Hook.address_sealed == call.address_sealed,
                Hook.is_on.is_(True),
            )
            .values(is_on=False, off_because=_GONE)
        )
        if switched.rowcount:  # type: ignore[attr-defined]
            record(
                session,
                Event.HOOK_CHANGED,
                at=now,
                actor=APP,
                organization_id=parcel.organization_id,
                result=f"Switched off. {_GONE}",
                details={"hook": parcel.target},
            )
