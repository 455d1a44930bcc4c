"""A step of a workflow that nothing calls is work that never happens."""

from __future__ import annotations

import ast

from tests.architecture.sources import program


def test_every_step_is_used() -> None:
    trees = [source.tree for source in program() if source.name.startswith("jobs/")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    steps = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(decorator) == "DBOS.step()" for decorator in node.decorator_list)
    }
    # One after the other in a loop, they are named and not called.
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert len(steps) > 10
    assert steps - used == set()
