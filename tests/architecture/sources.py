"""The program's source files, and their syntax trees, by room."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
ROOMS = ("rules", "connect", "models", "services", "jobs", "views", "sandbox")


@dataclass(frozen=True)
class Source:
    """One Python file. `name` is its path from the top, with forward slashes."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Read when somebody looks at it."""
        return ast.parse(self.text, filename=self.name)

    @property
    def room(self) -> str:
        """The folder at the top that the file is in; a file at the top is its own room."""
        return self.name.split("/", 1)[0]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The whole tree, walked once for all who look at it."""
        return list(ast.walk(self.tree))


@cache
def program() -> list[Source]:
    """Every file that runs in production or in the sandbox; no tests, scripts or migrations."""
    files = sorted(TOP.glob("*.py"))
    files += [file for room in ROOMS for file in sorted((TOP / room).rglob("*.py"))]
    return [read(file) for file in files]


@cache
def files_of_the_tests() -> list[Source]:
    """Every file of the tests."""
    return [read(file) for file in sorted((TOP / "tests").rglob("*.py"))]


def read(file: Path) -> Source:
    """One file."""
    return Source(file.relative_to(TOP).as_posix(), file.read_text())


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported anywhere in the file, inside functions too."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert node.level == 0, "imports are absolute: a reader sees which room is called"
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
