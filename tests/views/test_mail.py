"""The pages around mail: what is typed is kept, each no has its place, and passwords are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from models.delivery import Delivery
from models.mail import MailSender, MailText
from models.organization import Operator
from models.run import Case
from services.digest_links import stop_link
from services.retention import DELIVERIES_KEPT
from tests.views.house import ANA, UMA, House, address_of, mark_in, words_of

SENDER = {
    "host": "1.1.1.1",
    "port": "465",
    "security": "tls",
    "username": "it",
    "password": "swordfish-5081",
    "from_address": "it@acme.example",
    "from_name": "IT team",
}
TEXT = "/app/mail/texts/person:warned/en"


@pytest.fixture
def rooms(house: House) -> Iterator[House]:
    """No mail server and no texts of acme's own, before and after."""
    yield house
    with house.deployment.tools.begin() as session:
        for model in (MailSender, MailText):
            for row in session.query(model).all():
                session.delete(row)


def test_the_page_says_that_nobody_gets_mail_without_a_server(rooms: House) -> None:
    page = rooms.get("/app/mail")
    assert page.status_code == 200
    assert address_of(page) == "mail"
    assert "There is no mail server: nobody gets mail." in words_of(page)
    assert "Warning before something happens in Deutsch" in words_of(page)


def test_a_stored_password_is_never_shown_again(rooms: House) -> None:
    saved = rooms.post("/app/mail/sender", **SENDER)
    assert "The mail server is stored." in words_of(saved)
    again = rooms.get("/app/mail")
    for answer in (saved, again):
        assert "swordfish" not in answer.text
    assert 'value="1.1.1.1"' in again.text
    assert 'value="it@acme.example"' in again.text


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"host": "127.0.0.1"}, "host", "private network"),
        ({"host": "169.254.169.254"}, "host", "private network"),
        ({"host": "smtp.example.com/x"}, "host", "not a host"),
        ({"port": "0"}, "port", "no port"),
        ({"security": "plain"}, "security", "encrypted"),
        ({"from_address": "nobody"}, "from_address", "no e-mail address"),
        ({"from_address": "it@acme..example"}, "from_address", "no e-mail address"),
        ({"username": ""}, "username", "needs its user name"),
        ({"password": ""}, "password", "needs its password"),
    ],
)
def test_a_slip_is_said_at_its_field_and_nothing_is_lost(
    rooms: House, changed: dict[str, str], field: str, sentence: str
) -> None:
    answer = rooms.post("/app/mail/sender", **(SENDER | changed))
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#main"
    said = re.search(rf'id="{field}-problem"><span>([^<]*)', answer.text)
    assert said is not None
    assert sentence in said[1]
    assert 'value="IT team"' in answer.text
    assert "swordfish" not in answer.text


@pytest.mark.parametrize(
    "changed",
    [{}, {"host": "8.8.8.8"}, {"port": "587"}, {"security": "starttls"}, {"from_name": ""}, {"username": ""}],
)
def test_what_is_not_saved_is_not_tested(rooms: House, changed: dict[str, str]) -> None:
    rooms.post("/app/mail/sender", **SENDER)
    # A password that is typed is another one, even when all else is as it was.
    typed = SENDER | {"password": ""} | changed if changed else SENDER
    answer = rooms.post("/app/mail/test", **typed)
    assert "Save first, then test." in words_of(answer)
    assert "<form" not in answer.text, "the form on the screen stays, with all that is typed in it"
    with rooms.deployment.tools.begin() as session:
        assert session.query(MailSender).one().tested_at is None


def test_an_empty_form_tests_the_server_of_the_deployment_and_a_filled_one_does_not(rooms: House) -> None:
    empty = SENDER | dict.fromkeys(("host", "username", "password", "from_address", "from_name"), "")
    for form in ({}, empty):
        tried = rooms.post("/app/mail/test", **form)
        assert "Your organization has no mail server yet. Save a mail server first." in words_of(tried)
    assert "Save first, then test." in words_of(rooms.post("/app/mail/test", **SENDER))


