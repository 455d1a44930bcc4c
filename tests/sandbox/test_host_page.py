"""The host pages, seen and used in a real Chromium, with a stand-in app on the genuine bridge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import FrameLocator, Page, expect

from sandbox import server
from tests.browser import screenshot
from tests.sandbox.standin import KEY, StandIn

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app() -> Iterator[StandIn]:
    app = StandIn()
    yield app
    app.close()


@pytest.fixture(scope="module")
def cloud(app: StandIn) -> Iterator[server.Sandbox]:
    cloud = server.start(people=200, app_base_url=app.url)
    app.script = f"{cloud.hub}/all.js"
    yield cloud
    cloud.stop()


def install(cloud: server.Sandbox, product: str) -> None:
    requests.post(
        f"{cloud.hub}/control/install", json={"site": "acme", "product": product}, timeout=10
    ).raise_for_status()


def shown(frame: FrameLocator) -> dict[str, object]:
    out = frame.locator("#out")
    expect(out).to_contain_text('"done":true')
    found: dict[str, object] = json.loads(out.inner_text())
    return found


@pytest.mark.parametrize("product", ["jira", "confluence"])
def test_the_bridge_gives_token_user_theme_and_size(
    cloud: server.Sandbox, product: str, new_page: Callable[..., Page]
) -> None:
    install(cloud, product)
    base = cloud.acme + ("/wiki" if product == "confluence" else "")
    page = new_page()
    page.goto(f"{base}/")
    page.get_by_role("link", name="Who is here").click()
    frame = page.frame_locator("iframe.ap-iframe")
    found = shown(frame)
    assert str(found["token"]).count(".") == 2
    assert found["user"] == {"atlassianAccountId": "712020:0a0a0a0a-0000-4000-8000-000000000001"}
    assert found["request"] == "refused"
    assert str(found["location"]).endswith(f"/plugins/servlet/ac/{KEY}/general")
    page.wait_for_function("document.querySelector('iframe.ap-iframe').offsetHeight > 750")
    screenshot(page, f"host-{product}-light")
    light = frame.locator("body").evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Colours").select_option("dark")
    expect(frame.locator("html")).to_have_attribute("data-color-mode", "dark")
    expect(frame.locator("body")).not_to_have_css("background-color", light)
    screenshot(page, f"host-{product}-dark")


def test_flags_dialogs_and_history(cloud: server.Sandbox, page: Page) -> None:
    install(cloud, "jira")
    page.goto(f"{cloud.acme}/plugins/servlet/ac/{KEY}/general?ac.from=mail")
    frame = page.frame_locator("iframe.ap-iframe").first
    shown(frame)
    frame.locator("#flag").click()
    page.get_by_role("button", name="Look").click()
    expect(frame.locator("#out")).to_contain_text('"action":"look"')
    screenshot(page, "host-flag")
    frame.locator("#history").click()
    page.wait_for_url("**#!idle=90&page=2")
    page.go_back()
    expect(frame.locator("#out")).to_contain_text('"popped":""')
    frame.locator("#dialog").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("heading", name="A dialog")).to_be_visible()
    expect(dialog.frame_locator("iframe").locator("#hello")).to_be_visible()
    screenshot(page, "host-dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def test_who_is_logged_in_decides_the_menu_and_the_token(
    cloud: server.Sandbox, app: StandIn, page: Page
) -> None:
    install(cloud, "jira")
    page.goto(f"{cloud.acme}/?as=uma")
    expect(page.get_by_role("link", name="Who is here")).to_be_visible()
    expect(page.get_by_role("link", name="Stand-in admin")).to_have_count(0)
    page.get_by_label("Logged in as").select_option(label="Jon Okafor – Jira and Confluence admin only")
    page.get_by_role("link", name="Stand-in admin").click()
    assert shown(page.frame_locator("iframe.ap-iframe"))["user"] == {
        "atlassianAccountId": "712020:0a0a0a0a-0000-4000-8000-000000000002"
    }
    page.get_by_label("Logged in as").select_option("anonymous")
    expect(page.locator("body[data-ready]")).to_be_visible()
    assert shown(page.frame_locator("iframe.ap-iframe"))["user"] == {}


def test_the_menu_of_jira_leads_to_its_service_desk(cloud: server.Sandbox, page: Page) -> None:
    page.goto(f"{cloud.acme}/?as=uma")
    page.get_by_role("link", name="Service desk").click()
    expect(page.get_by_role("heading", name="Raise a request")).to_be_visible()
    page.goto(f"{cloud.acme}/wiki/?as=uma")
    expect(page.get_by_role("link", name="For you")).to_be_visible()
    expect(page.get_by_role("link", name="Service desk")).to_have_count(0)


def test_a_newcomer_installs_by_a_click_and_the_control_page_shows_it(
    cloud: server.Sandbox, page: Page, new_page: Callable[..., Page]
) -> None:
    page.goto(f"{cloud.globex}/")
    expect(page.get_by_role("button", name="Install Rollcall")).to_be_visible()
    screenshot(page, "host-not-installed")
    page.get_by_role("button", name="Install Rollcall").click()
    expect(page.get_by_role("heading", name="Get started")).to_be_visible()
    shown(page.frame_locator("iframe.ap-iframe"))
    control = new_page()
    control.goto(f"{cloud.hub}/")
    expect(control.locator("tr[data-site=globex][data-product=jira] .installed")).to_have_text("Installed")
    control.get_by_label("Name or address").fill("uma")
    control.get_by_role("button", name="Find").click()
    expect(control.locator("#people")).to_contain_text("Uma Lindqvist")
    screenshot(control, "control-page")
    page.goto(f"{cloud.globex}/plugins/servlet/upm")
    screenshot(page, "host-manage-apps")
    page.get_by_role("button", name="Uninstall").click()
    expect(page.get_by_role("button", name="Install Rollcall")).to_be_visible()
