"""Leavers for tests: a world with API tokens in both products, and the worker's part played by hand."""

from __future__ import annotations

from typing import Any

from connect.caller import Caller
from models.leaver import Belonging, Leaver, Look
from rules.deeds import Deed
from rules.handover import Kind
from services import credential_storing, leaver_decisions, leaver_work, leavers
from services.leaver_decisions import Plan
from services.toolbox import Toolbox
from tests.world import ACCOUNTS, ACME, ANA_TOKEN, World

UMA, JON, ANA, PRIYA = (ACCOUNTS[name] for name in ("uma", "jon", "ana", "priya"))


def ready(world: World, *, confluence: bool = False) -> Caller:
    """The directory is read and the sites are open; the operator who did it."""
    if confluence:
        # The world itself remembers what was installed when: that cannot be laid back.
        return _ready(world, confluence=True)
    return world.once(("ready",), lambda: _ready(world, confluence=False))


def _ready(world: World, *, confluence: bool) -> Caller:
    ana = world.synced()
    doors = ["jira"]
    if confluence:
        world.install("acme", "confluence")
        doors.append("confluence")
        world.store_key(product="confluence")
    for product in doors:
        credential_storing.store_api_token(
            world.tools,
            world.caller("ana", product=product),
            email="ana@acme.example",
            token=ANA_TOKEN,
            expires_on=world.in_a_year(),
        )
    return ana


def work(world: World, tools: Toolbox | None = None) -> None:
    """The worker's rounds until nobody waits for one now."""
    tools = tools or world.tools
    for _ in range(200):
        due = leaver_work.due_leavers(tools)
        if not due:
            return
        for organization_id, leaver_id, attempt in due:
            if leaver_work.take_up(tools, organization_id, leaver_id, attempt):
                while leaver_work.advance(tools, organization_id, leaver_id):
                    pass
    raise AssertionError("the work does not end")


def begun(world: World, caller: Caller, account_id: str = UMA) -> str:
    """A leaver whose belongings were looked for."""
    (leaver_id,) = leavers.request_leavers(world.tools, caller, [account_id])
    work(world)
    return leaver_id


def plan(**changed: Any) -> Plan:
    """Everything for Jon, then suspended at once."""
    words: dict[str, Any] = {
        "choices": {kind.value: JON for kind in Kind if kind is not Kind.TOKEN},
        "deed": Deed.SUSPEND.value,
        "ends_at": None,
        "revoke_tokens": True,
        "why": "",
        "note": "",
        "message_by": "",
        "message": "",
    }
    return Plan(**words | changed)


def planned(
    world: World, caller: Caller, account_id: str = UMA, successors: tuple[str, ...] = (JON,), **changed: Any
) -> str:
    """A leaver with a dry run."""
    chosen = plan(**changed)

    def make() -> str:
        leaver_id = begun(world, caller, account_id)
        for successor in successors:
            leaver_decisions.add_successor(world.tools, caller, leaver_id, successor)
        leaver_decisions.choose(world.tools, caller, leaver_id, chosen)
        work(world)
        return leaver_id

    return world.once(("planned", repr(caller), account_id, *successors, repr(chosen)), make)


def leaver(world: World, leaver_id: str, organization_id: str = ACME) -> Leaver:
    found: Leaver = world.stored(Leaver, organization_id, leaver_id)
    return found


def belongings(world: World, leaver_id: str, *kinds: Kind) -> list[Belonging]:
    """Those of some kinds, in the order of the handover."""
    found = [
        one
        for one in world.rows(Belonging)
        if one.leaver_id == leaver_id and (not kinds or one.kind in kinds)
    ]
    return sorted(found, key=lambda one: (one.place, one.key, one.name))


def looks(world: World, leaver_id: str) -> dict[tuple[str, str], Look]:
    return {(one.kind, one.site): one for one in world.rows(Look) if one.leaver_id == leaver_id}


def states(world: World, leaver_id: str, *kinds: Kind) -> set[str]:
    return {one.state for one in belongings(world, leaver_id, *kinds)}


def owns(world: World, account_id: str, kind: str) -> set[str]:
    """What somebody really has at Atlassian."""
    found = world.control("GET", f"/belongings/{kind}", holder=account_id)
    return {row["id"] for row in found if row["open"]}
