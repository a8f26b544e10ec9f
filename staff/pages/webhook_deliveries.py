"""The operators' pages of deliveries: the list, and one of them with its attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from common import ids
from events.models import DeliveryState, WebhookDelivery
from staff import search, webhooks
from staff.pages.amounts import short
from staff.pages.base import PAGE, display
from staff.pages.filters import PeriodFilter
from staff.pages.row import RowPages
from staff.pages.verb import Verb
from staff.pages.webhook_lists import (
    DeliveryStateFilter,
    ReasonFilter,
    TypeFilter,
    find_deliveries,
)
from staff.pages.webhook_words import (
    LABELS,
    attempt_of,
    endpoint_page,
    last_of,
    next_of,
    receiver_of,
    with_receivers,
)

Row = tuple[str, Any, str]  # name, value, and the address of its page or ""
MOST_ATTEMPTS = 200  # on one page


SEND_AGAIN = Verb(
    name="send_again",
    title="Send again",
    explanation=(
        "Sends the event once more, in a new round of attempts, with the same webhook-id: a"
        " receiver that has it already should do nothing."
    ),
    permission="events.send_webhookdelivery",
    possible=lambda delivery: delivery.endpoint is None or delivery.endpoint.enabled,
    do=webhooks.send_again,
    path="send-again",
    icon="send",
)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(RowPages):
    """The newest first. Of a receiver's URL only the host is ever shown."""

    list_display = (
        *("short_id", "state_label", "failed_reason", "told", "account_link", "host"),
        *("attempts_made", "last", "next", "created_at"),
    )
    list_filter = (DeliveryStateFilter, ReasonFilter, TypeFilter, PeriodFilter)
    search_help_text = f"evt_…, dlv_…, we_…; {search.HELP}"
    template = "admin/webhook_delivery.html"
    verbs = (SEND_AGAIN,)
    actions_detail = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        found: QuerySet[WebhookDelivery] = super().get_queryset(request)
        return with_receivers(found).select_related("account")

    def title_of(self, row: WebhookDelivery) -> str:
        return f"Webhook delivery {row.pk.hex[-8:]}"

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return find_deliveries(rows, term)

    def shown_of(self, row: WebhookDelivery) -> dict[str, Any]:
        """What was to be sent, and what came of each attempt."""
        newest = row.attempts.order_by("-number")[:MOST_ATTEMPTS]
        return {
            "state": row.state,
            "label": LABELS[DeliveryState(row.state)],
            "facts": _facts(row),
            "work": _work(row, timezone.now()),
            "attempts": [attempt_of(each) for each in newest],
            "staff_did": self.history_of(row).select_related("actor").order_by("-id")[:PAGE],
        }

    def heading_of(self, verb: Verb, target: WebhookDelivery) -> str:
        """The title of the verb's page, with type and host."""
        return f"{verb.title}: {target.event.type} to {short(receiver_of(target))}"

    @display(description="Delivery")
    def short_id(self, delivery: WebhookDelivery) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(delivery.pk)

    @display(description="State", label=LABELS)
    def state_label(self, delivery: WebhookDelivery) -> str:
        return delivery.state

    @display(description="Type")
    def told(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @display(description="Host")
    def host(self, delivery: WebhookDelivery) -> str:
        return short(receiver_of(delivery))

    @display(description="Last answer")
    def last(self, delivery: WebhookDelivery) -> str:
        return last_of(delivery)

    @display(description="Next")
    def next(self, delivery: WebhookDelivery) -> str:
        return next_of(delivery, timezone.now())


def _facts(delivery: WebhookDelivery) -> list[Row]:
    event, endpoint = delivery.event, delivery.endpoint
    account = reverse("admin:accounts_account_change", args=[delivery.account_id])
    generation = event.generation_id
    page = reverse("admin:generation_generation_change", args=[generation]) if generation else ""
    to: Row = ("To", "the order's webhook_url", "")
    if endpoint is not None:
        to = ("To", f"we_{endpoint.pk.hex}", endpoint_page(endpoint))
    return [
        ("Delivery", f"dlv_{delivery.pk.hex}", ""),
        ("Event", f"evt_{event.pk.hex}", ""),
        ("Type", event.type, ""),
        ("Generation", generation or "none: a test", page),
        ("Account", delivery.account.name, account),
        to,
        ("Host", receiver_of(delivery), ""),
        *([("The endpoint is", webhooks.state_of(endpoint), "")] if endpoint else []),
    ]


def _work(delivery: WebhookDelivery, now: datetime) -> list[Row]:
    return [
        ("Failed because", delivery.failed_reason or "–", ""),
        ("Last answer", last_of(delivery), ""),
        ("Attempts", delivery.attempts_made, ""),
        ("Attempts of this round", delivery.round_attempts, ""),
        ("Claims without an answer", delivery.strikes, ""),
        ("Next", next_of(delivery, now), ""),
        ("Made", delivery.created_at, ""),
        ("Ended", delivery.finished_at or "–", ""),
    ]
