"""The documents point at things that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import TOP

DOCUMENTS = [*sorted(TOP.glob("*.md")), *sorted((TOP / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(TOP).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    targets = {target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)}
    local = {
        target for target in targets if target and "://" not in target and not target.startswith("mailto:")
    }
    assert {target for target in local if not (document.parent / target).exists()} == set()


def test_every_file_named_in_the_readme_exists() -> None:
    rows = re.findall(r"^\|.*\|$", (TOP / "README.md").read_text(), re.MULTILINE)
    named = {
        name for row in rows for name in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|json|toml))`", row)
    }
    assert named
    assert {name for name in named if not (TOP / name).exists()} == set()


def test_every_table_is_in_the_list_of_what_is_stored() -> None:
    """docs/security.md tells what is kept about people and secrets: nothing is kept beside it."""
    models = "\n".join(path.read_text() for path in (TOP / "models").glob("*.py"))
    tables = set(re.findall(r'__tablename__ = "(\w+)"', models))
    assert "person" in tables
    rows = re.findall(r"^\|.*\|$", (TOP / "docs" / "security.md").read_text(), re.MULTILINE)
    assert tables - {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set()
