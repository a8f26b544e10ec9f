"""The operators' pages of webhook endpoints: the list, and everything about one of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import User
from common import ids
from events.models import WebhookDelivery, WebhookEndpoint
from staff import search, webhooks
from staff.pages.amounts import short
from staff.pages.base import PAGE, display
from staff.pages.filters import PeriodFilter
from staff.pages.forms import ReasonForm, Sent
from staff.pages.row import RowPages
from staff.pages.verb import Verb
from staff.pages.webhook_lists import EndpointStateFilter, find_endpoints
from staff.pages.webhook_words import host_of, line_of, with_receivers

Row = tuple[str, Any, str]  # name, value, and the address of its page or ""
LABELS = {webhooks.ON: "success", webhooks.OFF: "danger", "deleted": "default"}


class RecoverForm(ReasonForm):
    """Since when it is recovered, and why."""

    since = forms.DateTimeField(
        widget=UnfoldAdminTextInputWidget(),
        help_text="In UTC, as 2026-12-01 08:30. Events are kept 30 days.",
    )
    field_order = ("since", "reason")

    @classmethod
    def of(cls, actor: User, target: WebhookEndpoint, sent: Sent) -> Self:
        """Filled in with when it last worked, as far as that is known."""
        since = target.disabled_at or target.last_success_at
        since = since or timezone.now() - timedelta(days=1)
        return cls(sent, initial={"since": since.replace(second=0, microsecond=0)})

    def clean_since(self) -> datetime:
        """Raises ValidationError for what is to come."""
        since: datetime = self.cleaned_data["since"]
        if since > timezone.now():
            raise forms.ValidationError("Must not lie in the future")
        return since


SWITCH_OFF = Verb(
    name="switch_off",
    title="Switch off",
    explanation=(
        "Nothing is sent there any more, and what is waiting for it fails. Its customer sees that"
        " an operator did it, and may switch it on again."
    ),
    permission="events.switch_webhookendpoint",
    possible=lambda endpoint: endpoint.enabled,
    do=webhooks.switch_off,
    path="switch-off",
    icon="toggle_off",
)
SWITCH_ON = Verb(
    name="switch_on",
    title="Switch on",
    explanation="What ends from now on is sent there. What has failed stays so.",
    permission="events.switch_webhookendpoint",
    possible=lambda endpoint: not endpoint.enabled and endpoint.deleted_at is None,
    do=webhooks.switch_on,
    path="switch-on",
    icon="toggle_on",
)
RECOVER = Verb(
    name="recover",
    title="Recover since",
    explanation=(
        "Sends all that failed since then, and what ended while it was off: at most 1,000"
        " deliveries at a time. Receivers tell what they know already by its webhook-id."
    ),
    form=RecoverForm,
    permission="events.send_webhookdelivery",
    possible=lambda endpoint: endpoint.enabled,
    do=webhooks.recover,
    icon="replay",
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(RowPages):
    """The newest first. Secrets are not even read from the table here."""

    list_display = (
        *("short_id", "state_label", "account_link", "host", "types", "last_success"),
        *("last_attempt", "created_at"),
    )
    list_filter = (EndpointStateFilter, PeriodFilter)
    search_help_text = f"we_…, dlv_…, evt_…; {search.HELP}"
    template = "admin/webhook_endpoint.html"
    verbs = (SWITCH_OFF, SWITCH_ON, RECOVER)
    actions_detail = ("switch_off", "switch_on", "recover")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        found: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return found.defer("secret", "previous_secret").select_related("account")

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return find_endpoints(rows, term)

    def shown_of(self, row: WebhookEndpoint) -> dict[str, Any]:
        """What it is, and what was sent there lately."""
        now = timezone.now()
        sent = WebhookDelivery.objects.filter(target=row.pk).order_by("-created_at", "-id")
        return {
            "state": webhooks.state_of(row),
            "label": _label(row),
            "facts": _facts(row),
            "deliveries": [line_of(each, now) for each in with_receivers(sent)[:PAGE]],
            "all_deliveries": f"{reverse('admin:events_webhookdelivery_changelist')}"
            f"?q=we_{row.pk.hex}",
            "staff_did": self.history_of(row).select_related("actor").order_by("-id")[:PAGE],
        }

    def heading_of(self, verb: Verb, target: WebhookEndpoint) -> str:
        """The title of the verb's page, with the host that it is about."""
        return f"{verb.title}: {short(host_of(target.url))}"

    @display(description="Endpoint")
    def short_id(self, endpoint: WebhookEndpoint) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(endpoint.pk)

    @display(description="State", label=LABELS)
    def state_label(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        """The look, and the words: who or what switched it off."""
        said = webhooks.state_of(endpoint)
        return said.partition(":")[0], said

    @display(description="Host")
    def host(self, endpoint: WebhookEndpoint) -> str:
        return short(host_of(endpoint.url))

    @display(description="Types")
    def types(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(each.removeprefix("generation.") for each in endpoint.event_types)

    @display(description="Last success")
    def last_success(self, endpoint: WebhookEndpoint) -> str:
        return _ago(endpoint.last_success_at)

    @display(description="Last attempt")
    def last_attempt(self, endpoint: WebhookEndpoint) -> str:
        """When, and whether it was a success."""
        if endpoint.last_attempt_at is None:
            return "–"
        came = "succeeded" if endpoint.last_attempt_succeeded else "failed"
        return f"{came} {_ago(endpoint.last_attempt_at)}"


def _ago(when: datetime | None) -> str:
    return "–" if when is None else f"{timesince(when, depth=1)} ago"


def _label(endpoint: WebhookEndpoint) -> str:
    return LABELS[webhooks.state_of(endpoint).partition(":")[0]]


def _facts(endpoint: WebhookEndpoint) -> list[Row]:
    person = endpoint.created_by
    account = reverse("admin:accounts_account_change", args=[endpoint.account_id])
    return [
        ("Endpoint", f"we_{endpoint.pk.hex}", ""),
        ("Account", endpoint.account.name, account),
        ("Host", host_of(endpoint.url), ""),
        ("Description", endpoint.description or "–", ""),
        ("Types", ", ".join(endpoint.event_types), ""),
        ("Shape of the payload", endpoint.api_version, ""),
        ("Last success", endpoint.last_success_at or "–", ""),
        ("Last attempt", endpoint.last_attempt_at or "–", ""),
        ("Off since", endpoint.disabled_at or "–", ""),
        ("Last switched on", endpoint.enabled_at, ""),
        ("Its former secret signs until", endpoint.previous_secret_expires_at or "–", ""),
        ("Made by", person.username if person else "–", ""),
        ("Made", endpoint.created_at, ""),
        ("Changed", endpoint.updated_at, ""),
        ("Deleted", endpoint.deleted_at or "–", ""),
    ]
