"""The endpoints of an account and their secrets: section 12 of the contract.

Answers are ``no-store``, like all that do not say otherwise (``common/web/caching.py``).
"""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common import sealing
from common.api.pagination import paginate
from common.errors import NotFound, ServiceUnavailable
from events.models import WebhookEndpoint
from webhooks import again, endpoints, forms, keys, limits, payload, public
from webhooks.api import endpoint_document as document
from webhooks.api.requests import (
    EndpointChangesSerializer,
    NewEndpointSerializer,
    RecoverySerializer,
    RotationSerializer,
    read,
)

logger = logging.getLogger(__name__)


class EndpointsView(APIView):
    @document.list_endpoints
    def get(self, request: Request) -> Response:
        """The account's endpoints, newest first, in pages."""
        rows = endpoints.of_account(arrival(request).caller.account_id)
        page = paginate(request, rows, ("created_at", "id"))
        return Response(page.body([public.endpoint(row) for row in page.rows]))

    @document.create_endpoint
    def post(self, request: Request) -> Response:
        """Make one. The answer is the only place that shows its secret."""
        said = read(NewEndpointSerializer, request.data)
        caller = arrival(request).caller
        made, secret = endpoints.create(caller.account_id, caller.user_id, **said)
        path = f"/api/v1/webhook-endpoints/{public.endpoint_id(made.pk)}/"
        body = public.endpoint_with_secret(made, secret)
        return Response(body, status=201, headers={"Location": path})


class EndpointView(APIView):
    @document.get_endpoint
    def get(self, request: Request, endpoint_id: str) -> Response:
        """One of them, without its secret."""
        return Response(public.endpoint_answer(owned(request, endpoint_id)))

    @document.change_endpoint
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Change what is said; the rest stays as it is."""
        endpoint = owned(request, endpoint_id)
        said = read(EndpointChangesSerializer, request.data)
        return Response(public.endpoint_answer(endpoints.change(endpoint, **said)))

    @document.delete_endpoint
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """End it; nothing more is sent there."""
        endpoints.delete(owned(request, endpoint_id))
        return Response(status=204)


class RotationView(APIView):
    @document.rotate
    def post(self, request: Request, endpoint_id: str) -> Response:
        """A new secret. The old one signs, too, for a while."""
        endpoint = owned(request, endpoint_id)
        changed, secret = endpoints.rotate(endpoint, **_rotation(request))
        return Response(public.endpoint_with_secret(changed, secret))


class TestView(APIView):
    @document.send_test
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send a test there, also while it is switched off."""
        endpoint = owned(request, endpoint_id)
        limits.count_test(endpoint.account_id)
        delivery = again.test(endpoint)
        body: forms.TestSent = {
            "success": True,
            "delivery_id": public.delivery_id(delivery.pk),
            "event_id": payload.shown_id(delivery.event_id),
        }
        return Response(body, status=202)


class RecoveryView(APIView):
    @document.recover
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send all that it missed of the events of that time."""
        endpoint = owned(request, endpoint_id)
        said = read(RecoverySerializer, request.data)
        limits.count_retry(endpoint.account_id)
        found = again.recover(endpoint, said["since"], said["until"])
        body: forms.RecoveredAnswer = {
            "success": True,
            "count": found.count,
            "has_more": found.has_more,
        }
        return Response(body, status=202)


class DefaultSecretView(APIView):
    @document.default_secret
    def get(self, request: Request) -> Response:
        """What signs the events that go to the `webhook_url` of creates."""
        row = keys.default_of(arrival(request).caller.account_id)
        try:
            secret = sealing.open_sealed(row.secret)
        except sealing.DoesNotOpenError as error:  # while SECRET_KEY is rotated, another web may
            logger.error("the secret does not open: %s", row)
            raise ServiceUnavailable from error
        return Response(public.default_secret(row, secret))


class DefaultRotationView(APIView):
    @document.rotate_default
    def post(self, request: Request) -> Response:
        """A new secret for them. The old one signs, too, for a while."""
        account_id = arrival(request).caller.account_id
        row, secret = keys.rotate_default(account_id, **_rotation(request))
        return Response(public.default_secret(row, secret))


def owned(request: Request, endpoint_id: str) -> WebhookEndpoint:
    """The account's own endpoint; else NotFound, whatever the reason."""
    wanted = public.parse_id(forms.ENDPOINT, endpoint_id)
    found = endpoints.of_account(arrival(request).caller.account_id).filter(pk=wanted).first()
    if found is None:
        raise NotFound
    return found


def _rotation(request: Request) -> dict[str, Any]:
    said = read(RotationSerializer, request.data)
    return {"keep_hours": said["keep_old_for_hours"], "force": said["force"]}
