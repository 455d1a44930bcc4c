"""What the person concerned sees in the product, and the answer they give for themselves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.run import Case
from services import answer_queue
from services.own_case import Stage
from services.rule_runs import mark_seen, preview_rule, run_now
from services.rules import save_rule, switch_on
from tests.views.house import ANA, JON, UMA, House, words_of

pytestmark = pytest.mark.slow


def warned(house: House, *people: str, deed: str = "suspend", answer: str = "keep") -> None:
    """A live rule chose these people; the worker has warned whoever can be warned."""
    tools, ana = house.deployment.tools, house.deployment.ana
    house.deployment.configure()
    house.read_directory()
    rule_id = save_rule(
        tools,
        ana,
        {
            "name": "Warns",
            "mode": "live",
            "who": {"people": list(people)},
            "steps": [
                {
                    "when": {"not_seen": 1, "never": 1},
                    "then": {"deed": deed},
                    "grace": 14,
                    "answer": answer,
                }
            ],
            "brake": {"number": "none", "share": "none"},
        },
    )
    mark_seen(tools, ana, preview_rule(tools, ana, rule_id))
    switch_on(tools, ana, rule_id)
    run_now(tools, ana, rule_id)
    house.act()


def states(house: House, account_id: str) -> list[str]:
    with house.deployment.tools.begin() as session:
        return [case.state for case in session.query(Case).where(Case.account_id == account_id)]


@pytest.fixture
def idle_uma(new_house: House) -> House:
    """Uma has not been here for long, in the pretend Atlassian."""
    for account_id in (UMA, JON):
        new_house.deployment.control(
            "PATCH", f"people/{account_id}", json={"last_active": "2025-01-05T10:00:00Z"}
        )
    return new_house


def test_whoever_is_warned_reads_it_and_keeps_their_access(idle_uma: House) -> None:
    house = idle_uma
    warned(house, UMA)
    page = house.page("/pages/app", UMA)
    assert page.status_code == 200
    words = words_of(page)
    assert "your access ends." in words
    assert "I still need it" in words
    assert "hx-get" not in page.text.split("<main")[1]
    kept = house.post("/app/keep", UMA)
    assert "you keep your access" in words_of(kept)
    assert "spared" in states(house, UMA)
    assert house.page("/pages/app", UMA).status_code == 403
    assert house.post("/app/keep", UMA).status_code == 200


def test_what_an_operator_decides_is_not_promised_and_not_asked_twice(idle_uma: House) -> None:
    house = idle_uma
    warned(house, UMA, answer="review")
    words = words_of(house.page("/pages/app", UMA))
    assert "an operator of your organization reads it and decides" in words
    assert "you keep it" not in words
    assert "an operator of your organization decides" in words_of(house.post("/app/keep", UMA))
    tools, ana = house.deployment.tools, house.deployment.ana
    with tools.begin() as session:
        case_id = session.query(Case).where(Case.account_id == UMA, Case.state == "answered").one().id
    answer_queue.refuse(tools, ana, [case_id])
    words = words_of(house.page("/pages/app", UMA))
    assert "your access ends." in words
    assert "read that you still need your access, and did not agree" in words
    assert "Answer if" not in words
    assert "I still need it" not in words


def test_nobody_answers_for_somebody_else(idle_uma: House) -> None:
    house = idle_uma
    warned(house, UMA)
    house.post("/app/keep", JON, account_id=UMA, case_id="x")
    house.post("/app/keep", ANA, account_id=UMA)
    assert states(house, UMA).count("warned") == 1
    assert house.post("/app/keep", None).status_code == 409


def test_an_administrator_reads_it_above_the_page(idle_uma: House) -> None:
    house = idle_uma
    warned(house, JON)
    words = words_of(house.page("/pages/app", JON))
    assert "Configure Token" in words
    assert "I still need it" in words


def test_a_site_that_does_not_answer_keeps_nobody_from_what_they_are_told(idle_uma: House) -> None:
    """It is shown once: what nobody could see must not count as read."""
    house = idle_uma
    warned(house, UMA, deed="tell")
    silent = {"match": "/permissions/check$", "kind": "503", "times": 2}
    house.deployment.control("POST", "faults", json=silent)
    page = house.page("/pages/app", UMA)
    assert page.status_code == 200
    assert "Nothing else happens now" in words_of(page)
    assert house.page("/pages/app", UMA).status_code == 503, "there is nothing else to read by now"


def test_who_is_only_told_reads_it_once(idle_uma: House) -> None:
    house = idle_uma
    warned(house, UMA, deed="tell")
    assert "Nothing else happens now" in words_of(house.page("/pages/app", UMA))
    assert house.page("/pages/app", UMA).status_code == 403


def test_panels_and_gadgets_say_it_too(idle_uma: House) -> None:
    house = idle_uma
    warned(house, UMA)
    house.post("/app/notices", ANA, privacy="off", days="90", give_back_cap="")
    for path in (
        "/panels/issue?issue=10037&project=10000",
        "/panels/issue?issue=99999&project=10000",
        "/panels/gadget?dashboard=10100&item=10200",
    ):
        answer = house.page(path, UMA)
        words = words_of(answer)
        assert "your access ends." in words, path
        assert "I still need it" in words
        assert "htmx.min.js" in answer.text
        assert "your access ends" not in words_of(house.page(path, JON))
        assert "your access ends" not in words_of(house.page(path, None))
    house.post("/app/keep", UMA)
    assert "your access ends" not in words_of(house.page("/panels/issue?issue=10037&project=10000", UMA))


def test_every_stage_of_the_personal_page_has_its_colour() -> None:
    sheet = (Path(__file__).parents[2] / "static" / "keep.css").read_text()
    coloured = {
        name.strip().removeprefix(".")
        for rule in sheet.split("}")
        if "border-top: 4px solid" in rule
        for name in rule.partition("{")[0].split(",")
    }
    assert coloured == set(Stage) - {Stage.CLOSED}
