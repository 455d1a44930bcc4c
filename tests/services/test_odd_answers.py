"""What Atlassian's specifications allow and its answers mostly don't have: nothing of it breaks or bends a sync."""

from __future__ import annotations

from models.people import Person, Seat
from tests.services.retold import Row, retold, with_everybody
from tests.world import PEOPLE, World


def test_a_product_without_a_name_is_a_seat_with_its_last_sign_of_life(world: World) -> None:
    ana = world.synced()
    before = {person.account_id: (person.activity, person.seen_at) for person in world.rows(Person)}
    world.later(hours=1)

    def nameless(person: Row) -> Row:
        access = [{name: each[name] for name in each if name != "key"} for each in person["productAccess"]]
        return person | {"productAccess": access}

    with retold(world, with_everybody(nameless)) as tools:
        result = world.sync(ana, tools)
    assert (result.state, result.people) == ("complete", PEOPLE)
    assert {seat.product_key for seat in world.rows(Seat)} == {""}
    assert {person.account_id: (person.activity, person.seen_at) for person in world.rows(Person)} == before
