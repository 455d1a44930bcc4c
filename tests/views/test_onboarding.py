"""Profiles, invitations and files of people by asking for their pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.runs import finish_runs
from tests.views.house import JON, House, address_of, mark_in, send, words_of
from views.people_file import MEGABYTES

PAGES = ("onboarding", "onboarding/profiles", "onboarding/profiles/new", "onboarding/file")


@pytest.fixture
def tidy(house: House) -> Iterator[House]:
    """The house is shared: no profile stays behind."""
    yield house
    for profile_id in ids_of(house):
        house.post(f"/app/onboarding/profiles/{profile_id}/remove")


def ids_of(house: House) -> list[str]:
    page = house.get("/app/onboarding/profiles").text
    return re.findall(r'href="/app/onboarding/profiles/([0-9a-f-]{36})"', page)


def roles_of(house: House) -> list[str]:
    return re.findall(r'value="(atlassian/user [^"]+)"', house.get("/app/onboarding/profiles/new").text)


def add(house: House, **changed: Any) -> str:
    form = {"name": "Colleague", "roles": roles_of(house)[:1]} | changed
    answer = house.post("/app/onboarding/profiles", **form)
    assert answer.status_code == 200, words_of(answer)
    return ids_of(house)[0]


def upload(house: House, content: bytes | str) -> TestResponse:
    data = content.encode() if isinstance(content, str) else content
    return house.post("/app/onboarding/file", file=(BytesIO(data), "people.csv"))


def test_an_empty_page_begins_with_two_examples_of_the_organizations_own_products(tidy: House) -> None:
    page = tidy.get("/app/onboarding/profiles")
    assert "No profile yet" in words_of(page)
    assert "First a profile" in words_of(tidy.get("/app/onboarding"))
    examples = re.findall(r'href="/app/(onboarding/profiles/new\?example=\w+)"', page.text)
    assert len(examples) == 2
    for example in examples:
        form = tidy.get(f"/app/{example}").text
        assert re.search(r'value="atlassian/user [^"]+" selected', form)
    assert 'value="90"' in form


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": " "}, "name", "A profile needs a name."),
        ({"name": "a|b"}, "name", "has no “|”"),
        ({"name": "x" * 101}, "name", "At most 100 characters"),
        ({"roles": []}, "roles", "A profile that gives nothing"),
        ({"roles": ["atlassian/user ari:cloud:jira-software::site/gone"]}, "roles", "has no Jira there"),
        ({"groups": ["no-such-group"]}, "groups", "does not exist any more"),
        ({"days": "soon"}, "days", "Write a number of days"),
        ({"days": "0"}, "days", "Write a number of days"),
        ({"description": "x" * 501}, "description", "At most 500 characters"),
    ],
)
def test_a_slip_is_said_at_its_field(tidy: House, changed: dict[str, Any], field: str, sentence: str) -> None:
    form = {"name": "Colleague", "roles": roles_of(tidy)[:1]} | changed
    answer = tidy.post("/app/onboarding/profiles", **form)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert sentence in words_of(answer)
    assert ids_of(tidy) == []


def test_a_profile_is_made_changed_and_removed(tidy: House) -> None:
    profile_id = add(tidy, name="Colleague", days="30", description="<b>Everybody</b>")
    page = tidy.get("/app/onboarding/profiles")
    assert "30 days" in words_of(page)
    until = tidy.deployment.tools.clock().date().replace(month=12, day=31)
    ending = {"name": "Colleague", "roles": roles_of(tidy)[0], "days": "30", "until": until.isoformat()}
    assert f"30 days, until 31 December {until.year}" in words_of(
        tidy.press(
            f"/app/onboarding/profiles/{profile_id}", f"/app/onboarding/profiles/{profile_id}", **ending
        )
    )
    assert f'value="{until.isoformat()}"' in tidy.get(f"/app/onboarding/profiles/{profile_id}").text
    assert "<b>Everybody" not in page.text
    twice = tidy.post("/app/onboarding/profiles", name="COLLEAGUE", roles=roles_of(tidy)[0])
    assert "There is a profile “COLLEAGUE” already." in words_of(twice)
    place = f"/app/onboarding/profiles/{profile_id}"
    opened = mark_in(tidy.get(place))
    saved = tidy.press(place, place, name="Colleagues", roles=roles_of(tidy)[0], days="")
    assert "“Colleagues” is saved." in words_of(saved)
    assert "As long as they stay" in words_of(saved)
    # Whoever opened it before that undoes nothing of it.
    late = tidy.post(place, name="Colleague", roles=roles_of(tidy)[0], days="30", was=opened)
    assert late.status_code == 409
    assert "this has been changed since you opened it" in words_of(late)
    assert 'value="Colleagues"' in tidy.get(place).text
    assert "“Colleagues” is removed." in words_of(tidy.post(f"/app/onboarding/profiles/{profile_id}/remove"))
    assert tidy.get(f"/app/onboarding/profiles/{profile_id}").status_code == 404
    audit = words_of(tidy.get("/app/audit"))
    for words in ("Made a profile", "Changed a profile", "Removed a profile"):
        assert words in audit


def test_a_pasted_list_becomes_a_preview(tidy: House) -> None:
    profile_id = add(tidy)
    page = tidy.get(f"/app/onboarding?profiles={profile_id}")
    assert re.search(rf'value="{profile_id}" checked', page.text)
    assert "free" in words_of(page)
    known = tidy.person(status="active").email
    text = f'Nora Newman <nora@newcomers.example>; "Builder, Bob" <bob@newcomers.example>\n{known}'
    answer = tidy.post("/app/onboarding", people=text, profiles=profile_id)
    assert answer.status_code == 200
    said = words_of(answer)
    assert "Preview: 3 people" in said
    assert "Nora Newman" in said
    assert "Bob Builder" in said


def test_a_long_list_of_those_who_begin_later_has_pages_of_its_own(tidy: House) -> None:
    text = "\n".join(f"n{number:03}@newcomers.example" for number in range(101))
    free = re.search(r'value="(atlassian/guest [^"]+)"', tidy.get("/app/onboarding/profiles/new").text)
    assert free is not None
    guests = add(tidy, roles=free[1])
    answer = tidy.post("/app/onboarding", people=text, profiles=guests, starts_on="2099-05-01")
    run = f"/app/{address_of(answer)}"
    tidy.post(f"{run}/confirm")
    assert "1–100 of 101 people" in words_of(tidy.get("/app/onboarding"))
    second = tidy.get("/app/onboarding?waiting=2")
    assert "n100@newcomers.example" in second.text
    assert 'data-address="onboarding?waiting=2"' in second.text
    assert "waiting=1" in second.text
    called_off = re.search(r"/app/onboarding/waiting/[0-9a-f-]+/call-off\?waiting=2", second.text)
    assert called_off is not None
    assert "is called off" in words_of(tidy.post(called_off[0]))
    tidy.post(f"{run}/stop")


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"people": ""}, "people", "Nobody is in this list."),
        ({"people": "nora@newcomers.example\nBob\nnora@x"}, "people", "line 2 “Bob”, line 3 “nora@x”."),
        ({"profiles": []}, "profiles", "What do they get?"),
        ({"profiles": ["7b3f9f6e-0000-4000-8000-000000000006"]}, "profiles", "does not exist any more"),
        ({"starts_on": "2020-01-01"}, "starts_on", "The first day lies in the past."),
        ({"starts_on": "tomorrow"}, "starts_on", "This is no date."),
        ({"starts_on": "9999-12-31"}, "starts_on", "This day is too far away."),
        ({"ends_on": "9999-12-31"}, "ends_on", "This day is too far away."),
        ({"starts_on": "2099-05-02", "ends_on": "2099-05-01"}, "ends_on", "leave before they come"),
        ({"message": "x" * 1001}, "message", "At most 1,000 characters"),
    ],
)
def test_a_slip_in_an_invitation(tidy: House, changed: dict[str, Any], field: str, sentence: str) -> None:
    form = {"people": "nora@newcomers.example", "profiles": add(tidy)} | changed
    answer = tidy.post("/app/onboarding", **form)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert sentence in words_of(answer)
    if "message" not in changed:
        assert str(form["people"]).partition("\n")[0] in answer.text


def test_the_template_can_be_downloaded(house: House) -> None:
    answer = house.get("/app/onboarding/file/template")
    assert answer.mimetype == "text/csv"
    assert answer.text.startswith(
        '\ufeff"e-mail","name","profile","groups to add","groups to remove","action","start","end","note"\r\n'
    )
    assert len(answer.text.splitlines()) == 3


def test_rows_to_mend_stand_above_the_preview_and_in_a_file(tidy: House) -> None:
    add(tidy)
    text = "E-Mail;Profile;Action\nnora@newcomers.example;colleague;\nbob;Colleague;\n;No such;dance\n"
    answer = upload(tidy, text)
    assert answer.status_code == 200
    said = words_of(answer)
    assert "Preview: 1 person" in said
    assert "2 rows of the file have to be mended." in said
    assert "“bob” is no e-mail address." in said
    assert "There is no profile “No such”." in said
    assert "There is no action “dance”." in said
    (run_id,) = set(re.findall(r"/app/onboarding/file/([0-9a-f-]{36})/mend", answer.text))
    mend = tidy.get(f"/app/onboarding/file/{run_id}/mend").text
    assert mend.splitlines()[0] == '\ufeff"E-Mail","Profile","Action","problem"'
    assert "e-mail: “bob” is no e-mail address." in mend
    assert tidy.get(f"/app/onboarding/file/{run_id}/rows?page=99").status_code == 200
    # What was mended comes back with the column in which we wrote.
    again = upload(
        tidy,
        mend.replace('"bob"', "bob@newcomers.example").replace(
            '"","No such","dance"', "a@b.example,Colleague,"
        ),
    )
    assert "Preview: 2 people" in words_of(again)


def test_what_begins_later_is_said_whatever_it_is(tidy: House) -> None:
    add(tidy)
    person = tidy.person(
        status="active", is_bot=False, is_org_admin=False, management_source="invited", left_at=None
    )
    text = f"e-mail,profile,action,start\nn@new.example,Colleague,,2099-05-01\n{person.email},,remove,2099-05-01\n"
    run = f"/app/{address_of(upload(tidy, text))}"
    tidy.post(f"{run}/confirm")
    rows = re.findall(r"<tr>.*?</tr>", tidy.get("/app/onboarding").text.partition("<tbody>")[2], re.DOTALL)
    said = {row.split("/td>")[0].rpartition("<td>")[2].rstrip("<") for row in rows[:2]}
    assert "Will be removed" in said
    assert len(said) == 2, "and what the other one gets"
    tidy.post(f"{run}/stop")


def test_an_invitation_that_is_withdrawn_is_not_said_to_take_a_seat(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    answer = house.post("/app/onboarding", people="nora@newcomers.example", profiles=add(house))
    run = f"/app/{address_of(answer)}"
    house.post(f"{run}/confirm")
    house.act()
    finish_runs(house.deployment.tools)
    assert "0 of 1 person whom Rollcall invited in the last 30 days has come." in words_of(
        house.get("/app/onboarding")
    )
    undo = words_of(house.post(f"{run}/undo"))
    assert "Remove 1 person" in undo
    assert "Only what the run did is taken back" in undo
    assert "1 seat becomes free" in undo


def test_a_later_last_day_is_a_verdict_of_its_own_and_a_sooner_one_says_why_not(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    tools, group = house.deployment.tools, "service-desk-agents"
    person = house.person(
        status="active", is_bot=False, is_org_admin=False, management_source="invited", left_at=None
    )
    first, sooner, later = (tools.clock().date() + timedelta(days=days) for days in (20, 10, 40))

    def previewed(until: date, more: str = "") -> str:
        file = f"e-mail,groups to add,end\n{person.email},{group},{until.isoformat()}\n{more}"
        return f"/app/{address_of(upload(house, file))}"

    given = previewed(first)
    house.post(f"{given}/confirm")
    house.act()
    finish_runs(tools)
    end_sooner = previewed(sooner)
    assert "which is sooner: their last day is left as it is." in words_of(house.get(end_sooner))
    narrowed = words_of(house.get(f"{end_sooner}?why=last_day"))
    assert "Last day left as it is 1" in narrowed
    assert "1–1 of 1 person" in narrowed

    run = previewed(later, f"nora@newcomers.example,{group},\n")
    moved = f"From {first:%-d %B %Y} to {later:%-d %B %Y}."
    said = words_of(house.get(run))
    assert "Prolong their access 1" in said
    narrowed = words_of(house.get(f"{run}?deed=prolong"))
    assert f"Will be prolonged {moved} keeps {group} Line 2 of the file" in narrowed
    assert "nora@newcomers.example" not in narrowed

    run = previewed(later)
    said = words_of(house.get(run))
    assert "1 will be prolonged" in said
    assert "Prolong the access of 1 person" in said
    house.post(f"{run}/confirm")

    def is_prolonged() -> bool:
        house.act()
        return f"Prolonged {moved}" in words_of(house.get(run))

    house.deployment.wait_for(is_prolonged, "what was done before to settle")
    finish_runs(tools)
    page = words_of(house.get(f"/app/people/{person.account_id}"))
    assert f"Until {later:%-d %B %Y} (prolonged; before: {first:%-d %B %Y})" in page
    undo = words_of(house.post(f"{run}/undo"))
    assert "Set back the last day of 1 person" in undo
    assert f"From {later:%-d %B %Y} to {first:%-d %B %Y}." in undo


def test_a_removal_is_not_said_to_be_taken_back(tidy: House) -> None:
    add(tidy)
    person = tidy.person(
        status="active", is_bot=False, is_org_admin=False, management_source="invited", left_at=None
    )
    text = f"e-mail,profile,action\nnora@newcomers.example,Colleague,\n{person.email},,remove\n"
    said = words_of(upload(tidy, text))
    assert "can be stopped and taken back, except for 1 person whom it removes" in said
    said = words_of(upload(tidy, text.replace("remove", "suspend")))
    assert "can be stopped and taken back. " in said


def test_however_many_rows_are_to_be_mended_all_of_them_can_be_read(tidy: House) -> None:
    answer = upload(tidy, "e-mail\n" + "bob\n" * 51)
    assert "1–50 of 51 rows" in words_of(answer)
    following = re.search(r'hx-get="(/app/onboarding/file/[^"]+page=2)"', answer.text)
    assert following is not None
    assert "51–51 of 51 rows" in words_of(tidy.get(following[1]))


def test_a_file_of_which_no_row_is_good(tidy: House) -> None:
    said = words_of(upload(tidy, "e-mail,profile\nbob,none\n"))
    assert "The rule does this by itself" not in said
    assert "No row of this file can be used as it is." in said
    assert "1 row of the file has to be mended." in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "There is no file, or nothing in it."),
        (b"\n\n", "There is no file, or nothing in it."),
        (b"e-mail\n", "There is no row below the header."),
        (b"name\nNora\n", "A column “e-mail” is missing."),
        (b"e-mail,shoe size\n", "There is no column “shoe size”."),
        (b"e-mail,E_Mail\n", "The column “e-mail” is there twice."),
        (
            "e-mail,name\na@b.example,Ana Mari\u0107\n".encode("latin2"),
            "Line 2: this is not written in UTF-8.",
        ),
        ("e-mail\na@b.example\n".encode("utf-16"), "this is not written in UTF-8."),
        (b'e-mail,name\na@b.example,"Ana\n', "Line 2: a quotation mark is not closed"),
        (b"e-mail,name\na@b.example,\0\n", "Line 2: there is something that is no text."),
    ],
)
def test_a_file_that_cannot_be_read_is_told_where(house: House, content: bytes, sentence: str) -> None:
    answer = upload(house, content)
    assert answer.status_code == 422
    assert 'id="file-problem"' in answer.text
    assert sentence in words_of(answer)


def test_a_file_that_is_too_large_is_said_in_words_and_larger_bodies_go_nowhere_else(house: House) -> None:
    answer = send(house, "/app/onboarding/file", MEGABYTES * 1024 * 1024 + 1)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#main")
    assert 'id="file-problem"' in answer.text
    assert f"This file is larger than {MEGABYTES} MB. Split it" in words_of(answer)
    assert send(house, "/app/onboarding/file", 3 * 1024 * 1024).status_code == 422
    assert send(house, "/app/onboarding", 3 * 1024 * 1024).status_code == 413


def test_only_operators(house: House) -> None:
    for page in PAGES:
        assert house.get(f"/app/{page}", JON).status_code == 403
    assert house.post("/app/onboarding/file", JON).status_code == 403
