"""The operators' pages of deliveries: the list, and one of them with its attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from common import ids
from events.models import DeliveryState, WebhookDelivery
from staff import search, webhooks
from staff.pages.amounts import short
from staff.pages.base import PAGE, display
from staff.pages.filters import PeriodFilter
from staff.pages.verb import Verb, VerbPages
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
class WebhookDeliveryAdmin(VerbPages):
    """The newest first. Of a receiver's URL only the host is ever shown."""

    list_display = (
        *("short_id", "state_label", "failed_reason", "told", "account_link", "host"),
        *("attempts_made", "last", "next", "created_at"),
    )
    list_display_links = ("short_id",)
    list_filter = (DeliveryStateFilter, ReasonFilter, TypeFilter, PeriodFilter)
    list_select_related = ("account",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = f"evt_…, dlv_…, we_…; {search.HELP}"
    ordering = ("-created_at", "-id")
    verbs = (SEND_AGAIN,)
    actions_detail = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        found: QuerySet[WebhookDelivery] = super().get_queryset(request)
        return with_receivers(found).select_related("account")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find_deliveries(queryset, search_term) if search_term else queryset), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was to be sent, and what came of each attempt."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        delivery: WebhookDelivery = self.object_or_404(request, object_id)
        newest = delivery.attempts.order_by("-number")[:MOST_ATTEMPTS]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Webhook delivery {delivery.pk.hex[-8:]}",
            "opts": self.opts,
            "original": delivery,
            "state": delivery.state,
            "label": LABELS[DeliveryState(delivery.state)],
            "actions": self.buttons_of(request, delivery),
            "facts": _facts(delivery),
            "work": _work(delivery, timezone.now()),
            "attempts": [attempt_of(each) for each in newest],
            "staff_did": self.history_of(delivery).select_related("actor").order_by("-id")[:PAGE],
        }
        return TemplateResponse(request, "admin/webhook_delivery.html", context)

    def heading_of(self, verb: Verb, target: WebhookDelivery) -> str:
        """The title of the verb's page, with type and host."""
        return f"{verb.title}: {target.event.type} to {short(receiver_of(target))}"

    def account_id_of(self, obj: WebhookDelivery) -> Any:
        return obj.account_id

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

    @display(description="Account")
    def account_link(self, delivery: WebhookDelivery) -> str:
        page = reverse("admin:accounts_account_change", args=[delivery.account_id])
        return format_html(
            '<a class="text-link" href="{}">{}</a>', page, short(delivery.account.name)
        )

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
