"""From the selection to the preview, the run, its undo; and the sync that shows how far it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from models.people import Person
from models.worker import Worker
from services.runs import finish_runs
from tests.services.workers import once, with_something_between
from tests.views.house import ANA, House, address_of, words_of

RUN = re.compile(r"runs/([0-9a-f-]{36})")


def some_people(house: House, number: int) -> list[str]:
    query = (
        select(Person.account_id)
        .filter_by(status="active", is_bot=False, is_org_admin=False, management_source="invited")
        .filter_by(account_type="atlassian", in_several_directories=False)
        .where(Person.account_id != ANA, Person.name != "Jon Okafor", Person.left_at.is_(None))
        .order_by(Person.account_id)
        .limit(number)
    )
    with house.deployment.tools.begin() as session:
        return list(session.scalars(query))


def test_select_preview_confirm_undo(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    assert house.post("/app/runs", deed="suspend", account_ids=ANA).status_code == 409  # nothing was read yet
    house.read_directory()
    assert "Nothing has been done yet" in words_of(house.get("/app/runs"))

    chosen = some_people(house, 3)
    preview = house.post("/app/runs", deed="suspend", account_ids=",".join([*chosen, ANA]))
    words = words_of(preview)
    assert "Nothing has happened yet" in words
    assert "Suspend 3 people" in words
    assert "1 guarded: never touched" in words
    assert "This is you." in words
    found = RUN.search(address_of(preview))
    assert found is not None
    run = f"/app/runs/{found[1]}"
    only_guarded = words_of(house.get(f"{run}?show=guarded"))
    assert "Ana Marić" in only_guarded
    assert "1–1 of 1 person" in only_guarded

    running = house.post(f"{run}/confirm")
    assert "hx-trigger" in running.text
    assert "Stop the run" in words_of(running)
    polled = house.get(f"{run}/progress")
    assert "HX-Retarget" not in polled.headers
    assert "Waiting" in words_of(polled)
    twice = house.post(f"{run}/confirm")
    assert twice.status_code == 409
    assert "This preview was used already. Look at the list of runs." in words_of(twice)

    house.act()
    finish_runs(house.deployment.tools)
    over = house.get(f"{run}/progress")
    assert over.headers["HX-Retarget"] == "#main"
    assert 'hx-trigger="every' not in over.text
    assert "3 of 3 people" in words_of(over)
    assert "Undo the run…" in words_of(over)
    assert house.get(f"{run}/export").text.count("acted") == 3

    undo = words_of(house.post(f"{run}/undo"))
    assert "Preview: take the run back" in undo
    assert "Restore 3 people" in undo
    listed = words_of(house.get("/app/runs"))
    assert "Suspend 3 people Finished 3 of 3 0 0 Ana Marić" in listed
    audit = words_of(house.get(f"/app/audit?person={chosen[0]}"))
    assert "Suspended a person Show run" in audit
    assert "1 entry, newest first" in audit
    assert "Suspended a person" in words_of(house.get(f"/app/people/{chosen[0]}"))


def test_a_preview_says_how_many_are_at_work(house: House) -> None:
    """Idle in one product, and selected for that, somebody may work in another one: a suspension ends both."""
    chosen = some_people(house, 30)
    lately = house.deployment.tools.clock() - timedelta(days=30)
    query = select(Person.account_id).where(Person.account_id.in_(chosen), Person.seen_at > lately)
    with house.deployment.tools.begin() as session:
        busy = set(session.scalars(query))
    assert 1 < len(busy) < len(chosen)
    of_all = words_of(house.post("/app/runs", deed="suspend", account_ids=",".join(chosen)))
    assert f"Suspend {len(chosen)} people" in of_all
    assert f"{len(busy)} people of those who will be suspended were seen in the last 30 days." in of_all
    idle = ",".join(set(chosen) - busy)
    assert "in the last 30 days" not in words_of(house.post("/app/runs", deed="suspend", account_ids=idle))


def test_what_atlassian_refused_is_not_called_failed_where_nothing_can_be_tried_again(
    new_house: House,
) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    people = some_people(house, 3)
    found = RUN.search(address_of(house.post("/app/runs", deed="suspend", account_ids=",".join(people))))
    assert found is not None
    run = f"/app/runs/{found[1]}"
    house.post(f"{run}/confirm")

    def close_everybody() -> None:
        for each in people:
            house.deployment.control("PATCH", f"people/{each}", json={"account_status": "inactive"})

    closing = once("before", "suspend", close_everybody)
    house.act(with_something_between(house.deployment.tools, closing))
    finish_runs(house.deployment.tools)
    over = words_of(house.get(run))
    assert "3 of 3 people · 0 suspended · 1 refused by Atlassian · 2 left alone" in over
    assert "failed" not in over


def test_nobody_is_told_that_an_undo_can_be_undone(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    found = RUN.search(
        address_of(house.post("/app/runs", deed="suspend", account_ids=some_people(house, 1)[0]))
    )
    assert found is not None
    run = f"/app/runs/{found[1]}"
    assert "what was done stays, and can be undone." in words_of(house.post(f"{run}/confirm"))
    house.act()
    finish_runs(house.deployment.tools)
    found = RUN.search(address_of(house.post(f"{run}/undo")))
    assert found is not None
    running = words_of(house.post(f"/app/runs/{found[1]}/confirm"))
    assert "Stop this run?" in running
    assert "can be undone" not in running


def test_who_waits_for_an_earlier_change_to_show_is_told_so(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    (person,) = some_people(house, 1)
    for deed in ("suspend", "restore"):
        found = RUN.search(address_of(house.post("/app/runs", deed=deed, account_ids=person)))
        assert found is not None
        house.post(f"/app/runs/{found[1]}/confirm")
        house.act()
    waiting = words_of(house.get(f"/app/runs/{found[1]}/progress"))
    assert re.search(r"Changed a moment ago; Atlassian may not show it yet\. Next look in [0-2] s\.", waiting)


@pytest.mark.parametrize("path", ["/app/runs", "/app/leavers"])
@pytest.mark.parametrize("odd", ["idle=-5", "idle=soon", "sort=shoes"])
def test_an_odd_filter_selects_nobody(house: House, path: str, odd: str) -> None:
    """Nor everybody: what cannot be read is said."""
    answer = house.post(path, deed="suspend", whole="yes", filter=odd)
    assert answer.status_code == 422
    assert "Choose another value in the filter." in words_of(answer)


def test_a_whole_filter_can_be_selected(house: House) -> None:
    words = words_of(house.post("/app/runs", deed="restore", whole="yes", filter="status=suspended"))
    assert re.search(r"Restore \d+ pe", words)


def test_what_is_no_deed_is_refused(house: House) -> None:
    assert house.post("/app/runs", deed="delete", account_ids=ANA).status_code == 422
    assert house.post("/app/runs", deed="suspend", account_ids="").status_code == 422
    assert house.get("/app/runs/00000000-0000-0000-0000-000000000000").status_code == 404


def test_the_bar_asks_again_until_the_directory_is_read(new_house: House) -> None:
    new_house.deployment.configure()
    overview = new_house.get("/app/overview")
    assert 'hx-trigger="every 1s"' in overview.text
    assert "Stop" in words_of(overview)
    polled = new_house.get("/app/sync?here=overview")
    assert polled.text.count("<progress") == 1
    assert "HX-Retarget" not in polled.headers
    assert new_house.post("/app/sync").status_code == 409

    new_house.read_directory()
    over = new_house.get("/app/sync?here=overview")
    assert over.headers["HX-Retarget"] == "#main"
    assert "Who uses what" in words_of(over)
    assert address_of(new_house.get("/app/sync?here=get-started")) == "get-started"

    assert 'hx-trigger="every 1s"' in new_house.post("/app/sync").text
    assert "stopped before its end" in words_of(new_house.post("/app/sync/stop"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("503", "Atlassian could not be reached, or failed."), ("429", "Atlassian asks us to slow down.")],
)
def test_a_sync_that_waits_says_for_what(new_house: House, kind: str, reason: str) -> None:
    new_house.deployment.control(
        "POST", "faults", json={"match": "/users/search", "kind": kind, "times": 9, "seconds": 60, "skip": 1}
    )
    new_house.deployment.configure()
    new_house.read_directory()
    assert f"{reason} Goes on by itself at" in words_of(new_house.get("/app/overview"))


def test_the_overview_counts_seats_by_activity(house: House) -> None:
    text = house.get("/app/overview").text
    for row in re.findall(r"<tr>.*?</tr>", text, flags=re.DOTALL)[1:]:
        numbers = [
            int(re.sub(r"<span.*?</span>|<[^>]+>|\D", "", cell, flags=re.DOTALL))
            for cell in re.findall(r"<td.*?</td>", row, flags=re.DOTALL)
        ]
        assert numbers[0] == sum(numbers[1:])
        widths = [float(width) for width in re.findall(r'width="([\d.]+)"', row)]
        assert abs(sum(widths) - 1000) < 1


def test_the_bar_of_a_run_says_that_nobody_works_while_there_is_something_to_do(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    chosen = some_people(house, 2)
    run = f"/app/{address_of(house.post('/app/runs', deed='suspend', account_ids=','.join(chosen)))}"
    house.post(f"{run}/confirm")
    tools = house.deployment.tools
    with tools.begin() as session:
        session.add(Worker(slot="worker-1", beat_at=tools.clock() - timedelta(minutes=2)))
    bar = words_of(house.get(f"{run}/progress"))
    assert "Stands still: no worker has given a sign of life since" in bar
    assert " left" not in bar
    house.act()
    assert "Stands still" not in words_of(house.get(run))
