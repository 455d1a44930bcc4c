"""Leavers by asking for their pages: searching, choosing, the dry run, the checklist, the guide, the evidence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from werkzeug.test import TestResponse

from models.credential import CredentialKind
from models.leaver import Leaver
from sandbox.world import ACME, API_TOKENS
from services import credentials, leaver_work
from tests.views.house import ANA, JON, UMA, House, words_of

PRIYA = ACME.people[3].account_id


@pytest.fixture
def open_house(house: House) -> Iterator[House]:
    """With an API token. The house is shared: nobody is leaving afterwards, and the token is forgotten."""
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credentials.store_api_token(
        house.deployment.tools,
        house.deployment.ana,
        email="ana@acme.example",
        token=API_TOKENS[0].token,
        expires_on=expires_on,
    )
    yield house
    with house.deployment.tools.begin() as session:
        session.execute(delete(Leaver))
    credentials.forget(house.deployment.tools, house.deployment.ana, CredentialKind.API_TOKEN)


def work(house: House) -> None:
    tools = house.deployment.tools
    for organization_id, leaver_id, attempt in leaver_work.due_leavers(tools):
        assert leaver_work.take_up(tools, organization_id, leaver_id, attempt)
        while leaver_work.advance(tools, organization_id, leaver_id):
            pass


def id_of(answer: TestResponse) -> str:
    found = re.search(r'data-address="leavers/([0-9a-f-]{36})"', answer.text)
    assert found is not None, words_of(answer)
    return found[1]


def planned(house: House, account_id: str = UMA) -> str:
    leaver_id = id_of(house.post("/app/leavers", account_ids=account_id))
    work(house)
    house.post(f"/app/leavers/{leaver_id}/successors", account_id=JON)
    house.post(f"/app/leavers/{leaver_id}/plan", **plan())
    work(house)
    return leaver_id


def plan(**changed: str) -> dict[str, str]:
    kinds = ("space", "project", "component", "filter", "dashboard", "issue", "group")
    words = {f"successor-{kind}": JON for kind in kinds}
    return words | {"deed": "suspend", "when": "now", "revoke_tokens": "yes", "why": "New job"} | changed


def test_the_empty_list_says_what_to_do_and_finds_people(open_house: House) -> None:
    assert "Nobody is leaving" in words_of(open_house.get("/app/leavers"))
    found = open_house.get("/app/leavers/search?text=uma")
    assert "They are leaving…" in words_of(found)
    assert "Nobody of that name" in words_of(open_house.get("/app/leavers/search?text=zzzz"))
    assert "They are leaving…" in words_of(open_house.get(f"/app/people/{UMA}"))


def test_one_leaver_has_a_page_and_several_are_a_list(open_house: House) -> None:
    several = open_house.post("/app/leavers", account_ids=f"{UMA},{JON}")
    assert "2 people are leaving" in words_of(several)
    page = open_house.post("/app/leavers", account_ids=UMA)
    assert "questions answered" in words_of(page)
    live = open_house.get(f"/app/leavers/{id_of(page)}/progress?state=looking")
    assert "hx-partial" in live.text
    work(open_house)
    page = open_house.get(f"/app/leavers/{id_of(page)}/progress?state=looking")
    assert page.headers["HX-Retarget"] == "#main"
    assert "Website relaunch" in words_of(page)
    assert "What Rollcall cannot see" in words_of(page)
    assert "Automation rules whose actor they are" in words_of(page)


def test_a_pasted_list_makes_leavers_of_all_or_of_nobody(open_house: House) -> None:
    refused = open_house.post("/app/leavers/list", people="uma@acme.example\nnobody@nowhere.example")
    assert refused.status_code == 422
    assert "Not in your directory: nobody@nowhere.example." in words_of(refused)
    assert "uma@acme.example" in refused.text
    for odd in ("", "Uma"):
        assert open_house.post("/app/leavers/list", people=odd).status_code == 422
    assert "Nobody is leaving" in words_of(open_house.get("/app/leavers"))
    rows = "e-mail;name\nUMA@acme.example;Uma\njon@acme.example;Jon"
    several = words_of(open_house.post("/app/leavers/list", people=rows.partition("\n")[2]))
    assert "2 people are leaving" in several


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"deed": "fly"}, "deed", "This ending does not exist."),
        ({"when": "later", "ends_at": "2001-01-01T10:00"}, "ends_at", "This moment is over."),
        ({"when": "later", "ends_at": "soon"}, "ends_at", "no date with a time"),
        ({"message_by": "atlassian", "message": "Bye"}, "message_by", "only when the account is deactivated"),
        ({"message_by": "own"}, "message", "The message is empty."),
        ({"successor-filter": ANA}, "successor", "who is no successor"),
    ],
)
def test_a_slip_is_said_at_its_field(
    open_house: House, changed: dict[str, str], field: str, sentence: str
) -> None:
    leaver_id = id_of(open_house.post("/app/leavers", account_ids=UMA))
    work(open_house)
    open_house.post(f"/app/leavers/{leaver_id}/successors", account_id=JON)
    answer = open_house.post(f"/app/leavers/{leaver_id}/plan", **plan(**changed))
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert sentence in words_of(answer)


def test_the_dry_run_the_checklist_and_the_evidence(open_house: House) -> None:
    leaver_id = planned(open_house)
    page = open_house.get(f"/app/leavers/{leaver_id}")
    assert "Nothing has been changed yet" in words_of(page)
    assert "3 API tokens will be revoked" in words_of(page)
    answer = open_house.post(f"/app/leavers/{leaver_id}/confirm", looked="yes")
    assert answer.status_code == 422
    assert "Tick everything first." in words_of(answer)
    answer = open_house.post(f"/app/leavers/{leaver_id}/confirm", looked="yes", tokens="yes", ending="yes")
    assert "things handed over" in words_of(answer)
    work(open_house)
    evidence = open_house.get(f"/app/leavers/{leaver_id}/evidence")
    assert "Handed something over" in words_of(evidence)
    rows = list(csv.reader(io.StringIO(open_house.get(f"/app/leavers/{leaver_id}/evidence/file").text)))
    audit = [row for row in rows if row[0] == "audit"]
    assert len({row[-1] for row in audit}) == len(audit) >= 20
    assert all(len(row[-1]) == 64 for row in audit)
    assert audit[-1][-1][:12] in evidence.text
    again = open_house.get(f"/app/leavers/{leaver_id}/evidence")
    assert audit[-1][-1] in again.text, "the same entries have the same fingerprints"
    open_house.post(f"/app/leavers/{leaver_id}/stop")
    open_house.post(f"/app/leavers/{leaver_id}/back")
    work(open_house)
    assert "Handed back." in words_of(open_house.get(f"/app/leavers/{leaver_id}"))


def test_an_org_admin_has_a_guide(open_house: House) -> None:
    leaver_id = planned(open_house, PRIYA)
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert "Before their access can end" in words
    assert "take the role “Organization admin” from them" in words
    open_house.post(f"/app/leavers/{leaver_id}/confirm", looked="yes", tokens="yes", ending="yes")
    work(open_house)
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert "Nobody was skipped" in words
    assert "Look again" in words


def test_whoever_is_no_operator_sees_nobody_leaving(open_house: House) -> None:
    leaver_id = planned(open_house)
    for path in ("/app/leavers", f"/app/leavers/{leaver_id}", f"/app/leavers/{leaver_id}/evidence"):
        assert open_house.get(path, JON).status_code == 403
    for path in ("confirm", "stop", "back", "plan", "look"):
        assert open_house.post(f"/app/leavers/{leaver_id}/{path}", JON).status_code == 403
