"""A ticket and its rule, judged by what our own directory knows: what the ticket brings, to whom, or why nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import Gone, Invalid, NotReady, Unauthorized
from connect.smtp import is_address
from models.people import Group, Membership, find_person
from models.profile import find_profile
from models.tenant import Tenant, find_tenant
from models.ticket import TicketRule
from rules.deeds import Deed
from rules.profile import Term
from rules.roster import Access, Entry
from rules.tickets import Objection, Reporter, Terms, Ticket, objection
from services.ground import day_in
from services.installing import shared_secret_of
from services.previews import require_fresh_sync
from services.toolbox import Toolbox

NOT_SHOWN = "Jira does not show this ticket to Rollcall: it is gone, or its project lets no apps in."


@dataclass(frozen=True, slots=True)
class Judged:
    """Either an objection, or the entry of a roster."""

    objection: Objection | None
    entry: Entry | None = None


def read_ticket(tools: Toolbox, rule: TicketRule, name: str) -> Ticket:
    """The ticket as its own site tells it, asked as the app: nobody's word counts for who raised it.

    `name` is its id or key. Raises Invalid (there is no such ticket), NotReady (the Jira is gone) and AtlassianError.
    """
    with tools.begin() as session:
        base_url = require_jira(session, rule.organization_id, rule.client_key).base_url
    secret = shared_secret_of(tools, rule.client_key)
    if secret is None:
        raise NotReady("What Jira signs with can no longer be read.", "Install Rollcall in Jira again.")
    try:
        with tools.atlassian.tickets_as_app(base_url, rule.client_key, secret) as site:
            return site.ticket(name, rule.person_field)
    except Unauthorized:
        raise NotReady(
            "Jira does not accept what Rollcall signs.", "Install Rollcall in Jira again."
        ) from None
    except Gone:
        raise Invalid("ticket", NOT_SHOWN, "Look whether it is there, then try again.") from None


def require_jira(session: Session, organization_id: str, client_key: str) -> Tenant:
    """The Jira of a rule or a ticket. Raises NotReady when it is no door of the organization any more (S27)."""
    tenant = find_tenant(session, client_key)
    if tenant is None or tenant.uninstalled_at is not None or tenant.organization_id != organization_id:
        raise NotReady(
            "Rollcall is no longer installed in the Jira of this rule.",
            "Install it there and save the Admin API key, or choose another Jira.",
        )
    return tenant


def judge_ticket(session: Session, rule: TicketRule, ticket: Ticket, now: datetime) -> Judged:
    """What the rule makes of a ticket. Raises NotReady (directory not fresh, S46), Invalid (its profile is gone)."""
    require_fresh_sync(session, rule.organization_id, now)
    against = objection_to(session, rule, ticket)
    if against is not None:
        return Judged(against)
    today = day_in(session, rule.organization_id, now)
    access, term = _what_it_gives(session, rule, today)
    ends_on = term.ends_on(today)
    because = f"Ticket {ticket.key}" + (f": {ticket.request_type}" if ticket.request_type else "")
    if not rule.person_field:
        entry = Entry(
            Deed.GIVE_ACCESS,
            account_id=ticket.reporter or "",
            access=access,
            ends_on=ends_on,
            because=because,
        )
        return Judged(None, entry)
    person = ticket.person
    if person is None:
        words = f"The field “{rule.person_field}” is empty, or the ticket does not have it."
        return Judged(Objection(words, words))
    if person.account_id:
        entry = Entry(
            Deed.GIVE_ACCESS, account_id=person.account_id, access=access, ends_on=ends_on, because=because
        )
        return Judged(None, entry)
    if not is_address(person.email) or len(person.email) > 320:
        words = f"There is no e-mail address in the field “{rule.person_field}”."
        return Judged(Objection(words, words))
    entry = Entry(Deed.INVITE, email=person.email, access=access, ends_on=ends_on, because=because)
    return Judged(None, entry)


def objection_to(session: Session, rule: TicketRule, ticket: Ticket) -> Objection | None:
    """Why the rule, as it reads now, gives nobody anything for this ticket, by the directory however old it is."""
    reporter = _reporter(session, rule.organization_id, ticket.reporter)
    return objection(_terms(session, rule), ticket, reporter)


def _terms(session: Session, rule: TicketRule) -> Terms:
    query = select(Group.name).where(
        Group.organization_id == rule.organization_id, Group.group_id.in_(rule.groups)
    )
    names = tuple(session.scalars(query.order_by(Group.name)))
    return Terms(rule.project, tuple(rule.request_types), tuple(rule.domains), tuple(rule.groups), names)


def _reporter(session: Session, organization_id: str, account_id: str | None) -> Reporter | None:
    person = find_person(session, organization_id, account_id) if account_id else None
    if person is None or person.left_at is not None:
        return None
    query = select(Membership.group_id).where(
        Membership.organization_id == organization_id, Membership.account_id == person.account_id
    )
    return Reporter(
        person.account_id,
        person.email_domain,
        frozenset(session.scalars(query)),
        # An address that nobody has answered from may be anybody's.
        person.status == "active" and person.email_verified is not False,
    )


def _what_it_gives(session: Session, rule: TicketRule, today: date) -> tuple[Access, Term]:
    if rule.profile_id is None:
        return Access(groups=tuple(rule.gives)), Term(rule.days)
    profile = find_profile(session, rule.organization_id, rule.profile_id)
    if profile is None:
        raise Invalid("profile_id", "The profile that this rule gives was deleted.", "Choose another one.")
    for trouble in profile.term.troubles(today):
        raise Invalid(
            "profile_id",
            f"The profile that this rule gives: {trouble.sentence}",
            "Mend it, or choose another one.",
        )
    return profile.access, Term(rule.days or profile.days, profile.until)
