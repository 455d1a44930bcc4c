"""Identity providers: connecting one, its token, what its words mean, and taking it away."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound, NotReady
from models.audit import Event
from models.profile import find_profile
from models.scim import (
    ScimConnection,
    ScimFormerGroup,
    ScimGroup,
    ScimUser,
    connections_of,
    find_connection,
    find_group,
)
from rules.deeds import Deed
from rules.numbers import whole_number
from rules.scim import ENDINGS, Provider, ScimMode
from services.audit import record
from services.doors import require_organization
from services.scim_book import DISCONNECTED
from services.scim_connections import Provisioner, new_token
from services.scim_members import look_again, members_in
from services.scim_modes import MODES, stop_runs, to_mode
from services.toolbox import Toolbox

MOST_CONNECTIONS = 10
LONGEST_NAME = 100
SEEN_FOR = timedelta(hours=1)
"""How long a preview counts as seen before a connection goes live."""
NAMES: dict[Provider, str] = {
    Provider.ENTRA: "Microsoft Entra ID",
    Provider.OKTA: "Okta",
    Provider.GOOGLE: "Google Workspace",
    Provider.ONELOGIN: "OneLogin",
    Provider.JUMPCLOUD: "JumpCloud",
    Provider.KEYCLOAK: "Keycloak",
    Provider.OTHER: "Another one",
}
"""What a provider is called."""


def look_at(tools: Toolbox, caller: Caller, connection_id: str) -> ScimConnection:
    """One of them. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        session.expunge(found)
        return found


def connect(tools: Toolbox, caller: Caller, *, name: str, provider: str) -> tuple[ScimConnection, str]:
    """A new connection in audit mode, and its token: shown now and never again.

    Raises Invalid with the field that is wrong, Conflict when there are enough.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    if provider not in set(Provider):
        raise Invalid("provider", "Rollcall does not know this provider.", "Choose one of the list.")
    token, token_hash = new_token()
    made = ScimConnection(organization_id=organization_id, id=str(uuid.uuid4()), provider=provider)
    made.name, made.token_hash, made.token_created_at = _checked_name(name), token_hash, now
    made.created_by, made.created_at, made.mode = caller.account_id or "", now, ScimMode.AUDIT.value
    made.when_inactive, made.when_deleted = Deed.SUSPEND.value, Deed.SUSPEND.value
    made.brake_number = 10
    with tools.begin() as session:
        if len(connections_of(session, organization_id)) >= MOST_CONNECTIONS:
            raise Conflict(
                f"Your organization has {MOST_CONNECTIONS} connections already, and no more fit.",
                "Remove one that no provider uses.",
            )
        session.add(made)
        _record(session, Event.SCIM_CONNECTED, made, caller, now, NAMES[Provider(provider)])
        session.flush()
        session.expunge(made)
    return made, token


def replace_token(tools: Toolbox, caller: Caller, connection_id: str) -> tuple[ScimConnection, str]:
    """Another token: shown now and never again. The one before it opens nothing from this moment on (S54)."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    token, token_hash = new_token()
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        found.token_hash, found.token_created_at = token_hash, now
        _record(session, Event.SCIM_TOKEN_REPLACED, found, caller, now)
        session.flush()
        session.expunge(found)
    return found, token


def change_settings(
    tools: Toolbox,
    caller: Caller,
    connection_id: str,
    *,
    name: str,
    when_inactive: str,
    when_deleted: str,
    brake_number: str,
    brake_share: str,
    begins_leavers: str = "",
) -> ScimConnection:
    """Replaces what is typed. Raises NotFound, and Invalid with the field that is wrong."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    new: dict[str, object] = {
        "name": _checked_name(name),
        "when_inactive": _checked_deed("when_inactive", when_inactive),
        "when_deleted": _checked_deed("when_deleted", when_deleted),
        "brake_number": _checked_number("brake_number", brake_number, 100_000),
        "brake_share": _checked_number("brake_share", brake_share, 100),
        "begins_leavers": begins_leavers == "yes",
    }
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        said = [column.replace("_", " ") for column, value in new.items() if getattr(found, column) != value]
        for column, value in new.items():
            setattr(found, column, value)
        if said:
            found.look_at = now
            _record(session, Event.SCIM_CHANGED, found, caller, now, f"Changed: {', '.join(said)}")
        session.flush()
        session.expunge(found)
        return found


def note_preview(tools: Toolbox, caller: Caller, connection_id: str) -> None:
    """An operator has looked at what would change: the connection may go live from now on, for an hour."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_connection(session, organization_id, connection_id).previewed_at = tools.clock()


