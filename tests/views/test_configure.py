"""Configure Token: each refusal beside its field, nothing typed comes back, and what is shown afterwards."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

from sqlalchemy import select, update

from connect.caller import Caller, Via
from models.credential import Credential
from models.people import Person
from sandbox.world import ADMIN_KEYS
from services.credential_storing import store_admin_key
from tests.jobs.deployment import KEY
from tests.views.house import ANA, JON, UMA, House, words_of

NEXT_YEAR = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
EXPIRED, SCOPED = (
    next(each.key for each in ADMIN_KEYS if getattr(each, flaw)) for flaw in ("expired", "scoped")
)
GLOBEX = next(each.key for each in ADMIN_KEYS if each.org == "globex")


def test_the_expiry_is_preset_to_twelve_months(new_house: House) -> None:
    today = datetime.now(UTC).date()
    found = re.search(r'id="key-expires_on"[^>]* value="([\d-]+)"', new_house.get("/app/configure").text)
    assert found is not None
    assert 364 <= (datetime.fromisoformat(found[1]).date() - today).days <= 366


def test_a_wrong_key_is_refused_beside_its_field(new_house: House) -> None:
    for key, sentence in (
        ("ATCTT3-a-key-that-nobody-made", "Atlassian rejects this key"),
        (EXPIRED, "Atlassian rejects this key"),
        (SCOPED, "its scopes are too small"),
        (GLOBEX, "Globex Research"),
        ("", "is missing"),
    ):
        answer = new_house.post("/app/configure/admin-key", key=key, expires_on=NEXT_YEAR)
        assert answer.status_code == 422
        assert answer.headers["HX-Retarget"] == "#admin-key"
        field = re.search(r'<input[^>]* id="key"[^>]*>', answer.text)
        assert field is not None
        assert 'aria-invalid="true"' in field[0]
        assert 'aria-describedby="key-problem"' in field[0]
        assert sentence in words_of(answer)
        assert not key or key not in answer.text
        # What is no secret is not lost.
        assert f'value="{NEXT_YEAR}"' in answer.text


def test_a_date_that_is_over_is_refused_beside_its_field(new_house: House) -> None:
    answer = new_house.post("/app/configure/admin-key", key=KEY, expires_on="2020-01-01")
    assert answer.status_code == 422
    assert re.search(r'id="key-expires_on"[^>]*aria-invalid="true"', answer.text)
    assert KEY not in answer.text


def test_a_stored_key_that_expired_says_when_and_what_next(new_house: House) -> None:
    today = datetime.now(UTC).date()
    new_house.post("/app/configure/admin-key", key=KEY, expires_on=today.isoformat())
    new_house.deployment.control("POST", f"keys/{KEY}/expire")
    words = words_of(new_house.post("/app/configure/admin-key/check"))
    assert f"The Admin API key expired on {today.day} {today:%B %Y}. Create a new key" in words
    assert "expired on" in words_of(new_house.get("/app/audit"))


def test_the_last_days_of_a_key_are_counted(new_house: House) -> None:
    today = datetime.now(UTC).date()
    for days, words in ((1, "in 1 day "), (2, "in 2 days ")):
        expires_on = (today + timedelta(days=days)).isoformat()
        assert words in words_of(new_house.post("/app/configure/admin-key", key=KEY, expires_on=expires_on))


def test_a_key_that_is_of_no_use_any_more_is_no_step_that_is_done(new_house: House) -> None:
    today = datetime.now(UTC).date()
    new_house.post("/app/configure/admin-key", key=KEY, expires_on=today.isoformat())
    day = f"{today.day} {today:%B %Y}"
    assert f"opens your organization until {day}." in words_of(new_house.get("/app/get-started"))
    new_house.deployment.control("POST", f"keys/{KEY}/expire")
    new_house.post("/app/configure/admin-key/check")
    shown = words_of(new_house.get("/app/get-started"))
    assert f"…{KEY[-4:]} is of no use any more. The Admin API key expired on {day}. Create a new key" in shown
    assert "Paste an Admin API key (done)" not in shown
    # Nobody has asked Atlassian since.
    with new_house.deployment.tools.begin() as session:
        session.execute(update(Credential).values(state="working", expires_on=today - timedelta(days=2)))
    assert "is of no use any more. It expired on" in words_of(new_house.get("/app/get-started"))


def test_a_good_key_makes_its_giver_an_operator_and_is_never_shown(new_house: House) -> None:
    answer = new_house.post("/app/configure/admin-key", key=KEY, expires_on=NEXT_YEAR)
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == "#main"
    words = words_of(answer)
    assert "The key works and is stored" in words
    assert f"…{KEY[-4:]}" in words
    assert "Overview People Onboarding Leavers Rules Review Runs Notices Audit Configure Token" in words
    for shown in (answer, new_house.get("/app/configure"), new_house.get("/app/audit")):
        assert KEY not in shown.text
        assert 'type="password" value' not in shown.text


def test_token_and_address_are_refused_together_and_the_address_comes_back(house: House) -> None:
    answer = house.post(
        "/app/configure/api-token",
        email="ana@acme.example",
        token="ATATT3-nobody-made-this",
        expires_on=NEXT_YEAR,
    )
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#api-token"
    assert 'value="ana@acme.example"' in answer.text
    assert "nobody-made-this" not in answer.text
    assert "Optional" in words_of(house.get("/app/configure/api-token"))


def test_check_replace_cancel(house: House) -> None:
    assert "It works." in words_of(house.post("/app/configure/admin-key/check"))
    editing = house.get("/app/configure/admin-key/replace")
    assert 'id="key"' in editing.text
    assert "Cancel" in words_of(editing)
    assert 'id="key"' not in house.get("/app/configure/admin-key").text
    assert house.get("/app/configure/nonsense").status_code == 404


def test_forget_asks_first_and_then_leaves_nothing(new_house: House) -> None:
    new_house.deployment.configure()
    assert "Forget the Admin API Key?" in words_of(new_house.get("/app/configure"))
    answer = new_house.post("/app/configure/admin-key/forget")
    assert "Missing" in words_of(answer)
    assert 'href="/app/people"' not in answer.text


def test_what_forgetting_the_last_key_ends_is_said_before(new_house: House) -> None:
    new_house.deployment.configure()
    asked = words_of(new_house.get("/app/configure"))
    assert "rules, access rules and identity providers do nothing by themselves any more" in asked
    assert "After 30 days without a key all of it is deleted" in asked
    tools = new_house.deployment.tools
    beside = new_house.deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
    expires_on = (tools.clock() + timedelta(days=200)).date().isoformat()
    other = Caller(beside["client_key"], ANA, Via.CONTEXT)
    store_admin_key(tools, other, key=KEY, expires_on=expires_on)
    asked = words_of(new_house.get("/app/configure"))
    assert "Everything goes on with the key of its other installation" in asked
    assert "deleted" not in asked


def test_a_key_that_was_stored_meanwhile_is_not_forgotten(new_house: House) -> None:
    new_house.deployment.configure()
    seen = shown_version(new_house)
    new_house.post("/app/configure/admin-key", JON, key=KEY, expires_on=NEXT_YEAR)
    late = new_house.post("/app/configure/admin-key/forget", version=seen)
    assert late.status_code == 409
    assert "The Admin API key was replaced in the meantime: the new one is kept." in words_of(late)
    assert "Missing" not in words_of(new_house.get("/app/configure"))
    again = new_house.post("/app/configure/admin-key/forget", version=shown_version(new_house))
    assert "Missing" in words_of(again)


def shown_version(house: House) -> str:
    """What the button of the page says it is about."""
    button = re.search(r"admin-key/forget\" hx-vals='([^']*)'", house.get("/app/configure").text)
    assert button is not None
    return str(json.loads(unescape(button[1]))["version"])


def test_operators_are_found_by_name_named_and_removed(house: House) -> None:
    assert "Jon Okafor" in words_of(house.get("/app/operators/search?text=jon+ok"))
    assert "Jon Okafor" in words_of(house.post("/app/operators", account_id=JON))
    assert house.get("/app/people", JON).status_code == 200
    # Who is an operator already is not offered again.
    assert "Jon Okafor" not in words_of(house.get("/app/operators/search?text=jon+ok"))
    assert "no operator any more" in words_of(house.post(f"/app/operators/{JON}/remove"))
    assert house.get("/app/people", JON).status_code == 403
    assert house.post(f"/app/operators/{ANA}/remove").status_code == 409


def test_operators_have_a_place_of_their_own_even_without_being_administrators(house: House) -> None:
    assert house.post("/app/operators", account_id=UMA).status_code == 200
    assert "Uma Lindqvist (you)" in words_of(house.get("/app/operators", UMA))
    assert house.get("/app/configure", UMA).status_code == 403
    assert house.post(f"/app/operators/{UMA}/remove").status_code == 200


def test_the_list_of_operators_says_who_is_gone(new_house: House) -> None:
    new_house.deployment.configure()
    new_house.read_directory()
    new_house.post("/app/operators", account_id=JON)
    assert "no operator as long as that is so" not in words_of(new_house.get("/app/operators"))
    with new_house.deployment.tools.begin() as session:
        session.scalars(select(Person).filter_by(account_id=JON)).one().status = "suspended"
    shown = words_of(new_house.get("/app/operators"))
    assert "Left, or their account is not active: no operator as long as that is so" in shown
    assert "The last one stays" in shown
    assert new_house.get("/app/people", JON).status_code == 403


def test_an_operator_who_goes_sees_nothing_more(house: House) -> None:
    house.post("/app/operators", account_id=JON)
    answer = house.post(f"/app/operators/{JON}/remove", JON)
    assert "no operator any more" in words_of(answer)
    assert answer.headers["HX-Retarget"] == "#main"
    assert house.get("/app/operators", JON).status_code == 403


def test_the_check_that_closes_the_door_shows_the_whole_page(new_house: House) -> None:
    new_house.deployment.configure()
    with new_house.deployment.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE admin_key SET org = 'globex' WHERE key = ?", (KEY,))
    first = new_house.post("/app/configure/admin-key/check")
    assert "which does not own" in words_of(first)
    assert "HX-Retarget" not in first.headers
    with new_house.deployment.tools.begin() as session:
        session.execute(update(Credential).values(checked_at=datetime.now(UTC) - timedelta(hours=1)))
    second = new_house.post("/app/configure/admin-key/check")
    assert second.headers["HX-Retarget"] == "#main"
    assert "this site is no longer in the organization" in words_of(second)
    assert "Start with the Admin API Key" in words_of(second)
    assert new_house.get("/app/people").status_code == 409
