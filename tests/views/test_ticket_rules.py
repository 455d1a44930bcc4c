"""Onboarding → Tickets by asking for its pages: slips, the secret once, the guide, the trial, the log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from models.people import Group
from services import ticket_calls, ticket_leases
from services.ticket_secrets import HEADER
from tests.views.house import ANA, JON, UMA, House, mark_in, words_of

PLACE = "/app/onboarding/tickets"


@pytest.fixture
def tidy(house: House) -> Iterator[House]:
    """The house is shared: no rule stays behind."""
    yield house
    for rule_id in ids_of(house):
        house.post(f"{PLACE}/{rule_id}/remove")


def ids_of(house: House) -> list[str]:
    return re.findall(rf'href="{PLACE}/([0-9a-f-]{{36}})"', house.get(PLACE).text)


def group_of(house: House, name: str = "contractors") -> str:
    with house.deployment.tools.begin() as session:
        return session.scalars(select(Group.group_id).where(Group.name == name)).one()


def form(house: House, **changed: Any) -> dict[str, Any]:
    values = {
        "name": "Design tools",
        "client_key": house.key,
        "project": "HELP",
        "request_types": "Get access to design tools",
        "domains": "acme.example",
        "person": "reporter",
        "gives_kind": "groups",
        "gives": [group_of(house)],
        "with_approval": "yes",
    }
    return values | changed


def test_the_secret_is_shown_once_with_the_guide(tidy: House) -> None:
    answer = tidy.post(PLACE, **form(tidy))
    assert "“Design tools” is made." in words_of(answer)
    (secret,) = re.findall(r"rct_[\w-]{43}", answer.text)
    (rule_id,) = ids_of(tidy)
    base_url = tidy.deployment.environment["BASE_URL"]
    assert f'value="{base_url}/tickets/{rule_id}"' in answer.text
    assert f'value="{HEADER}"' in answer.text
    assert "{{issue.id}}" in words_of(answer)
    for page in (
        PLACE,
        f"{PLACE}/{rule_id}",
        f"{PLACE}/{rule_id}/edit",
        "/app/audit",
        f"{PLACE}/{rule_id}/log",
    ):
        assert secret not in tidy.get(page).text
    (other,) = re.findall(r"rct_[\w-]{43}", tidy.post(f"{PLACE}/{rule_id}/secret").text)
    assert other != secret


def test_a_slip_is_said_at_its_field_and_nothing_typed_is_lost(tidy: House) -> None:
    for changed, field in (
        ({"project": "?"}, "project"),
        ({"domains": "acme"}, "domains"),
        ({"person": "field", "person_field": "E-mail", "with_approval": "no"}, "with_approval"),
        ({"gives_kind": "profile"}, "profile_id"),
    ):
        answer = tidy.post(PLACE, **form(tidy, **changed))
        assert answer.status_code == 422
        assert f'id="{field}-problem"' in answer.text
        assert 'value="Design tools"' in answer.text
    assert ids_of(tidy) == []


def test_changing_switching_and_deleting(tidy: House) -> None:
    tidy.post(PLACE, **form(tidy))
    (rule_id,) = ids_of(tidy)
    opened = mark_in(tidy.get(f"{PLACE}/{rule_id}/edit"))
    saved = tidy.press(
        f"{PLACE}/{rule_id}/edit",
        f"{PLACE}/{rule_id}",
        **form(tidy, name="Other", days="14", gives=[group_of(tidy)]),
    )
    assert "“Other” is saved." in words_of(saved)
    assert "gets contractors for 14 days, after an operator has agreed." in words_of(saved)
    assert (
        tidy.press(f"{PLACE}/{rule_id}/edit", f"{PLACE}/{rule_id}", **form(tidy, days="x")).status_code == 422
    )
    late = tidy.post(f"{PLACE}/{rule_id}", **form(tidy, with_approval="no"), was=opened)
    assert late.status_code == 409
    assert "for 14 days, after an operator has agreed." in words_of(tidy.get(f"{PLACE}/{rule_id}"))
    assert "is off: it takes no tickets" in words_of(tidy.post(f"{PLACE}/{rule_id}/switch", on="no"))
    assert "Who still waits under Review gets nothing by it any more" in words_of(tidy.get(PLACE))
    assert "“Other” is deleted." in words_of(tidy.post(f"{PLACE}/{rule_id}/remove"))
    assert tidy.get(f"{PLACE}/{rule_id}").status_code == 404
    assert "No ticket rule yet" in words_of(tidy.get(PLACE))


def test_trying_and_the_log(tidy: House) -> None:
    secret = re.findall(r"rct_[\w-]{43}", tidy.post(PLACE, **form(tidy)).text)[0]
    (rule_id,) = ids_of(tidy)
    ticket = tidy.deployment.control("POST", "tickets", json={"reporter": UMA, "type": "103"})
    tried = tidy.post(f"{PLACE}/{rule_id}/try", ticket=ticket["key"])
    assert f"{ticket['key']} would be skipped. The ticket has the request type" in words_of(tried)
    odd = tidy.post(f"{PLACE}/{rule_id}/try", ticket="<b>")
    assert odd.status_code == 422
    assert "This is not the key of a ticket." in words_of(odd)
    client = tidy.deployment.app.test_client()
    sent = client.post(
        f"/tickets/{rule_id}",
        json={"issue": {"id": str(ticket["id"]), "key": ticket["key"]}},
        headers={HEADER: secret},
        base_url=tidy.deployment.environment["BASE_URL"],
    )
    assert (sent.status_code, sent.text) == (202, "Taken.\n")
    assert "Being read" in words_of(tidy.get(f"{PLACE}/{rule_id}"))
    for organization_id, call_id, attempt in ticket_leases.lease_due(tidy.deployment.tools):
        ticket_calls.work(tidy.deployment.tools, organization_id, call_id, attempt)
    log = tidy.get(f"{PLACE}/{rule_id}/log")
    assert "Skipped" in words_of(log)
    assert "Uma Lindqvist" in words_of(log)
    assert 'id="log-rows"' in log.text
    assert "<form" not in log.text, "the filter stays as it is while the rows follow"
    page = tidy.get(f"{PLACE}/{rule_id}").text
    assert f'hx-get="{PLACE}/{rule_id}/log" hx-target="#log-rows"' in page.partition('id="log-rows"')[0]
    assert "No ticket is in this state" in words_of(tidy.get(f"{PLACE}/{rule_id}/log?state=applied"))
    assert "No ticket is in this state" in words_of(tidy.get(f"{PLACE}/{rule_id}?state=applied"))
    assert "1–1 of 1 ticket" in words_of(tidy.get(f"{PLACE}/{rule_id}?state=skipped&page=x"))
    (again,) = re.findall(r"/calls/([0-9a-f-]{36})/again", log.text)
    assert "is looked at again" in words_of(tidy.post(f"{PLACE}/{rule_id}/calls/{again}/again"))


def test_only_operators(house: House) -> None:
    for page in ("", "/new"):
        assert house.get(f"{PLACE}{page}", JON).status_code == 403
        assert house.get(f"{PLACE}{page}", ANA).status_code == 200


def test_a_hostile_name_is_text(tidy: House) -> None:
    tidy.post(PLACE, **form(tidy, name="<img src=x> {{ 7*7 }}", request_types="<b>bold</b>"))
    (rule_id,) = ids_of(tidy)
    for page in (PLACE, f"{PLACE}/{rule_id}", f"{PLACE}/{rule_id}/edit"):
        assert "<img src=x>" not in tidy.get(page).text
        assert "<b>bold" not in tidy.get(page).text
