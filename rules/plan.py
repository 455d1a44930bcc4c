"""What a rule makes of everybody: a verdict and a reason for each. Preview and live run ask the same function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from rules.activity import ActivityKind
from rules.because import Because
from rules.case import CaseState
from rules.changes import is_so_already, of_access, still_to_do, whole_person
from rules.deeds import Action, Deed
from rules.idle import Candidate, activity_words, looked_at, past_end, time_has_come
from rules.judging import already, judge
from rules.last_administrators import last_administrator_of, products_touched
from rules.organization import OrganizationFacts
from rules.rule import Rule, Step, Who
from rules.verdict import Ground, Verdict, Why, not_possible

CLAIM = {"managed": "managed", "external": "unmanaged"}
"""The word of the directory. An account of which it says nothing is neither."""
_COMES_NO_MORE = frozenset({"suspended", "deactivated", "not_invited", "for_deletion"})
"""A status that a rung waits for without their coming. A word that nobody knows yet is none, and spares them."""
LATEST_RETURN = timedelta(days=30)
"""Whoever is still suspended then, after an absence that is over, is meant to be."""
NOT_IN_A_PRODUCT = (
    "No notice can reach them: they open no product with Rollcall in it, and the rule sends no mail."
)


def plan(
    rule: Rule, people: Iterable[Candidate], ground: Ground, now: datetime
) -> Iterator[tuple[Candidate, Verdict]]:
    """Everybody with a verdict, in the order in which they come.

    A run never takes the last administrators of a product together: the one who comes last is left.
    """
    left = {resource_id: set(accounts) for resource_id, accounts in ground.organization.admins.items()}
    for person in people:
        verdict = judge_by_rule(rule, person, ground, now)
        if verdict.state is CaseState.PLANNED:
            verdict = _leaving_an_administrator(rule, person, verdict, ground.organization, left)
        yield person, verdict


def judge_by_rule(rule: Rule, person: Candidate, ground: Ground, now: datetime) -> Verdict:
    """The verdict of a rule on one person: before the run, and again just before the deed (S49)."""
    outside = out_of_scope(rule.who, person, ground.organization)
    if outside is not None:
        return Verdict(CaseState.SPARED, outside, Why.SCOPE)
    reached, found = _step_of(rule, person, ground, now)
    if found is not None:
        index, because = found
        return judge_step(rule, index, because, person, ground, now)
    if reached is not None:
        return Verdict(CaseState.SPARED, already(rule.steps[reached].action), Why.DONE, step=reached)
    unknown = _some_unknown(person)
    return Verdict(CaseState.SPARED, activity_words(person, now), Why.UNKNOWN if unknown else Why.NOT_IDLE)


def judge_step(
    rule: Rule, index: int, because: Because, person: Candidate, ground: Ground, now: datetime
) -> Verdict:
    """The verdict once the time of a step has come, `because` being why."""
    action = rule.steps[index].action
    if person.under_way:
        return Verdict(CaseState.SPARED, "Another run has this person in hand.", Why.UNDER_WAY, step=index)
    if action.deed is Deed.TELL and _was_told(rule, index, person, ground, now):
        assert person.told_at is not None
        return Verdict(
            CaseState.SPARED, f"Was warned already, on {person.told_at:%-d %B %Y}.", Why.TOLD, step=index
        )
    if _still_needed(rule, index, person, now):
        assert person.kept_at is not None
        reason = f"Answered on {person.kept_at:%-d %B %Y} that they still need their access."
        return Verdict(CaseState.SPARED, reason, Why.KEPT, step=index)
    if _away_by_their_word(action, person, ground):
        assert person.said_away_until is not None
        reason = f"Answered that they are away until {person.said_away_until:%-d %B %Y}."
        return Verdict(CaseState.SPARED, reason, Why.KEPT, step=index)
    away = _away(person, ground) if action.takes else ""
    if away:
        return Verdict(CaseState.GUARDED, away, Why.PROTECTED, step=index)
    if _is_out_of_reach(rule.steps[index], person, ground):
        return replace(not_possible(NOT_IN_A_PRODUCT, Why.UNREACHABLE), step=index)
    verdict = judge(
        action,
        person.seen,
        ground,
        in_several_directories=person.in_several_directories,
        refusal=person.refusal,
    )
    if verdict.state is not CaseState.PLANNED:
        return replace(verdict, step=index)
    given_at = _given_lately(rule.steps[index], because, person, ground, now)
    if given_at is not None:
        reason = f"Was given access on {given_at:%-d %B %Y}: their time counts from then."
        return Verdict(CaseState.SPARED, reason, Why.GIVEN_BACK, step=index)
    return Verdict(CaseState.PLANNED, because.sentence, changes=verdict.changes, step=index, because=because)


def _is_out_of_reach(step: Step, person: Candidate, ground: Ground) -> bool:
    """Whether somebody is to be warned in a product alone, and opens none that carries Rollcall."""
    alone = step.action.deed is Deed.TELL and not step.by_mail
    return alone and not ground.organization.can_be_told(person.seen.facts)


def _was_told(rule: Rule, index: int, person: Candidate, ground: Ground, now: datetime) -> bool:
    """Whether they were told when the time of this rung had come already, and were not seen since.

    By the rung's time, not by its number: the rule may have had other rungs then.
    """
    if person.told_at is None or not _not_seen_since(person, person.told_at):
        return False
    then = ground.today - timedelta(days=(now - person.told_at).days)
    when = rule.steps[index].when
    return time_has_come(when, person, ground.organization, person.told_at, then) is not None


def _still_needed(rule: Rule, index: int, person: Candidate, now: datetime) -> bool:
    """Whether their last answer to this rule still counts: it is a sign of life, by their own word."""
    step = rule.steps[index]
    if person.kept_at is None or not (step.action.takes or step.action.deed is Deed.TELL):
        return False
    return now < person.kept_at + timedelta(days=step.patience)


def _given_lately(
    step: Step, because: Because, person: Candidate, ground: Ground, now: datetime
) -> datetime | None:
    """When they got what they have, if that was less time ago than they may stay away: before, they could not come.

    Given back until a day, they have it until that day.
    """
    if person.seen.facts.status in _COMES_NO_MORE or not (step.action.takes or step.action.deed is Deed.TELL):
        return None
    given = [person.given_back_at]
    over = past_end(step.when, person, ground.today)
    if over is None:
        seats = looked_at(step.when, person, ground.organization)
        given += [seat.since for access, seat in seats if not because.of_one or access.key == because.product]
    given_at = max((moment for moment in given if moment is not None), default=None)
    if given_at is None or now >= given_at + timedelta(days=step.when.patience):
        return None
    if over is not None and over.day is not None and given_at.date() <= over.day:
        return None
    return given_at


def _away(person: Candidate, ground: Ground) -> str:
    """Why somebody who is away is left in peace; empty when nobody is to come back."""
    if person.away_until is None:
        return ""
    if ground.today <= person.away_until:
        return f"Away until {person.away_until:%-d %B %Y}."
    # The round that restores them may come after the rule, or in vain: they would be taken when they should be back.
    if person.comes_back and ground.today - person.away_until <= LATEST_RETURN:
        return f"Was away until {person.away_until:%-d %B %Y}: is to be restored."
    return ""


def _away_by_their_word(action: Action, person: Candidate, ground: Ground) -> bool:
    """Whether they said themselves that they are away, and that day is not over."""
    asked = action.takes or action.deed is Deed.TELL
    return asked and person.said_away_until is not None and ground.today <= person.said_away_until


def out_of_scope(who: Who, person: Candidate, organization: OrganizationFacts) -> str | None:
    """Why the rule is not about this person, or None."""
    facts = person.seen.facts
    if who.people and facts.account_id not in who.people:
        return "Is not on the rule's list."
    if who.products:
        wanted = organization.resources_of(who.products)
        if not any(access.resource_id in wanted for access in facts.products):
            return "Has no seat in the rule's products."
    if who.groups and person.seen.group_ids.isdisjoint(who.groups):
        return "Is in none of the rule's groups."
    if who.not_groups and not person.seen.group_ids.isdisjoint(who.not_groups):
        return "Is in a group that the rule leaves out."
    if who.domains and (facts.email or "").rpartition("@")[2].lower() not in who.domains:
        return "Has no e-mail address in the rule's domains."
    if who.account and facts.claim_status != CLAIM[who.account]:
        return f"The rule is about {who.account} accounts."
    if who.source and (facts.management_source == "synced") is not (who.source == "synced"):
        return "Was invited." if who.source == "synced" else "Comes from your identity provider."
    return None


def _step_of(
    rule: Rule, person: Candidate, ground: Ground, now: datetime
) -> tuple[int | None, tuple[int, Because] | None]:
    """The highest rung that is reached, and the next one if its time has come; before that, the last warning due.

    Whoever stands on a rung is not warned of it again.
    """
    reached: int | None = None
    due: tuple[int, Because] | None = None
    for index, step in enumerate(rule.steps):
        because = time_has_come(step.when, person, ground.organization, now, ground.today)
        found = (index, because) if because is not None else due
        if step.action.deed in (Deed.LIST, Deed.TELL):
            due = found
        elif _reached(step.action, person, ground.organization):
            reached, due = index, None
        else:
            return reached, found
    return reached, due


def _reached(action: Action, person: Candidate, organization: OrganizationFacts) -> bool:
    if action.deed is Deed.REMOVE_ACCESS:
        ending = organization.resources_of(action.products)
        return not any(access.resource_id in ending for access in person.seen.facts.products)
    if action.deed is Deed.CHANGE_GROUPS:
        return not still_to_do(of_access(action), person.seen)
    return all(is_so_already(change, person.seen) for change in whole_person(action))


def _leaving_an_administrator(
    rule: Rule,
    person: Candidate,
    verdict: Verdict,
    organization: OrganizationFacts,
    left: dict[str, set[str]],
) -> Verdict:
    account_id = person.seen.facts.account_id
    action = rule.steps[verdict.step].action
    administered = [
        each for each in products_touched(action, organization) if account_id in left.get(each, ())
    ]
    for resource_id in administered:
        if left[resource_id] == {account_id}:
            refused = last_administrator_of(organization.product_words(resource_id))
            return replace(refused, step=verdict.step)
    for resource_id in administered:
        left[resource_id].discard(account_id)
    return verdict


def _not_seen_since(person: Candidate, moment: datetime) -> bool:
    return all(
        activity.kind is not ActivityKind.SEEN or activity.at is None or activity.at <= moment
        for _access, activity in person.activities
    )


def _some_unknown(person: Candidate) -> bool:
    return any(activity.kind is ActivityKind.UNKNOWN for _access, activity in person.activities)
