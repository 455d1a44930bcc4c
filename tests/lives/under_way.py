"""What is open just now, kind by kind, and what opens more of a kind of which nothing is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from models.absence import Absence
from models.answer import Answer, Decision
from models.leaver import Leaver
from models.run import Case, Run
from models.scim import ScimUser
from models.ticket import TicketCall
from models.timed_access import TimedAccess, TimedState
from rules.case import IN_QUEUE, CaseState, RunState
from rules.farewell import OVER
from rules.scim import ScimState
from rules.tickets import CallState
from tests.lives.desk import open_a_desk, raise_a_ticket
from tests.lives.doors import everything_works
from tests.lives.giving import connect_a_provider, give_until, the_provider_says
from tests.lives.leaving import confirm_that_they_leave, plan_how_they_leave, somebody_is_leaving
from tests.lives.operators import change_people_by_hand, run_a_rule, write_a_rule
from tests.lives.others import ask_for_it_back, many_are_let_in_again
from tests.lives.stage import Act, Acts, Stage, ids_of
from tests.lives.worker import nobody_knows_what_came_of_it, sync


def _cases(*states: CaseState) -> Select[Any]:
    going = (Run.id == Case.run_id) & (Run.organization_id == Case.organization_id)
    query = select(Case).join(Run, going).where(Case.state.in_([state.value for state in states]))
    return query.where(Run.state != RunState.PREVIEW.value).order_by(Case.account_id, Run.created_at)


def there_is_much_to_do(life: Stage) -> None:
    """Many are here again, Rollcall knows it, and a rule finds them."""
    many_are_let_in_again(life)
    sync(life)
    run_a_rule(life)


_RULES = (write_a_rule, run_a_rule, there_is_much_to_do)
KINDS: tuple[tuple[Select[Any], tuple[Act, ...]], ...] = (
    (_cases(CaseState.WARNED), _RULES),
    (_cases(CaseState.PLANNED), (*_RULES, change_people_by_hand, give_until)),
    (_cases(CaseState.ACTING), (nobody_knows_what_came_of_it, *_RULES)),
    (_cases(CaseState.FAILED), ()),
    (_cases(CaseState.ANSWERED, *IN_QUEUE), _RULES),
    (_cases(CaseState.ACTED), (change_people_by_hand, run_a_rule)),
    (select(Answer).where(Answer.decision == Decision.WAITS.value), (ask_for_it_back,)),
    (
        select(Leaver)
        .where(Leaver.state.not_in([state.value for state in OVER]))
        .order_by(Leaver.created_at),
        (somebody_is_leaving, plan_how_they_leave, confirm_that_they_leave),
    ),
    (
        select(TimedAccess).where(TimedAccess.state != TimedState.ENDED.value).order_by(TimedAccess.began_at),
        (give_until,),
    ),
    (
        select(ScimUser).where(ScimUser.state == ScimState.WORKING.value).order_by(ScimUser.user_name),
        (connect_a_provider, the_provider_says, the_provider_says),
    ),
    (
        select(TicketCall)
        .where(TicketCall.state.in_([CallState.RECEIVED, CallState.WAITING, CallState.GIVING]))
        .order_by(TicketCall.received_at),
        (open_a_desk, raise_a_ticket, raise_a_ticket),
    ),
    (
        select(Absence)
        .where(Absence.ended_at.is_(None), Absence.ends_on.is_not(None))
        .order_by(Absence.began_at),
        (change_people_by_hand,),
    ),
)


def look_at_something_open(life: Stage) -> Act | None:
    """It is in hand from now on; or what opens something of that kind."""
    life.in_hand = frozenset()
    if life.is_cut_off:
        return everything_works
    query, openers = life.dice.choice(KINDS)
    found = life.rows(query)
    if not found:
        return life.dice.choice(openers) if openers else None
    thing = life.dice.choice(found)
    if isinstance(thing, Case):
        life.take_in_hand(thing)
    else:
        life.in_hand = ids_of(thing)
    return None


ACTS: Acts = {there_is_much_to_do: 6}
"""In every life."""
