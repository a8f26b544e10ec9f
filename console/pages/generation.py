"""One generation: how far it is, what came of it, and what it was ordered with."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from console import access, generation_words, shown, snippets
from console.access import ConsoleRequest
from generation import lifecycle
from generation.api import lookup
from generation.lifecycle import NotCancelable
from generation.models import Generation, GenerationEvent
from generation.models.states import State

MOST = 200  # events on a page


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account, generation: str) -> HttpResponse:
    row = _owned(account, generation)
    base = settings.PUBLIC_BASE_URL or request.build_absolute_uri("/").rstrip("/")
    now = shown.of(row, account)
    code = snippets.of_download(str(row.pk), now.file, base) if now.link else []
    events = GenerationEvent.objects.filter(generation=row).order_by("sequence")[:MOST]
    context = {
        "shown": now,
        "code": code,
        "timeline": generation_words.timeline(events),
        "made_by": Generation.objects.filter(pk=row.pk)
        .values("created_by__username", "api_key__name", "api_key__preview", "api_key__kind")
        .get(),
    }
    return render(request, "console/generation.html", context)


@access.of_account("GET")
def progress(request: ConsoleRequest, account: Account, generation: str) -> HttpResponse:
    """The part of the page that is asked for every second; 204 if nothing has changed."""
    now = shown.of(_owned(account, generation), account)
    seen = request.GET.get("seen", "")
    if seen == now.seen:
        return HttpResponse(status=204)
    is_news = seen.rpartition("-")[2] != now.seen.rpartition("-")[2]
    context = {"shown": now, "is_part": True, "is_news": is_news}
    return render(request, "console/parts/progress.html", context)


@access.of_account("POST")
def cancel(request: ConsoleRequest, account: Account, generation: str) -> HttpResponse:
    """Give the credits back as long as nothing can have been bought."""
    access.refuse_suspended(account)
    theirs = _owned(account, generation)
    try:
        lifecycle.cancel(theirs.pk)
    except NotCancelable:
        if theirs.state != State.COMPLETED:
            messages.warning(request, _("It is under way and can no longer be canceled."))
    else:
        said = _("Canceled: your %(credits)s credits are back.") % {"credits": theirs.price}
        messages.success(request, said)
    return access.redirect(request, reverse("console:generation", args=[account.pk, theirs.pk]))


def _owned(account: Account, generation: str) -> Generation:
    """The account's generation. Raises Http404 for any other id."""
    row = lookup.of_account(account.pk, access.parse_or_404(generation))
    if row is None:
        raise Http404
    return row
