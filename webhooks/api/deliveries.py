"""What was sent to an endpoint, or to the ``webhook_url`` of creates: section 12."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common.api.base_url import base_url
from common.api.pagination import paginate
from common.api.query import choice
from events.models import DeliveryState, WebhookDelivery
from webhooks import again, forms, history, limits, public, rendering
from webhooks.api import delivery_document as document
from webhooks.api.endpoints import owned

DEFAULT = "default"  # in place of an endpoint's id


class DeliveriesView(APIView):
    @document.list_deliveries
    def get(self, request: Request, endpoint_id: str) -> Response:
        """What was sent, newest first, in pages."""
        target = _target(request, endpoint_id)
        status = choice(request, "status", tuple(DeliveryState.values))
        what = choice(request, "type", history.TYPES)
        rows, parts = history.filtered(target, status, what)
        page = paginate(request, rows, ("created_at", "id"), parts=parts)
        return Response(page.body([public.delivery(row) for row in page.rows]))


class DeliveryView(APIView):
    @document.get_delivery
    def get(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """One of them with its attempts, and the event as it would be sent now."""
        delivery = _owned(request, endpoint_id, delivery_id)
        delivery.account = arrival(request).key.account  # says how long outputs are kept
        body: dict[str, Any] = {
            **public.delivery_answer(delivery),
            "attempts": [public.attempt(each) for each in history.attempts(delivery)],
            "payload": rendering.body_of(delivery, base_url(request)),
        }
        return Response(body)


class RetryView(APIView):
    @document.retry_delivery
    def post(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """Send it now, whatever became of it."""
        delivery = _owned(request, endpoint_id, delivery_id)
        limits.count_retry(delivery.account_id)
        return Response(public.delivery_answer(again.resend(delivery)), status=202)


def _target(request: Request, endpoint_id: str) -> uuid.UUID:
    """The target whose deliveries they are. Raises NotFound."""
    if endpoint_id == DEFAULT:
        return arrival(request).caller.account_id
    return owned(request, endpoint_id).pk


def _owned(request: Request, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    target = _target(request, endpoint_id)
    return history.one(target, public.parse_id(forms.DELIVERY, delivery_id))
