"""One delivery with its attempts, and the list of those to the ``webhook_url`` of orders."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from common.api.base_url import base_url
from console import access, paging, webhook_words
from console.access import ConsoleRequest
from events.models import WebhookDelivery
from webhooks import again as sending
from webhooks import history, limits, rendering
from webhooks.refusals import EndpointDisabled

ORDER = ("created_at", "id")


@access.of_account("GET")
def of_orders(request: ConsoleRequest, account: Account) -> HttpResponse:
    """The deliveries to the ``webhook_url`` of single orders."""
    page = paging.page_of(request, history.of_target(account.pk), ORDER)
    context = {
        "deliveries": [webhook_words.delivery(each) for each in page.rows],
        "page": page,
    }
    return render(request, "console/webhook_orders.html", context)


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account, delivery: str) -> HttpResponse:
    """One delivery, or the part of its page that asks again; 204 if nothing has changed."""
    row = _owned(account, delivery)
    shown = webhook_words.delivery(row)
    context = {
        "delivery": shown,
        "attempts": [webhook_words.attempt(each) for each in history.attempts(row)],
        "may_send": not account.suspended_at and (row.endpoint is None or row.endpoint.enabled),
    }
    if "HX-Request" in request.headers:
        if request.GET.get("seen") == shown.seen:
            return HttpResponse(status=204)
        return render(request, "console/parts/webhook_delivery.html", context | {"is_part": True})
    context["payload"] = webhook_words.pretty(rendering.body_of(row, base_url(request)))
    return render(request, "console/webhook_delivery.html", context)


@access.of_account("POST")
def again(request: ConsoleRequest, account: Account, delivery: str) -> HttpResponse:
    """Send it now, in a new round of attempts."""
    access.refuse_suspended(account)
    row = _owned(account, delivery)
    limits.count_retry(account.pk)
    try:
        sending.resend(row)
    except EndpointDisabled:
        messages.warning(request, _("The endpoint is off. Switch it on first."))
    return access.redirect(request, reverse("console:webhook-delivery", args=[account.pk, row.pk]))


def _owned(account: Account, delivery: str) -> WebhookDelivery:
    """The account's delivery. Raises Http404 for any other id."""
    rows = WebhookDelivery.objects.select_related("event", "endpoint", "account")
    row = rows.filter(pk=access.parse_or_404(delivery), account=account).first()
    if row is None:
        raise Http404
    return row
