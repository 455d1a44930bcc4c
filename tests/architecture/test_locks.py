"""What is installed is pinned, hashed, and says nothing about where the lock was made."""

from __future__ import annotations

import json
import re

import pytest

from tests.architecture.sources import TOP

LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-node.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_python_package_is_pinned_by_hash(name: str) -> None:
    pinned = _requirements(name)
    assert pinned
    loose = [
        line for line in pinned if not re.match(r"^[\w.\[\]-]+==[\w.]+", line) or "--hash=sha256:" not in line
    ]
    assert loose == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_python_lock_names_an_address(name: str) -> None:
    text = (TOP / name).read_text()
    assert re.findall(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host| @ |file:", text) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_wanted_package_is_in_the_lock(name: str) -> None:
    wanted = {
        _name(line)
        for line in (TOP / name.replace(".txt", ".in")).read_text().splitlines()
        if line.strip() and not line.startswith(("#", "-"))
    }
    assert wanted - {_name(line) for line in _requirements(name)} == set()


def test_the_tests_run_on_the_versions_that_production_runs_on() -> None:
    assert set(_versions("requirements.txt")) <= set(_versions("requirements-dev.txt"))


def test_every_npm_package_is_pinned_by_hash_and_names_no_address() -> None:
    lock = json.loads((TOP / "package-lock.json").read_text())
    packages = {path: package for path, package in lock["packages"].items() if path}
    assert packages
    assert [
        path for path, package in packages.items() if not package.get("integrity", "").startswith("sha512-")
    ] == []
    assert [path for path, package in packages.items() if "resolved" in package] == []


def test_npm_versions_are_exact() -> None:
    package = json.loads((TOP / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def _requirements(name: str) -> list[str]:
    joined = (TOP / name).read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _versions(name: str) -> list[str]:
    return [re.split(r"[\s;]", line, maxsplit=1)[0] for line in _requirements(name)]


def _name(requirement: str) -> str:
    return (
        re.split(r"[=\[;<> ]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")
    )
