"""Is this person an administrator of the product? Asked of Atlassian by the server, never of the page (S21-S25)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from connect.caller import Caller
from connect.errors import AtlassianError, Forbidden, Unauthorized, Unavailable
from models.tenant import find_tenant
from services.installing import note_reachable, note_unreachable, shared_secret_of
from services.places import Places
from services.proving import PATIENCE
from services.toolbox import Toolbox

REMEMBERED_FOR = timedelta(seconds=60)
MAX_REMEMBERED = 10_000


class Administrators:
    """Who was found to be an administrator, tenant by tenant, within the last minute. Thread-safe.

    Only a yes is remembered, and only reads may rely on it (S23). `places` is where whoever asks Atlassian waits.
    """

    def __init__(self, tools: Toolbox) -> None:
        self.places = Places()
        self._tools = tools
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], datetime] = {}

    def require(self, caller: Caller, *, fresh: bool) -> None:
        """Returns when the caller administers the product. `fresh` asks Atlassian, whatever is remembered.

        Raises Forbidden for a no, also for anonymous visitors; Unavailable when Atlassian did not answer (S22).
        """
        if caller.account_id is None:
            raise Forbidden(
                "Anonymous visitors may not see this.",
                "Log in, then open Rollcall again.",
                reason="anonymous",
            )
        if not self._includes(caller.tenant, caller.account_id, fresh=fresh):
            raise Forbidden(
                "This is for administrators of your site.",
                "Ask one of them to open it.",
                reason="not_an_administrator",
            )

    def _includes(self, tenant: str, account_id: str, *, fresh: bool) -> bool:
        now = self._tools.clock()
        with self._lock:
            remembered = self._until.get((tenant, account_id))
        if not fresh and remembered is not None and now < remembered:
            return True
        with self.places.one_of(tenant):
            found = _ask(self._tools, tenant, account_id)
        with self._lock:
            self._until.pop((tenant, account_id), None)
            if found:
                if len(self._until) >= MAX_REMEMBERED:
                    self._until.clear()
                self._until[tenant, account_id] = now + REMEMBERED_FOR
        return found


def _ask(tools: Toolbox, client_key: str, account_id: str) -> bool:
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        place = (tenant.product, tenant.base_url, tenant.unreachable_since) if tenant is not None else None
    secret = shared_secret_of(tools, client_key)
    if place is None or secret is None:
        return False
    product, base_url, unreachable_since = place
    try:
        with tools.atlassian.site_as_app(product, base_url, client_key, secret, PATIENCE) as site:
            found = site.is_admin(account_id)
    except AtlassianError as problem:
        if isinstance(problem, Unauthorized):
            note_unreachable(tools, client_key)
        raise Unavailable(
            "Rollcall could not ask your site whether you are an administrator.",
            "Try again in a minute.",
            reason=f"admin_check_{problem.reason}",
        ) from problem
    if unreachable_since is not None:
        note_reachable(tools, client_key)
    return found
