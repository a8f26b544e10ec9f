"""The page that Stripe's page leads back to, paid or not: the same one for everybody.

A link can be paid without a log-in, and anybody can type an address. So the page is the same for
every id, whether or not there is such a payment, and credits nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta

from csp.constants import HEADER
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from common import ids
from common.errors import NotFound
from common.web import rate_limit
from common.web.client_address import client_address
from payments.models import Payment
from payments.models.states import State
from payments.waking import ask_again

logger = logging.getLogger(__name__)

AT_MOST_EVERY = timedelta(seconds=5)
MINUTE = 60  # seconds
HEADERS = {
    HEADER: "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@csrf_exempt  # nothing is taken, so whatever is sent is the wrong method
@require_safe
def return_page(
    request: HttpRequest, account_id: str, payment_id: str, ways: Mapping[str, str] | None = None
) -> HttpResponse:
    """Thank the visitor; have Stripe asked about the payment if there is one.

    ``ways`` are addresses that lead on: ``log_in``, or ``home`` for a visitor who is logged in.
    """
    look_at(request, account_id, payment_id)
    return HttpResponse(render_to_string("payments/return.html", dict(ways or {})), headers=HEADERS)


def look_at(request: HttpRequest, account: str, payment: str) -> None:
    """Make the payment due, unless the client has asked about too many. HEAD asks nothing."""
    try:
        account_id, payment_id = ids.parse(account), ids.parse(payment)
    except NotFound:
        return
    if request.method != "GET":
        return
    limit = settings.RATE_LIMIT_ANONYMOUS
    if not rate_limit.hit("return-page", limit, MINUTE, client_address(request)).allowed:
        return
    try:
        if _may_have_news(account_id, payment_id):
            ask_again(payment_id, AT_MOST_EVERY)
    except (OperationalError, InterfaceError) as error:
        # the visitor may have paid and is thanked all the same; the payment is due soon anyway
        logger.error("database away: %s", type(error).__name__)
        connections.close_all()


def _may_have_news(account_id: uuid.UUID, payment_id: uuid.UUID) -> bool:
    found = Payment.objects.filter(pk=payment_id, account_id=account_id)
    return found.exclude(state=State.PAID).exists()
