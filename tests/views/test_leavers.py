"""Leavers by asking for their pages: searching, choosing, the dry run, the checklist, the guide, the evidence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from models.credential import CredentialKind
from models.leaver import Leaver, Look
from models.organization import Organization
from sandbox.world import ACME, API_TOKENS
from services import credential_storing, credentials, leaver_work
from tests.views.house import ANA, JON, UMA, House, mark_in, send, words_of
from views.show import in_zone

PRIYA = ACME.people[3].account_id


@pytest.fixture
def open_house(house: House) -> Iterator[House]:
    """With an API token. The house is shared: nobody is leaving afterwards, and the token is forgotten."""
    store_token(house)
    yield house
    with house.deployment.tools.begin() as session:
        session.execute(delete(Leaver))
    credentials.forget(house.deployment.tools, house.deployment.ana, CredentialKind.API_TOKEN)


def store_token(house: House) -> None:
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credential_storing.store_api_token(
        house.deployment.tools,
        house.deployment.ana,
        email="ana@acme.example",
        token=API_TOKENS[0].token,
        expires_on=expires_on,
    )


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


def test_nobody_is_told_to_try_what_the_worker_tries_again(open_house: House) -> None:
    page = open_house.post("/app/leavers", account_ids=UMA)
    open_house.deployment.control("POST", "faults", json={"match": ".*", "kind": "503", "times": 9})
    try:
        work(open_house)
    finally:
        open_house.deployment.control("DELETE", "faults")
    waiting = words_of(open_house.get(f"/app/leavers/{id_of(page)}"))
    assert "Atlassian could not be reached, or failed. Goes on by itself at" in waiting


def test_who_looks_during_a_long_pause_reads_until_when(open_house: House) -> None:
    page = open_house.post("/app/leavers", account_ids=UMA)
    asks = {"match": ".*", "kind": "429", "seconds": 1800}
    open_house.deployment.control("POST", "faults", json=asks)
    try:
        work(open_house)
    finally:
        open_house.deployment.control("DELETE", "faults")
    waiting = words_of(open_house.get(f"/app/leavers/{id_of(page)}"))
    assert "Atlassian asked us to wait until" in waiting


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
    # Confluence has Rollcall already, whose key nobody stored there.
    assert "save the Admin API Key and an API token under Configure Token" in words_of(page)
    assert "Automation rules whose actor they are" in words_of(page)


def test_whoever_waits_for_an_operator_is_found_among_all_leavers(open_house: House) -> None:
    open_house.post("/app/leavers", account_ids=f"{UMA},{JON}")
    begun = words_of(open_house.get("/app/leavers?show=under_way"))
    assert "All 2 Under way 2 Person" in begun
    assert "Nobody of this kind" in words_of(open_house.get("/app/leavers?show=waiting"))
    work(open_house)
    jon = open_house.post("/app/leavers", account_ids=JON)
    open_house.post(f"/app/leavers/{id_of(jon)}/stay")
    waiting = open_house.get("/app/leavers?show=waiting&page=9")
    assert "All 2 Waiting for you 1 Over 1" in words_of(waiting)
    assert "1–1 of 1 leaver" in words_of(waiting)
    assert 'data-address="leavers?show=waiting"' in waiting.text
    ((name, row),) = _rows(waiting)
    assert name == "Uma Lindqvist"
    # Two may have one name.
    assert "uma @acme.example" in row
    over = open_house.get("/app/leavers?show=over")
    assert [name for name, _words in _rows(over)] == ["Jon Okafor"]
    assert "1–2 of 2 leavers" in words_of(open_house.get("/app/leavers?show=everything"))


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
    assert "Ana Marić by a list" in several


def upload(house: House, content: str | bytes, people: str = "") -> TestResponse:
    data = content.encode() if isinstance(content, str) else content
    return house.post("/app/leavers/list", people=people, file=(io.BytesIO(data), "leavers.csv"))


def test_a_file_makes_leavers_with_their_last_days(open_house: House) -> None:
    rows = (
        "\ufeffE-mail;Name;Last day;Note\r\n"
        "UMA@acme.example;Uma;2101-05-01;Keeps the laptop\r\njon@acme.example;;;\r\n"
    )
    assert "2 people are leaving" in words_of(upload(open_house, rows))
    with open_house.deployment.tools.begin() as session:
        found = {one.account_id: one for one in session.scalars(select(Leaver))}
        assert found[UMA].ends_at == datetime(2101, 5, 2, tzinfo=UTC)
        assert (found[UMA].note, found[UMA].origin) == ("Keeps the laptop", "csv")
        assert (found[JON].ends_at, found[JON].note) == (None, "")
    # Commas, no mark at the beginning; the same again changes nothing.
    assert "2 people are leaving" in words_of(upload(open_house, rows))
    assert "1 person is leaving" in words_of(upload(open_house, "e-mail,end\numa@acme.example,2101-05-01\n"))
    # Who is a leaver already stays the one they are: what would be lost is said.
    for column, value, what in (
        ("end", "2102-01-01", "another day"),
        ("note", "Gave it back", "another note"),
    ):
        other = upload(open_house, f"e-mail,{column}\njon@acme.example,\numa@acme.example,{value}\n")
        assert other.status_code == 422
        said = f"Line 3: uma@acme.example is leaving already, with {what}: change it on their own page."
        assert said in words_of(other)
    with open_house.deployment.tools.begin() as session:
        (uma,) = session.scalars(select(Leaver).where(Leaver.account_id == UMA))
        assert uma.ends_at == datetime(2101, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "There is nothing in this file."),
        ("e-mail\n", "There is no row below the header."),
        ("name\nUma\n", "A column “e-mail” is missing."),
        ("e-mail,profile\n", "There is no column “profile”. The columns are: e-mail, name, end, note."),
        ("e-mail\numa@acme.example\nbob\n", "Line 3: e-mail: “bob” is no e-mail address."),
        ("e-mail\numa@acme.example\nbob@x.example\n", "Line 3: bob@x.example is not in your directory."),
        ("e-mail\numa@acme.example\n\nUma@acme.example\n", "Line 4: Uma@acme.example is on line 2 already."),
        ("e-mail,end\numa@acme.example,05/01/2101\n", "Line 2: end: “05/01/2101” is no date"),
        ("e-mail,end\numa@acme.example,2001-01-01\n", "Line 2: end: This day is over"),
        ("e-mail\n" + "a\n" * 7, "Line 6: e-mail: “a” is no e-mail address. And 2 more."),
        ("e-mail\n" + "".join(f"a{each}@x.example\n" for each in range(201)), "These are more than 200 people."),
        ("e-mail\numa@acme.example\n".encode("utf-16"), "this is not written in UTF-8."),
    ],
)  # fmt: skip
def test_a_slip_in_a_file_is_told_by_its_line_and_nobody_leaves(
    open_house: House, content: str | bytes, sentence: str
) -> None:
    answer = upload(open_house, content)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#main")
    assert 'id="file-problem"' in answer.text
    assert sentence in words_of(answer)
    assert "Nobody is leaving" in words_of(answer)


def test_a_file_that_is_too_large_is_said_at_its_field(open_house: House) -> None:
    answer = send(open_house, "/app/leavers/list", 2 * 1024 * 1024)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#main")
    assert 'id="file-problem"' in answer.text
    assert "This file is larger than 2 MB. Split it, and do one part after the other." in words_of(answer)


def test_a_list_and_a_file_at_once_are_one_too_many(open_house: House) -> None:
    answer = upload(open_house, "e-mail\njon@acme.example\n", people="uma@acme.example")
    assert answer.status_code == 422
    assert "There are a list and a file." in words_of(answer)
    assert "uma@acme.example" in answer.text


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"deed": "fly"}, "deed", "This ending does not exist."),
        ({"when": "later", "ends_at": "2001-01-01T10:00"}, "ends_at", "This moment is over."),
        ({"when": "later", "ends_at": ""}, "ends_at", "The moment is missing."),
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


def test_a_moment_behind_the_end_of_all_calendars_is_a_slip_and_no_fault(open_house: House) -> None:
    def live_in(zone: str) -> str:
        with open_house.deployment.tools.begin() as session:
            organization = session.get_one(Organization, ACME.id)
            before, organization.time_zone = organization.time_zone, zone
            return before

    before = live_in("America/New_York")
    leaver_id = id_of(open_house.post("/app/leavers", account_ids=UMA))
    work(open_house)
    open_house.post(f"/app/leavers/{leaver_id}/successors", account_id=JON)
    for path in ("plan", "look"):
        answer = open_house.post(
            f"/app/leavers/{leaver_id}/{path}", **plan(when="later", ends_at="9999-12-31T23:59")
        )
        assert answer.status_code == 422
        assert "no date with a time" in words_of(answer)
    live_in("UTC")
    answer = open_house.post(
        f"/app/leavers/{leaver_id}/plan", **plan(when="later", ends_at="9999-12-31T23:59")
    )
    assert "This moment is too far away." in words_of(answer)
    # Who lives further east has no calendar for it.
    live_in("Asia/Tokyo")
    assert open_house.get(f"/app/leavers/{leaver_id}").status_code == 200
    live_in(before)
    assert "“9999-12-31” is too far away." in words_of(
        upload(open_house, "e-mail,end\njon@acme.example,9999-12-31\n")
    )


def ticked(answer: TestResponse) -> bool:
    return re.search(r'name="revoke_tokens" value="yes" checked', answer.text) is not None


def chosen(answer: TestResponse, field: str) -> str:
    found = re.search(rf'<select[^>]* name="{field}".*?</select>', answer.text, re.DOTALL)
    assert found is not None, field
    option = re.search(r'value="([^"]*)" selected', found[0])
    return option[1] if option else ""


TYPED = {
    "deed": "deactivate",
    "when": "later",
    "ends_at": "2101-05-01T18:00",
    "why": "Retires",
    "note": "Keeps the laptop",
    "message_by": "atlassian",
    "message": "Thank you",
}


def begin(house: House, leaver_id: str) -> TestResponse:
    """Everything ticked, and begun."""
    page = f"/app/leavers/{leaver_id}"
    return house.press(page, f"{page}/confirm", looked="yes", tokens="yes", ending="yes")


def assert_as_typed(page: TestResponse) -> None:
    assert not ticked(page)
    for field in ("deed", "when", "message_by"):
        assert chosen(page, field) == TYPED[field]
    assert "<option selected>Retires</option>" in page.text
    for value in ('value="2101-05-01T18:00"', 'value="Keeps the laptop"', ">Thank you</textarea>"):
        assert value in page.text


def test_a_successor_who_comes_or_goes_leaves_the_plan_as_it_was_typed(open_house: House) -> None:
    leaver_id = id_of(open_house.post("/app/leavers", account_ids=UMA))
    work(open_house)
    address = f"/app/leavers/{leaver_id}/successors"
    nobody = {"successor-filter": "", "successor-dashboard": ""}
    page = open_house.post(address, account_id=JON, **TYPED, **nobody)
    assert_as_typed(page)
    assert chosen(page, "successor-filter") == chosen(page, "successor-dashboard") == JON
    choices = {"successor-filter": JON, "successor-dashboard": ""}
    page = open_house.post(address, account_id=PRIYA, **TYPED, **choices)
    assert_as_typed(page)
    assert (chosen(page, "successor-filter"), chosen(page, "successor-dashboard")) == (JON, "")
    page = open_house.post(address, account_id=PRIYA, remove="yes", **TYPED, **choices)
    assert_as_typed(page)
    page = open_house.post(address, account_id=JON, remove="yes", **TYPED, **choices)
    assert_as_typed(page)
    assert chosen(page, "successor-filter") == ""


def test_looking_again_keeps_the_plan_and_acts_on_nothing_of_it(open_house: House) -> None:
    leaver_id = planned(open_house)
    slip = open_house.post(f"/app/leavers/{leaver_id}/look", **TYPED | {"ends_at": "soon"})
    assert slip.status_code == 422
    assert 'id="ends_at-problem"' in slip.text
    typed = TYPED | {"successor-dashboard": ""}
    assert "questions answered" in words_of(open_house.post(f"/app/leavers/{leaver_id}/look", **typed))
    work(open_house)
    page = open_house.get(f"/app/leavers/{leaver_id}")
    assert_as_typed(page)
    assert (chosen(page, "successor-filter"), chosen(page, "successor-dashboard")) == (JON, "")
    early = open_house.post(f"/app/leavers/{leaver_id}/confirm", looked="yes", tokens="yes", ending="yes")
    assert early.status_code == 409, "it was not tried dry"


def test_every_order_about_successors_and_looking_brings_the_plan_along(open_house: House) -> None:
    leaver_id = planned(open_house)
    found = open_house.get(f"/app/leavers/search?text=priya&of={leaver_id}")
    page = open_house.get(f"/app/leavers/{leaver_id}")
    for answer in (found, page):
        (button,) = re.findall(
            rf'<button[^>]*hx-post="/app/leavers/{leaver_id}/successors"[^>]*>', answer.text
        )
        assert 'hx-include="#plan"' in button
    form = page.text.partition('<form id="plan"')[2].partition("</form>")[0]
    assert f'hx-post="/app/leavers/{leaver_id}/look"' in form


def test_who_begins_a_handover_begins_the_one_that_they_have_read(open_house: House) -> None:
    leaver_id = planned(open_house)
    page = f"/app/leavers/{leaver_id}"
    read = mark_in(open_house.get(page))
    open_house.post(f"{page}/plan", **TYPED | {"deed": "deactivate"})
    work(open_house)
    assert "Nothing has been changed yet" in words_of(open_house.get(page))
    late = open_house.post(f"{page}/confirm", was=read, looked="yes", tokens="yes", ending="yes")
    assert late.status_code == 409
    assert "Nothing was done: this has been changed since you opened it." in words_of(late)
    assert "Nothing has been changed yet" in words_of(open_house.get(page))


def test_the_dry_run_the_checklist_and_the_evidence(open_house: House) -> None:
    leaver_id = planned(open_house)
    page = open_house.get(f"/app/leavers/{leaver_id}")
    assert "Nothing has been changed yet" in words_of(page)
    assert "3 API tokens will be revoked" in words_of(page)
    answer = open_house.press(f"/app/leavers/{leaver_id}", f"/app/leavers/{leaver_id}/confirm", looked="yes")
    assert answer.status_code == 422
    assert "Tick everything first." in words_of(answer)
    answer = begin(open_house, leaver_id)
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


def test_what_could_not_be_handed_back_is_not_said_to_be(open_house: House) -> None:
    tools, ana = open_house.deployment.tools, open_house.deployment.ana
    leaver_id = planned(open_house)
    later = plan(when="later", ends_at="2101-05-01T18:00", revoke_tokens="")
    open_house.post(f"/app/leavers/{leaver_id}/plan", **later)
    work(open_house)
    begin(open_house, leaver_id)
    work(open_house)
    credentials.forget(tools, ana, CredentialKind.API_TOKEN)
    open_house.post(f"/app/leavers/{leaver_id}/back")
    work(open_house)
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert "Nothing could be handed back." in words
    assert "There is no API token" in words
    assert "is with Uma Lindqvist again." not in words
    store_token(open_house)
    fault = {"match": "/project/", "method": "PUT", "kind": "403-scopes", "times": None}
    open_house.deployment.control("POST", "faults", json=fault)
    open_house.post(f"/app/leavers/{leaver_id}/back")
    work(open_house)
    assert "Handed back in part." in words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    open_house.deployment.control("DELETE", "faults")
    open_house.post(f"/app/leavers/{leaver_id}/back")
    work(open_house)
    assert "is with Uma Lindqvist again." in words_of(open_house.get(f"/app/leavers/{leaver_id}"))


def test_whoever_stays_after_all_is_led_nowhere(open_house: House) -> None:
    leaver_id = planned(open_house)
    asked = open_house.get(f"/app/leavers/{leaver_id}")
    assert f'hx-post="/app/leavers/{leaver_id}/stay"' in asked.text
    assert "A last day that is written down for them stays, and rules go by it" in words_of(asked)
    answer = open_house.post(f"/app/leavers/{leaver_id}/stay")
    assert "Stopped." in words_of(answer)
    assert "hand it back" not in words_of(answer), "nothing was handed over"
    assert f"/app/leavers/{leaver_id}/stay" not in answer.text
    late = open_house.post(
        f"/app/leavers/{leaver_id}/confirm", was=mark_in(asked), looked="yes", tokens="yes", ending="yes"
    )
    assert late.status_code == 409


def test_how_access_ended_is_said_as_it_is(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    gone, stays, kept = (planned(house, each) for each in (UMA, PRIYA, ANA))
    for leaver_id, deed in ((gone, "remove"), (stays, "list")):
        house.post(f"/app/leavers/{leaver_id}/plan", **plan(deed=deed, revoke_tokens=""))
        work(house)
        begin(house, leaver_id)
        work(house)
        house.act()
        with house.deployment.tools.begin() as session:
            session.get_one(Leaver, (ACME.id, leaver_id)).resume_at = house.deployment.tools.clock()
        work(house)
    house.post(f"/app/leavers/{kept}/stay")
    done = words_of(house.get(f"/app/leavers/{gone}"))
    assert "“Remove them from the organization” was chosen: the run . The evidence" in done
    assert "taken back" not in done
    rows = dict(_rows(house.get("/app/leavers")))
    assert "Stays as it is" in rows["Priya Raman"]
    assert "Not any more" in rows["Ana Marić"]
    assert "Leave their access as it is API tokens" in words_of(house.get(f"/app/leavers/{stays}/evidence"))
    evidence = words_of(house.get(f"/app/leavers/{kept}/evidence"))
    assert "Person Ana Marić, account" in evidence, "nobody left"


def test_when_access_ends_is_said_as_it_is_once_that_moment_is_over(open_house: House) -> None:
    tools = open_house.deployment.tools
    before, over = tools.clock() - timedelta(days=2), tools.clock() - timedelta(hours=1)
    late, gone = planned(open_house), planned(open_house, JON)
    with tools.begin() as session:
        session.get_one(Organization, ACME.id).time_zone = "Pacific/Auckland"
        session.get_one(Leaver, (ACME.id, late)).ends_at = before
        done = session.get_one(Leaver, (ACME.id, gone))
        done.state, done.finished_at, done.resume_at = "done", over, None
    page = words_of(open_house.get(f"/app/leavers/{late}"))
    assert "Suspend them: as soon as the handover is done" in page
    assert "Suspend them when the handover is done" in page
    rows = dict(_rows(open_house.get("/app/leavers")))
    assert f"{in_zone(before, 'Pacific/Auckland')} Nobody has confirmed it" in rows["Uma Lindqvist"]
    assert in_zone(over, "Pacific/Auckland") in rows["Jon Okafor"], "as it was chosen"
    with tools.begin() as session:
        session.get_one(Organization, ACME.id).time_zone = "UTC"


def _rows(answer: TestResponse) -> Iterator[tuple[str, str]]:
    """Name → the words of its row."""
    for row in re.findall(r"<tr>.*?</tr>", answer.text.partition("<tbody>")[2], re.DOTALL):
        words = " ".join(re.sub(r"<[^>]+>", " ", row).split())
        name = re.search(r">([^<>]+)</a>", row)
        assert name is not None
        yield name[1], words


def test_what_was_found_and_not_listed_is_said_before_anything_is_handed_over(open_house: House) -> None:
    leaver_id = planned(open_house)
    with open_house.deployment.tools.begin() as session:
        found = session.scalars(select(Look).where(Look.leaver_id == leaver_id, Look.kind == "issue")).one()
        found.found, listed = found.listed + 7, found.listed
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert f"Open issues assigned to them: 7 of {listed + 7} were found and could not be listed." in words
    assert "and at what is not, also that 7 more were found and not listed" in words
    assert "they stay as they are. Look again to have them too." in words
    evidence = words_of(open_house.get(f"/app/leavers/{leaver_id}/evidence"))
    assert f"7 of {listed + 7}. They stay as they were." in evidence


def test_an_org_admin_has_a_guide(open_house: House) -> None:
    leaver_id = planned(open_house, PRIYA)
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert "Before their access can end" in words
    assert "take the role “Organization admin” from them" in words
    begin(open_house, leaver_id)
    work(open_house)
    words = words_of(open_house.get(f"/app/leavers/{leaver_id}"))
    assert "Nobody was skipped" in words
    assert "Look again" in words
    held_up = words_of(open_house.get("/app/leavers?show=waiting"))
    assert "Access ends By hand first" in held_up
    assert "1–1 of 1 leaver" in held_up
    # As it says: the ending that was confirmed is not the last word.
    assert "For another ending press Stop, then begin anew" in words
    open_house.post(f"/app/leavers/{leaver_id}/stop")
    anew = planned(open_house, PRIYA)
    assert anew != leaver_id
    assert open_house.post(f"/app/leavers/{anew}/plan", **plan(deed="list")).status_code == 200


def test_whoever_is_no_operator_sees_nobody_leaving(open_house: House) -> None:
    leaver_id = planned(open_house)
    for path in ("/app/leavers", f"/app/leavers/{leaver_id}", f"/app/leavers/{leaver_id}/evidence"):
        assert open_house.get(path, JON).status_code == 403
    for path in ("confirm", "stop", "back", "plan", "look"):
        assert open_house.post(f"/app/leavers/{leaver_id}/{path}", JON).status_code == 403
