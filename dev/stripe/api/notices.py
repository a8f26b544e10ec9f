"""Events, and the endpoints that hear of them."""

from __future__ import annotations

from dev.stripe.api.refunds import one
from dev.stripe.objects.notice import make_endpoint
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    OrEmpty,
    boolean,
    merged,
    metadata,
    moments,
    text,
    url,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

EVENTS = {**PAGE, "created": moments, "delivery_success": boolean, "type": text, "types": [text]}
ENDPOINT = {
    **EXPAND,
    "api_version": text,
    "description": OrEmpty(text),
    "enabled_events": Needed([text]),
    "metadata": OrEmpty(metadata),
    "url": Needed(url),
}
ENDPOINT_UPDATE = {
    **EXPAND,
    "description": OrEmpty(text),
    "disabled": boolean,
    "enabled_events": [text],
    "metadata": OrEmpty(metadata),
    "url": url,
}


def find_events(world: World, asked: Asked) -> Obj:
    params = asked.params
    kinds = {params["type"]} if "type" in params else set(params.get("types", []))
    delivered = params.get("delivery_success")

    def wanted(each: Obj) -> bool:
        right_kind = not kinds or each["type"] in kinds
        return right_kind and delivered in (None, each["pending_webhooks"] == 0)

    return world.store.page("event", params, wanted, "/v1/events")


def create(world: World, asked: Asked) -> Obj:
    """The only answer that shows the secret."""
    endpoint = make_endpoint(**_fields(asked.params, {}))
    world.secrets[endpoint["id"]] = [endpoint["secret"]]
    world.store.add({name: value for name, value in endpoint.items() if name != "secret"})
    return endpoint


def _fields(params: Obj, old: dict[str, str]) -> Obj:
    found = {**params}
    if "metadata" in found:
        found["metadata"] = merged(old, found["metadata"])
    return found


def update(world: World, asked: Asked) -> Obj:
    endpoint = world.store.get("webhook_endpoint", asked.ids["id"])
    changes = _fields(asked.params, endpoint["metadata"])
    if "disabled" in changes:
        endpoint["status"] = "disabled" if changes.pop("disabled") else "enabled"
    endpoint |= changes
    return endpoint


def delete(world: World, asked: Asked) -> Obj:
    endpoint = world.store.get("webhook_endpoint", asked.ids["id"])
    world.store.remove(endpoint)
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def find(world: World, asked: Asked) -> Obj:
    return world.store.page(
        "webhook_endpoint", asked.params, lambda each: True, "/v1/webhook_endpoints"
    )


CALLS = [
    Call("GET", "/v1/events", EVENTS, find_events),
    one("event", "/v1/events/{id}"),
    Call("POST", "/v1/webhook_endpoints", ENDPOINT, create),
    Call("GET", "/v1/webhook_endpoints", PAGE, find),
    one("webhook_endpoint", "/v1/webhook_endpoints/{id}"),
    Call("POST", "/v1/webhook_endpoints/{id}", ENDPOINT_UPDATE, update),
    Call("DELETE", "/v1/webhook_endpoints/{id}", {}, delete),
]
