"""An account's webhook endpoints: the list, and making one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from console import access, webhook_sample, webhook_words
from console.access import ConsoleRequest
from console.forms.webhooks import NewEndpoint
from events.models import WebhookEndpoint
from webhooks import endpoints
from webhooks.endpoints import MadeAlready
from webhooks.refusals import MOST_ENDPOINTS, TooManyWebhookEndpoints


@access.of_account("GET", "POST")
def show(request: ConsoleRequest, account: Account) -> HttpResponseBase:
    return _make(request, account) if request.method == "POST" else _list(request, account)


def found(account: Account, endpoint: str) -> WebhookEndpoint:
    """One of the account's endpoints. Raises Http404, also for a deleted one."""
    row = endpoints.of_account(account.pk).filter(pk=access.parse_or_404(endpoint)).first()
    if row is None:
        raise Http404
    return row


def with_secret(
    request: ConsoleRequest, endpoint: WebhookEndpoint, secret: str, is_new: bool
) -> HttpResponse:
    """The only answer with the secret. So the POST that made it is not answered by a 303."""
    shown = webhook_words.endpoint(endpoint)
    context = {"endpoint": shown, "secret": secret, "is_new": is_new}
    return access.private(render(request, "console/webhook_secret.html", context))


@access.fresh
def _make(request: ConsoleRequest, account: Account) -> HttpResponse:
    """Make an endpoint and show its secret. The form sent again makes none and shows none."""
    access.refuse_suspended(account)
    form = NewEndpoint(request.POST)
    if not form.is_valid():
        return _list(request, account, form)
    key = form.endpoint_id(account, request.user)
    try:
        row, secret = endpoints.create(
            account.pk, request.user.pk, endpoint_id=key, **form.wanted()
        )
    except MadeAlready:
        sentence = _(
            "This endpoint is made already. Its secret was shown once and cannot be shown again: if"
            " you did not keep it, make a new secret for it."
        )
        messages.warning(request, sentence)
        return access.redirect(request, reverse("console:webhooks", args=[account.pk]))
    except TooManyWebhookEndpoints as error:
        form.add_error(None, f"{error.detail}.")
        return _list(request, account, form)
    return with_secret(request, row, secret, is_new=True)


def _list(
    request: ConsoleRequest, account: Account, form: NewEndpoint | None = None
) -> HttpResponse:
    rows = endpoints.of_account(account.pk).order_by("-created_at", "-id")
    ours = [webhook_words.endpoint(row) for row in rows]
    context = {
        "endpoints": ours,
        "form": form or NewEndpoint.empty(),
        "most": MOST_ENDPOINTS,
        "has_room": len(ours) < MOST_ENDPOINTS,
        "headers": webhook_sample.HEADERS,
        "sample": webhook_words.pretty(webhook_sample.EVENT),
    }
    return render(request, "console/webhooks.html", context)
