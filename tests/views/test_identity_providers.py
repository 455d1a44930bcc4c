"""Identity providers by asking for their pages: the token once, groups and profiles, going live, what went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from models.scim import ScimConnection
from services import profiles, scim_changes
from services.profiles import Typed
from tests.views.house import JON, House, address_of, mark_in, words_of

ROOT = "/app/identity-providers"


@pytest.fixture
def tidy(house: House) -> Iterator[House]:
    """The house is shared: no connection stays behind."""
    yield house
    for connection_id in ids_of(house):
        house.post(f"{ROOT}/{connection_id}/remove")


def ids_of(house: House) -> list[str]:
    return re.findall(rf'href="{ROOT}/([0-9a-f-]{{36}})"', house.get(ROOT).text)


def connect(house: House, name: str = "Entra Berlin", provider: str = "entra") -> tuple[str, str]:
    """A connection: its id and its token."""
    answer = house.post(ROOT, name=name, provider=provider)
    assert answer.status_code == 200, words_of(answer)
    (token,) = re.findall(r'id="token" readonly value="([\w-]{43})"', answer.text)
    return address_of(answer).rpartition("/")[2], token


def scim(house: House, token: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    client = house.deployment.app.test_client()
    answer = client.open(
        f"/scim/v2{path}",
        method=method,
        base_url=house.deployment.environment["BASE_URL"],
        headers={"Authorization": f"Bearer {token}"},
        json=body,
    )
    assert answer.status_code < 400, answer.text
    found: dict[str, Any] = answer.get_json(force=True, silent=True) or {}
    return found


def follow(house: House) -> None:
    """What the worker does once changes have been gathered."""
    tools = house.deployment.tools
    with tools.begin() as session:
        session.execute(
            update(ScimConnection).where(ScimConnection.look_at.is_not(None)).values(look_at=tools.clock())
        )
    for due in scim_changes.due_connections(tools):
        scim_changes.follow_up(tools, *due)


def test_empty_and_slips(tidy: House) -> None:
    assert "No provider is connected" in words_of(tidy.get(ROOT))
    slip = tidy.post(ROOT, name="", provider="okta")
    assert slip.status_code == 422
    assert "A connection needs a name." in words_of(slip)
    assert re.search(r'value="okta" selected', slip.text)
    assert tidy.post(ROOT, name="x", provider="pigeon").status_code == 422
    assert ids_of(tidy) == []


@pytest.mark.parametrize(
    "provider", ["entra", "okta", "google", "onelogin", "jumpcloud", "keycloak", "other"]
)
def test_the_guide_of_each_provider_has_the_address(tidy: House, provider: str) -> None:
    connection_id, _ = connect(tidy, provider=provider)
    words = words_of(tidy.get(f"{ROOT}/{connection_id}"))
    assert f"{tidy.deployment.environment['BASE_URL']}/scim/v2" in words
    assert "make it live" in words


def test_the_token_is_shown_once_and_another_one_ends_it(tidy: House) -> None:
    connection_id, token = connect(tidy)
    for page in ("", f"/{connection_id}", f"/{connection_id}/people"):
        assert token not in tidy.get(f"{ROOT}{page}").text
    assert token not in tidy.get("/app/audit").text
    assert scim(tidy, token, "GET", "/Users")["totalResults"] == 0
    assert "Last heard of" in words_of(tidy.get(f"{ROOT}/{connection_id}"))
    again = tidy.post(f"{ROOT}/{connection_id}/token")
    (other,) = re.findall(r'id="token" readonly value="([\w-]{43})"', again.text)
    assert other != token
    assert "Replaced an identity provider's token" in words_of(tidy.get("/app/audit"))


def test_settings_keep_what_is_typed_and_say_what_is_wrong(tidy: House) -> None:
    connection_id, _ = connect(tidy)
    form = {"name": "Other", "when_inactive": "remove_access", "when_deleted": "deactivate"}
    opened = mark_in(tidy.get(f"{ROOT}/{connection_id}"))
    saved = tidy.press(
        f"{ROOT}/{connection_id}", f"{ROOT}/{connection_id}", **form, brake_number="", brake_share="0"
    )
    assert "“Other” is saved." in words_of(saved)
    page = tidy.get(f"{ROOT}/{connection_id}").text
    assert re.search(r'value="remove_access" selected', page)
    assert re.search(r'id="brake_share"[^>]*value="0"', page)
    late = tidy.post(f"{ROOT}/{connection_id}", **form, brake_number="", brake_share="", was=opened)
    assert late.status_code == 409
    for field, value in (("brake_number", "many"), ("brake_share", "101"), ("when_deleted", "delete")):
        typed = form | {"brake_number": "", "brake_share": "", field: value}
        slip = tidy.press(f"{ROOT}/{connection_id}", f"{ROOT}/{connection_id}", **typed)
        assert slip.status_code == 422
        assert f'id="{field}-problem"' in slip.text


def test_from_audit_to_live_with_a_preview_between(tidy: House) -> None:
    connection_id, token = connect(tidy)
    page = f"{ROOT}/{connection_id}"
    assert tidy.press(page, f"{page}/mode", live="yes").status_code == 409, "nobody has looked"
    somebody = tidy.person(
        status="active", claim_status="managed", is_org_admin=False, management_source="invited"
    )
    user = scim(tidy, token, "POST", "/Users", {"userName": somebody.email, "active": False})["id"]
    stranger = scim(tidy, token, "POST", "/Users", {"userName": "stranger", "displayName": "Stranger"})["id"]
    group = scim(tidy, token, "POST", "/Groups", {"displayName": "Sales", "members": [{"value": stranger}]})[
        "id"
    ]
    assert "still being looked at" in words_of(tidy.get(f"{page}/preview"))
    assert tidy.press(page, f"{page}/mode", live="yes").status_code == 409, "nobody could see anything"
    follow(tidy)
    preview = tidy.get(f"{page}/preview")
    looked = words_of(preview)
    assert "1 person will be changed in a moment, 1 of them will lose something" in looked
    assert "suspend them" in looked
    people = words_of(tidy.get(f"{page}/people?state=listed"))
    assert somebody.name in people or somebody.email in people
    assert "Would suspend them." in people
    assert "None of their groups gives a profile" in words_of(tidy.get(f"{page}/people?state=settled"))
    ends = {"name": "Other", "when_inactive": "deactivate", "when_deleted": "deactivate"}
    assert "is saved" in words_of(tidy.press(page, page, **ends, brake_number="", brake_share=""))
    late = tidy.post(f"{page}/mode", live="yes", was=mark_in(preview))
    assert late.status_code == 409, "what was looked at would be something else by now"
    assert "is live" in words_of(tidy.press(f"{page}/preview", f"{page}/mode", live="yes"))
    assert "only says what would happen" in words_of(tidy.post(f"{page}/mode", live="no"))
    assert f'hx-post="{page}/groups/{group}"' in tidy.get(page).text
    scim(tidy, token, "DELETE", f"/Users/{user}")


def test_a_group_is_mapped_to_a_profile(tidy: House) -> None:
    connection_id, token = connect(tidy)
    page = f"{ROOT}/{connection_id}"
    group = scim(tidy, token, "POST", "/Groups", {"displayName": "Sales <b>"})["id"]
    assert "There is no profile yet." in words_of(tidy.get(page))
    assert "Sales &lt;b&gt;" in tidy.get(page).text
    gone = tidy.post(f"{page}/groups/{group}", profile="gone")
    assert gone.status_code == 422
    assert "This profile does not exist" in words_of(gone)
    assert "gives nothing any more" in words_of(tidy.post(f"{page}/groups/{group}", profile=""))
    assert tidy.post(f"{page}/groups/nothing", profile="").status_code == 404


def test_what_a_group_gives_is_saved_by_a_button_and_when_live_after_a_question(tidy: House) -> None:
    connection_id, token = connect(tidy)
    page = f"{ROOT}/{connection_id}"
    users = [scim(tidy, token, "POST", "/Users", {"userName": f"u{each}"})["id"] for each in range(2)]
    members = [{"value": each} for each in users]
    group = scim(tidy, token, "POST", "/Groups", {"displayName": "Sales", "members": members})["id"]
    scim(tidy, token, "POST", "/Groups", {"displayName": "Support"})
    save = f'hx-post="{page}/groups/{group}" hx-target="#groups-said"'

    def selects() -> list[str]:
        return re.findall(r'<select[^>]* name="profile"[^>]*>', tidy.get(page).text)

    assert len(selects()) == 2
    assert not [each for each in selects() if "hx-" in each], "choosing stores nothing"
    audit = tidy.get(page).text
    assert re.search(rf'id="gives-{group}".*?<button [^>]*{save}>Save<', audit, re.DOTALL)
    assert "follow in a moment" not in audit
    follow(tidy)
    tidy.get(f"{page}/preview")
    tidy.press(f"{page}/preview", f"{page}/mode", live="yes")
    live = tidy.get(page)
    before, _, dialog = live.text.partition(f'<dialog id="ask-{group}"')
    assert save not in before
    assert save in dialog.partition("</dialog>")[0]
    assert "Change what “Sales” gives? This connection is live. 2 members of the group will" in words_of(live)
    assert "Nobody is in the group yet: whoever joins it gets what you chose." in words_of(live)
    answer = tidy.post(f"{page}/groups/{group}", profile="")
    assert words_of(answer) == "“Sales” gives nothing any more. Its members follow in a moment."


def test_what_a_provider_gives_has_no_end_of_its_own(tidy: House) -> None:
    connection_id, token = connect(tidy)
    page = f"{ROOT}/{connection_id}"
    group = scim(tidy, token, "POST", "/Groups", {"displayName": "Interns"})["id"]
    tools, ana = tidy.deployment.tools, tidy.deployment.ana
    organization = profiles.organization_now(tools, ana)
    given = next(one.id for one in organization.groups.values() if one.name == "contractors")
    typed = Typed(name="Three months", groups=[given], days="90")
    profile = profiles.save_profile(tools, ana, None, typed)
    try:
        refused = tidy.post(f"{page}/groups/{group}", profile=profile.id)
        assert (refused.status_code, refused.headers["HX-Retarget"]) == (422, "#groups-said")
        assert (
            "“Three months” ends by itself (90 days), but what a provider gives holds as long as the provider says so. "
            "Choose a profile without an end." in words_of(refused)
        )
        assert not re.search(rf'value="{profile.id}" selected', tidy.get(page).text)
        # The other way round: given already, it can have no end.
        address = f"/app/onboarding/profiles/{profile.id}"
        form = {"name": "Three months", "groups": given}
        assert "is saved" in words_of(tidy.press(address, address, **form, days=""))
        assert "now gives a profile" in words_of(tidy.post(f"{page}/groups/{group}", profile=profile.id))
        slip = tidy.press(address, address, **form, days="90")
        assert slip.status_code == 422
        assert 'id="days-problem"' in slip.text
        assert "The identity provider's group “Interns” gives this profile" in words_of(slip)
        assert "is saved" in words_of(tidy.press(address, address, **form, days=""))
    finally:
        tidy.post(f"{page}/groups/{group}", profile="")
        profiles.remove_profile(tools, ana, profile.id)


def test_odd_words_show_something(tidy: House) -> None:
    connection_id, _ = connect(tidy)
    for words in ("state=lost", "page=-3", "page=99999", "page=x", "state=failed&page=0"):
        assert tidy.get(f"{ROOT}/{connection_id}/people?{words}").status_code == 200
        assert tidy.get(f"{ROOT}/{connection_id}?{words}").status_code == 200
    assert "There is nobody to try again." in words_of(tidy.post(f"{ROOT}/{connection_id}/again"))


def test_only_operators(tidy: House) -> None:
    connection_id, _ = connect(tidy)
    for page in ("", "/new", f"/{connection_id}", f"/{connection_id}/people", f"/{connection_id}/preview"):
        assert tidy.get(f"{ROOT}{page}", JON).status_code == 403
