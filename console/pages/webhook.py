"""One webhook endpoint: its values, what was sent there, and all that its owner does to it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from console import access, paging, webhook_words
from console.access import ConsoleRequest
from console.forms.webhooks import EndpointForm, NewSecret
from console.pages.webhooks import found, with_secret
from events.models import WebhookEndpoint
from webhooks import again, endpoints, history, keys, limits
from webhooks.refusals import RotationInProgress

ORDER = ("created_at", "id")


@access.of_account("GET", "POST")
def show(request: ConsoleRequest, account: Account, endpoint: str) -> HttpResponseBase:
    row = found(account, endpoint)
    if request.method == "POST":
        return _change(request, account, row)
    return _page(request, row, EndpointForm.of(row))


@access.of_account("POST")
def switch(request: ConsoleRequest, account: Account, endpoint: str) -> HttpResponse:
    """Switch it on or off, as the form says. Twice the same changes nothing."""
    access.refuse_suspended(account)
    row, is_on = found(account, endpoint), request.POST.get("enabled") == "on"
    endpoints.change(row, enabled=is_on)
    said = _("It is on. What ends from now on is sent there.") if is_on else _("It is off.")
    messages.success(request, said)
    return _back(request, account, row)


@access.of_account("POST")
def rotate(request: ConsoleRequest, account: Account, endpoint: str) -> HttpResponseBase:
    return _rotate(request, account, found(account, endpoint))


@access.of_account("POST")
def delete(request: ConsoleRequest, account: Account, endpoint: str) -> HttpResponseBase:
    return _delete(request, account, found(account, endpoint))


@access.of_account("POST")
def test(request: ConsoleRequest, account: Account, endpoint: str) -> HttpResponse:
    """Send a test there, and show what comes of it."""
    access.refuse_suspended(account)
    row = found(account, endpoint)
    limits.count_test(account.pk)
    sent = again.test(row)
    return access.redirect(request, reverse("console:webhook-delivery", args=[account.pk, sent.pk]))


@access.fresh
def _change(request: ConsoleRequest, account: Account, row: WebhookEndpoint) -> HttpResponse:
    access.refuse_suspended(account)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form)
    endpoints.change(row, **form.wanted())
    messages.success(request, _("Saved. What is waiting goes to the new URL, too."))
    return _back(request, account, row)


@access.fresh
def _rotate(request: ConsoleRequest, account: Account, row: WebhookEndpoint) -> HttpResponse:
    """Make a new secret, and show it once, as when the endpoint was made."""
    access.refuse_suspended(account)
    form = NewSecret(request.POST)
    if not form.is_valid():
        return _page(request, row, EndpointForm.of(row), form)
    try:
        row, secret = endpoints.rotate(row, form.cleaned_data["keep"], form.cleaned_data["force"])
    except RotationInProgress:
        sentence = _(
            "Two secrets are still valid. Wait until the older one ends, or tick “End the older"
            " secret now”."
        )
        messages.warning(request, sentence)
        return _back(request, account, row)
    return with_secret(request, row, secret, is_new=False)


@access.fresh
def _delete(request: ConsoleRequest, account: Account, row: WebhookEndpoint) -> HttpResponse:
    access.refuse_suspended(account)
    endpoints.delete(row)
    messages.success(request, _("The endpoint is deleted. Nothing more is sent there."))
    return access.redirect(request, reverse("console:webhooks", args=[account.pk]))


def _page(
    request: ConsoleRequest,
    row: WebhookEndpoint,
    form: EndpointForm,
    secret_form: NewSecret | None = None,
) -> HttpResponse:
    page = paging.page_of(request, history.of_target(row.pk), ORDER)
    ends = keys.previous_ends_at(row, row.now)
    context = {
        "endpoint": webhook_words.endpoint(row),
        "form": form,
        "secret_form": secret_form or NewSecret(),
        "previous_ends_at": ends,
        "deliveries": [webhook_words.delivery(each) for each in page.rows],
        "page": page,
    }
    return render(request, "console/webhook.html", context)


def _back(request: ConsoleRequest, account: Account, row: WebhookEndpoint) -> HttpResponse:
    return access.redirect(request, reverse("console:webhook", args=[account.pk, row.pk]))
