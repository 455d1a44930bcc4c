"""DBOS finds steps and workflows by their names: of two with the same one, the second takes the place of the first."""

from __future__ import annotations

import ast
from collections import Counter

from tests.architecture.sources import program


def named_by_dbos() -> Counter[str]:
    """Function name → how often `jobs/` registers it."""
    found: Counter[str] = Counter()
    for source in program():
        for node in source.nodes if source.room == "jobs" else ():
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator).startswith(("DBOS.", "patient")) for decorator in node.decorator_list
            ):
                found[node.name] += 1
    return found


def test_no_two_jobs_have_the_same_name() -> None:
    names = named_by_dbos()
    assert len(names) > 20
    assert [name for name, times in names.items() if times > 1] == []
