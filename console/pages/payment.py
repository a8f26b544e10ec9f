"""One payment: the way to Stripe, the page that Stripe leads back to, state and receipt."""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Account
from common import ids
from common.errors import NotFound
from console import access, payment_words
from console.access import ConsoleRequest
from console.sessions import SessionStore
from payments import buying, links, receipts, return_page
from payments.mode import livemode, payments_available
from payments.models import Payment
from payments.models.states import UNFINISHED, State
from payments.receipts import NoPaper
from payments.waking import ask_again

logger = logging.getLogger(__name__)

MOST_TRIES = 30  # seconds that the way to Stripe waits for its link
STATUS_OF = {NoPaper.TOO_MANY: 429, NoPaper.AWAY: 503}
# How often a page asks again, in seconds, and until which age of the page.
PACES = ((1, 120), (5, 3600))
AGAIN = range(2, 20)  # a page of so many seconds has Stripe asked again


@csrf_exempt  # nothing is taken, so whatever is sent is the wrong method
@access.public("GET")
def show(request: HttpRequest, account: str, payment: str) -> HttpResponseBase:
    """A member sees the payment. Everybody else is thanked, by the same page for every id.

    Anybody may pay a link that the API made, even a person who is logged in to another account.
    People who have just paid must never see an error, and learn nothing about the payment.
    """
    try:
        is_in = request.user.is_authenticated
        theirs = access.account_of(request, account) if is_in else None
    except (OperationalError, InterfaceError) as error:
        logger.error("database away: %s", type(error).__name__)
        connections.close_all()
        request.session = SessionStore()  # so that nobody is logged out because of that
        is_in, theirs = False, None
    if theirs is None:
        return _thanks(request, account, payment, is_in)
    row = _payment(theirs, payment)
    return_page.look_at(request, account, payment)
    context = _context(theirs, row, since=int(time.time()))
    context["taken_back"] = payment_words.taken_back(row)
    return render(request, "console/payment.html", context)


@access.of_account("GET")
def pay(request: ConsoleRequest, account: Account, payment: str) -> HttpResponse:
    """Forward to Stripe by a header: a form's redirect to another site breaks ``form-action``.

    The page that Stripe leads back to must be another one, or it would send everybody there again.
    """
    row = _payment(account, payment)
    if account.suspended_at is None:
        if url := links.to_pay(row):
            page = render(request, "console/pay.html", {"url": url})
            page.headers["Refresh"] = f"0; url={url}"
            return page
        if row.state == State.CREATED:
            return _wait_for_link(request, row)
    return access.redirect(request, _address(row))


@access.of_account("GET")
def status(request: ConsoleRequest, account: Account, payment: str) -> HttpResponse:
    """The part of the page that changes; 204 while it does not: one SELECT of the payment."""
    row, since = _payment(account, payment), _number(request, "since")
    if request.method == "GET" and row.state == State.OPEN and _age(since) in AGAIN:
        # Somebody may have paid within seconds of coming back. The first visit has already used the
        # one question allowed in that time.
        ask_again(row.pk, return_page.AT_MOST_EVERY)
    context = _context(account, row, since)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "console/parts/payment_state.html", context | {"is_swapped": True})


@access.of_account("GET")
def receipt(request: ConsoleRequest, account: Account, payment: str) -> HttpResponse:
    """Forward to Stripe's invoice or receipt, or say why there is none."""
    row = _payment(account, payment)
    found = receipts.link_of(row)
    if isinstance(found, str):
        return access.redirect(request, found)
    context = {"payment": payment_words.shown(row, may_pay=False), "missing": found.value}
    page = render(request, "console/receipt.html", context, status=STATUS_OF.get(found, 200))
    if found in STATUS_OF:
        page.headers["Retry-After"] = "60"
    return page


def _payment(account: Account, text: str) -> Payment:
    found = Payment.objects.filter(account=account, pk=access.parse_or_404(text)).first()
    if found is None:
        raise Http404
    return found


def _address(row: Payment) -> str:
    return reverse("console:payment", args=[row.account_id, row.pk])


def _thanks(request: HttpRequest, account: str, payment: str, is_in: bool) -> HttpResponseBase:
    """The neutral page. Its way on tells no more than the address does."""
    if is_in:
        ways = {"home": reverse("console:start")}
    else:
        ways = {"log_in": _log_in(request, account, payment)}
    return return_page.return_page(request, account, payment, ways)


def _log_in(request: HttpRequest, account: str, payment: str) -> str:
    """The address of the log-in; it leads back here if this address can be one of ours."""
    address = reverse("console:log-in")
    try:
        ids.parse(account), ids.parse(payment)
    except NotFound:
        return address
    return f"{address}?{urlencode({'next': request.path})}"


def _wait_for_link(request: ConsoleRequest, row: Payment) -> HttpResponse:
    """A page that asks again every second, for MOST_TRIES seconds."""
    buying.hurry(row)
    tries, here = _number(request, "tries"), request.path
    waits = tries < MOST_TRIES
    page = render(request, "console/pay.html", {"waits": waits, "here": here, "row": row})
    if waits:
        page.headers["Refresh"] = f"1; url={here}?tries={tries + 1}"
    return page


def _context(account: Account, row: Payment, since: int) -> dict[str, object]:
    """The values of the part with the state, and whether it goes on asking.

    ``seen`` names what is shown. While it is the same nothing is swapped, or read aloud.
    """
    pace = _pace(row, since)
    shown = payment_words.shown(row, may_pay=account.suspended_at is None)
    can_pay = "pay" if shown["pay_url"] else ""
    seen = f"{row.state}-{can_pay}-{pace}"
    query = urlencode({"seen": seen, "since": str(since)})
    return {
        "payment": shown,
        "seen": seen,
        "pace": pace,
        "asks": f"{reverse('console:payment-status', args=[account.pk, row.pk])}?{query}",
        "is_test": payments_available() and not livemode(),
    }


def _pace(row: Payment, since: int) -> int:
    """Seconds until the page asks again; 0 if it asks no more."""
    if row.state not in UNFINISHED:
        return 0
    return next((pace for pace, until in PACES if -1 <= _age(since) < until), 0)


def _age(since: int) -> int:
    """How many seconds the page has been open, as it says itself."""
    return int(time.time()) - since


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
