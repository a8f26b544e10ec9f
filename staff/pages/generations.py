"""The operators' pages of generations: the list, the history of one, and the verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince

from common import ids
from generation import lifecycle
from generation.models import Generation
from generation.models.states import UNDELIVERED
from staff import generations, search
from staff.pages.base import display
from staff.pages.forms import RetryForm
from staff.pages.generation_history import history_of
from staff.pages.generation_lists import ErrorFilter, ModelFilter, StateFilter, find
from staff.pages.row import RowPages
from staff.pages.verb import Verb

LABELS = {"completed": "success", "failed": "danger", "canceled": "warning"}
RETRY = Verb(
    name="retry",
    title="Try again",
    explanation=(
        "Orders the same once more as a new generation, at today's price. This one stays as it is."
    ),
    form=RetryForm,
    permission="generation.retry_generation",
    possible=lambda generation: generation.state in UNDELIVERED,
    do=generations.retry,
)
FAIL = Verb(
    name="fail",
    title="Fail and refund",
    explanation=(
        "Ends it now, as failed, and gives the credits back. A worker with it is fenced off; "
        "what the provider still delivers becomes an orphan."
    ),
    permission="generation.fail_generation",
    possible=lambda generation: generation.is_open,
    do=generations.fail,
)
CANCEL = Verb(
    name="cancel",
    title="Cancel",
    explanation="Cancels it as the customer could, and gives the credits back.",
    permission="generation.cancel_generation",
    possible=lifecycle.is_cancelable,
    do=generations.cancel,
)


@admin.register(Generation)
class GenerationAdmin(RowPages):
    """The list shows what is open and what ended lately; a search finds the rest."""

    list_display = (
        *("short_id", "state_label", "model", "account_link", "age", "took", "price"),
        *("error_code", "last_error_short"),
    )
    list_filter = (StateFilter, ModelFilter, ErrorFilter)
    list_select_related = ("account", "model")
    search_help_text = f"{search.HELP}; an operation or an idempotency key"
    linked_by = ("account__id__exact",)
    template = "admin/generation_history.html"
    verbs = (RETRY, FAIL, CANCEL)
    actions_detail = ("retry", "fail", "cancel")

    def title_of(self, row: Generation) -> str:
        return f"{row.kind.capitalize()} {ids.short(row.pk)}"

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return find(rows, term)

    def shown_of(self, row: Generation) -> dict[str, Any]:
        """The whole history of one generation."""
        return {"label": LABELS.get(row.state, "info"), **history_of(row, timezone.now())}

    def heading_of(self, verb: Verb, target: Generation) -> str:
        """The title of the verb's page, with kind and id."""
        return f"{verb.title}: {target.kind} {ids.short(target.pk)}"

    def buttons_of(self, request: HttpRequest, target: Generation) -> list[dict[str, str]]:
        """The button for another try stands out."""
        return [
            {**each, "variant": "primary" if each["title"] == RETRY.title else "default"}
            for each in super().buttons_of(request, target)
        ]

    @display(description="Generation")
    def short_id(self, generation: Generation) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(generation.pk)

    @display(description="State", label=LABELS)
    def state_label(self, generation: Generation) -> str:
        return generation.state

    @display(description="Ordered")
    def age(self, generation: Generation) -> str:
        return f"{timesince(generation.created_at, depth=1)} ago"

    @display(description="Took")
    def took(self, generation: Generation) -> str:
        """Seconds from order to end, or until now while it is open."""
        end = generation.finished_at or timezone.now()
        seconds = (end - generation.created_at) // timedelta(seconds=1)
        return f"{seconds} s" if generation.finished_at else f"{seconds} s so far"

    @display(description="Last error")
    def last_error_short(self, generation: Generation) -> str:
        """The beginning of the last error."""
        return generation.last_error[:60]
