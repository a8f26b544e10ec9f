"""``POST /webhooks/stripe/``: a wake-up of Stripe's. It makes a payment due, and writes no money.

Even a signed event decides nothing: a worker asks Stripe what happened. So events may come twice,
late, in any order or not at all.
"""

from __future__ import annotations

import json
import logging
import uuid
from functools import partial
from typing import Any

import stripe
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.crash import crash_point
from payments import metrics
from payments.mode import livemode, payments_available
from payments.models import Payment, StripeEvent
from payments.waking import STAGE
from work.wake import wake

logger = logging.getLogger(__name__)

TOLERANCE = 300  # seconds that a signature is good for
LONGEST_ID = 100  # characters; Stripe's have 30 to 70
FRAUD_WARNING = "radar.early_fraud_warning.created"


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Answer 200 to all that Stripe signed in our mode. Stripe repeats all else for three days."""
    if not payments_available():
        return HttpResponse(status=404)
    event = _signed(request.body, request.headers.get("Stripe-Signature", ""))
    if event is None:
        return _answer("bad_signature", 400)
    if event.get("livemode") is not livemode():
        return _answer("wrong_mode", 400)
    try:
        known = _make_due(event)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("a webhook of Stripe's was not noted: %s", type(error).__name__)
        return _answer("unavailable", 503)
    crash_point("webhook.after_commit")
    return _answer("ok" if known else "unknown", 200)


def _answer(result: str, status: int) -> HttpResponse:
    metrics.WEBHOOKS.labels(result).inc()
    return HttpResponse(status=status)


def _signed(body: bytes, header: str) -> dict[str, Any] | None:
    """The event, if one of our secrets signed exactly this body within the last minutes."""
    if not header.isascii():  # the library cannot compare such a signature, and raises TypeError
        return None
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE)
            event = json.loads(body)
        except (stripe.SignatureVerificationError, ValueError, RecursionError):
            continue  # no UTF-8, no JSON, or JSON that is nested thousands deep
        return event if isinstance(event, dict) else None
    return None


def _make_due(event: dict[str, Any]) -> bool:
    """Make the event's payment due; return whether there is one."""
    name, kind, about = _word(event.get("id")), _word(event.get("type")), _object(event)
    if not name or not kind:
        return False
    with transaction.atomic():
        payment_id = _payment_of(about)
        if payment_id is None:
            return False
        Payment.objects.filter(pk=payment_id).update(next_attempt_at=Now())
        _keep_event(name, kind, about, payment_id)
        transaction.on_commit(partial(wake, STAGE))
    return True


def _object(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _payment_of(about: dict[str, Any]) -> uuid.UUID | None:
    """The payment by our own id, if the object carries it, or by its intent's or charge's id."""
    metadata = about.get("metadata")
    named = metadata.get("payment") if isinstance(metadata, dict) else None
    known = Q(pk__in=_ids(about.get("client_reference_id"), named))
    for column, key in (
        ("session_id", "id"),
        ("intent_id", "id"),
        ("intent_id", "payment_intent"),
        ("charge_id", "charge"),
    ):
        if word := _word(about.get(key)):
            known |= Q(**{column: word})
    found = Payment.objects.filter(known, livemode=livemode())
    return found.values_list("pk", flat=True).order_by("created_at").first()


def _word(value: object) -> str:
    """A text that fits a column, as all of Stripe's ids do; empty for anything else."""
    fits = isinstance(value, str) and len(value) <= LONGEST_ID and value.isascii()
    return str(value) if fits and "\0" not in str(value) else ""


def _ids(*values: object) -> list[uuid.UUID]:
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value if isinstance(value, str) else ""))
        except ValueError:
            continue
    return found


def _keep_event(name: str, kind: str, about: dict[str, Any], payment_id: uuid.UUID) -> None:
    """Keep the event, for operators alone: it decides nothing.

    A payment's page finds it by its object's id. Nothing keeps the id of a fraud warning, so its
    charge's id is kept instead.
    """
    shown = _word(about.get("charge" if kind == FRAUD_WARNING else "id"))
    _, is_new = StripeEvent.objects.get_or_create(
        event_id=name, defaults={"type": kind, "livemode": livemode(), "object_id": shown}
    )
    if not is_new:
        StripeEvent.objects.filter(pk=name).update(deliveries=F("deliveries") + 1)
    elif kind == FRAUD_WARNING:
        logger.error("Stripe warns of fraud: refund payment %s before it is disputed", payment_id)
        metrics.surprised("fraud_warning")
