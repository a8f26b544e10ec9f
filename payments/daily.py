"""Once a day Stripe's lists are read for refunds and disputes that no webhook told us of.

Webhooks may be lost, and Stripe lists events for 30 days only; its refunds and disputes stay. This
module makes payments due and does no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from stripe import Dispute, Refund, StripeClient

from payments.mode import livemode
from payments.models import Payment, Reversal, StripeMark
from payments.stripe import lists
from payments.waking import make_due

logger = logging.getLogger(__name__)

EVERY = timedelta(days=1)
OVERLAP = timedelta(days=2)  # what was made during the last look is seen again
AT_FIRST = timedelta(days=35)

Found = Iterator[Refund | Dispute]
LISTS: dict[str, Callable[[StripeClient, datetime], Found]] = {
    "refunds": lists.refunds,
    "disputes": lists.disputes,
}


def look(client: StripeClient, turn: Callable[[], None] = lambda: None) -> int:
    """Look through each list whose day is over; return how many payments were made due.

    ``turn`` is called for each entry. An exception of it ends the look; the next begins anew.
    """
    woken = 0
    for name, listed in LISTS.items():
        began = timezone.now()
        mark = StripeMark.objects.filter(object=name).first()
        if mark and began - mark.seen_until < EVERY * settings.TIME_SCALE:
            continue
        since = (mark.seen_until if mark else began - AT_FIRST) - OVERLAP
        for each in listed(client, since):
            turn()
            woken += _wake(each)
        StripeMark.objects.update_or_create(object=name, defaults={"seen_until": began})
    if woken:
        logger.warning("%d payments have refunds or disputes that nobody told us of", woken)
    return woken


def _wake(found: Refund | Dispute) -> bool:
    """Make its payment due if we do not know it, or know it in another state; whether so."""
    of_ours: dict[str, Any] = {"intent_id": lists.intent_of(found), "livemode": livemode()}
    payment_id = Payment.objects.filter(**of_ours).values_list("pk", flat=True).first()
    if not of_ours["intent_id"] or payment_id is None:
        return False
    if Reversal.objects.filter(provider_id=found.id, status=found.status).exists():
        return False
    return make_due(payment_id)
