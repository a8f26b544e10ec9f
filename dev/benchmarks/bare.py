"""What a status and a create wait for, each alone in a view that does nothing else.

Between them and the real ones lies what Python does: authentication, validation, middleware. Ours
is served here, too, without middleware.
"""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.caller import Caller
from accounts.models import ApiKey
from accounts.throttling import WINDOW
from common import ids
from common.web import rate_limit
from generation.api import lookup
from generation.creation import create
from generation.models import CatalogModel
from generation.order import Order

MANY = 10**9

_keys: dict[str, ApiKey] = {}
_models: dict[str, CatalogModel] = {}


class BareView(APIView):
    """Asks nobody who calls."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class SelectView(BareView):
    """Secret and generation, by the one statement of a status."""

    def get(self, request: Request, generation_id: str) -> Response:
        """Its id."""
        return Response({"success": True, "id": _found(request, generation_id)})


class SelectAndLimitView(BareView):
    """The same while Redis counts the request."""

    def get(self, request: Request, generation_id: str) -> Response:
        """Its id."""
        counted = _ask(request)
        found = _found(request, generation_id)
        return Response({"success": True, "id": found, "remaining": counted().remaining})


class CreateView(BareView):
    """The create's statement, for keys that are known."""

    def post(self, request: Request) -> Response:
        """The balance after it."""
        secret = _secret(request)
        if secret not in _keys:
            _keys[secret] = _key(secret)
        return _created(request, _keys[secret])


class SecretAndCreateView(BareView):
    """Two statements: the secret's and the create's."""

    def post(self, request: Request) -> Response:
        """The balance after them."""
        return _created(request, _key(_secret(request)))


class LimitedCreateView(BareView):
    """The same while Redis counts the request."""

    def post(self, request: Request) -> Response:
        """The balance after them."""
        counted = _ask(request)
        key = _key(_secret(request))
        counted()
        return _created(request, key)


def _secret(request: Request) -> str:
    return str(request.headers["Authorization"]).rpartition(" ")[2]


def _key(secret: str) -> ApiKey:
    found = keys.find(secret)
    if found is None:
        raise LookupError("no such secret")
    return found


def _ask(request: Request) -> Any:
    return rate_limit.ask("bare", MANY, WINDOW, _secret(request))


def _found(request: Request, generation_id: str) -> str:
    _, found = lookup.with_key(_secret(request), ids.parse(generation_id))
    if found is None:
        raise LookupError("no such generation")
    return str(found.pk)


def _created(request: Request, key: ApiKey) -> Response:
    body = dict(request.data)
    name = body["video_model"]
    if name not in _models:
        _models[name] = CatalogModel.objects.get(name=name)
    order = Order(
        caller=Caller.with_key(key),
        model=_models[name],
        prompt=body["prompt"],
        shape=body["aspect_ratio"],
        idempotency_key=request.headers["Idempotency-Key"],
        path=request.path,
        body=body,
    )
    return Response({"success": True, "balance": create(order).balance}, status=201)


urlpatterns = [
    path("select/<generation_id>/", SelectView.as_view()),
    path("select-and-limit/<generation_id>/", SelectAndLimitView.as_view()),
    path("create/", CreateView.as_view()),
    path("secret-and-create/", SecretAndCreateView.as_view()),
    path("limited-create/", LimitedCreateView.as_view()),
    path("api/v1/", include("generation.api.urls")),
]
