"""Buying credits: section 10 of the contract."""

from __future__ import annotations

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SecretThatCreates, arrival
from common import ids
from common.api.headers import idempotency_key
from common.api.pagination import paginate
from common.api.query import choice
from common.errors import NotFound
from common.telemetry import access_log
from common.web.client_address import client_address
from payments import packs, public
from payments.api import checkout, document
from payments.buying import Bought
from payments.mode import payments_available
from payments.models import Payment
from payments.models.states import State

IN_SECONDS = "2"  # when to ask again for a link that is on its way


class PacksView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @document.packs
    def get(self, request: Request) -> Response:
        """What is on sale, also where nothing can be bought at the moment."""
        body = {
            "success": True,
            "payments_available": payments_available(),
            "packs": [packs.to_dict(pack) for pack in packs.on_sale()],
        }
        # a price is in force at once, so what a cache holds has to be asked for again
        return Response(body, headers={"Cache-Control": "public, no-cache"})


class CheckoutView(APIView):
    authentication_classes = [SecretThatCreates]

    @document.checkout
    def post(self, request: Request) -> Response:
        """Make a link at which a pack is paid. No credits move before it is."""
        bought = checkout.order(
            arrival(request).caller,
            dict(request.data),  # the parser lets nothing but an object through
            address=client_address(request),
            path=request.path,
            idempotency_key=idempotency_key(request),
        )
        return checkout_answer(bought)


class PaymentsView(APIView):
    @document.payments
    def get(self, request: Request) -> Response:
        """The account's payments, newest first, in pages."""
        status = choice(request, "status", tuple(State.values))
        rows = Payment.objects.filter(account_id=arrival(request).caller.account_id)
        if status is not None:
            rows = rows.filter(state=status)
        page = paginate(request, rows, ("created_at", "id"))
        return Response(page.body([public.to_dict(row) for row in page.rows]))


class PaymentView(APIView):
    @document.payment
    def get(self, request: Request, payment_id: str) -> Response:
        """One payment; ask again while it is not finished."""
        account_id, wanted = arrival(request).caller.account_id, ids.parse(payment_id)
        found = Payment.objects.filter(account_id=account_id, pk=wanted).first()
        if found is None:
            raise NotFound
        body: public.PaymentAnswer = {"success": True, **public.to_dict(found)}
        return Response(body)


def checkout_answer(bought: Bought) -> Response:
    """The 201 of the contract, the same for a replay."""
    payment = bought.payment
    access_log.add_fields(payment_id=str(payment.pk))
    headers = {"Location": f"/api/v1/credits/payments/{payment.pk}/"}
    if bought.replayed:
        headers["Idempotent-Replayed"] = "true"
    if payment.state == State.CREATED:
        headers["Retry-After"] = IN_SECONDS
    return Response(public.to_checkout(payment), status=201, headers=headers)
