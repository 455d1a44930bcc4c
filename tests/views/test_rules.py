"""Rules by clicking: made from a template, mended, previewed, switched on, run, copied, deleted; files in and out."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.people import Person
from services.rules import delete_rule, save_rule
from services.runs import finish_runs
from tests.views.house import JON, House, address_of, mark_in, send, words_of
from tests.views.test_runs import some_people

RUN = re.compile(r"runs/([0-9a-f-]{36})")
LADDER = {
    "name": "Ladder of the test",
    "mode": "live",
    "steps": [
        {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
        {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0},
    ],
    "brake": {"number": "none", "share": "none"},
}


def fields_of(answer: TestResponse) -> list[tuple[str, str]]:
    """What the browser would send of the form, as (name, value)."""
    form = answer.text[answer.text.index('id="rule-form"') :]
    found = []
    for tag in re.findall(r"<input[^>]*>", form):
        name, value, kind = (attribute(tag, word) for word in ("name", "value", "type"))
        if name and (kind not in ("checkbox", "radio") or " checked" in tag):
            found.append((name, value))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)".*?>(.*?)</select>', form, flags=re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found.append((name, chosen[1] if chosen else ""))
    for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form):
        found.append((name, text))
    return found


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def form_of(answer: TestResponse, **changed: str) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in fields_of(answer):
        form.setdefault(name, []).append(value)
    return form | {name.replace("__", "."): value for name, value in changed.items()}


def made(house: House, **changed: Any) -> str:
    return save_rule(house.deployment.tools, house.deployment.ana, LADDER | changed)


def gone(house: House, rule_id: str) -> None:
    delete_rule(house.deployment.tools, house.deployment.ana, rule_id)


def test_an_empty_page_offers_templates(house: House) -> None:
    answer = house.get("/app/rules")
    words = words_of(answer)
    assert "No rule yet" in words
    assert "Idle ladder" in words
    assert "Contractors with an end date" in words
    assert 'href="/app/rules/new?template=never-came"' in answer.text
    assert "Rules Protected Calendar" in words


@pytest.mark.parametrize(
    "key", ["", "idle-ladder", "externals", "never-came", "unanswered-invitations", "contractors"]
)
def test_what_the_form_shows_of_a_template_makes_that_rule(house: House, key: str) -> None:
    form = house.get(f"/app/rules/new?template={key}" if key else "/app/rules/new")
    reads = re.search(r'class="reads"[^>]*>(.*?)</p>', form.text)
    fields = form_of(form, name=f"Of the form {key}")
    saved = house.post("/app/rules", **fields)
    assert saved.status_code == 200, words_of(saved)
    assert saved.headers["HX-Retarget"] == "#main"
    words = words_of(saved)
    assert "It is off: nothing happens yet" in words
    if key:
        assert reads is not None
        assert words_of_text(reads[1]) in words
    assert house.get("/app/rules/new?template=nonsense").status_code == 404
    rule_id = address_of(saved).removeprefix("rules/")
    # Opened again, the form says the same, and saving it unchanged makes no version.
    again = house.get(f"/app/rules/{rule_id}/edit")
    assert "Version 1." in words_of(house.post(f"/app/rules/{rule_id}", **form_of(again)))
    gone(house, rule_id)


def test_whoever_edits_what_somebody_else_has_changed_since_is_told_and_undoes_nothing(house: House) -> None:
    rule_id = made(house)
    house.post("/app/operators", account_id=JON)
    try:
        mine = form_of(house.get(f"/app/rules/{rule_id}/edit"), fresh_hours="24")
        theirs = form_of(house.get(f"/app/rules/{rule_id}/edit", JON), who__domains="acme.example")
        assert "Version 2." in words_of(house.post(f"/app/rules/{rule_id}", JON, **theirs))
        # Redrawn meanwhile, the form still knows what it was filled in with.
        redrawn = form_of(house.post("/app/rules/form", **mine))
        late = house.post(f"/app/rules/{rule_id}", **redrawn)
        assert late.status_code == 409
        assert "Not saved: Jon Okafor has changed this rule since you opened it." in words_of(late)
        again = house.get(f"/app/rules/{rule_id}/edit")
        assert 'value="acme.example"' in again.text
        saved = house.post(f"/app/rules/{rule_id}", **form_of(again, fresh_hours="24"))
        assert "Version 3." in words_of(saved)
    finally:
        gone(house, rule_id)
        house.post(f"/app/operators/{JON}/remove")


def words_of_text(text: str) -> str:
    from html import unescape

    return " ".join(unescape(text).split())


def test_every_problem_stands_at_its_field_and_nothing_is_saved(house: House) -> None:
    form = house.get("/app/rules/new?template=idle-ladder")
    wrong = form_of(form, name="", schedule__every="cron", schedule__cron="nonsense", fresh_hours="soon")
    wrong["steps.0.days"], wrong["steps.1.grace"] = ["-60"], "-3"
    answer = house.post("/app/rules", **wrong)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#rule-form"
    for field, sentence in [
        ("name", "Give the rule a name."),
        ("steps-0-when-not_seen-0", "cannot be negative"),
        ("steps-1-grace", "cannot be negative"),
        ("schedule-cron", "five parts"),
        ("fresh_hours", "whole number from 1 to 720"),
    ]:
        tag = re.search(rf'<input[^>]* id="{field}"[^>]*>', answer.text)
        assert tag is not None, field
        assert 'aria-invalid="true"' in tag[0], field
        assert f'aria-describedby="{field}-problem"' in tag[0], field
        problem = re.search(rf'id="{field}-problem">(.*?)</p>', answer.text)
        assert problem is not None, field
        assert sentence in problem[1]
    assert "5 things to mend" in words_of(answer)
    assert "Rung 1, when, not seen:" in words_of(answer)
    # What was typed is kept, and mended one by one.
    assert 'value="nonsense"' in answer.text
    chosen = house.post("/app/rules/form", **form_of(form, schedule__every="cron", schedule__cron=""))
    assert 'Write a cron expression, like "0 6 * * 1".' in words_of(chosen)
    assert "No rule yet" in words_of(house.get("/app/rules"))


def test_rungs_are_added_moved_and_removed_and_what_was_typed_stays(house: House) -> None:
    def after(answer: TestResponse, order: str, **changed: str) -> TestResponse:
        return house.post("/app/rules/form", **form_of(answer, **changed), order=order)

    form = house.get("/app/rules/new?template=idle-ladder")
    more = after(form, "add", name="Typed")
    assert more.text.count('class="rung"') == 4
    assert "data-focus" in more.text
    assert 'value="Typed"' in more.text
    grace = {"steps__2__grace": "5"}
    assert "in a product: only a mail reaches them." in words_of(after(form, "", **grace))
    unmailed = after(form, "", **grace, steps__2__by_mail="no")
    assert "in a product: nobody can warn them, whatever the grace." in words_of(unmailed)
    up = after(more, "up:2")
    deeds = re.findall(r'name="steps\.\d\.then\.deed".*?value="(\w+)" selected', up.text, flags=re.DOTALL)
    assert deeds == ["tell", "deactivate", "suspend", "suspend"]
    assert after(up, "remove:3").text.count('class="rung"') == 3
    two = after(form, "or:0")
    assert two.text.count('name="steps.0.days"') == 2
    assert after(two, "unless:0:1").text.count('name="steps.0.days"') == 1
    for odd in ("up:0", "remove:9", "or:x", "unless:0:7", "add:add:add", "nonsense", ""):
        assert after(form, odd).status_code == 200


def test_the_form_shows_what_goes_with_a_choice(house: House) -> None:
    form = house.get("/app/rules/new")
    taking = house.post("/app/rules/form", **form_of(form, steps__0__then__deed="remove_access"))
    assert "the products they lose" in words_of(taking)
    groups = house.post("/app/rules/form", **form_of(form, steps__0__then__deed="change_groups"))
    assert "groups they leave" in words_of(groups)
    none = house.post("/app/rules/form", **form_of(form, steps__0__grace="0"))
    assert "nobody is warned beforehand" in words_of(none)
    weekly = house.post("/app/rules/form", **form_of(form, schedule__every="week", schedule__at="06:30"))
    assert len(re.findall(r"<li><time[^>]*>Mon \d+ \w+ \d+, 06:30</time>", weekly.text)) == 5
    billing = house.post("/app/rules/form", **form_of(form, schedule__every="billing"))
    assert "on which day of the month Atlassian bills" in words_of(billing)
    table = words_of(form)
    assert "Delete their account Managed accounts that Atlassian says may be deleted Admin API Key" in table


@pytest.mark.parametrize("deed", ["suspend", "tell", "list"])
@pytest.mark.parametrize("grace", [14, 0])
def test_the_form_keeps_what_a_rule_says_about_warnings_and_answers(
    house: House, deed: str, grace: int
) -> None:
    step = {"when": {"not_seen": 90}, "then": {"deed": deed}, "kept_for": 180}
    if deed == "suspend":
        step |= {"grace": grace}
    if deed == "tell" or (deed == "suspend" and grace):
        step |= {"by_mail": False}
    if deed == "suspend" and grace:
        step |= {"answer": "review"}
    if deed == "list":
        del step["kept_for"]
    rule_id = made(house, name=f"{deed} {grace}", steps=[step])
    form = house.get(f"/app/rules/{rule_id}/edit")
    assert ("What “I still need it” does" in form.text) is (deed == "suspend" and grace > 0)
    assert "Version 1." in words_of(house.post(f"/app/rules/{rule_id}", **form_of(form)))
    if deed == "suspend" and grace:
        wrong = house.post(f"/app/rules/{rule_id}", **form_of(form, steps__0__kept_for="soon"))
        assert wrong.status_code == 422
        assert 'id="steps-0-kept_for-problem"' in wrong.text
        kept = house.post(f"/app/rules/{rule_id}", **form_of(form, steps__0__answer="keep"))
        assert "Version 2." in words_of(kept)
    gone(house, rule_id)


def test_a_named_list_takes_addresses(house: House) -> None:
    person = house.person(status="active", is_bot=False, left_at=None, email="jon@acme.example")
    form = house.get("/app/rules/new?template=never-came")
    saved = house.post("/app/rules", **form_of(form, who__people=f"{person.email}\n"))
    assert "people on its list (1 person)" in words_of(saved)
    rule_id = address_of(saved).removeprefix("rules/")
    assert person.account_id in house.get(f"/app/rules/{rule_id}/edit").text
    gone(house, rule_id)
    refused = house.post("/app/rules", **form_of(form, who__people="nobody@acme.example"))
    assert refused.status_code == 422
    assert "Nobody in your directory has the address nobody@acme.example" in words_of(refused)


def test_a_named_list_finds_an_address_that_ends_many_others(new_house: House) -> None:
    """li@ among wei.li@ and all the others: more of them than a page of people has."""
    house = new_house
    house.deployment.configure()
    house.read_directory()
    with house.deployment.tools.begin() as session:
        people = session.scalars(select(Person).order_by(Person.name.desc()).limit(60)).all()
        for number, person in enumerate(people):
            person.email = f"{number}.li@acme.example" if number else "Li@acme.example"
            person.address = person.search_text = person.email.lower()
        account_id = people[0].account_id
    form = house.get("/app/rules/new?template=never-came")
    saved = house.post("/app/rules", **form_of(form, who__people="li@acme.example\n"))
    rule_id = address_of(saved).removeprefix("rules/")
    assert f">{account_id}</textarea>" in house.get(f"/app/rules/{rule_id}/edit").text


@pytest.mark.parametrize(
    ("mode", "deed", "would_be", "verdict"),
    [
        ("audit", "suspend", "listed", "Would be suspended"),
        ("live", "list", "listed", "Will be listed"),
        ("review", "suspend", "warned or changed", "Will be suspended"),
    ],
)
def test_the_preview_says_what_would_become_of_the_chosen(
    new_house: House, mode: str, deed: str, would_be: str, verdict: str
) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    rule_id = made(house, mode=mode, steps=[{"when": {"not_seen": 90}, "then": {"deed": deed}}])
    words = words_of(house.post(f"/app/rules/{rule_id}/preview"))
    assert re.search(rf"\d+ of [\d,]+ people would be {would_be} \d", words)
    assert set(re.findall(r"(?:Will|Would) be \w+", words)) == {verdict}


def test_from_the_preview_to_the_run_and_its_undo(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    rule_id = made(house)
    rule = f"/app/rules/{rule_id}"
    listed = house.get("/app/rules")
    assert "Nobody has looked at a preview of this version" in words_of(listed)
    assert re.search(r'role="switch"[^>]*aria-checked="false"[^>]*>', listed.text)
    assert house.post(f"{rule}/on", version="1").status_code == 409
    assert house.post(f"{rule}/run", version="1").status_code == 409

    preview = house.post(f"{rule}/preview")
    words = words_of(preview)
    assert "Preview: Ladder of the test" in words
    assert "Nothing to compare with" in words
    assert "Belong to your identity provider" in words
    assert "Will be warned" in words
    assert "Will be suspended" in words
    found = RUN.search(address_of(preview))
    assert found is not None
    run = f"/app/runs/{found[1]}"
    assert "Only warn them" in words
    assert "Will be suspended" not in words_of(house.get(f"{run}?deed=tell")).split("Person Verdict")[1]
    assert "Nobody here" in words_of(house.get(f"{run}?text=zzzz"))
    assert "identity provider" in words_of(house.get(f"{run}?why=provider"))
    assert house.get(f"{run}?show=odd&deed=odd&why=odd&page=-1").status_code == 200
    assert house.get(f"{run}/provider").text.count("\n") > 1
    # Once more, and nobody is new.
    assert "nobody came, nobody went" in words_of(house.post(f"{rule}/preview"))
    assert "Nothing to compare with" in words_of(house.get(run))

    assert "The rule is on." in words_of(house.post(f"{rule}/on", version="1"))
    started = house.post(f"{rule}/run", version="1")
    words = words_of(started)
    assert "Running Live" in words
    assert "as of version 1" in words
    found = RUN.search(address_of(started))
    assert found is not None
    run = f"/app/runs/{found[1]}"
    house.act()
    house.act()
    over = house.get(f"{run}?show=acted")
    assert "Suspended Last seen" in words_of(over)
    assert "Warned Last seen" in words_of(over)
    assert "Undo…" in words_of(over)
    person = re.search(r'"account_id": "([^"]+)"', over.text)
    assert person is not None
    undo = house.post(f"{run}/undo", account_id=person[1])
    assert "Restore 1 person" in words_of(undo)
    assert "Undo: suspended…" in words_of(house.get(f"/app/people/{person[1]}"))

    # A changed rule needs a new preview; switched off, nothing goes on.
    changed = house.post(rule, **form_of(house.get(f"{rule}/edit"), fresh_hours="24"))
    assert "Version 2." in words_of(changed)
    assert "Nobody has looked at a preview" in words_of(changed)
    assert "The rule is off." in words_of(house.post(f"{rule}/off", here="list"))
    old = words_of(house.get(address_of(preview).join(["/app/", ""])))
    assert "This is a preview of version 1; the rule is at version 2." in old


def test_what_is_pressed_on_a_page_of_an_older_version_starts_nothing(house: House) -> None:
    """What only waits for review there would act by now, without a question."""
    rule_id = made(house, mode="review")
    rule = f"/app/rules/{rule_id}"
    older = [house.get(rule).text, house.post(f"{rule}/preview").text]
    house.post(f"{rule}/on", version="1")
    older += [house.get(rule).text, house.post(f"{rule}/preview").text, house.get("/app/rules").text]
    house.post(rule, **form_of(house.get(f"{rule}/edit"), mode="live"))
    assert "from version 2" in words_of(house.post(f"{rule}/preview"))
    house.post(f"{rule}/off")
    house.post(f"{rule}/on", version="2")
    pressed = [
        f"{rule}/{word}" for page in older for word in ("on", "run") if f'hx-post="{rule}/{word}"' in page
    ]
    assert len(pressed) == 4
    assert all('"version": "1"' in page for page in older)
    house.post(f"{rule}/off")
    for path in pressed:
        if path.endswith("/run"):
            house.post(f"{rule}/on", version="2")
        answer = house.post(path, version="1")
        assert answer.status_code == 409
        assert "This is version 2 by now: the rule was changed since you opened it." in words_of(answer)
    assert "It has not run yet" in words_of(house.get(rule))
    gone(house, rule_id)


def test_a_first_look_compares_with_nothing_though_it_leaves_some_alone(house: House) -> None:
    waiting, other = made(house, mode="review"), made(house, name="Another ladder")
    house.post(f"/app/rules/{waiting}/preview")
    house.post(f"/app/rules/{waiting}/on", version="1")
    house.post(f"/app/rules/{waiting}/run", version="1")
    words = words_of(house.post(f"/app/rules/{other}/preview"))
    assert "Another run has this person in hand." in words
    assert "Nothing to compare with" in words
    figures = words.split("Nothing to compare with")[0]
    assert "idle, but in hand, given back or still needed" in figures
    # Nobody of the rule's scope is missing.
    numbers = [
        int(number.replace(",", ""))
        for number in re.findall(r"([\d,]+) (?:of|guarded|not|idle|left)", figures)
    ]
    scope = re.search(r"of ([\d,]+) people would be", figures)
    assert scope is not None
    assert sum(numbers[-5:]) == int(scope[1].replace(",", ""))
    gone(house, other)
    gone(house, waiting)


def test_a_brake_is_a_warning_in_the_preview_and_stops_the_run(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    rule_id = made(house, brake={"number": 1})
    rule = f"/app/rules/{rule_id}"
    preview = words_of(house.post(f"{rule}/preview"))
    assert "would be stopped by its brake" in preview
    assert "Will be suspended" in preview
    house.post(f"{rule}/on", version="1")
    braked = house.post(f"{rule}/run", version="1")
    assert "the brake allows 1" in words_of(braked)
    assert "Release the brake…" in words_of(braked)
    assert "was stopped by its brake" in words_of(house.get("/app/overview"))
    found = RUN.search(address_of(braked))
    assert found is not None
    assert "hx-trigger" in house.post(f"/app/runs/{found[1]}/release").text
    assert house.post(f"/app/runs/{found[1]}/release").status_code == 409
    assert "Stopped" in words_of(house.post(f"/app/runs/{found[1]}/stop"))


def test_before_a_run_that_removes_people_nobody_reads_that_it_can_be_taken_back(new_house: House) -> None:
    """The way back from a removal is an invitation."""
    house = new_house
    house.deployment.configure()
    house.read_directory()
    who = {"people": some_people(house, 1)}
    remove = [{"when": {"not_seen": 1, "never": 1}, "then": {"deed": "remove"}, "grace": 0}]
    rule_id = made(house, steps=remove, brake={"number": 0}, who=who)
    rule = f"/app/rules/{rule_id}"
    house.post(f"{rule}/preview")
    house.post(f"{rule}/on", version="1")
    for answer in (house.get(rule), house.post(f"{rule}/preview"), house.post(f"{rule}/run", version="1")):
        words = words_of(answer)
        assert "has to be invited again: groups and roles are lost." in words
        assert "take it back" not in words


def test_a_live_rule_asks_before_it_runs_though_its_preview_had_nobody(house: House) -> None:
    rule_id = made(house, steps=[{"when": {"not_seen": 3650}, "then": {"deed": "suspend"}}])
    preview = house.post(f"/app/rules/{rule_id}/preview")
    assert "The rule chooses nobody today" in words_of(preview)
    on = house.post(f"/app/rules/{rule_id}/on", version="1")
    assert "Run it now: it has no date of its own." in words_of(on)
    again = house.get(f"/app/{address_of(preview)}")
    buttons = re.findall(r"<button[^>]*>Run (?:now|it)", again.text)
    assert ['data-opens="run-now"' in each for each in buttons] == [True, False]
    assert "chooses at this moment: nobody when this preview was made" in words_of(again)
    gone(house, rule_id)


def test_copies_and_deletes(house: House) -> None:
    rule_id = made(house)
    copy = house.post(f"/app/rules/{rule_id}/duplicate")
    assert "Ladder of the test (copy)" in words_of(copy)
    copy_id = address_of(copy).removeprefix("rules/")
    assert "The rule is deleted" in words_of(house.post(f"/app/rules/{copy_id}/delete"))
    assert house.get(f"/app/rules/{copy_id}").status_code == 404
    gone(house, rule_id)


def test_a_rule_that_deletes_accounts_waits_for_a_second_operator(house: House) -> None:
    rule_id = made(house, steps=[{"when": {"deactivated": 180}, "then": {"deed": "delete"}, "grace": 0}])
    house.post("/app/operators", account_id=JON)
    try:
        assert "nobody else has confirmed it" in words_of(house.get(f"/app/rules/{rule_id}"))
        assert house.post(f"/app/rules/{rule_id}/confirm", version="1").status_code == 409
        page = house.get(f"/app/rules/{rule_id}", JON)
        assert "waits for a second operator" in words_of(page)
        sent = re.search(r"/confirm\" hx-vals='([^']+)'", page.text)
        assert sent is not None
        assert house.post(f"/app/rules/{rule_id}/confirm", JON).status_code == 409
        confirmed = words_of(house.post(f"/app/rules/{rule_id}/confirm", JON, **json.loads(sent[1])))
        assert "You confirmed this version" in confirmed
        # What another version needs says nothing about this one.
        harmless = form_of(house.get(f"/app/rules/{rule_id}/edit"), steps__0__then__deed="list")
        changed = words_of(house.post(f"/app/rules/{rule_id}", **harmless))
        assert re.search(r" 2 Ana .* Nobody Not needed 1 Ana .* Nobody Jon Okafor", changed)
        deleting = form_of(house.get(f"/app/rules/{rule_id}/edit"), steps__0__then__deed="delete")
        again = words_of(house.post(f"/app/rules/{rule_id}", **deleting))
        assert re.search(r" 3 Ana .* Nobody Nobody yet 2 Ana .* Nobody Not needed 1 Ana ", again)
    finally:
        gone(house, rule_id)
        house.post(f"/app/operators/{JON}/remove")


def test_a_deletion_and_its_undo_read_like_english(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    managed = house.person(claim_status="managed", management_source="invited", status="active", is_bot=False)
    steps = [{"when": {"not_seen": 1, "never": 1}, "then": {"deed": "delete"}, "grace": 0}]
    rule = f"/app/rules/{made(house, steps=steps, who={'people': [managed.account_id]})}"
    unconfirmed = words_of(house.post(f"{rule}/preview"))
    assert "It can be switched on once a second operator has confirmed it on its page ." in unconfirmed
    assert "Switch on" not in unconfirmed
    house.post("/app/operators", account_id=JON)
    house.post(f"{rule}/confirm", JON, version="1")
    assert "second operator" not in words_of(house.post(f"{rule}/preview"))
    house.post(f"{rule}/on", version="1")
    found = RUN.search(address_of(house.post(f"{rule}/run", version="1")))
    assert found is not None
    run = f"/app/runs/{found[1]}"
    house.act()
    finish_runs(house.deployment.tools)
    assert "1 of 1 person · 1 set to be deleted" in words_of(house.get(run))
    undo = house.post(f"{run}/undo")
    assert "1 will not be deleted" in words_of(undo)
    found = RUN.search(address_of(undo))
    assert found is not None
    house.post(f"/app/runs/{found[1]}/confirm")
    house.act()
    finish_runs(house.deployment.tools)
    assert "1 of 1 person · 1 saved from deletion" in words_of(house.get(f"/app/runs/{found[1]}"))


def test_a_file_goes_out_and_comes_in(house: House) -> None:
    rule_id = made(house)
    exported = house.get(f"/app/rules/{rule_id}/export")
    assert exported.mimetype == "application/yaml"
    assert 'filename="rollcall-rule.yaml"' in exported.headers["Content-Disposition"]
    assert exported.text == house.get("/app/rules/export").text
    renamed = exported.text.replace("Ladder of the test", "Ladder of the file")
    assert "1 rule is imported" in words_of(house.post("/app/rules/import", text=renamed))
    listed = house.get("/app/rules")
    assert "Ladder of the file" in words_of(listed)
    for found in set(re.findall(r'href="/app/rules/([0-9a-f-]{36})"', listed.text)):
        gone(house, found)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "A file of rules begins with"),
        ("rules: [", "This is no valid YAML. Look at line"),
        (
            "rules:\n- name: X\n  steps:\n  - when: {never: soon}\n    then: {deed: suspend}\n",
            "Rule 1, step 1",
        ),
        ("rules:\n- name: X\n  mode: lives\n  steps: []\n", "Did you mean “live”?"),
    ],
)
def test_a_broken_file_brings_sentences_and_saves_nothing(house: House, text: str, sentence: str) -> None:
    answer = house.post("/app/rules/import", text=text)
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert "No rule yet" in words_of(house.get("/app/rules"))


def test_a_file_that_is_not_written_in_utf8_is_refused_with_its_line(house: House) -> None:
    text = "rules:\n- name: Müßige\n  steps:\n  - when: {never: 30}\n    then: {deed: list}\n"
    for coding, line in (("latin-1", 2), ("utf-16", 1)):
        answer = house.post("/app/rules/import", file=(BytesIO(text.encode(coding)), "rules.yaml"))
        assert answer.status_code == 422
        assert f"This is not written in UTF-8: look at line {line}." in words_of(answer)
    assert "No rule yet" in words_of(house.get("/app/rules"))


def test_a_file_of_rules_that_is_too_large_is_said_at_its_field(house: House) -> None:
    answer = send(house, "/app/rules/import", 2 * 1024 * 1024)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#main")
    assert 'id="file-problem"' in answer.text
    assert "This file is larger than 2 MB." in words_of(answer)


def test_the_schema_of_the_file_is_served_to_everybody(house: House) -> None:
    answer = house.get("/rule.schema.json", None)
    assert answer.status_code == 200
    assert answer.get_json(force=True)["type"] == "object"


def test_the_calendar_is_kept_and_checked(house: House) -> None:
    opened = mark_in(house.get("/app/calendar"))
    saved = house.press("/app/calendar", "/app/calendar", time_zone="Europe/Zagreb", billing_day="14")
    assert "Saved." in words_of(saved)
    assert 'value="14"' in saved.text
    late = house.post("/app/calendar", time_zone="UTC", billing_day="", was=opened)
    assert late.status_code == 409, "somebody else has changed it since"
    refused = house.press("/app/calendar", "/app/calendar", time_zone="Europe/Zagreb", billing_day="45")
    assert refused.status_code == 422
    assert re.search(r'id="billing_day"[^>]*aria-invalid="true"', refused.text)
    assert (
        house.press("/app/calendar", "/app/calendar", time_zone="Moon/Base", billing_day="").status_code
        == 422
    )
    house.press("/app/calendar", "/app/calendar", time_zone="UTC", billing_day="")
