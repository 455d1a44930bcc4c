"""SCIM 2.0 for identity providers: a request is proven by its bearer token, and answered from our own rows."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Blueprint, Response, request

from services import scim_discovery, scim_groups, scim_search, scim_users
from services.scim_wire import ROOT, Answer, error_answer
from views.access import provisioner, scim, takes_up_to, tools
from views.limits import limited_for_providers

blueprint = Blueprint("scim", __name__, url_prefix=ROOT)
TYPE = "application/scim+json"
MOST_BYTES = 8 * 1024 * 1024
"""Of a group that is sent as a whole: its fifty thousand members, each with what the provider calls them."""
MOST_OF_A_SEARCH = 8 * 1024
"""As much as stands in an address: of a filter of megabytes, reading alone takes minutes (S54)."""


@blueprint.get("/ServiceProviderConfig")
@scim
@limited_for_providers
def service_config() -> Response:
    return respond(scim_discovery.service_config(tools()))


@blueprint.get("/ResourceTypes")
@scim
@limited_for_providers
def resource_types() -> Response:
    return respond(scim_discovery.resource_types(tools(), filtered="filter" in request.args))


@blueprint.get("/ResourceTypes/<name>")
@scim
@limited_for_providers
def resource_type(name: str) -> Response:
    return respond(scim_discovery.resource_type(tools(), name))


@blueprint.get("/Schemas")
@scim
@limited_for_providers
def schemas() -> Response:
    return respond(scim_discovery.schemas(tools(), filtered="filter" in request.args))


@blueprint.get("/Schemas/<urn>")
@scim
@limited_for_providers
def schema(urn: str) -> Response:
    return respond(scim_discovery.schema(tools(), urn))


@blueprint.get("/Users")
@scim
@limited_for_providers
def users() -> Response:
    return respond(scim_search.list_some(tools(), provisioner(), "Users", request.args))


@blueprint.post("/Users")
@scim
@limited_for_providers
def create_user() -> Response:
    return respond(scim_users.create_user(tools(), provisioner(), request.get_data(), request.args))


@blueprint.post("/Users/.search")
@scim
@limited_for_providers
@takes_up_to(MOST_OF_A_SEARCH)
def search_users() -> Response:
    return respond(scim_search.search(tools(), provisioner(), ("Users",), request.get_data()))


@blueprint.get("/Users/<scim_id>")
@scim
@limited_for_providers
def user(scim_id: str) -> Response:
    seen = request.headers.get("If-None-Match", "")
    return respond(scim_users.read_user(tools(), provisioner(), scim_id, request.args, seen))


@blueprint.put("/Users/<scim_id>")
@scim
@limited_for_providers
def replace_user(scim_id: str) -> Response:
    return respond(scim_users.replace_user(tools(), provisioner(), scim_id, *_change()))


@blueprint.patch("/Users/<scim_id>")
@scim
@limited_for_providers
def patch_user(scim_id: str) -> Response:
    return respond(scim_users.patch_user(tools(), provisioner(), scim_id, *_change()))


@blueprint.delete("/Users/<scim_id>")
@scim
@limited_for_providers
def delete_user(scim_id: str) -> Response:
    return respond(scim_users.delete_user(tools(), provisioner(), scim_id, _if_match()))


@blueprint.get("/Groups")
@scim
@limited_for_providers
def groups() -> Response:
    return respond(scim_search.list_some(tools(), provisioner(), "Groups", request.args))


@blueprint.post("/Groups")
@scim
@limited_for_providers
@takes_up_to(MOST_BYTES)
def create_group() -> Response:
    return respond(scim_groups.create_group(tools(), provisioner(), request.get_data(), request.args))


@blueprint.post("/Groups/.search")
@scim
@limited_for_providers
@takes_up_to(MOST_OF_A_SEARCH)
def search_groups() -> Response:
    return respond(scim_search.search(tools(), provisioner(), ("Groups",), request.get_data()))


@blueprint.get("/Groups/<scim_id>")
@scim
@limited_for_providers
def group(scim_id: str) -> Response:
    seen = request.headers.get("If-None-Match", "")
    return respond(scim_groups.read_group(tools(), provisioner(), scim_id, request.args, seen))


@blueprint.put("/Groups/<scim_id>")
@scim
@limited_for_providers
@takes_up_to(MOST_BYTES)
def replace_group(scim_id: str) -> Response:
    return respond(scim_groups.replace_group(tools(), provisioner(), scim_id, *_change()))


@blueprint.patch("/Groups/<scim_id>")
@scim
@limited_for_providers
@takes_up_to(MOST_BYTES)
def patch_group(scim_id: str) -> Response:
    return respond(scim_groups.patch_group(tools(), provisioner(), scim_id, *_change()))


@blueprint.delete("/Groups/<scim_id>")
@scim
@limited_for_providers
def delete_group(scim_id: str) -> Response:
    return respond(scim_groups.delete_group(tools(), provisioner(), scim_id, _if_match()))


@blueprint.post("/.search")
@scim
@limited_for_providers
@takes_up_to(MOST_OF_A_SEARCH)
def search() -> Response:
    return respond(scim_search.search(tools(), provisioner(), ("Users", "Groups"), request.get_data()))


@blueprint.get("/<path:_elsewhere>")
@scim
@limited_for_providers
def nothing_here(_elsewhere: str) -> Response:
    """So that also an address that does not exist asks for the token first."""
    return respond(error_answer(404, "There is nothing at this address."))


def respond(answer: Answer) -> Response:
    """An answer as SCIM has it."""
    body = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False).encode()
    return Response(body, answer.status, answer.headers, content_type=TYPE)


def _change() -> tuple[bytes, Mapping[str, str], str]:
    return request.get_data(), request.args, _if_match()


def _if_match() -> str:
    return request.headers.get("If-Match", "")
