"""What the pages of identity providers show: connections with their numbers, groups, people and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.profile import Profile, profiles_of
from models.run import Run
from models.scim import ScimConnection, ScimGroup, ScimUser, connections_of, count_members, groups_by_user
from rules.case import RunState
from rules.deeds import Deed
from rules.roster import Origin
from rules.scim import ScimState, Step
from services.doors import require_organization
from services.identity_providers import require_connection
from services.run_progress import RunView, views_of
from services.scim_members import look_again
from services.toolbox import Toolbox

PER_PAGE = 25
LAST_RUNS = 5
IN_PREVIEW = 200
UNSETTLED = (ScimState.WAITING, ScimState.WORKING, ScimState.BRAKED)


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection with its numbers. `states` counts people; the deleted count until what that means has been done."""

    connection: ScimConnection
    people: int
    groups: int
    states: Mapping[ScimState, int]

    @property
    def waiting(self) -> int:
        return sum(self.states.get(state, 0) for state in UNSETTLED)

    @property
    def failed(self) -> int:
        return self.states.get(ScimState.FAILED, 0)


@dataclass(frozen=True, slots=True)
class GroupRow:
    group: ScimGroup
    members: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    user: ScimUser
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a connection in audit mode would do to one person."""

    user: ScimUser
    deed: Deed


@dataclass(frozen=True, slots=True)
class Preview:
    """All that would change, by deed; of the people only the first. `takes` is how many would lose something."""

    by_deed: Mapping[Deed, int]
    changes: tuple[Change, ...]
    undecided: int

    @property
    def total(self) -> int:
        return sum(self.by_deed.values())

    @property
    def takes(self) -> int:
        return sum(count for deed, count in self.by_deed.items() if Step(deed).takes)


def overview(tools: Toolbox, caller: Caller) -> list[ConnectionView]:
    """All connections, by name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = [_view(session, each) for each in connections_of(session, organization_id)]
        session.expunge_all()
        return found


def look(tools: Toolbox, caller: Caller, connection_id: str) -> ConnectionView:
    """One connection. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = _view(session, require_connection(session, organization_id, connection_id))
        session.expunge_all()
        return found


def groups_page(
    tools: Toolbox, caller: Caller, connection_id: str, page: int
) -> tuple[list[GroupRow], int, list[Profile]]:
    """One page of the provider's groups, how many there are, and the profiles to choose from."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        here = (ScimGroup.organization_id == organization_id, ScimGroup.connection_id == found.id)
        total = session.scalar(select(func.count(ScimGroup.id)).where(*here)) or 0
        query = select(ScimGroup).where(*here).order_by(ScimGroup.display_name_key, ScimGroup.id)
        groups = session.scalars(query.offset((page - 1) * PER_PAGE).limit(PER_PAGE)).all()
        members = count_members(session, organization_id, [group.id for group in groups])
        rows = [GroupRow(group, members.get(group.id, 0)) for group in groups]
        profiles = profiles_of(session, organization_id)
        session.expunge_all()
        return rows, total, profiles


def people_page(
    tools: Toolbox, caller: Caller, connection_id: str, state: ScimState | None, page: int
) -> tuple[list[PersonRow], int]:
    """One page of the provider's people in one state, or in any, the newest word first; and how many there are."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        here = [*_people_of(found)]
        if state is not None:
            here.append(ScimUser.state == state.value)
        total = session.scalar(select(func.count(ScimUser.id)).where(*here)) or 0
        # First who, then what was told about them: that of tens of thousands is long, and would be sorted with them.
        who = select(ScimUser.id).where(*here).order_by(ScimUser.changed_at.desc(), ScimUser.id)
        ids = session.scalars(who.offset((page - 1) * PER_PAGE).limit(PER_PAGE)).all()
        theirs = select(ScimUser).where(ScimUser.organization_id == organization_id, ScimUser.id.in_(ids))
        users = sorted(session.scalars(theirs), key=lambda user: ids.index(user.id))
        groups = groups_by_user(session, organization_id, ids)
        rows = [PersonRow(user, tuple(one.display_name for one in groups.get(user.id, ()))) for user in users]
        session.expunge_all()
        return rows, total


def last_runs(tools: Toolbox, caller: Caller, connection_id: str) -> list[RunView]:
    """The newest runs of a connection; one that its brake holds comes first."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        query = (
            select(Run)
            .where(
                Run.organization_id == organization_id,
                Run.origin == Origin.SCIM.value,
                Run.origin_id == connection_id,
            )
            .order_by((Run.state == RunState.BRAKED.value).desc(), Run.created_at.desc())
            .limit(LAST_RUNS)
        )
        return views_of(session, organization_id, session.scalars(query).all(), now)


