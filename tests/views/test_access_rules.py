"""Access rules and access with an end by asking for their pages: forms, what is said, who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, insert, select, update

from models.access_rule import AccessGiven, StoredAccessRule
from models.people import Group
from models.run import Case, Run
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from sandbox.world import ACME
from services import access_rule_runs, access_rule_views, profiles, roster, timed_access
from tests.views.house import JON, UMA, House, mark_in, words_of

RULES, ENDING = "/app/onboarding/access-rules", "/app/onboarding/ending"


@pytest.fixture
def tidy(house: House) -> Iterator[House]:
    """The house is shared: no rule and no run of ours stays behind."""
    yield house
    with house.deployment.tools.begin() as session:
        for model in (StoredAccessRule, TimedAccess):
            session.execute(delete(model))
        session.execute(delete(Run).where(Run.origin != ""))


def group(house: House, name: str) -> str:
    with house.deployment.tools.begin() as session:
        found = session.scalar(select(Group.group_id).where(Group.name == name))
        assert found is not None
        return found


def make(house: House, **changed: object) -> str:
    form = {
        "name": "Designers",
        "sources": group(house, "team-design"),
        "groups": group(house, "contractors"),
    }
    answer = house.post(RULES, **form | changed)  # type: ignore[arg-type]
    assert answer.status_code == 200, words_of(answer)
    found = re.search(r'data-address="onboarding/access-rules/([0-9a-f-]{36})"', answer.text)
    assert found is not None
    return found[1]


def test_a_rule_from_its_form_to_live(tidy: House) -> None:
    assert "No access rule yet" in words_of(tidy.get(RULES))
    rule_id = make(tidy)
    for place in (RULES, f"{RULES}/{rule_id}"):
        when = words_of(tidy.get(place))
        assert "after every complete sync" in when
        assert "Jira or Confluence saying that they came or changed" in when
        assert (
            "A change of groups alone, at your identity provider or at Atlassian, sends no such word" in when
        )
    page = words_of(tidy.get(f"{RULES}/{rule_id}"))
    assert "Who is in team-design is also in contractors, as long as that holds." in page
    assert "Nobody has looked at the list of this version yet." in page
    assert tidy.post(f"{RULES}/{rule_id}/mode", mode="live").status_code == 409
    answer = tidy.post(f"{RULES}/{rule_id}/preview")
    listed = words_of(answer)
    assert "Nothing has happened" in listed
    assert "Is in team-design." in listed
    run = re.search(r'href="(/app/runs/[0-9a-f-]{36})"[^>]*>The whole list', answer.text)
    assert run is not None
    whole = tidy.get(run[1])
    assert "Nothing has happened yet. The rule does this by itself once it is live." in words_of(whole)
    assert "will get access" in words_of(whole)
    assert f'href="{RULES}/{rule_id}"' in whole.text
    opened = mark_in(tidy.get(f"{RULES}/{rule_id}"))
    assert "The rule is live." in words_of(
        tidy.press(f"{RULES}/{rule_id}", f"{RULES}/{rule_id}/mode", mode="live")
    )
    for organization_id, due, number in access_rule_runs.due_access_rules(tidy.deployment.tools):
        access_rule_runs.evaluate(tidy.deployment.tools, organization_id, due, number)
    # More than a fifth of those whom it is about: the brake of the form is empty here.
    assert "Its last run" in words_of(tidy.get(f"{RULES}/{rule_id}"))
    changed = {
        "name": "Designers",
        "sources": group(tidy, "team-legal"),
        "groups": group(tidy, "contractors"),
    }
    saved = words_of(tidy.press(f"{RULES}/{rule_id}/edit", f"{RULES}/{rule_id}", **changed))
    assert "Saved as version 2. It was live, and lists only until you have looked." in saved
    assert "What it would do" in words_of(tidy.post(f"{RULES}/{rule_id}/preview"))
    # What was read of the version before is not what goes live, nor what is saved.
    for late in (
        tidy.post(f"{RULES}/{rule_id}/mode", mode="live", was=opened),
        tidy.post(f"{RULES}/{rule_id}", **changed | {"name": "Design"}, was=opened),
    ):
        assert late.status_code == 409
        assert "this has been changed since you opened it" in words_of(late)
    assert "Switched an access rule's mode" in words_of(tidy.get("/app/audit"))
    assert "is deleted" in words_of(tidy.post(f"{RULES}/{rule_id}/delete"))
    assert tidy.get(f"{RULES}/{rule_id}").status_code == 404


def test_what_holds_has_no_end_of_its_own(tidy: House) -> None:
    tools, ana = tidy.deployment.tools, tidy.deployment.ana
    until = (tools.clock() + timedelta(days=9)).date().isoformat()
    typed = profiles.Typed(name="Season", groups=[group(tidy, "contractors")])
    season = profiles.save_profile(tools, ana, None, replace(typed, until=until)).id
    form = {"name": "Kept", "sources": group(tidy, "team-design"), "profile": season}
    address = f"/app/onboarding/profiles/{season}"
    try:
        refused = tidy.post(RULES, **form)
        assert refused.status_code == 422
        assert 'id="profile-problem"' in refused.text
        assert "“Season” ends by itself (until " in words_of(refused)
        profiles.save_profile(tools, ana, season, typed)
        assert tidy.post(RULES, **form).status_code == 200
        slip = tidy.press(address, address, name="Season", groups=group(tidy, "contractors"), until=until)
        assert slip.status_code == 422
        assert 'id="until-problem"' in slip.text
        assert "The access rule “Kept” gives this profile" in words_of(slip)
    finally:
        (rule,) = (each.rule for each in access_rule_views.list_access_rules(tools, ana))
        tidy.post(f"{RULES}/{rule.id}/delete")
        profiles.remove_profile(tools, ana, season)


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": ""}, "name", "A rule needs a name"),
        ({"sources": "gone"}, "sources", "does not exist any more"),
        ({"groups": ""}, "groups", "does not exist any more"),
        ({"number": "many"}, "number", "a whole number"),
        ({"share": "101"}, "share", "from 0 to 100"),
        ({"profile": "gone"}, "profile", "This profile does not exist any more."),
    ],
)
def test_each_slip_is_said_at_its_field(
    tidy: House, changed: dict[str, str], field: str, sentence: str
) -> None:
    form = {"name": "Kept", "sources": group(tidy, "team-design"), "groups": group(tidy, "contractors")}
    answer = tidy.post(RULES, **form | changed)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert sentence in words_of(answer)
    if "name" not in changed:
        assert 'value="Kept"' in answer.text


def test_access_with_an_end_is_listed_prolonged_and_dropped(tidy: House) -> None:
    tools = tidy.deployment.tools
    assert "No access with an end yet" in words_of(tidy.get(ENDING))
    person = tidy.person(status="active", management_source="invited", is_bot=False, is_org_admin=False)
    now = tools.clock()
    entry = Entry(
        Deed.GIVE_ACCESS,
        account_id=person.account_id,
        access=Access(groups=(group(tidy, "service-desk-agents"),)),
        ends_on=now.date() + timedelta(days=5),
    )
    with tools.begin() as session:
        roster.begin_roster(session, tools, ACME.id, [entry], Origin.INVITE, "", by="", now=now)
    tidy.act()
    page = tidy.get(ENDING)
    assert person.name in words_of(page)
    assert "joins service-desk-agents" in words_of(page)
    (case_id,) = set(re.findall(r"/app/onboarding/ending/([0-9a-f-]{36})/prolong", page.text))
    assert "Access with an end" in words_of(tidy.get(f"/app/people/{person.account_id}"))
    wrong = tidy.post(f"{ENDING}/{case_id}/prolong", until="2020-01-01")
    assert wrong.status_code == 422
    assert "This day is over." in words_of(wrong)
    until = now.date() + timedelta(days=90)
    assert "Prolonged until" in words_of(tidy.post(f"{ENDING}/{case_id}/prolong", until=until.isoformat()))
    assert words_of(tidy.get(f"{ENDING}?show=soon")).endswith("Nothing of this kind at the moment.")
    assert timed_access.due_ends(tools) == []
    assert "the access stays" in words_of(tidy.post(f"{ENDING}/{case_id}/drop"))
    assert tidy.post(f"{ENDING}/{case_id}/end").status_code == 409
    assert "No end any more" in words_of(tidy.get(f"{ENDING}?show=over"))


def test_whoever_decides_far_down_a_long_list_stays_there(tidy: House) -> None:
    tools = tidy.deployment.tools
    now = tools.clock()
    until = now.date() + timedelta(days=5)
    access = Access(groups=(group(tidy, "service-desk-agents"),))
    entry = Entry(Deed.GIVE_ACCESS, account_id=JON, access=access, ends_on=until)
    with tools.begin() as session:
        roster.begin_roster(session, tools, ACME.id, [entry], Origin.INVITE, "", by="", now=now)
    tidy.act()
    with tools.begin() as session:
        timed = session.execute(select(TimedAccess.__table__)).mappings().one()
        case = session.execute(select(Case.__table__).where(Case.id == timed["case_id"])).mappings().one()
        for number in range(50):
            name, who = f"copy-{number:02}", {"account_id": f"someone-{number:02}"}
            session.execute(insert(Case).values(dict(case) | who | {"id": name}))
            session.execute(insert(TimedAccess).values(dict(timed) | who | {"case_id": name}))
    second = tidy.get(f"{ENDING}?page=2")
    (case_id,) = set(re.findall(r"/app/onboarding/ending/([^/]+)/prolong", second.text))
    assert '"page": 2' in second.text
    wrong = tidy.post(f"{ENDING}/{case_id}/prolong", until="2020-01-01", page="2")
    assert "This day is over." in words_of(wrong), "beside the one that it is about"
    assert "1–50 of 50 people" in words_of(tidy.post(f"{ENDING}/{case_id}/drop", page="2"))


def test_whoever_has_it_reads_of_the_end_in_the_product_and_asks(tidy: House) -> None:
    tools = tidy.deployment.tools
    now = tools.clock()
    entry = Entry(
        Deed.GIVE_ACCESS,
        account_id=UMA,
        access=Access(groups=(group(tidy, "contractors"),)),
        ends_on=now.date() + timedelta(days=5),
    )
    with tools.begin() as session:
        roster.begin_roster(session, tools, ACME.id, [entry], Origin.INVITE, "", by="", now=now)
    tidy.act()
    long_ago = {"began_at": now - timedelta(days=20), "next_at": now}
    with tools.begin() as session:
        session.execute(update(TimedAccess).values(long_ago))
    for organization_id, case_id in timed_access.due_ends(tools):
        timed_access.look(tools, organization_id, case_id)
    page = tidy.page("/pages/app", UMA)
    assert "You have some of your access until" in words_of(page)
    (case_id,) = re.findall(r'hx-vals=.{"case": "([0-9a-f-]{36})"}', page.text)
    assert tidy.post("/app/keep/longer", JON, case=case_id).status_code == 409
    for _ in range(2):
        assert "you asked for more time" in words_of(tidy.post("/app/keep/longer", UMA, case=case_id))
    assert "You asked for more time" in words_of(tidy.page("/pages/app", UMA))
    assert "Asks for longer" in words_of(tidy.get("/app/review?show=answered"))
    refused = words_of(tidy.post("/app/review/grant", case=case_id))
    assert "Say until when." in refused
    assert "Refused: 1 person." in words_of(tidy.post("/app/review/refuse", case=case_id))


def test_a_page_reads_some_of_whom_a_rule_has_given_something(tidy: House) -> None:
    tools, rule_id = tidy.deployment.tools, make(tidy)
    now, read = tools.clock(), []
    with tools.begin() as session:
        for number in range(130):
            stopped = {"stopped_at": now, "reason": "Gone again."} if number % 2 else {}
            part = {"account_id": f"someone-{number:03}", "kind": "join_group", "about": "g", "role": ""}
            session.add(
                AccessGiven(
                    organization_id=ACME.id, rule_id=rule_id, case_id="c", given_at=now, **part, **stopped
                )
            )

    def note(row: object, _context: object) -> None:
        read.append(row)

    event.listen(AccessGiven, "load", note)
    page = words_of(tidy.get(f"{RULES}/{rule_id}"))
    tidy.get(f"{RULES}/{rule_id}/edit")
    event.remove(AccessGiven, "load", note)
    assert len(read) == 100
    assert "And 15 more: the runs above have all of them." in page
    assert "15 more people show here when it gives these again." in page


def test_only_operators(house: House) -> None:
    for page in (RULES, f"{RULES}/new", ENDING):
        assert house.get(page, JON).status_code == 403
