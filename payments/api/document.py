"""The OpenAPI page's words about payments."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from accounts.authentication import AS_EVERYWHERE
from common.api.error_examples import BAD_KEY, BAD_LIMIT
from common.api.openapi import (
    LIMIT,
    OFFSET,
    PAGE,
    REPLAYED,
    header,
    idempotency_key,
    operation,
)
from payments.api import answers, error_examples, examples
from payments.api.requests import CheckoutSerializer
from payments.models.states import State

TAG = ["Payments"]

_ID = OpenApiParameter(
    "payment_id",
    {"type": "string"},
    OpenApiParameter.PATH,
    description="The UUID that the checkout answered.",
)
_STATUS = OpenApiParameter(
    "status",
    {"type": "string", "enum": list(State.values)},
    description="Only payments with this status.",
)
_WAIT = header(
    "Retry-After",
    "While the status is `created`: when to ask again for the link, in seconds.",
    [201],
    {"type": "integer", "minimum": 1},
)

packs = operation(
    "list_packs",
    summary="List what credits cost",
    tags=TAG,
    responses={200: answers.PacksSerializer},
    examples=examples.PACKS,
)
checkout = operation(
    "buy_credits",
    summary="Buy credits",
    auth=AS_EVERYWHERE,
    description="Makes a link to Stripe's page, at which a person pays. The credits come when it "
    "was paid, a few seconds later; until then nothing changes.",
    tags=TAG,
    parameters=[
        idempotency_key(
            "one key for each purchase you want: repeat a request with its key, and you get the "
            "same payment as it is then."
        ),
        header("Location", "The path of the payment.", [201], {"type": "string"}),
        REPLAYED,
        _WAIT,
    ],
    request=CheckoutSerializer,
    responses={201: answers.CheckoutAnswerSerializer},
    examples=examples.CHECKOUT,
    fails=[*error_examples.BAD_PACK, BAD_KEY, *error_examples.REFUSED],
)
payments = operation(
    "list_payments",
    summary="List payments",
    tags=TAG,
    parameters=[LIMIT, OFFSET, PAGE, _STATUS],
    responses={200: answers.PaymentsSerializer},
    examples=examples.PAYMENTS,
    fails=[BAD_LIMIT, error_examples.BAD_STATUS],
)
payment = operation(
    "get_payment",
    summary="Watch a payment",
    tags=TAG,
    parameters=[_ID],
    responses={200: answers.PaymentAnswerSerializer},
    examples=examples.PAYMENT,
)
