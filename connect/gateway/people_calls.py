"""People of a directory (specs: admin-organization, /v2/orgs/{org}/directories/{dir}/users/…)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connect.errors import Gone, Invalid, Unexpected
from connect.gateway.admin_calls import (
    AdminCalls,
    Place,
    checked_account_id,
    directory_path,
    group_id_of,
    one_directory_path,
    product_key,
    with_cursor,
)
from connect.gateway.answers import count, identifier, mapping, moment, required_text, rows, text
from rules.person import ORG_ADMIN, GroupRef, PersonFacts, ProductAccess

PAGE_OF_PEOPLE = 100
MOST_BY_ID = 10
"""How many account ids one search takes."""
MOST_UNREADABLE = 5
"""On one page. More are no odd people any more: Atlassian speaks another language (S46)."""
EXPAND = ["platformRoles", "productAccess", "groups"]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Up to 100 people and the cursor of the next page, None after the last.

    `unreadable` are the account ids of whom Atlassian says something that cannot be read. `untold` are those words of
    EXPAND of which it says nothing, of nobody here: they may have none, or it left that out.
    """

    people: tuple[PersonFacts, ...]
    next_cursor: str | None
    unreadable: tuple[str, ...] = ()
    untold: frozenset[str] = frozenset()


class PeopleCalls(AdminCalls):
    """Who is in a directory, and whether they are let in."""

    def people_count(self, org_id: str, directory_id: str) -> int:
        """GET …/directories/{dir}/users/count: how many people a whole reading will meet."""
        # Else those of all directories would be counted, and managed accounts that are in none.
        asked = () if directory_id == "-" else (("directoryIds", directory_id),)
        answer = mapping(self._http.get(f"{directory_path(org_id, directory_id)}/users/count", asked))
        return count(answer, "count") or 0

    def people_page(
        self, org_id: str, directory_id: str, cursor: str | None = None, limit: int = PAGE_OF_PEOPLE
    ) -> PeoplePage:
        """POST …/directories/{dir}/users/search: one page of people with roles, product access and groups."""
        path = f"{directory_path(org_id, directory_id)}/users/search"
        answer = mapping(self._http.post(path, with_cursor({"limit": limit, "expand": EXPAND}, cursor)))
        found = rows(answer.get("data"))
        people, unreadable = _read(found)
        if len(found) - len(people) > MOST_UNREADABLE or (found and not people and not unreadable):
            raise Unexpected(200, reason="atlassian_odd_people")
        untold = frozenset(name for name in EXPAND if not any(row.get(name) is not None for row in found))
        return PeoplePage(people, self._next(answer, path, cursor), unreadable, untold)

    def person(self, org_id: str, directory_id: str, account_id: str) -> PersonFacts:
        """One person, read now. Raises Gone when the directory does not have them; Invalid for an odd id (S32).

        Unexpected(404) when there is no such directory.
        """
        for row in self._by_id(org_id, directory_id, [account_id]):
            return person_of(row)
        raise Gone

    def people(self, org_id: str, directory_id: str, account_ids: Sequence[str]) -> list[PersonFacts]:
        """Those of up to ten people whom the directory has, read now, without whom nobody can read.

        Raises Invalid for an odd id (S32), Unexpected(404) when there is no such directory.
        """
        return list(_read(self._by_id(org_id, directory_id, account_ids))[0])

    def shown(self, org_id: str, directory_id: str, account_ids: Sequence[str]) -> frozenset[str]:
        """Which of up to ten people the directory has, and "" when a row does not say whom it is about."""
        return frozenset(
            _account_or_none(row) or "" for row in self._by_id(org_id, directory_id, account_ids)
        )

    def _by_id(self, org_id: str, directory_id: str, account_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """To its last page: of all directories there may be more rows than people, and a page may be empty."""
        for account_id in account_ids:
            checked_account_id(account_id)
        body = {"accountIds": list(account_ids), "expand": EXPAND, "limit": len(account_ids)}
        try:
            for row in self._found(f"{directory_path(org_id, directory_id)}/users/search", body):
                # A row that does not say who it is about may be about them: it cannot be read, and they are not gone.
                if _account_or_none(row) in (None, *account_ids):
                    yield row
        except Gone:
            # So Atlassian says that there is no such directory: of the people in it, nobody knows anything.
            raise Unexpected(
                404,
                reason="atlassian_no_directory",
                sentence="Atlassian does not know the directory any more in which they were.",
                next_step="Sync now, then look again.",
            ) from None

    def holders_of_role(
        self, org_id: str, directory_id: str, resource_id: str, role: str, place: Place | None = None
    ) -> Iterator[str]:
        """POST …/users/search by resourceIds and roleIds: the account ids of those who have the role there.

        Atlassian does not say that both must hold of the same product: somebody with another role here and this
        one elsewhere may be among them. From `place` on.
        """
        body = {"resourceIds": [resource_id], "roleIds": [role], "limit": PAGE_OF_PEOPLE}
        found = self._found(f"{directory_path(org_id, directory_id)}/users/search", body, place)
        return (account_id for row in found if (account_id := _account_or_none(row)))

    def org_admins(self, org_id: str) -> frozenset[str]:
        """POST …/users/search by roleIds: the account ids of the organization's admins, in all directories."""
        body = {"roleIds": [ORG_ADMIN], "limit": PAGE_OF_PEOPLE}
        found = self._found(f"{directory_path(org_id, '-')}/users/search", body)
        return frozenset(account_id for row in found if (account_id := _account_or_none(row)))

    def suspend(self, org_id: str, directory_id: str, account_id: str) -> None:
        """POST …/users/{account}/suspend. A real directory id is needed, not "-"."""
        self._http.post(f"{_person_path(org_id, directory_id, account_id)}/suspend")

    def restore(self, org_id: str, directory_id: str, account_id: str) -> None:
        """POST …/users/{account}/restore. A real directory id is needed, not "-"."""
        self._http.post(f"{_person_path(org_id, directory_id, account_id)}/restore")

    def remove(self, org_id: str, directory_id: str, account_id: str) -> None:
        """DELETE …/users/{account}: out of the directory, roles and groups are lost. Gone when nobody is there."""
        self._http.delete(_person_path(org_id, directory_id, account_id))


def _person_path(org_id: str, directory_id: str, account_id: str) -> str:
    return f"{one_directory_path(org_id, directory_id)}/users/{checked_account_id(account_id)}"


def _account_of(row: dict[str, Any]) -> str:
    account_id = required_text(row, "accountId")
    checked_account_id(account_id)
    return account_id


def _account_or_none(row: dict[str, Any]) -> str | None:
    """Whoever has no id that could stand in a path is nobody whom anything could be done about."""
    try:
        return _account_of(row)
    except (Unexpected, Invalid):
        return None


def _read(found: Iterable[dict[str, Any]]) -> tuple[tuple[PersonFacts, ...], tuple[str, ...]]:
    """Who can be read, and the account ids of the others."""
    people: list[PersonFacts] = []
    unreadable: list[str] = []
    for row in found:
        account_id = _account_or_none(row)
        if account_id is None:
            continue
        try:
            people.append(person_of(row))
        except Unexpected:
            unreadable.append(account_id)
    return tuple(people), tuple(unreadable)


def person_of(row: dict[str, Any]) -> PersonFacts:
    """A row of users/search. Raises Unexpected for an odd one."""
    return PersonFacts(
        account_id=_account_of(row),
        name=text(row, "name"),
        nickname=text(row, "nickname"),
        email=text(row, "email") or None,
        account_type=text(row, "accountType"),
        account_status=text(row, "accountStatus"),
        membership_status=text(row, "membershipStatus"),
        status=text(row, "status"),
        claim_status=text(row, "claimStatus"),
        management_source=text(row, "managementSource"),
        email_verified=_yes_or_no(row.get("emailVerified")),
        platform_roles=_roles(row.get("platformRoles") or []),
        added_at=moment(row, "addedToOrg"),
        products=tuple(_product(product) for product in rows(row.get("productAccess") or [])),
        groups=tuple(
            GroupRef(group_id_of(group), text(group, "name")) for group in rows(row.get("groups") or [])
        ),
        untold=frozenset(name for name in EXPAND if row.get(name) is None),
    )


def _product(row: dict[str, Any]) -> ProductAccess:
    return ProductAccess(
        identifier(row, "id"), product_key(text(row, "key")), moment(row, "lastActiveTimestamp")
    )


def _roles(value: Any) -> frozenset[str]:
    # An unreadable list of roles must not make an org admin look like anybody (S48).
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return frozenset(value)


def _yes_or_no(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
