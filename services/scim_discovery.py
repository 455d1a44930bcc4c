"""What the SCIM service says about itself (RFC 7644, 4; RFC 7643, 5-7)."""

from __future__ import annotations

from functools import cache
from typing import Any

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    External,
    Filter,
    ForbiddenException,
    Group,
    ListResponse,
    Meta,
    NotFoundException,
    Patch,
    Reference,
    ResourceType,
    Schema,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
)

from services.scim_resources import EnterpriseUser, GroupResource, PersonResource, User
from services.scim_wire import MOST_RESULTS, ROOT, Answer, answered
from services.toolbox import Toolbox

PROVIDER = ScimProvider(
    models=[User, EnterpriseUser, Group],
    resource_types=[ResourceType.from_resource(each) for each in (PersonResource, GroupResource)],
)
_CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The token that Rollcall shows once, under Onboarding, Identity provider.",
            spec_uri=Reference[External]("https://datatracker.ietf.org/doc/html/rfc6750"),
            primary=True,
        )
    ],
)


def service_config(tools: Toolbox) -> Answer:
    """What the service can do."""
    return answered(lambda: Answer(200, _shown(_CONFIG, f"{_base(tools)}/ServiceProviderConfig")))


def resource_types(tools: Toolbox, *, filtered: bool) -> Answer:
    """Users and groups. A filter is refused, as RFC 7644, 4 demands."""
    return answered(lambda: _list(_types(_base(tools)), filtered=filtered))


def resource_type(tools: Toolbox, name: str) -> Answer:
    return answered(lambda: _one(_types(_base(tools)), name))


def schemas(tools: Toolbox, *, filtered: bool) -> Answer:
    """Every attribute there is. A filter is refused, as RFC 7644, 4 demands."""
    return answered(lambda: _list(_schemas(_base(tools)), filtered=filtered))


def schema(tools: Toolbox, urn: str) -> Answer:
    return answered(lambda: _one(_schemas(_base(tools)), urn))


def _base(tools: Toolbox) -> str:
    return f"{tools.settings.base_url}{ROOT}"


@cache
def _types(base: str) -> dict[str, dict[str, Any]]:
    return {
        str(each.name): _shown(each, f"{base}/ResourceTypes/{each.name}") for each in PROVIDER.resource_types
    }


@cache
def _schemas(base: str) -> dict[str, dict[str, Any]]:
    return {str(each.id): _shown(each, f"{base}/Schemas/{each.id}") for each in PROVIDER.schemas}


def _shown(found: ServiceProviderConfig | ResourceType | Schema, location: str) -> dict[str, Any]:
    shown = found.model_copy(update={"meta": Meta(resource_type=type(found).__name__, location=location)})
    return shown.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)


def _list(found: dict[str, dict[str, Any]], *, filtered: bool) -> Answer:
    if filtered:
        raise ForbiddenException(detail="These lists take no filter.")
    body = {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": len(found),
        "startIndex": 1,
        "itemsPerPage": len(found),
        "Resources": list(found.values()),
    }
    return Answer(200, body)


def _one(found: dict[str, dict[str, Any]], name: str) -> Answer:
    if name not in found:
        raise NotFoundException(detail="There is nothing with this name.")
    return Answer(200, found[name])