def preview(tools: Toolbox, caller: Caller, connection_id: str) -> Preview:
    """What would change if the connection were live."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        listed = (*_people_of(found), ScimUser.state == ScimState.LISTED.value)
        # Counted by the database: nobody waits until a hundred thousand people are loaded.
        deed = ScimUser.tried["deed"].as_string()
        counts = session.execute(select(deed, func.count(ScimUser.id)).where(*listed).group_by(deed)).all()
        first = select(ScimUser).where(*listed).order_by(ScimUser.display_name, ScimUser.id).limit(IN_PREVIEW)
        changes = tuple(Change(user, _deed_of(user)) for user in session.scalars(first))
        # Who was invited and has not come was looked at all the same, and is again every few minutes.
        open_now = or_(ScimUser.dirty_at <= tools.clock(), ScimUser.invited.is_(False))
        undecided = session.scalar(
            select(func.count(ScimUser.id)).where(
                *_people_of(found), ScimUser.dirty_at.is_not(None), open_now
            )
        )
        session.expunge_all()
        return Preview({Deed(deed or Deed.LIST): count for deed, count in counts}, changes, undecided or 0)


def try_again(tools: Toolbox, caller: Caller, connection_id: str) -> int:
    """Takes up everybody again for whom it came to nothing; how many they are. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        found = require_connection(session, organization_id, connection_id)
        # Before anybody is touched: the worker holds the connection first, too.
        found.look_at = now
        session.flush()
        failed = (*_people_of(found), ScimUser.state == ScimState.FAILED.value)
        lost = (*_people_of(found), ScimUser.invited.is_(True), ScimUser.state == ScimState.WAITING.value)
        user_ids = session.scalars(select(ScimUser.id).where(*failed)).all()
        # Invited, and never seen in the directory: they are invited anew.
        unseen = session.scalars(select(ScimUser.id).where(*lost, ScimUser.case_id.is_(None))).all()
        session.execute(update(ScimUser).where(*lost, ScimUser.case_id.is_(None)).values(invited=False))
        look_again(session, organization_id, {*user_ids, *unseen}, now)
        return len(user_ids) + len(unseen)


def _view(session: Session, found: ScimConnection) -> ConnectionView:
    query = select(ScimUser.state, func.count(ScimUser.id)).where(*_people_of(found)).group_by(ScimUser.state)
    states = {ScimState(state): count for state, count in session.execute(query)}
    present = select(func.count(ScimUser.id)).where(*_people_of(found), ScimUser.deleted_at.is_(None))
    groups = select(func.count(ScimGroup.id)).where(
        ScimGroup.organization_id == found.organization_id, ScimGroup.connection_id == found.id
    )
    return ConnectionView(found, session.scalar(present) or 0, session.scalar(groups) or 0, states)


def _people_of(found: ScimConnection) -> tuple[ColumnElement[bool], ...]:
    """Those whom the provider has, and those whose deletion has not been followed up."""
    return (
        ScimUser.organization_id == found.organization_id,
        ScimUser.connection_id == found.id,
        or_(ScimUser.deleted_at.is_(None), ScimUser.state != ScimState.SETTLED.value),
    )


def _deed_of(user: ScimUser) -> Deed:
    return Deed((user.tried or {}).get("deed", Deed.LIST.value))
