"""Managed accounts as a whole (specs: admin-user-management, /users/{account}/manage/…; no /admin before it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connect.gateway.admin_calls import AdminCalls, checked_account_id
from connect.gateway.answers import mapping, text
from rules.person import Privilege


class AccountCalls(AdminCalls):
    """What may be done to an account in all organizations and products at once, and doing it.

    A no about the account itself, such as one that is not managed by this organization, is AccessForbidden(RIGHTS);
    Unexpected(409, "conflict.lifecycleErrors") says that the account's state does not allow it.
    """

    def privileges(self, account_id: str, names: Sequence[str]) -> dict[str, Privilege]:
        """GET /users/{account}/manage?privileges=…: may it be changed in these ways (lifecycle.enablement, …)?

        A way that Atlassian does not answer for is not allowed.
        """
        asked = tuple(("privileges", name) for name in names)
        answer = mapping(self._http.get(f"/users/{checked_account_id(account_id)}/manage", asked))
        return {name: _privilege(mapping(answer.get(name, {}))) for name in names}

    def deactivate(self, account_id: str, message: str = "") -> None:
        """POST /users/{account}/manage/lifecycle/disable: nobody can log in with the account any more."""
        self._http.post(_lifecycle_path(account_id, "disable"), {"message": message} if message else {})

    def reactivate(self, account_id: str) -> None:
        """POST /users/{account}/manage/lifecycle/enable."""
        self._http.post(_lifecycle_path(account_id, "enable"))

    def delete_account(self, account_id: str) -> None:
        """POST /users/{account}/manage/lifecycle/delete: for good after a grace period of 14 days."""
        self._http.post(_lifecycle_path(account_id, "delete"))

    def keep_account(self, account_id: str) -> None:
        """POST /users/{account}/manage/lifecycle/cancel-delete, within the grace period."""
        self._http.post(_lifecycle_path(account_id, "cancel-delete"))


def _lifecycle_path(account_id: str, deed: str) -> str:
    return f"/users/{checked_account_id(account_id)}/manage/lifecycle/{deed}"


def _privilege(row: dict[str, Any]) -> Privilege:
    reason = row.get("reason")
    return Privilege(row.get("allowed") is True, text(mapping(reason), "key") if reason is not None else "")
