"""Hooks and the log by asking for their pages: what is said, what is shown once, what is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from models.delivery import Delivery
from rules.topics import TO_HOOKS, Topic
from services import hooks
from tests.views.house import JON, House, mark_in, words_of


@pytest.fixture
def tidy(house: House) -> Iterator[House]:
    """The house is shared: no hook stays behind, and no test of one that would count against the next."""
    house.deployment.control("DELETE", "hooks")
    yield house
    for hook_id in ids_of(house):
        house.post(f"/app/hooks/{hook_id}/remove")
    with house.deployment.tools.begin() as session:
        session.execute(delete(Delivery).where(Delivery.topic == Topic.TEST.value))


def ids_of(house: House) -> list[str]:
    return re.findall(r'href="/app/hooks/([0-9a-f-]{36})"', house.get("/app/hooks").text)


def form(house: House, **changed: Any) -> dict[str, Any]:
    address = f"{house.deployment.sandbox.hub}/hooks/very-secret-path"
    return {"kind": "signed", "name": "Robot", "address": address, "topics": ["key:dead"]} | changed


def add(house: House, **changed: Any) -> str:
    answer = house.post("/app/hooks", **form(house, **changed))
    assert answer.status_code == 200, words_of(answer)
    return ids_of(house)[0]


def test_the_secret_is_shown_once_and_the_address_never(tidy: House) -> None:
    answer = tidy.post("/app/hooks", **form(tidy))
    assert "“Robot” is added. Copy its secret, then send a test" in words_of(answer)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    (hook_id,) = ids_of(tidy)
    for page in ("/app/hooks", f"/app/hooks/{hook_id}", "/app/sent", "/app/audit"):
        text = tidy.get(page).text
        assert secret not in text
        assert "very-secret-path" not in text
    again = tidy.post(f"/app/hooks/{hook_id}/secret")
    (other,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", again.text)
    assert other != secret
    assert "signs until" in words_of(tidy.get(f"/app/hooks/{hook_id}"))


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": ""}, "name", "A hook needs a name."),
        ({"address": ""}, "address", "A hook needs an address."),
        ({"address": "https://169.254.169.254/"}, "address", "in a private network"),
        ({"address": "https://8.8.8.8/services/", "kind": "slack"}, "address", "not the address of a Slack"),
        ({"kind": "jira_automation"}, "token", "Jira Automation asks for a secret."),
        ({"topics": []}, "topics", "Tick at least one event."),
        ({"kind": "pigeon"}, "kind", "no hooks of this kind"),
    ],
)
def test_a_slip_is_said_at_its_field_and_nothing_typed_is_lost(
    tidy: House, changed: dict[str, Any], field: str, sentence: str
) -> None:
    answer = tidy.post("/app/hooks", **form(tidy, **changed))
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#main"
    assert f'id="{field}-problem"' in answer.text
    assert sentence in words_of(answer)
    if "name" not in changed:
        assert 'value="Robot"' in answer.text
    assert ids_of(tidy) == []


def test_changing_keeps_what_is_not_typed(tidy: House) -> None:
    hook_id = add(tidy)
    page = tidy.get(f"/app/hooks/{hook_id}")
    assert re.findall(r'value="([\w:]+)" checked', page.text) == ["key:dead"]
    place = f"/app/hooks/{hook_id}"
    saved = tidy.press(place, place, **form(tidy, name="Another", address="", topics=["run:braked"]))
    assert "“Another” is saved." in words_of(saved)
    late = tidy.post(place, **form(tidy, name="Robot", address=""), was=mark_in(page))
    assert late.status_code == 409, "somebody else has changed it since"
    refused = tidy.press(place, place, **form(tidy, address="http://evil/"))
    assert refused.status_code == 422
    assert "Another" in words_of(tidy.get("/app/hooks"))


def test_a_test_says_at_once_what_came_of_it_and_is_in_the_log(tidy: House) -> None:
    hook_id = add(tidy)
    assert "“Robot” works" in words_of(tidy.post(f"/app/hooks/{hook_id}/test"))
    tidy.deployment.control("POST", "hooks/very-secret-path/answer", json={"status": 403})
    refused = words_of(tidy.post(f"/app/hooks/{hook_id}/test"))
    assert "“Robot” does not work. The other side refused it with status 403." in refused
    log = tidy.get(f"/app/sent?hook={hook_id}")
    assert "1–2 of 2 notices" in words_of(log)
    assert "1–1 of 1 notice" in words_of(tidy.get(f"/app/sent?hook={hook_id}&state=not_sent"))
    (delivery_id,) = re.findall(r"/app/sent/([0-9a-f-]{36})/again", log.text)
    again = tidy.post(f"/app/sent/{delivery_id}/again", hook=hook_id, page="1")
    assert "on its way again" in words_of(again)
    assert tidy.post(f"/app/sent/{delivery_id}/again").status_code == 409


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        (307, "Give the address it leads to. The log of this hook"),
        (403, "Check on the other side that the address is still valid"),
        (429, "The other side asks to be called less often. Try again later"),
        (503, "The other side failed with status 503. Try again later"),
    ],
)
def test_a_test_that_was_in_vain_says_what_to_do(tidy: House, status: int, next_step: str) -> None:
    hook_id = add(tidy)
    tidy.deployment.control("POST", "hooks/very-secret-path/answer", json={"status": status})
    assert next_step in words_of(tidy.post(f"/app/hooks/{hook_id}/test"))


def test_tests_are_sent_ten_times_a_minute_at_most(tidy: House) -> None:
    hook_id = add(tidy)
    codes = [tidy.post(f"/app/hooks/{hook_id}/test").status_code for _ in range(11)]
    assert codes == sorted(codes)
    assert {*codes} == {200, 409}
    assert len(tidy.deployment.control("GET", "hooks")) == codes.count(200)


def test_switching_and_removing(tidy: House) -> None:
    hook_id = add(tidy)
    assert "is off: it is not called" in words_of(tidy.post(f"/app/hooks/{hook_id}/switch", on="no"))
    assert "“Robot” is on." in words_of(tidy.post(f"/app/hooks/{hook_id}/switch", on="yes"))
    assert "“Robot” is removed." in words_of(tidy.post(f"/app/hooks/{hook_id}/remove"))
    assert tidy.post(f"/app/hooks/{hook_id}/test").status_code == 404
    assert "No hook yet" in words_of(tidy.get("/app/hooks"))


def test_a_hostile_name_is_text(tidy: House) -> None:
    add(tidy, name="<img src=x onerror=alert(1)> {{ 7*7 }} \"'")
    for page in ("/app/hooks", "/app/sent"):
        text = tidy.get(page).text
        assert "<img src=x" not in text
        assert "{{ 7*7 }}" in words_of(tidy.get(page))


def test_odd_words_in_the_filter_show_everything(house: House) -> None:
    for words in ("channel=pigeon", "state=lost", "page=-3", "page=99999", "page=x", "hook=nobody"):
        assert house.get(f"/app/sent?{words}").status_code == 200


def test_only_operators(house: House) -> None:
    for page in ("hooks", "hooks/new", "sent"):
        assert house.get(f"/app/{page}", JON).status_code == 403


def test_every_topic_of_hooks_can_be_ticked(house: House) -> None:
    found = re.findall(r'name="topics" value="([\w:]+)"', house.get("/app/hooks/new").text)
    assert sorted(found) == sorted(TO_HOOKS)
    assert len(hooks.KINDS) == len(re.findall(r'<option value="\w+"', house.get("/app/hooks/new").text))


def test_the_schema_of_calls_is_served_to_everybody(house: House) -> None:
    answer = house.get("/hook.schema.json", None)
    assert answer.status_code == 200
    assert answer.get_json(force=True)["required"] == ["type", "timestamp", "id", "data"]
