"""What the cases of one handful stand on together: the way to Atlassian, the organization, the books.

Read once for them, and believed for a second: a key that was taken away, somebody who has just been protected, a rule
that was switched off count for the next case. What must hold at the deed itself is asked with it (services/acting.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from connect.gateway.organization import OrganizationGateway
from models.audit import APP
from models.run import find_run
from rules.verdict import Ground
from services import access_rule_book, rule_book, scim_book, ticket_book
from services.access_rule_book import AccessBook
from services.doors import opened
from services.ground import ground_of
from services.rule_book import RuleBook
from services.scim_book import ScimBook
from services.ticket_book import TicketBook
from services.toolbox import Toolbox

BELIEVED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class RunFooting:
    """What all cases of one run stand on. `ground` has who asked for this run."""

    origin: str
    rule_id: str | None
    book: RuleBook
    access: AccessBook
    scim: ScimBook
    ticket: TicketBook
    ground: Ground


class Footing:
    """Of one organization, for one thread, from one case to the next. To be closed: it holds a connection."""

    def __init__(self, tools: Toolbox, organization_id: str) -> None:
        self.tools = tools
        self.organization_id = organization_id
        self._read_at: datetime | None = None
        self._ground: Ground | None = None
        self._runs: dict[str, RunFooting] = {}
        self._gateway: OrganizationGateway | None = None
        self._door = ExitStack()

    def close(self) -> None:
        self._gateway = None
        self._door.close()

    def renew(self) -> None:
        """Forgets what is too old. To be called before each case."""
        now = self.tools.clock()
        if self._read_at is None or not self._read_at <= now < self._read_at + BELIEVED:
            self._read_at = now
            self.close()
            self._forget()

    @contextmanager
    def gateway(self) -> Iterator[OrganizationGateway]:
        """The organization API, by the best key. Raises what `opened` does; after an error the next case opens anew."""
        if self._gateway is None:
            self._gateway = self._door.enter_context(opened(self.tools, self.organization_id))
        try:
            yield self._gateway
        except BaseException:
            self._gateway = None
            # Through the door: it marks a key that Atlassian rejects.
            with self._door:
                raise

    def under(self, session: Session, run_id: str, account_id: str) -> RunFooting:
        """What a case of this run and person stands on. The run must be there.

        An administrator may have become the last one by the deed before: for them nothing is believed.
        """
        if self._ground is not None and any(
            account_id in admins for admins in self._ground.organization.admins.values()
        ):
            self._forget()
        footing = self._runs.get(run_id)
        if footing is None:
            footing = self._runs[run_id] = self._read(session, run_id)
        return footing

    def _forget(self) -> None:
        self._ground = None
        self._runs.clear()

    def _read(self, session: Session, run_id: str) -> RunFooting:
        run = find_run(session, self.organization_id, run_id)
        assert run is not None
        book = rule_book.open_at(session, run)
        if self._ground is None:
            self._ground = ground_of(self.tools, session, self.organization_id, APP, self.tools.clock())
        # Besides the author of a rule, whoever started this run or released its brake is not locked out by it.
        guarded = replace(
            self._ground.guarded,
            asked_by=book.author or run.confirmed_by or run.requested_by,
            let_go_by=frozenset(who for who in (run.requested_by, run.confirmed_by) if who),
        )
        return RunFooting(
            origin=run.origin,
            rule_id=run.rule_id,
            book=book,
            access=access_rule_book.open_at(session, run),
            scim=scim_book.open_at(session, run),
            ticket=ticket_book.open_at(session, run),
            ground=replace(self._ground, guarded=guarded),
        )