def switch_mode(tools: Toolbox, caller: Caller, connection_id: str, *, live: bool) -> ScimConnection:
    """Live, or audit again: then whoever waits is left alone.

    Raises NotReady when nobody has looked at what would change.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    mode = ScimMode.LIVE if live else ScimMode.AUDIT
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        if live and (found.previewed_at is None or found.previewed_at < now - SEEN_FOR):
            raise NotReady(
                "Nobody has looked at what would change.", "Look at the preview, then make it live."
            )
        if found.mode != mode.value:
            to_mode(session, found, mode, caller.account_id or "", now)
            _record(session, Event.SCIM_CHANGED, found, caller, now, MODES[mode])
        session.flush()
        session.expunge(found)
        return found


def map_group(
    tools: Toolbox, caller: Caller, connection_id: str, group_id: str, profile_id: str
) -> ScimGroup:
    """What the members of a provider's group get; "" for nothing.

    Raises NotFound, and Invalid for no profile, or for one with an end: that would be two who say when it is over.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        group = find_group(session, organization_id, connection_id, group_id)
        if group is None:
            raise NotFound("This group does not exist, or not any more.", "Reload the page.")
        profile = find_profile(session, organization_id, profile_id) if profile_id else None
        if profile_id and profile is None:
            raise Invalid("profile", "This profile does not exist, or not any more.", "Choose another one.")
        if profile is not None and profile.term:
            raise Invalid(
                "profile",
                f"“{profile.name}” ends by itself ({profile.term.words}), but what a provider gives holds as long as"
                " the provider says so.",
                "Choose a profile without an end.",
            )
        if group.profile_id != (profile_id or None):
            group.profile_id = profile_id or None
            found.look_at = now
            who = Provisioner(organization_id, connection_id)
            look_again(session, organization_id, members_in(session, who, group_id), now)
            result = f"Profile “{profile.name}”" if profile else "No profile"
            _record(session, Event.SCIM_MAPPED, found, caller, now, result, group=group.id)
        session.flush()
        session.expunge(group)
        return group


def disconnect(tools: Toolbox, caller: Caller, connection_id: str) -> ScimConnection:
    """Takes a connection away with all that it told us. Its token opens nothing from now on; nobody loses access.

    Whoever waits for their turn is left alone.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        stop_runs(session, found, caller.account_id or "", now, DISCONNECTED)
        found.deleted_at, found.token_hash, found.look_at = now, None, None
        for table in (ScimFormerGroup, ScimGroup, ScimUser):
            session.execute(
                delete(table).where(
                    table.organization_id == organization_id, table.connection_id == connection_id
                )
            )
        _record(session, Event.SCIM_DISCONNECTED, found, caller, now)
        session.flush()
        session.expunge(found)
        return found


def require_connection(session: Session, organization_id: str, connection_id: str) -> ScimConnection:
    """A connection of this organization. Raises NotFound."""
    found = find_connection(session, organization_id, connection_id)
    if found is None:
        raise NotFound("This connection does not exist, or not any more.", "Reload the list.")
    return found


def _checked_name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise Invalid(
            "name", "A connection needs a name.", "Say whose people it brings, such as Entra, Berlin."
        )
    if len(name) > LONGEST_NAME:
        raise Invalid("name", f"At most {LONGEST_NAME} characters fit here.", "Shorten the name.")
    return name


def _checked_deed(field: str, text: str) -> str:
    if text not in ENDINGS:
        raise Invalid(field, "Rollcall does not do this for a provider.", "Choose one of the list.")
    return Deed(text).value


def _checked_number(field: str, text: str, most: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    number = whole_number(text, most)
    if number is None:
        raise Invalid(
            field,
            f"This is no number from 0 to {most:,}.",
            "Leave it empty for no limit; 0 lets nobody through.",
        )
    return number


def _record(
    session: Session,
    event: Event,
    found: ScimConnection,
    caller: Caller,
    now: datetime,
    result: str = "",
    **details: str,
) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=found.organization_id,
        client_key=caller.tenant,
        result=result,
        details={"connection": found.id, "name": found.name} | details,
    )
