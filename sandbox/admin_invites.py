"""Organization API: inviting people (POST /admin/v2/orgs/{orgId}/users/invite)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import deeds, holdings, invitations, seats, world
from sandbox.admin_access import Bearer, bearer
from sandbox.admin_groups import granted
from sandbox.admin_roles import SERVICE_DESK_ROLES
from sandbox.answers import errors
from sandbox.cloud import Cloud
from sandbox.holdings import Holding
from sandbox.invitations import Guest
from sandbox.people import Directory

ROLES = tuple(
    f"atlassian/{role}"
    for role in ("user", "admin", "guest", "contributor", "customer", "basic", "stakeholder", "viewer")
)
MOST_EMAILS = 25
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
FULL = "Product License Limit Exceeded"


@dataclass(frozen=True, slots=True)
class Wish:
    """A role or a place in a group for everybody invited: how it is named, what it grants, what speaks against it."""

    named: dict[str, str]
    holding: Holding
    grants: list[tuple[str, str]]
    objection: str | None

    @property
    def is_role(self) -> bool:
        return "role" in self.named

    def result(self, reason: str | None) -> dict[str, str | None]:
        """The role by its ARI, as in the specification's example of an answer; it is asked for by its id."""
        named = dict(self.named)
        if self.is_role:
            kind = "member" if named["role"] == "atlassian/user" else named["role"].rpartition("/")[2]
            named["role"] = f"ari:cloud:jira::role/product/{kind}"
        return {**named, "status": "ERROR" if reason else "INVITED", "statusReason": reason}


@dataclass(frozen=True, slots=True)
class Invitation:
    """What was asked."""

    emails: list[str]
    wishes: list[Wish]
    sends: bool
    text: str


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_invites", __name__, url_prefix="/admin")

    @routes.post("/v2/orgs/<org_id>/users/invite")
    def invite(org_id: str) -> tuple[Response, int]:
        """POST …/users/invite: 200, or 206 when anything was refused; each role and group says how it went."""
        held = _key(cloud, org_id)
        asked = _asked(cloud, held.organization)
        delay = cloud.faults.visibility_delay(request.method, request.path)
        with cloud.store.write():
            directory = cloud.directory(held.organization.key)
            guests = invitations.guests(cloud.store, held.organization.key, asked.emails)
            full = _all_full(cloud, directory, asked, guests)
            data = [] if full else [_invite(cloud, held, directory, asked, one, delay) for one in guests]
            for guest in guests if full else ():
                _note(cloud, held, guest, "invite", 409)
        if full:
            raise errors(409, "ADMIN-UAM-409-3", FULL)
        for answered, email in zip(data, asked.emails, strict=True):
            answered["email"] = email
        return jsonify(data=data), 206 if any(map(_went_wrong, data)) else 200

    return routes


def _key(cloud: Cloud, org_id: str) -> Bearer:
    held = bearer(cloud)
    if held is None:
        raise errors(401, "ADMIN-UAM-401-1", "Unauthenticated")
    if org_id not in world.BY_ID:
        raise errors(404, "ADMIN-UAM-404-2", "Organization not found")
    if held.organization.id != org_id:
        raise errors(403, "ADMIN-UAM-403-2", "Not allowed to manage the org")
    if held.scoped:
        raise errors(403, "ADMIN-UAM-403-1", "Forbidden")
    if held.organization.key in cloud.unpaid:
        detail = "You don't have a paid subscription to be eligible to perform this request."
        raise errors(402, "ADMIN-UAM-402-1", "Payment Required", detail)
    return held


def _asked(cloud: Cloud, organization: world.Organization) -> Invitation:
    body: Any = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    emails, rules, groups = (body.get(key, []) for key in ("emails", "permissionRules", "additionalGroups"))
    sends, text = body.get("sendNotification", False), body.get("notificationText", "")
    if not (
        isinstance(rules, list) and all(map(_is_rule, rules)) and _all_words(groups) and _all_words(emails)
    ):
        raise _bad("The invitation is malformed.")
    if not isinstance(sends, bool) or not isinstance(text, str):
        raise _bad("sendNotification is true or false, notificationText is text.")
    if not 1 <= len(emails) <= MOST_EMAILS:
        raise _bad(f"1 to {MOST_EMAILS} emails.")
    if not all(ADDRESS.fullmatch(one) and one.isprintable() for one in emails):
        raise _bad("One of the emails is none.")
    wishes = [_role_wish(organization, rule["resource"], rule["role"]) for rule in rules]
    wishes += [_group_wish(cloud, organization, group) for group in groups]
    once = {email.lower(): email for email in reversed(emails)}
    return Invitation([*reversed(once.values())], wishes, sends, text)