def test_a_text_is_changed_and_given_back(rooms: House) -> None:
    page = rooms.get(TEXT)
    assert address_of(page) == "mail/texts/person:warned/en"
    assert "Hello Ana Marić" in words_of(page)
    assert "{{ keep_link }}" in words_of(page)
    assert "<script" not in page.text.partition('id="mail-preview"')[2]
    saved = rooms.press(TEXT, TEXT, subject="Still here, {{ person.first_name }}?", body="Hello **you**")
    assert "A text of your own." in words_of(saved)
    assert "Own" in words_of(rooms.get("/app/mail"))
    late = rooms.post(TEXT, ANA, subject="Here?", body="Hello", was=mark_in(page))
    assert late.status_code == 409, "somebody else has changed it since"
    refused = rooms.press(TEXT, TEXT, subject="{{ config }}", body="Hello")
    assert refused.status_code == 422
    assert "There is no variable {{ config }} here." in words_of(refused)
    assert 'value="{{ config }}"' in refused.text, "what was typed is still there"
    back = rooms.post(f"{TEXT}/default")
    assert "Our text" in words_of(back)
    assert rooms.get("/app/mail/texts/run:started/en").status_code == 404
    assert rooms.get("/app/mail/texts/person:warned/tlh").status_code == 404


def test_a_text_whose_mails_are_forgotten_is_not_said_to_have_never_been_sent(rooms: House) -> None:
    assert DELIVERIES_KEPT.days == 90
    page = words_of(rooms.get("/app/mail"))
    assert "Not in 90 days" in page
    assert "Never" not in page.partition("Texts")[2].partition("Addresses that get no mail")[0]


def test_the_preview_of_a_hostile_text_does_no_harm(rooms: House) -> None:
    body = "<img src=x onerror=alert(1)> ![p](http://track.example/x.gif) [x](javascript:alert(1)) <b>b</b>"
    answer = rooms.post(f"{TEXT}/preview", ANA, subject="<script>alert(1)</script>", body=body, person="")
    assert answer.status_code == 200
    for tag in ("<img", "<script", "<b>b", 'href="javascript'):
        assert tag not in answer.text
    nobody = rooms.post(f"{TEXT}/preview", ANA, subject="x", body="y", person="zzzzzz")
    assert "Nobody of this name is in your directory." in words_of(nobody)


def test_the_digest_is_stopped_by_its_link_alone(rooms: House) -> None:
    tools = rooms.deployment.tools
    organization_id = rooms.person(account_id=ANA).organization_id
    path = stop_link(tools, organization_id, ANA).removeprefix(tools.settings.base_url)

    def stopped() -> bool:
        with tools.begin() as session:
            return session.get_one(Operator, (organization_id, ANA)).digest_stopped_at is not None

    client = rooms.deployment.app.test_client()
    base_url = tools.settings.base_url
    assert "No more summaries by mail?" in words_of(client.get(path, base_url=base_url))
    german = client.get(path, base_url=base_url, headers={"Accept-Language": "de"})
    assert "Keine Zusammenfassungen mehr per Mail?" in words_of(german)
    assert not stopped(), "looking changes nothing"
    for _ in range(2):
        done = client.post(path, base_url=base_url, data={"List-Unsubscribe": "One-Click"})
        assert "You get no more summaries" in words_of(done)
        assert stopped()
    assert client.post(path[:-3] + "abc", base_url=base_url).status_code == 404
    rooms.post("/app/mail/settings", ANA, language="en", digest="day")
    assert "You said that you want no summaries." in words_of(rooms.get("/app/mail"))
    assert "You get summaries again." in words_of(rooms.post("/app/mail/digest-again"))
    assert not stopped()
    rooms.post("/app/mail/settings", ANA, language="en", digest="off")


def test_only_operators_come_in(rooms: House) -> None:
    for path in ("/app/mail", TEXT):
        assert rooms.get(path, UMA).status_code == 403
    for path in ("/app/mail/sender", "/app/mail/test", f"{TEXT}/preview", f"{TEXT}/send-me"):
        assert rooms.post(path, UMA).status_code == 403


def test_a_person_s_page_says_which_mails_went_out_and_which_did_not(rooms: House) -> None:
    person = rooms.person(status="active", is_org_admin=False, is_bot=False)
    rooms.post("/app/runs", deed="suspend", account_ids=person.account_id)
    tools = rooms.deployment.tools
    with tools.begin() as session:
        case = session.query(Case).filter_by(account_id=person.account_id).first()
        assert case is not None
        for number, (state, reason) in enumerate((("sent", ""), ("not_sent", "The mail server refused it."))):
            session.add(
                Delivery(
                    organization_id=person.organization_id,
                    id=f"mail-{number}",
                    channel="mail",
                    topic="person:warned",
                    target=person.account_id,
                    case_id=case.id,
                    facts={},
                    state=state,
                    reason=reason,
                    created_at=tools.clock(),
                )
            )
    said = words_of(rooms.get(f"/app/people/{person.account_id}"))
    assert "Mails When About Mail Why" in said
    assert "Not sent The mail server refused it." in said
    with tools.begin() as session:
        for row in session.query(Delivery).all():
            session.delete(row)
