"""Too often is a 429 in the RFC's form that says when to come again, for one connection alone (S54)."""

from __future__ import annotations

from limits import parse
from limits.strategies import MovingWindowRateLimiter

from tests.security.organizations import connection_of
from tests.security.provider import token_of
from tests.security.test_scim import ERROR, scim
from tests.security.world import World
from views import limits


def test_s54_too_often_is_refused_for_one_connection_alone(world: World) -> None:
    acme, globex = token_of(world, world.acme), token_of(world, world.globex)
    key = f"org-acme/{connection_of(world.acme)}"
    rate = parse(limits.PER_CONNECTION)
    counts: MovingWindowRateLimiter = world.app.extensions[limits.COUNTS]
    counts.clear(rate, "scim", key)
    assert counts.hit(rate, "scim", key, cost=rate.amount - 1)
    assert scim(world, "GET", "/ServiceProviderConfig", acme).status_code == 200
    refused = scim(world, "GET", "/Users", acme)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert refused.content_type == "application/scim+json"
    assert refused.get_json(force=True)["schemas"] == [ERROR]
    assert scim(world, "GET", "/Users", globex).status_code == 200
    assert scim(world, "GET", "/Users", "").status_code == 401
    counts.clear(rate, "scim", key)
