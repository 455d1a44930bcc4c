"""One administrator in front of one product: goes, clicks, and looks at what is there."""

from __future__ import annotations

import re

from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from tests.browser import screenshot, serious_findings
from tests.jobs.deployment import Deployment

APP = "/plugins/servlet/ac/io.rollcall.app"
PATIENCE = 60_000
OF_COLOURS = ("color-contrast", "link-in-text-block")
"""axe-core's rules whose outcome may differ when nothing but the colours is another."""
FITS = """() => {
    const needed = document.querySelector(".frame")?.offsetHeight;
    return innerHeight === needed || (innerHeight > needed && document.querySelector("dialog[open]") !== null);
}"""


class Journey:
    """`findings` are what axe-core objected to, `complaints` what went wrong in our scripts."""

    def __init__(self, page: Page, deployment: Deployment, product: str, colours: str, folder: str) -> None:
        self.page, self.name, self.folder = page, f"{product}-{colours}", folder
        self.colours = colours
        self.base = deployment.sandbox.acme + ("/wiki" if product == "confluence" else "")
        self.steps = 0
        self.findings: list[str] = []
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    @property
    def ours(self) -> Frame:
        return next(frame for frame in self.page.main_frame.child_frames if "/pages/" in frame.url)

    def open(self, module: str, address: str = "") -> None:
        self.page.goto(f"{self.base}{APP}/{module}{'#!' + address if address else ''}")

    def go(self, tab: str) -> None:
        link = self.frame.locator("#tabs").get_by_role("link", name=re.compile(rf"^{tab}( \d.*)?$"))
        link.click()
        self.arrive(tab)

    def arrive(self, title: str) -> None:
        expect(self.frame.locator("main h1")).to_have_text(re.compile(title), timeout=PATIENCE)
        self.settle()

    def click(self, name: str | re.Pattern[str]) -> None:
        button = self.button(name)
        button.wait_for()
        self.settle()
        button.click()

    def settle(self) -> None:
        """A press on a frame that the host is just resizing meets nothing at all, and nobody says so."""
        self.ours.wait_for_function(FITS)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    def look(self, what: str) -> None:
        """Keeps a picture and asks axe-core, about colours in both."""
        self.steps += 1
        self.page.wait_for_timeout(300)
        screenshot(self.page, f"{self.folder}/{self.name}/{self.steps:02d}-{what}")
        self.findings += [f"{what}: {finding}" for finding in serious_findings(self.ours)]
        other = "light" if self.colours == "dark" else "dark"
        self._turn(other)
        self.findings += [
            f"{what}, {other}: {finding}" for finding in serious_findings(self.ours, *OF_COLOURS)
        ]
        self._turn(self.colours)

    def _turn(self, colours: str) -> None:
        """As the product does it when its reader changes the theme."""
        self.ours.evaluate(f"document.documentElement.dataset.colorMode = '{colours}'")
