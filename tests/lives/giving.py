"""Access rules, access with an end, and an identity provider: who gets something, and for how long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.access_rule import AccessGiven
from models.profile import Profile
from models.scim import ScimUser
from models.timed_access import TimedAccess
from rules.access_path import USER_ROLE
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from rules.rule import Mode
from sandbox.world import ORGANIZATIONS
from services import (
    access_rule_lists,
    access_rules,
    identity_providers,
    own_timed,
    roster,
    runs,
    timed_deciding,
)
from services.access_rule_form import Typed
from services.keep_links import keep_link
from tests.lives.cast import SOURCES, TARGETS
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.scim.provider import PATCH, USER, IdentityProvider, connected
from tests.world import ACME

PROVIDED = ("ida", "ian", "ivy", "ned", "amy")
"""Whom the identity provider knows."""


# -- access rules ----------------------------------------------------------------------------------------------------


def write_an_access_rule(life: Stage) -> None:
    """A new one, or, when there are two, another version of one of them; looked at and switched live."""
    groups, caller = life.cast.groups, life.operator()
    old = life.one(life.access_rules) if len(life.access_rules) > 1 else None
    typed: dict[str, Any] = {
        "name": f"Access {life.access_rules.index(old) if old else len(life.access_rules)}",
        "sources": [groups[life.pick(*SOURCES)]],
        "keep": life.pick(False, False, False, True),
        "number": life.pick("", "", "", "1"),
    }
    if life.pick(True, True, False):
        typed["groups"] = [groups[life.pick(*TARGETS)]]
    else:
        typed["products"] = [ORGANIZATIONS["acme"].resource("confluence")]
    with life.allowed():
        rule_id = access_rules.save_access_rule(life.tools, caller, Typed(**typed), old)
        if old is None:
            life.access_rules.append(rule_id)
        _go_live(life, rule_id)


def switch_an_access_rule(life: Stage) -> None:
    rule_id, mode = life.one(life.access_rules), life.pick(Mode.LIVE, Mode.LIVE, Mode.AUDIT)
    with life.allowed():
        if mode is Mode.LIVE:
            _go_live(life, rule_id)
        else:
            access_rules.switch_mode(life.tools, life.cast.callers["ana"], rule_id, mode)


def _go_live(life: Stage, rule_id: str) -> None:
    ana = life.cast.callers["ana"]
    access_rule_lists.preview_access_rule(life.tools, ana, rule_id)
    access_rule_lists.mark_seen(life.tools, ana, rule_id)
    access_rules.switch_mode(life.tools, ana, rule_id, Mode.LIVE)


def delete_an_access_rule(life: Stage) -> None:
    rule_id = life.one(life.access_rules)
    with life.allowed():
        access_rules.delete_access_rule(life.tools, life.operator(), rule_id)
        life.access_rules.remove(rule_id)


def give_again_in_spite_of_a_loop(life: Stage) -> None:
    given = life.one(life.rows(select(AccessGiven).where(AccessGiven.stopped_at.is_not(None))))
    with life.allowed():
        access_rules.give_again(life.tools, life.operator(), given.rule_id, given.account_id)


# -- access with an end ----------------------------------------------------------------------------------------------


def give_until(life: Stage) -> None:
    name, days, caller = life.somebody(), life.pick(1, 5, 12, 30), life.operator()
    if life.pick(True, False):
        access = Access(groups=(life.cast.groups[life.pick(*TARGETS)],))
    else:
        access = Access(roles=((ORGANIZATIONS["acme"].resource("confluence"), USER_ROLE),))
    entry = Entry(
        Deed.GIVE_ACCESS, account_id=life.cast.ids[name], access=access, ends_on=life.day(days), prolongs=True
    )
    with life.allowed():
        run_id = roster.preview_roster(life.tools, caller, [entry], Origin.CSV)
        runs.confirm(life.tools, caller, run_id)


def decide_about_an_end(life: Stage) -> None:
    timed = life.one(life.rows(select(TimedAccess).order_by(TimedAccess.began_at.desc()).limit(4)))
    what, days, caller = life.pick("prolong", "prolong", "end", "drop"), life.pick(0, 3, 20), life.operator()
    with life.allowed():
        match what:
            case "prolong":
                timed_deciding.prolong(life.tools, caller, timed.case_id, life.day(days).isoformat())
            case "end":
                timed_deciding.end_now(life.tools, caller, timed.case_id)
            case _:
                timed_deciding.drop_end(life.tools, caller, timed.case_id)


def ask_for_longer(life: Stage) -> None:
    timed = life.one(life.rows(select(TimedAccess).order_by(TimedAccess.began_at.desc()).limit(4)))
    token = keep_link(life.tools, ACME, timed.case_id, timed.account_id).rpartition("/")[2]
    with life.allowed():
        own_timed.ask_for_longer(life.tools, token, "Because")


# -- an identity provider --------------------------------------------------------------------------------------------


def connect_a_provider(life: Stage) -> None:
    """It knows some people, puts them into a group with a profile, and is live."""
    if life.provider is not None:
        raise NothingToDo
    ending, world, ana = (
        life.pick("suspend", "suspend", "remove_access"),
        life.world,
        life.cast.callers["ana"],
    )
    begins_leavers = life.pick("", "", "yes")
    with life.allowed():
        idp = life.provider = connected(world)
        words = {"name": "Entra", "when_inactive": ending, "when_deleted": "suspend"}
        identity_providers.change_settings(
            life.tools,
            ana,
            idp.connection_id,
            begins_leavers=begins_leavers,
            brake_number="",
            brake_share="",
            **words,
        )
        users = [idp.add(life.cast.emails[name]) for name in PROVIDED]
        group_id = idp.group("Engineers", *users[:3])
        identity_providers.map_group(life.tools, ana, idp.connection_id, group_id, _profile(life))
        identity_providers.note_preview(life.tools, ana, idp.connection_id)
        identity_providers.switch_mode(life.tools, ana, idp.connection_id, live=True)


def _profile(life: Stage) -> str:
    now = life.world.clock()
    with life.tools.begin() as session:
        session.merge(
            Profile(
                organization_id=ACME, id="engineers", name="Engineers", name_key="engineers", roles=[],
                groups=[life.cast.groups["contractors"]], created_by="ana", created_at=now, changed_at=now,
            )
        )  # fmt: skip
    return "engineers"


def disconnect_the_provider(life: Stage) -> None:
    """Another one may be connected then."""
    idp, caller = _provider(life), life.operator()
    with life.allowed():
        identity_providers.disconnect(life.tools, caller, idp.connection_id)
        life.provider = None


def the_provider_says(life: Stage) -> None:
    idp = _provider(life)
    user = life.one(life.rows(select(ScimUser).order_by(ScimUser.user_name, ScimUser.changed_at)))
    what = life.pick("inactive", "inactive", "active", "active", "gone", "here")
    with life.allowed():
        if what == "gone":
            idp.send("DELETE", f"/Users/{user.id}")
        elif what == "here":
            idp.send("POST", "/Users", {"schemas": [USER], "userName": user.user_name, "active": True})
        else:
            word = {"op": "replace", "path": "active", "value": what == "active"}
            idp.send("PATCH", f"/Users/{user.id}", {"schemas": [PATCH], "Operations": [word]})


def the_provider_moves_somebody(life: Stage) -> None:
    idp = _provider(life)
    user = life.one(life.rows(select(ScimUser).order_by(ScimUser.user_name, ScimUser.changed_at)))
    group = idp.find("Groups", 'displayName eq "Engineers"')[0]["id"]
    inside = life.pick(True, False)
    word: dict[str, Any] = {"op": "remove", "path": f'members[value eq "{user.id}"]'}
    if inside:
        word = {"op": "add", "path": "members", "value": [{"value": user.id}]}
    with life.allowed():
        idp.send("PATCH", f"/Groups/{group}", {"schemas": [PATCH], "Operations": [word]})


def switch_the_provider(life: Stage) -> None:
    idp, live = _provider(life), life.pick(True, True, False)
    with life.allowed():
        identity_providers.note_preview(life.tools, life.cast.callers["ana"], idp.connection_id)
        identity_providers.switch_mode(life.tools, life.cast.callers["ana"], idp.connection_id, live=live)


def _provider(life: Stage) -> IdentityProvider:
    if life.provider is None:
        raise NothingToDo
    return life.provider


ACTS: Acts = {
    write_an_access_rule: 5,
    switch_an_access_rule: 3,
    delete_an_access_rule: 1,
    give_again_in_spite_of_a_loop: 1,
    give_until: 5,
    decide_about_an_end: 3,
    ask_for_longer: 2,
    connect_a_provider: 4,
    the_provider_says: 8,
    the_provider_moves_somebody: 4,
    switch_the_provider: 2,
    disconnect_the_provider: 1,
}
