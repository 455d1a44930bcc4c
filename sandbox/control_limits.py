"""Control API: how many changes a second are allowed, how many seats a product has, and who pays."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox import world
from sandbox.cloud import Cloud


def add_routes(routes: Blueprint, cloud: Cloud) -> None:
    @routes.get("/rate")
    def rate() -> Response:
        """Changes asked for since the limit was set: {"allowed": n, "refused": n}."""
        return jsonify(allowed=cloud.rate.allowed, refused=cloud.rate.refused)

    @routes.put("/rate")
    def limit_rate() -> Response:
        """{"per_second": n | null}: above it, one organization's changes are answered 429."""
        wanted = request.get_json()["per_second"]
        cloud.rate.limit(None if wanted is None else int(wanted))
        return jsonify(per_second=cloud.rate.per_second)

    @routes.put("/seats")
    def limit_seats() -> Response:
        """{"site", "product", "capacity": n | null}: no more paid places than this."""
        data = request.get_json()
        product = world.product_named(str(data["product"]))
        resource = world.ORGANIZATIONS[data["site"]].resource(product)
        if data["capacity"] is None:
            cloud.seats.pop(resource, None)
        else:
            cloud.seats[resource] = int(data["capacity"])
        return jsonify(resource=resource, capacity=cloud.seats.get(resource))

    @routes.get("/subscriptions")
    def subscriptions() -> Response:
        """Whether each organization has a paid subscription: {"acme": true, …}."""
        return jsonify({key: key not in cloud.unpaid for key in world.ORGANIZATIONS})

    @routes.put("/subscriptions")
    def subscribe() -> Response:
        """{"site", "paid": true | false}: without a paid subscription an invitation is answered 402."""
        data = request.get_json()
        key = world.ORGANIZATIONS[data["site"]].key
        if data["paid"]:
            cloud.unpaid.discard(key)
        else:
            cloud.unpaid.add(key)
        return subscriptions()
