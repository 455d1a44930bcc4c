"""Habits that no linter knows: each is a mistake that some other Connect app has made."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.architecture.sources import Source, files_of_the_tests, imports, program

Nodes = list[ast.AST]
Finding = Iterator[tuple[int, str]]

SWITCHES = {"TESTING", "DEBUG", "ENV", "FLASK_ENV", "FLASK_DEBUG", "PYTEST_CURRENT_TEST", "CI"}


def reads_the_clock(nodes: Nodes) -> Finding:
    """`datetime.now()`, `date.today()`, `time.time()`: time is an argument."""
    for node in nodes:
        name = ".".join(_dotted(node))
        if name in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}:
            yield node.lineno, name


def behaves_differently_in_tests(nodes: Nodes) -> Finding:
    """A branch on TESTING, DEBUG or ENV: what is tested must be what runs."""
    for node in nodes:
        if isinstance(node, ast.Subscript) and _text(node.slice) in SWITCHES:
            yield node.lineno, f"[{_text(node.slice)!r}]"
        if isinstance(node, ast.Call) and _called(node) in {"get", "getenv"}:
            yield from (
                (node.lineno, f"get({_text(arg)!r})") for arg in node.args[:1] if _text(arg) in SWITCHES
            )
        owner, attribute = _dotted(node)
        if attribute in {"testing", "debug"} and owner.endswith("app"):
            yield node.lineno, f"{owner}.{attribute}"


def writes_sql_by_hand(nodes: Nodes) -> Finding:
    """`text(...)` and `__table__`: queries are made of the models, so that they follow them and bind their values."""
    from_sqlalchemy = {name for _, name in imports(nodes) if name.startswith("sqlalchemy.")}
    for node in nodes:
        if isinstance(node, ast.Call) and _called(node) == "text":
            plain = isinstance(node.func, ast.Name) and "sqlalchemy.text" in from_sqlalchemy
            if plain or _dotted(node.func)[0] in {"sa", "sqlalchemy"}:
                yield node.lineno, "text("
        if isinstance(node, ast.Attribute) and node.attr == "__table__":
            yield node.lineno, "__table__"


def takes_from_the_audit(nodes: Nodes) -> Finding:
    """Changing or deleting entries, one by one or many at once: they are only ever added (S52)."""
    yield from ((line, name) for line, name in imports(nodes) if name.startswith("models.audit.purge_audit"))
    for node in nodes:
        if isinstance(node, ast.Call) and _called(node) in {"delete", "update"}:
            about = [arg for arg in node.args if "AuditEntry" in {getattr(arg, "id", ""), _dotted(arg)[1]}]
            yield from ((arg.lineno, f"{_called(node)}(AuditEntry)") for arg in about)


def replaces_our_own_code(nodes: Nodes) -> Finding:
    """`unittest.mock` and `monkeypatch.setattr`: tests meet the real code, and the sandbox over HTTP."""
    for line, name in imports(nodes):
        if name.startswith("unittest.mock") or name in {"mock", "unittest.mock"}:
            yield line, name
    for node in nodes:
        owner, attribute = _dotted(node)
        if owner == "monkeypatch" and attribute in {"setattr", "setitem", "delattr"}:
            yield node.lineno, f"monkeypatch.{attribute}"
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "mocker"


# The one place for it: everybody else is told what time it is, and only age ends an audit.
ONE_PLACE = {
    reads_the_clock: {"wiring.py"},
    takes_from_the_audit: {"models/audit.py", "services/retention.py"},
}


@pytest.mark.parametrize(
    "habit", [reads_the_clock, behaves_differently_in_tests, writes_sql_by_hand, takes_from_the_audit]
)
def test_the_program(habit: Callable[[Nodes], Finding]) -> None:
    of_the_app = [source for source in program() if source.room != "sandbox"]
    looked_at = [one for one in of_the_app if one.name not in ONE_PLACE.get(habit, set())]
    assert found(habit, looked_at) == []


def test_s52_only_age_ends_an_audit() -> None:
    """By the two ways out that the list of entries has itself: for an organization, and for a tenant, that left."""
    (audit,) = (source for source in program() if source.name == "models/audit.py")
    (retention,) = (source for source in program() if source.name == "services/retention.py")
    assert [what for _, what in takes_from_the_audit(audit.nodes)] == ["delete(AuditEntry)"] * 2
    assert [what for _, what in takes_from_the_audit(retention.nodes)] == [
        "models.audit.purge_audit",
        "models.audit.purge_audit_of_tenant",
    ]


def test_the_tests() -> None:
    # Nobody replaces anything without one of these words: most files need not be read as syntax trees.
    suspects = [source for source in files_of_the_tests() if re.search("mock|monkeypatch", source.text)]
    assert found(replaces_our_own_code, suspects) == []


def found(habit: Callable[[Nodes], Finding], sources: Iterable[Source]) -> list[str]:
    """One line for each place with this habit."""
    return [f"{source.name}:{line} {what}" for source in sources for line, what in habit(source.nodes)]


@pytest.mark.parametrize(
    ("habit", "code"),
    [
        (reads_the_clock, "from datetime import datetime, UTC\nlate = datetime.now(UTC)"),
        (behaves_differently_in_tests, "if app.config['TESTING']: pass"),
        (behaves_differently_in_tests, "import os\nif os.environ.get('FLASK_DEBUG'): pass"),
        (behaves_differently_in_tests, "if current_app.debug: pass"),
        (writes_sql_by_hand, "from sqlalchemy import text\nsession.execute(text('SELECT 1'))"),
        (writes_sql_by_hand, "import sqlalchemy as sa\nsa.text('SELECT 1')"),
        (writes_sql_by_hand, "Person.__table__.insert()"),
        (takes_from_the_audit, "session.execute(delete(AuditEntry).where(AuditEntry.at < then))"),
        (takes_from_the_audit, "sa.update(audit.AuditEntry)"),
        (takes_from_the_audit, "from models.audit import purge_audit"),
        (replaces_our_own_code, "from unittest import mock"),
        (replaces_our_own_code, "def test(monkeypatch): monkeypatch.setattr('views.access.caller', None)"),
    ],
)
def test_a_bad_habit_is_seen(habit: Callable[[Nodes], Finding], code: str) -> None:
    assert len(list(habit(list(ast.walk(ast.parse(code)))))) == 1


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _dotted(node: ast.AST) -> tuple[str, str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    return "", ""


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""
