"""The tables of what customers are told: events, where they are sent, and what came of it."""

from events.models.delivery import (
    AttemptError,
    DeliveryState,
    FailedReason,
    WebhookAttempt,
    WebhookDelivery,
)
from events.models.endpoint import (
    EVERY_TYPE,
    DefaultSecret,
    DisabledReason,
    WebhookEndpoint,
)
from events.models.event import TEST, Event, Feed, Type

__all__ = [
    "EVERY_TYPE",
    "TEST",
    "AttemptError",
    "DefaultSecret",
    "DeliveryState",
    "DisabledReason",
    "Event",
    "FailedReason",
    "Feed",
    "Type",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