def _bad(detail: str) -> Exception:
    return errors(400, "ADMIN-UAM-400-1", "Bad Request", detail)


def _is_rule(rule: Any) -> bool:
    return isinstance(rule, dict) and _all_words([rule.get("resource"), rule.get("role")])


def _all_words(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) and one for one in values)


def _role_wish(organization: world.Organization, resource: str, role: str) -> Wish:
    if resource not in {organization.resource(product) for product in organization.products}:
        raise errors(404, "ADMIN-UAM-404-1", "Unknown Resource")
    desk = world.product_of(resource) == world.SERVICE_DESK
    fits = role in ROLES and (desk or role not in SERVICE_DESK_ROLES)
    return Wish(
        {"resource": resource, "role": role},
        holdings.role_on(resource, role),
        [(resource, role)],
        None if fits else "Invalid Role for Resource",
    )


def _group_wish(cloud: Cloud, organization: world.Organization, group: str) -> Wish:
    team = cloud.store.one("SELECT synced FROM team WHERE org = ? AND id = ?", (organization.key, group))
    objection = "Group Not Found" if team is None else None
    if team is not None and team["synced"]:
        objection = "Not allowed to manage the group: it is synced from an identity provider"
    grants = granted(cloud, group) if objection is None else []
    return Wish({"group": group}, holdings.place_in(group), grants, objection)


def _all_full(cloud: Cloud, directory: Directory, asked: Invitation, guests: list[Guest]) -> bool:
    """Products are asked for, and none of them has a seat for any of these people."""
    wanted = [wish.grants for wish in asked.wishes if wish.grants and wish.objection is None]
    return bool(wanted) and all(
        seats.none_left(cloud, directory, guest.account_id, grants) for grants in wanted for guest in guests
    )


def _invite(
    cloud: Cloud, held: Bearer, directory: Directory, asked: Invitation, guest: Guest, delay: float
) -> dict[str, Any]:
    """One person. Somebody new who gets nothing of what was asked does not come into the directory."""
    seq, new = guest.person["seq"] if guest.person is not None else None, False
    roles: list[dict[str, str | None]] = []
    groups: list[dict[str, str | None]] = []
    if seq is None and not asked.wishes:
        seq, new = invitations.take_in(cloud.store, held.organization, guest, delay), True
    for wish in asked.wishes:
        reason, given = _objection(cloud, directory, guest, wish), False
        if reason is None:
            if seq is None:
                seq, new = invitations.take_in(cloud.store, held.organization, guest, delay), True
            given = holdings.put(cloud.store, seq, wish.holding, present=True, delay=delay)
        (roles if wish.is_role else groups).append(wish.result(reason))
        action, about = ("assign_role" if wish.is_role else "join_group"), wish.holding.values[0]
        _note(cloud, held, guest, action, 206 if reason else 200, effective=given, about=about)
    answer = {"results": [{"roleAssignmentResult": roles, "groupAssignmentResult": groups}]}
    _note(cloud, held, guest, "invite", 206 if _went_wrong(answer) else 200, effective=new)
    got = [one for one in roles + groups if one["status"] == "INVITED"]
    if got and guest.person is not None and guest.person["membership"] == "no_membership":
        directory.set_membership(guest.account_id, "active", delay)
    # "… if the `sendNotification` field is set to `true` and the `notificationText` field contains a message"
    if asked.sends and asked.text and (got or new):
        inviter = held.organization.admin.name
        invitations.send(cloud.store, held.organization, inviter, guest.address, asked.text)
    return answer if seq is None else {"id": guest.account_id, **answer}


def _objection(cloud: Cloud, directory: Directory, guest: Guest, wish: Wish) -> str | None:
    if guest.person is not None and guest.person["account_status"] != "active":
        return "Inactive user"
    if wish.objection is None and seats.none_left(cloud, directory, guest.account_id, wish.grants):
        return FULL
    return wish.objection


def _went_wrong(answer: dict[str, Any]) -> bool:
    found = answer["results"][0]
    return any(
        one["status"] == "ERROR" for one in found["roleAssignmentResult"] + found["groupAssignmentResult"]
    )


def _note(
    cloud: Cloud,
    held: Bearer,
    guest: Guest,
    action: str,
    status: int,
    *,
    effective: bool = False,
    about: str | None = None,
) -> None:
    org = held.organization.key
    deeds.record(cloud.store, org, guest.account_id, action, effective=effective, status=status, about=about)
