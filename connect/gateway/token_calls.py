"""API tokens of managed accounts (specs: admin-user-management, /users/{account}/manage/api-tokens)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connect.errors import Unexpected
from connect.gateway.admin_calls import AdminCalls, checked_account_id
from connect.gateway.answers import moment, required_text, rows, text


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """An API token, without its secret. `last_used` is None when Atlassian has no date for it."""

    id: str
    label: str
    created_at: datetime | None
    last_used: datetime | None


class TokenCalls(AdminCalls):
    """What somebody's scripts get in with. AccessForbidden(RIGHTS): not an account of this organization."""

    def tokens_of(self, account_id: str) -> list[TokenRecord]:
        """GET /users/{account}/manage/api-tokens."""
        answer = self._http.get(f"/users/{checked_account_id(account_id)}/manage/api-tokens")
        if answer is None:
            raise Unexpected(200, reason="atlassian_odd_shape")
        return [
            TokenRecord(
                required_text(row, "id"),
                text(row, "label"),
                moment(row, "createdAt"),
                moment(row, "lastAccess"),
            )
            for row in rows(answer)
        ]

    def revoke_token(self, account_id: str, token_id: str) -> None:
        """DELETE /users/{account}/manage/api-tokens/{token}: for good. Raises Gone when it is not there any more."""
        # A token goes by the id of the system user behind it, which is built as an account's (specs: ApiTokenModel).
        token = checked_account_id(token_id)
        self._http.delete(f"/users/{checked_account_id(account_id)}/manage/api-tokens/{token}")
