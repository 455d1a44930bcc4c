"""A real Chromium for the tests marked `browser`, and axe-core's opinion of a page."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect, sync_playwright

TOP = Path(__file__).resolve().parent.parent
SCREENSHOTS = TOP / "screenshots"
AXE = TOP / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 15_000
"""Milliseconds until a press or what it should bring has failed: a machine may have much else to do."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Like the sockets of the tests: this machine and no other.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run. CHROMIUM_PATH names it; `make test` finds or installs one."""
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no Chromium: `make test` finds or installs one, or name it by CHROMIUM_PATH"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Opens pages, each with an empty profile; says how, e.g. `new_page(color_scheme="dark")`.

    When the test fails, what each page showed at the end is in screenshots/failed/.
    """
    contexts: list[BrowserContext] = []

    def make(**how: Any) -> Page:
        how.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(**how)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield make
    failed = getattr(request.node, "failed", False)
    for number, context in enumerate(contexts, 1):
        for page in context.pages if failed else []:
            name = re.sub(r"[^\w-]+", "-", request.node.name)
            page.screenshot(path=SCREENSHOTS / "failed" / f"{name}-{number}.png", full_page=True)
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page of a plain, light browser."""
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lets `new_page` know, while it still has its pages, that the test failed."""
    report = yield
    if report.when == "call":
        setattr(item, "failed", report.failed)  # noqa: B010 - pytest's documented way, unknown to its types
    return report


def screenshot(page: Page, name: str) -> None:
    """Keep what the page shows as screenshots/<name>.png, for people to look at."""
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def serious_findings(frame: Page | Frame, *rules: str) -> list[str]:
    """What axe-core calls serious or critical in one frame: one line each, with the elements.

    `rules`: these alone, instead of all.
    """
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(AXE.read_text())
    options: dict[str, Any] = {"iframes": False} | ({"runOnly": rules} if rules else {})
    found = frame.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [
        f"{rule['id']}: {rule['help']} at " + ", ".join(" ".join(node["target"]) for node in rule["nodes"])
        for rule in found
        if rule["impact"] in {"serious", "critical"}
    ]
