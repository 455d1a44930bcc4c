"""Workers that die at a chosen moment, or are overtaken by others: toolboxes with something between the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import event

from services import acting, sending
from services.footing import Footing
from services.toolbox import Toolbox


def act_on(tools: Toolbox, organization_id: str, case_id: str, attempt: int) -> None:
    """The worker's part with one person, alone in their handful."""
    with closing(Footing(tools, organization_id)) as footing:
        acting.act_on_case(footing, case_id, attempt)


def deliver(tools: Toolbox, organization_id: str, delivery_id: str, attempt: int) -> None:
    """The worker's part with one delivery."""
    outcome = sending.send(tools, organization_id, delivery_id, attempt)
    if outcome is not None:
        sending.settle(tools, organization_id, delivery_id, attempt, outcome)


Around = Callable[[str, str], None]
"""Told ("before" | "after", name of a gateway's method | "transaction")."""


class Killed(BaseException):
    """The worker process is gone: nothing of the program may catch this."""


class Crash:
    """Kills at the `at`-th moment between two effects; never when there are fewer."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.moment = ""

    def __call__(self, when: str, what: str) -> None:
        self._left -= 1
        if self._left == 0:
            self.moment = f"{when} {what}"
            raise Killed(self.moment)


def once(when: str, what: str, deed: Callable[[], None]) -> Around:
    """Does `deed` the first time that moment comes."""
    waiting = [deed]

    def around(*moment: str) -> None:
        if moment == (when, what) and waiting:
            waiting.pop()()

    return around


def fault() -> None:
    """One of our own."""
    raise ZeroDivisionError


def die(when: str, what: str) -> Around:
    """Dies at the first such moment."""

    def deed() -> None:
        raise Killed(f"{when} {what}")

    return once(when, what, deed)


def with_something_between(tools: Toolbox, around: Around) -> Toolbox:
    """The same toolbox, telling `around` before and after each transaction and each call of the organization API."""
    return replace(
        tools,
        sessions=_Sessions(tools.sessions, around),  # type: ignore[arg-type]
        atlassian=_Atlassian(tools.atlassian, around),  # type: ignore[arg-type]
    )


@contextmanager
def before_it_is_written(
    tools: Toolbox, statement: str | tuple[str, ...], deed: Callable[[], object]
) -> Iterator[None]:
    """Does `deed` once, in the middle of a transaction: after what it has read, before it writes by this statement."""
    waiting = [deed]

    def before(_connection: object, _cursor: object, asked: str, *_more: object) -> None:
        if asked.startswith(statement) and waiting:
            waiting.pop()()

    event.listen(tools.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(tools.engine, "before_cursor_execute", before)


class _Sessions:
    def __init__(self, sessions: Any, around: Around) -> None:
        self._sessions, self._around = sessions, around

    @contextmanager
    def begin(self) -> Iterator[Any]:
        self._around("before", "transaction")
        with self._sessions.begin() as session:
            yield session
        self._around("after", "transaction")


class _Atlassian:
    def __init__(self, atlassian: Any, around: Around) -> None:
        self._atlassian, self._around = atlassian, around

    @contextmanager
    def organization(self, *opened_by: Any) -> Iterator[Any]:
        with self._atlassian.organization(*opened_by) as gateway:
            yield _Gateway(gateway, self._around)

    @contextmanager
    def belongings(self, *where: str) -> Iterator[Any]:
        with self._atlassian.belongings(*where) as gateway:
            yield _Gateway(gateway, self._around)

    def tickets_as_app(self, *where: str) -> Any:
        return self._atlassian.tickets_as_app(*where)

    @contextmanager
    def spaces(self, *where: str) -> Iterator[Any]:
        with self._atlassian.spaces(*where) as gateway:
            yield _Gateway(gateway, self._around)


class _Gateway:
    def __init__(self, gateway: Any, around: Around) -> None:
        self._gateway, self._around = gateway, around

    @property
    def __class__(self) -> Any:
        """For isinstance() it is what it stands for."""
        return type(self._gateway)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._around("before", name)
            answer = found(*arguments, **named)
            self._around("after", name)
            return answer

        return call
