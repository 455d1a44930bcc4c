"""What is secret about a hook, sealed for its row: the address, and what signs or opens."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from models.hook import Hook
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

SEALED_COLUMNS = ("address_sealed", "secret_sealed", "former_sealed")
BOTH_SIGN_FOR = timedelta(days=1)
"""How long the secret before the present one signs beside it, so that the other side can change over."""


def hook_row(organization_id: str, hook_id: str) -> str:
    """The identity of a hook's row, as the vault binds it."""
    return f"hook/{organization_id}/{hook_id}"


def seal_address(tools: Toolbox, hook: Hook, address: str) -> None:
    hook.address_sealed = tools.vault.seal(address, row=_row(hook), column="address_sealed")


def open_address(tools: Toolbox, hook: Hook) -> str:
    """Raises CredentialUnreadable."""
    return tools.vault.open(hook.address_sealed, row=_row(hook), column="address_sealed")


def seal_secret(tools: Toolbox, hook: Hook, secret: str) -> None:
    hook.secret_sealed = tools.vault.seal(secret, row=_row(hook), column="secret_sealed")


def replace_secret(tools: Toolbox, hook: Hook, secret: str, now: datetime) -> None:
    """The new one signs from now on, the present one beside it for a day, if it can still be read."""
    with suppress(CredentialUnreadable):
        if hook.secret_sealed is not None:
            present = tools.vault.open(hook.secret_sealed, row=_row(hook), column="secret_sealed")
            hook.former_sealed = tools.vault.seal(present, row=_row(hook), column="former_sealed")
            hook.former_until = now + BOTH_SIGN_FOR
    seal_secret(tools, hook, secret)


def open_secrets(tools: Toolbox, hook: Hook, now: datetime) -> tuple[str, ...]:
    """The present secret, and the one before it while that still signs. Raises CredentialUnreadable."""
    found = []
    if hook.secret_sealed is not None:
        found.append(tools.vault.open(hook.secret_sealed, row=_row(hook), column="secret_sealed"))
    if hook.former_sealed is not None and hook.former_until is not None and now < hook.former_until:
        found.append(tools.vault.open(hook.former_sealed, row=_row(hook), column="former_sealed"))
    return tuple(found)


def _row(hook: Hook) -> str:
    return hook_row(hook.organization_id, hook.id)
