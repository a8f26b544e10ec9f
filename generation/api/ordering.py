"""From a request's fields to a generation: the part that API and console share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rest_framework.exceptions import ValidationError

from accounts.caller import Caller
from generation import creation
from generation.api.requests import KINDS, validated
from generation.order import CreateResult, Order


@dataclass(frozen=True, slots=True)
class Request:
    """Fields as the contract names them, and their caller. ``kind``: ``video`` or ``image``."""

    caller: Caller
    kind: str
    body: dict[str, Any]
    path: str  # with the body it says what "the same request" is
    idempotency_key: str | None = None
    event_data: dict[str, Any] = field(default_factory=dict)  # of the first event


def judged(request: Request) -> Order:
    """The order that the fields ask for. Raises ValidationError."""
    values = validated(KINDS[request.kind], request.body)
    return Order(
        caller=request.caller,
        model=values["model"],
        prompt=values["prompt"],
        parameters=values["parameters"],
        max_credits=values.get("max_credits"),
        idempotency_key=request.idempotency_key,
        path=request.path,
        body=request.body,
        webhook_url=values.get("webhook_url"),
        event_data=request.event_data,
    )


def replayed(request: Request) -> CreateResult | None:
    """What its key created before, if anything. Raises IdempotencyKeyReused."""
    if request.idempotency_key is None:
        return None
    return creation.replay(request.caller, request.idempotency_key, request.path, request.body)


def place(request: Request) -> CreateResult:
    """Create what is asked for, or replay it. Raises ValidationError and what a create raises."""
    try:
        order = judged(request)
    except ValidationError:
        # a replay is never refused, though its model may have been switched off since
        if (again := replayed(request)) is None:
            raise
        return again
    return creation.create(order)
