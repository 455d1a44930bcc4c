"""Who has a belonging now, and giving it to somebody: one way for each kind."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from connect.errors import AccessForbidden, AppError, Gone, Unexpected
from connect.gateway.confluence_spaces import ConfluenceSpaces
from connect.gateway.jira_belongings import JiraBelongings
from connect.gateway.organization import OrganizationGateway
from models.leaver import Belonging, Leaver
from models.people import Person
from rules.handover import Kind
from services.doors import opened
from services.sites import Site, site_opened
from services.toolbox import Toolbox

NOT_STEWARD = (
    "Rollcall's API token belongs to somebody who may not administer this space. In Confluence, open Settings → "
    "Spaces → “Recover permissions” for the token's owner, then try again."
)
# Said of a successor, and of the leaver to whom something is handed back.
NOT_TAKEN = {
    Kind.FILTER: (
        "Jira did not accept it: its new owner may have a filter of the same name. Rename one, then try again."
    ),
    Kind.DASHBOARD: (
        "Jira did not accept it: its new owner may have a dashboard of the same name. Rename one, then try again."
    ),
    Kind.ISSUE: "Jira does not let the new assignee have issues in this project: give them the permission there.",
    Kind.PROJECT: "Jira does not accept the new lead of this project.",
    Kind.COMPONENT: "Jira does not accept the new lead of this component.",
    Kind.SPACE: "Confluence did not accept it: somebody has to be left who may administer the space.",
    Kind.GROUP: "Atlassian did not let the successor into this group: no seat may be free.",
}


class Hands:
    """The gateways of one leaver's handover, each opened when it is first needed, and closed with this."""

    def __init__(self, tools: Toolbox, leaver: Leaver) -> None:
        self._tools = tools
        self._leaver = leaver
        self._sites: dict[str, Site] = {}
        self._organization: OrganizationGateway | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What went wrong goes through the doors: they mark a credential that Atlassian rejects.
        self._stack.__exit__(kind, error, trace)

    def holders(self, belonging: Belonging) -> frozenset[str] | None:
        """Who has it now; None when it is gone. Of a space: who may administer it; of a group: these two."""
        try:
            if belonging.kind == Kind.GROUP:
                return frozenset(
                    each
                    for each in (self._leaver.account_id, belonging.successor)
                    if self._is_in(each, belonging.reference)
                )
            site = self._site(belonging)
            if isinstance(site, ConfluenceSpaces):
                return site.stewards(belonging.reference).users
            holder = site.holder(Kind(belonging.kind), belonging.reference)
            return frozenset({holder} if holder is not None else ())
        except Gone:
            return None

    def gives_read(self, belonging: Belonging) -> bool:
        """Whether give() would let the successor read a space too: they cannot by name. Raises AtlassianError."""
        if belonging.kind != Kind.SPACE:
            return False
        site = self._site(belonging)
        assert isinstance(site, ConfluenceSpaces)
        return not site.may_read(belonging.reference, belonging.successor)

    def give(self, belonging: Belonging, account_id: str) -> None:
        """Lets somebody have it. Raises AtlassianError."""
        if belonging.kind == Kind.GROUP:
            self._join(belonging.reference, account_id)
            return
        site = self._site(belonging)
        if isinstance(site, ConfluenceSpaces):
            site.let_administer(belonging.reference, belonging.key, account_id)
        else:
            site.give(Kind(belonging.kind), belonging.reference, account_id)

    def give_back(self, belonging: Belonging) -> None:
        """Undoes give(). Raises AtlassianError."""
        if belonging.kind == Kind.GROUP:
            organization = self._org()
            # Somebody else took them out of it a moment ago, or Atlassian had not shown that.
            with suppress(Gone):
                organization.leave_group(
                    self._leaver.organization_id,
                    self._directory_of(belonging.successor),
                    belonging.reference,
                    belonging.successor,
                )
            return
        site = self._site(belonging)
        if isinstance(site, ConfluenceSpaces):
            site.let_administer_no_more(
                belonging.reference, belonging.key, belonging.successor, nor_read=belonging.gives_read
            )
        else:
            site.give(Kind(belonging.kind), belonging.reference, self._leaver.account_id)

    def jira(self, belonging: Belonging) -> JiraBelongings | None:
        """The Jira that a belonging is in."""
        site = self._site(belonging)
        return site if isinstance(site, JiraBelongings) else None

    def stewards_of(self, belonging: Belonging) -> tuple[frozenset[str], frozenset[str]]:
        """The people and the groups who may administer a space."""
        site = self._site(belonging)
        assert isinstance(site, ConfluenceSpaces)
        stewards = site.stewards(belonging.reference)
        return stewards.users, stewards.groups

    def _is_in(self, account_id: str, group_id: str) -> bool:
        if not account_id:
            return False
        organization, where = self._org(), (self._leaver.organization_id, self._directory_of(account_id))
        try:
            person = organization.person(*where, account_id)
        except Gone:
            return False
        if "groups" in person.untold:
            # They are in none, or that was left out.
            return group_id in organization.groups_of(*where, [account_id])
        return any(group.id == group_id for group in person.groups)

    def _join(self, group_id: str, account_id: str) -> None:
        self._org().join_group(
            self._leaver.organization_id, self._directory_of(account_id), group_id, account_id
        )

    def _directory_of(self, account_id: str) -> str:
        with self._tools.begin() as session:
            person = session.get(Person, (self._leaver.organization_id, account_id))
            return person.directory_id if person is not None else "-"

    def _org(self) -> OrganizationGateway:
        if self._organization is None:
            self._organization = self._stack.enter_context(opened(self._tools, self._leaver.organization_id))
        return self._organization

    def _site(self, belonging: Belonging) -> Site:
        key = belonging.client_key
        if key not in self._sites:
            self._sites[key] = self._stack.enter_context(
                site_opened(self._tools, self._leaver.organization_id, key)
            )
        return self._sites[key]


def words_for(kind: Kind, problem: AppError) -> str:
    """What a no of Atlassian's means for one kind of belonging, with the next step."""
    if kind is Kind.SPACE and isinstance(problem, AccessForbidden):
        return NOT_STEWARD
    if isinstance(problem, Unexpected) and problem.status in (400, 409) and kind in NOT_TAKEN:
        return NOT_TAKEN[kind]
    return f"{problem.sentence} {problem.next_step}"
