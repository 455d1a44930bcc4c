"""The arrows of docs/architecture.md: a new one fails here."""

from __future__ import annotations

import sys

from tests.architecture.sources import ROOMS, Source, imports, program

OURS = {*ROOMS, "app", "config", "wiring"}

# Room → what it may import beside itself and the standard library.
MAY_IMPORT: dict[str, set[str]] = {
    "rules": set(),
    "connect": {"rules", "jwt", "cryptography", "requests", "urllib3", "atlassian", "standardwebhooks"},
    "models": {"rules", "sqlalchemy"},
    "services": {
        "rules", "models", "connect", "config", "sqlalchemy", "cryptography", "croniter", "yaml", "itsdangerous",
        "jinja2", "markupsafe", "markdown_it", "babel", "scim2_models", "pydantic",
    },
    "jobs": {"services", "models", "rules", "config", "connect.errors", "dbos", "sqlalchemy.orm"},
    "views": {
        "services", "models", "rules", "connect.caller", "connect.errors", "flask", "werkzeug", "markupsafe", "jinja2",
        "limits", "sqlalchemy.orm.Session",
    },
    "sandbox": {"flask", "werkzeug", "markupsafe", "jinja2", "jwt", "cryptography", "requests", "aiosmtpd"},
    "config.py": {"connect.hosts", "connect.smtp"},
    "wiring.py": {"services", "models", "connect", "config", "flask", "sqlalchemy.orm"},
    "gunicorn.conf.py": {"config"},
}  # fmt: skip

# A few files may do one thing more: the one place for it.
ONE_PLACE = {
    "models/db.py": {"flask_sqlalchemy"},
    "jobs/__main__.py": {"wiring"},
    "views/access.py": {"connect.tokens"},
}

# Of the standard library, what a room must do without.
NOT_EVEN = {
    "rules": {"os", "random", "secrets", "socket", "subprocess", "time", "uuid", "sqlite3", "urllib.request"}
}


def test_every_import_is_an_arrow_of_the_drawing() -> None:
    assert [line for source in program() for line in forbidden_imports(source)] == []


def test_a_wrong_arrow_is_seen() -> None:
    wrong = "import os\nimport flask\nfrom models import people\ndef late():\n    import services.audit\n"
    found = forbidden_imports(Source("rules/wrong.py", wrong))
    assert [line.split(" ")[2] for line in found] == ["os", "flask", "models.people", "services.audit"]


def test_only_named_parts_of_a_room_are_open_to_others() -> None:
    views = Source("views/wrong.py", "from connect.tokens import verify_iframe\nimport connect.errors\n")
    assert len(forbidden_imports(views)) == 1


def forbidden_imports(source: Source) -> list[str]:
    """One line for each import that the table does not allow."""
    if source.name == "app.py":
        return []
    allowed = {source.room} | MAY_IMPORT[source.room] | ONE_PLACE.get(source.name, set())
    banned = NOT_EVEN.get(source.room, set())
    return [
        f"{source.name}:{line} imports {name} : {source.room} may not"
        for line, name in imports(source.nodes)
        if not (_within(name, allowed) or (_standard(name) and not _within(name, banned)))
    ]


def _within(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _standard(name: str) -> bool:
    top = name.split(".", 1)[0]
    # _typeshed exists for type checkers only: names of the standard library's own shapes.
    return top == "_typeshed" or (top in sys.stdlib_module_names and top not in OURS)
