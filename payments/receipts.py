"""The link to a payment's invoice or receipt, fetched at the click: we keep ids and no links.

Never inside a transaction: it talks to Stripe.
"""

from __future__ import annotations

import enum
import logging

from stripe import StripeError

from common.web import rate_limit
from payments import links
from payments.mode import livemode, payments_available
from payments.models import Payment
from payments.stripe import papers
from payments.stripe.connection import PATIENCE, shared
from payments.stripe.errors import NoAnswer, meaning

logger = logging.getLogger(__name__)

A_MINUTE, MINUTE = 10, 60  # how often Stripe is asked for an account


class NoPaper(enum.Enum):
    """Why there is no link."""

    NONE = "none"  # nothing was paid yet, or Stripe has made none
    OTHER_MODE = "other_mode"  # paid in the mode whose key we do not have
    TOO_MANY = "too_many"
    AWAY = "away"  # Stripe did not answer in time


def is_there(payment: Payment) -> bool:
    """Whether Stripe has named an invoice or a receipt; Stripe is not asked."""
    return bool(payment.invoice_id or payment.charge_id)


def link_of(payment: Payment) -> str | NoPaper:
    """Where Stripe shows the invoice, else the receipt. Two calls at most, 8 s together."""
    if not is_there(payment):
        return NoPaper.NONE
    if not payments_available() or payment.livemode is not livemode():
        return NoPaper.OTHER_MODE
    who = str(payment.account_id)
    if not rate_limit.hit("receipts", A_MINUTE, MINUTE, who).allowed:
        return NoPaper.TOO_MANY
    found = _ask(payment)
    if found and not isinstance(found, NoPaper) and not links.is_stripes(found):
        logger.error("payment %s: its receipt is at no address of Stripe's", payment.pk)
        return NoPaper.NONE
    return found or NoPaper.NONE


def _ask(payment: Payment) -> str | NoPaper:
    client = shared(PATIENCE / 2)
    calls = (
        (papers.invoice, payment.invoice_id),
        (papers.receipt, payment.charge_id or ""),
    )
    for call, name in calls:
        if not name:
            continue
        try:
            if url := call(client, name):
                return url
        except StripeError as error:
            outcome = meaning(error)
            logger.warning("no receipt of payment %s: %s", payment.pk, outcome.detail)
            if isinstance(outcome, NoAnswer):
                return NoPaper.AWAY
    return NoPaper.NONE
