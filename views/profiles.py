"""Profiles: what newcomers get, by name."""

from __future__ import annotations

from flask import Blueprint, Response, request

from connect.errors import Invalid
from rules.organization import OrganizationFacts, ProductFacts
from rules.profile import ROLES, Example, examples_for, roles_of
from services import profiles
from services.names import names_of
from services.profiles import ProfileView, Typed
from services.roster_words import product_words
from views import show
from views.access import api, caller, operator_only, tools
from views.changed_since import mark_of, require_unchanged
from views.errors import shown_again

blueprint = Blueprint("profiles", __name__, url_prefix="/app/onboarding/profiles")


@blueprint.get("")
@api
@operator_only
def index() -> str:
    return _list()


@blueprint.get("/new")
@api
@operator_only
def new() -> str:
    """An empty form, or one of the examples to go on from."""
    key = request.args.get("example", "")
    example = next(
        (each for each in examples_for(profiles.organization_now(tools(), caller())) if each.key == key), None
    )
    return _form(_typed_of_example(example) if example is not None else Typed())


@blueprint.post("")
@api
@operator_only
def add() -> str | Response:
    return _save(None)


@blueprint.get("/<profile_id>")
@api
@operator_only
def edit(profile_id: str) -> str:
    view = profiles.look_at_profile(tools(), caller(), profile_id)
    return _form(_as_typed(view), view=view)


@blueprint.post("/<profile_id>")
@api
@operator_only
def change(profile_id: str) -> str | Response:
    return _save(profile_id)


@blueprint.post("/<profile_id>/remove")
@api
@operator_only
def remove(profile_id: str) -> str:
    profile = profiles.remove_profile(tools(), caller(), profile_id)
    return _list(saved=f"“{profile.name}” is removed. Nobody loses what they got with it.")


def _save(profile_id: str | None) -> str | Response:
    view = profiles.look_at_profile(tools(), caller(), profile_id) if profile_id is not None else None
    if view is not None:
        require_unchanged(_as_typed(view))
    typed = _typed()
    try:
        profile = profiles.save_profile(tools(), caller(), profile_id, typed)
    except Invalid as problem:
        return shown_again(_form(typed, view=view, problem=problem), problem)
    return _list(saved=f"“{profile.name}” is saved.")


def _typed() -> Typed:
    form = request.form
    return Typed(
        form.get("name", "")[:300],
        form.get("description", "")[:2000],
        [each[:400] for each in form.getlist("roles")],
        [each[:100] for each in form.getlist("groups")],
        form.get("days", "")[:20],
        form.get("until", "")[:20],
    )


def _as_typed(view: ProfileView) -> Typed:
    kept = view.profile
    roles = [f"{role} {resource_id}" for resource_id, role in kept.roles]
    return Typed(kept.name, kept.description, roles, kept.groups, str(kept.days or ""), str(kept.until or ""))


def _typed_of_example(example: Example) -> Typed:
    roles = [f"{role} {resource_id}" for resource_id, role in example.access.roles]
    return Typed(example.name, example.sentence, roles, (), str(example.days or ""))


def _list(saved: str = "") -> str:
    found = profiles.list_profiles(tools(), caller())
    organization = profiles.organization_now(tools(), caller())
    with tools().begin() as session:
        organization_id = found[0].profile.organization_id if found else None
        names = names_of(session, organization_id, (each.profile.created_by for each in found))
    return show.place(
        "onboarding/profiles.html",
        tab="onboarding",
        title="Profiles",
        profiles=found,
        names=names,
        most=profiles.MOST_PROFILES,
        examples=examples_for(organization),
        saved=saved,
    )


def _form(typed: Typed, *, view: ProfileView | None = None, problem: Invalid | None = None) -> str:
    organization = profiles.organization_now(tools(), caller())
    profile = view.profile if view is not None else None
    return show.place(
        "onboarding/profile.html",
        tab="onboarding",
        title=f"Profile “{profile.name}”" if profile is not None else "New profile",
        profile=profile,
        uses=view.uses if view is not None else (),
        troubles=view.troubles if view is not None and problem is None else (),
        typed=typed,
        products=_choices(organization, typed),
        groups=_groups(organization, typed),
        problem=problem,
        was=mark_of(_as_typed(view)) if view is not None else "",
        address=f"onboarding/profiles/{profile.id}" if profile is not None else "onboarding/profiles/new",
    )


def _choices(
    organization: OrganizationFacts, typed: Typed
) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
    """(resource id, product and site, the roles to choose from); what is gone stays visible until it is taken out."""
    chosen = {each.partition(" ")[2]: each for each in typed.roles if each}
    gone = [
        ProductFacts(each, [*each.split(":"), "", ""][2] or each)
        for each in chosen
        if each not in organization.products
    ]
    products = sorted(organization.products.values(), key=lambda one: (one.host, one.name, one.resource_id))
    return [
        (
            each.resource_id,
            product_words(each.key, each.host) + (" (gone)" if each in gone else ""),
            [
                (
                    f"{role} {each.resource_id}",
                    ROLES[role],
                    chosen.get(each.resource_id) == f"{role} {each.resource_id}",
                )
                for role in roles_of(each.key)
            ],
        )
        for each in (*products, *gone)
    ]


def _groups(organization: OrganizationFacts, typed: Typed) -> list[tuple[str, str]]:
    """Groups that people can be put into, and those chosen already."""
    chosen = set(typed.groups)
    return [
        (group.id, group.name + (" (of the identity provider)" if group.synced else ""))
        for group in sorted(organization.groups.values(), key=lambda one: (one.name.casefold(), one.id))
        if (group.modifiable and not group.synced) or group.id in chosen
    ]
