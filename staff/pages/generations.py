"""The operators' pages of generations: a list, the whole history of one, and what may be done."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from common import ids
from common.errors import ApiError
from generation import interventions, lifecycle
from generation.models import Generation
from staff import search
from staff.generations import VERBS, do, form_of, may
from staff.pages.base import ReadOnlyAdmin, display
from staff.pages.generation_history import history_of
from staff.pages.generation_lists import ErrorFilter, ModelFilter, StateFilter, find

LABELS = {"completed": "success", "failed": "danger", "canceled": "warning"}


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Without a search: what is open, and what ended lately."""

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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's hook."""
        return (find(queryset, search_term) if search_term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        """A page a verb, beside Django's."""
        pages = [
            path(
                f"<uuid:pk>/{verb}/",
                self.admin_site.admin_view(self._page_of(verb)),
                name=f"generation_generation_{verb}",
            )
            for verb in VERBS
        ]
        return [*pages, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The whole history of one; nothing is changed here."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        generation = self._found(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{generation.kind.capitalize()} {ids.short(generation.pk)}",
            "opts": self.opts,
            "original": generation,
            "label": LABELS.get(generation.state, "info"),
            "actions": self._actions(request, generation),
            **history_of(generation, timezone.now()),
        }
        return TemplateResponse(request, "admin/generation_history.html", context)

    def _actions(self, request: HttpRequest, generation: Generation) -> list[dict[str, str]]:
        """The buttons: what this person may do, and the state allows."""
        possible = {
            "retry": not generation.is_open and generation.state != "completed",
            "fail": generation.is_open,
            "cancel": lifecycle.is_cancelable(generation),
        }
        return [
            {
                "title": title,
                "url": reverse(f"admin:generation_generation_{verb}", args=[generation.pk]),
                "variant": "primary" if verb == "retry" else "default",
            }
            for verb, (title, _) in VERBS.items()
            if possible[verb] and may(request, verb)
        ]

    def _found(self, request: HttpRequest, object_id: str) -> Generation:
        """Raises PermissionDenied, or Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        generation = self.get_object(request, object_id)
        if generation is None:
            raise Http404
        return generation  # type: ignore[no-any-return]  # unfold has no types

    def _page_of(self, verb: str) -> Callable[[HttpRequest, uuid.UUID], HttpResponse]:
        def page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
            generation = self._found(request, str(pk))
            if not may(request, verb):
                raise PermissionDenied
            return self._verb_page(request, verb, generation)

        return page

    def _verb_page(self, request: HttpRequest, verb: str, generation: Generation) -> HttpResponse:
        """Ask why, and who pays; then do it and show what came of it."""
        form = form_of(verb, generation, request)
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                shown, sentence = do(verb, request, generation, form.cleaned_data)
            except ApiError as refusal:
                form.add_error(None, str(refusal.detail))
                status = 409
            else:
                messages.success(request, sentence)
                return redirect("admin:generation_generation_change", shown)
        title, explanation = VERBS[verb]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title}: {generation.kind} {ids.short(generation.pk)}",
            "button": title,
            "explanation": explanation,
            "refusal": interventions.why_not_retry(generation) if verb == "retry" else None,
            "form": form,
            "opts": self.opts,
            "original": generation,
        }
        return TemplateResponse(request, "admin/generation_verb.html", context, status=status)

    @display(description="Generation")
    def short_id(self, generation: Generation) -> str:
        """Enough of the id to tell it from the others of a page."""
        return ids.short(generation.pk)

    @display(description="State", label=LABELS)
    def state_label(self, generation: Generation) -> str:
        """In a colour."""
        return generation.state

    @display(description="Account")
    def account_link(self, generation: Generation) -> str:
        """Whose, with a link."""
        page = reverse("admin:accounts_account_change", args=[generation.account_id])
        return format_html('<a class="text-link" href="{}">{}</a>', page, generation.account.name)

    @display(description="Ordered")
    def age(self, generation: Generation) -> str:
        """How long ago."""
        return f"{timesince(generation.created_at, depth=1)} ago"

    @display(description="Took")
    def took(self, generation: Generation) -> str:
        """Seconds until its end; so far for what is open."""
        end = generation.finished_at or timezone.now()
        seconds = (end - generation.created_at) // timedelta(seconds=1)
        return f"{seconds} s" if generation.finished_at else f"{seconds} s so far"

    @display(description="Last error")
    def last_error_short(self, generation: Generation) -> str:
        """What went wrong at last, in a few words."""
        return generation.last_error[:60]
