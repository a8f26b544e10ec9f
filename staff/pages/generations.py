"""The operators' pages of generations: the list, the history of one, and the verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
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
from staff.pages.verb import Verb, VerbPages

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
class GenerationAdmin(VerbPages):
    """The list shows what is open and what ended lately; a search finds the rest."""

    list_display = (
        *("short_id", "state_label", "model", "account_link", "age", "took", "price"),
        *("error_code", "last_error_short"),
    )
    list_display_links = ("short_id",)
    list_filter = (StateFilter, ModelFilter, ErrorFilter)
    list_select_related = ("account", "model")
    search_fields = ("pk",)  # see get_search_results
    search_help_text = f"{search.HELP}; an operation or an idempotency key"
    ordering = ("-created_at", "-id")
    linked_by = ("account__id__exact",)
    verbs = (RETRY, FAIL, CANCEL)
    actions_detail = ("retry", "fail", "cancel")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find(queryset, search_term) if search_term else queryset), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The whole history of one generation. Only verbs change it."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        generation: Generation = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{generation.kind.capitalize()} {ids.short(generation.pk)}",
            "opts": self.opts,
            "original": generation,
            "label": LABELS.get(generation.state, "info"),
            "actions": self._buttons(request, generation),
            **history_of(generation, timezone.now()),
        }
        return TemplateResponse(request, "admin/generation_history.html", context)

    def heading_of(self, verb: Verb, target: Generation) -> str:
        """The title of the verb's page, with kind and id."""
        return f"{verb.title}: {target.kind} {ids.short(target.pk)}"

    def _buttons(self, request: HttpRequest, generation: Generation) -> list[dict[str, str]]:
        return [
            {
                "title": verb.title,
                "url": reverse(f"admin:generation_generation_{verb.name}", args=[generation.pk]),
                "variant": "primary" if verb is RETRY else "default",
            }
            for verb in self.verbs_for(request, generation)
        ]

    @display(description="Generation")
    def short_id(self, generation: Generation) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(generation.pk)

    @display(description="State", label=LABELS)
    def state_label(self, generation: Generation) -> str:
        return generation.state

    @display(description="Account")
    def account_link(self, generation: Generation) -> str:
        page = reverse("admin:accounts_account_change", args=[generation.account_id])
        return format_html('<a class="text-link" href="{}">{}</a>', page, generation.account.name)

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
