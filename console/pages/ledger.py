"""The ledger: spending by day, every entry, and the same as a file."""

from __future__ import annotations

import itertools
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from common.errors import InvalidRequest
from common.web import rate_limit
from console import access, chart, paging
from console.access import ConsoleRequest
from console.context import wallet_of
from credits import download, public, spending
from credits.models import LedgerEntry

FILES_PER_MINUTE = 60
PARTS_SHOWN = 50

KINDS: dict[str, str | Promise] = {
    LedgerEntry.Kind.PURCHASE: _("Bought"),
    LedgerEntry.Kind.GRANT: _("Given"),
    LedgerEntry.Kind.CHARGE: _("Spent"),
    LedgerEntry.Kind.REFUND: _("Given back"),
    LedgerEntry.Kind.ADJUSTMENT: _("Corrected"),
    LedgerEntry.Kind.REVERSAL: _("Payment taken back"),
    LedgerEntry.Kind.REINSTATED: _("Payment given again"),
}


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    entries = LedgerEntry.objects.filter(wallet_id=account.pk)
    page = paging.page_of(request, entries, ("sequence",))
    wallet = wallet_of(request, account)
    parts = list(itertools.islice(download.parts(wallet.sequence), PARTS_SHOWN + 1))
    context = {
        "page": page,
        "entries": [_line(entry) for entry in page.rows],
        "most": download.MOST,
        "parts": parts[:PARTS_SHOWN],
        "more_parts": len(parts) > PARTS_SHOWN,
        **spent(account),
    }
    return render(request, "console/ledger.html", context)


@access.of_account("GET")
def as_csv(request: ConsoleRequest, account: Account) -> HttpResponse:
    """The newest entries, or those up to the number ``last``; never streamed."""
    last = _last(request)
    decision = rate_limit.hit("ledger-files", FILES_PER_MINUTE, 60, str(account.pk))
    if not decision.allowed:
        raise rate_limit.too_many(decision)
    headers = {"Content-Disposition": f'attachment; filename="ledger-{account.pk}.csv"'}
    text = download.text(account.pk, last)
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def spent(account: Account) -> dict[str, Any]:
    """The values of ``templates/console/parts/spending.html``, here and on Home."""
    found = spending.by_day(account.pk, timezone.now())
    cut = found.cut_until
    return {
        "spending": found,
        "chart": chart.draw(found),
        "days": [(chart.in_words(day.day), day) for day in found.days],
        "cut_until": cut and chart.in_words(cut),
        "counted": spending.NEWEST,
    }


def _line(entry: LedgerEntry) -> dict[str, Any]:
    """The public form of an entry, with a word for its kind."""
    shown = public.to_dict(entry)
    return shown | {"word": KINDS[entry.kind], "when": entry.created_at}


def _last(request: HttpRequest) -> int:
    text = request.GET.get("last")
    if text is None:
        return download.MAX_SEQUENCE
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequest(gettext("“last” must be the number of an entry"))
    return int(text)
