"""What a case of a roster gives and takes, in words: "Jira on acme, joins designers, leaves interns"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organization import seats_of
from models.people import Group
from models.run import Case
from rules.deeds import Action, Deed
from rules.products import product_name
from rules.roster import action_from_words

ROLES = {
    "atlassian/user": "",
    "atlassian/admin": "administrator of ",
    "atlassian/guest": "guest of ",
    "atlassian/customer": "customer of ",
    "atlassian/contributor": "contributor to ",
    "atlassian/basic": "basic access to ",
    "atlassian/stakeholder": "stakeholder of ",
    "atlassian/viewer": "viewer of ",
}
"""Role → what stands before the product."""


def access_in_words(session: Session, organization_id: str, cases: Sequence[Case]) -> dict[str, str]:
    """Case id → what it gives and takes. Cases without roles and groups are absent."""
    actions = {
        case.id: action_from_words(Deed(case.deed), case.action) for case in cases if case.action is not None
    }
    if not actions:
        return {}
    group_ids = {group_id for action in actions.values() for group_id in (*action.leave, *action.join)}
    query = select(Group.group_id, Group.name).where(
        Group.organization_id == organization_id, Group.group_id.in_(group_ids)
    )
    groups: dict[str, str] = dict(session.execute(query).all())
    products = {
        each.resource_id: product_words(each.key, each.host_url)
        for each in seats_of(session, organization_id)
    }
    found = {case_id: action_in_words(action, groups, products) for case_id, action in actions.items()}
    return {case_id: words for case_id, words in found.items() if words}


def product_words(key: str, host_url: str) -> str:
    """Jira on acme.atlassian.net."""
    site = host_url.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return f"{product_name(key)} on {site}" if site else product_name(key)


def action_in_words(action: Action, groups: Mapping[str, str], products: Mapping[str, str]) -> str:
    """What an action gives and takes; `groups` and `products` are id → name."""
    parts = [
        f"{ROLES.get(role, role + ' of ')}{products.get(resource_id, 'a product that is gone')}"
        for resource_id, role in action.roles
    ]
    joins = {Deed.TAKE_BACK: "leaves", Deed.PROLONG: "keeps"}.get(action.deed, "joins")
    parts += [f"{joins} {groups.get(group_id, 'a group that is gone')}" for group_id in action.join]
    if action.deed is Deed.PROLONG:
        return ", ".join(parts)
    parts += [f"leaves {groups.get(group_id, 'a group that is gone')}" for group_id in action.leave]
    return ", ".join(parts)
