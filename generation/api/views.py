"""Watching, fetching and canceling generations, and the models: sections 4 and 5."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common import ids
from common.api.base_url import base_url
from common.api.headers import condition
from common.api.negotiation import AnyAccept
from common.api.pagination import paginate
from common.api.query import choice
from common.api.ranges import ranged_file_response
from common.errors import ApiError, NotFound, PreconditionFailed
from generation import lifecycle, public
from generation.api import document, held, lookup
from generation.api.errors import GenerationCanceled, GenerationFailed, NotReady, OutputExpired
from generation.models import CatalogModel, Generation, states
from generation.models.states import State
from generation.offer import catalog
from generation.outputs import links

TIMED = {"now": Now()}  # by its name alone mypy would take it for a second one of the model
WITHOUT_FILE: dict[str, type[ApiError]] = {
    State.FAILED: GenerationFailed,
    State.CANCELED: GenerationCanceled,
}


class GenerationView(APIView):
    authentication_classes = [lookup.SecretWithGeneration]

    @document.status
    def get(self, request: Request, generation_id: str) -> HttpResponseBase:
        """How far it is, and where its output is."""
        held.seconds(request)  # refused like by the waiter; nobody is held here
        generation: Generation | None = arrival(request).found
        if generation is None:
            raise NotFound
        generation.account = arrival(request).key.account  # says how long outputs are kept
        now = generation.now
        headers = public.headers(generation, now)
        refusal = condition(request, headers["ETag"])
        if refusal == PreconditionFailed.status_code:
            raise PreconditionFailed
        if refusal is not None:
            return Response(status=refusal, headers=headers)
        return Response(public.to_dict(generation, now, base_url(request)), headers=headers)


class DownloadView(APIView):
    content_negotiation_class = AnyAccept

    @document.download
    def get(self, request: Request, generation_id: str) -> HttpResponseBase:
        """The file, under a name; or a redirect to a signed link of the bucket."""
        generation = owned(request, generation_id)
        try:
            return self._file(request, generation)
        except FileNotFoundError:  # deleted since the row was read?
            return self._file(request, owned(request, generation_id))

    def _file(self, request: Request, generation: Generation) -> HttpResponseBase:
        if generation.output_deleted_at is not None:
            raise OutputExpired
        if generation.state != State.COMPLETED:
            raise WITHOUT_FILE.get(generation.state, NotReady)
        if settings.OUTPUT_STORAGE == "gcs":
            return HttpResponseRedirect(links.of_bucket(generation.output_key, links.PERIOD))
        suffix = generation.output_key.rpartition(".")[2]
        file = default_storage.open(generation.output_key)
        return ranged_file_response(
            request._request,
            file,
            size=file.size,
            content_type=generation.output_type,
            etag=f'"{generation.output_sha256}"',
            filename=f"{generation.kind}-{generation.pk}.{suffix}",
            inline=False,
        )


class CancelView(APIView):
    """Gives the credits back while nothing was bought."""

    @document.cancel
    def post(self, request: Request, generation_id: str) -> Response:
        generation = owned(request, generation_id)
        lifecycle.cancel(generation.pk)
        generation = owned(request, generation_id)
        body = public.to_dict(generation, generation.now, base_url(request))
        return Response(body)


class HistoryView(APIView):
    @document.history
    def get(self, request: Request) -> Response:
        kind = choice(request, "type", tuple(CatalogModel.Kind.values))
        status = choice(request, "status", states.PUBLIC_STATUSES)
        account = arrival(request).key.account
        rows = account.generations.all()
        if kind is not None:
            rows = rows.filter(kind=kind)
        if status is not None:
            rows = rows.filter(state__in=states.states_of(status))
        # by its ids a page costs half as much, but between two statements a status may change
        read = lookup.of_ids if status is None else None
        timed: QuerySet[Generation] = rows.annotate(**TIMED)
        filters = kind is not None or status is not None
        parts = lookup.filtered(account.generations.all(), kind, status) if filters else ()
        page = paginate(request, timed, ("created_at", "id"), read, parts)
        for row in page.rows:
            row.account = account  # says how long outputs are kept
        base = base_url(request)
        return Response(page.body([public.to_dict(row, row.now, base) for row in page.rows]))


class ModelsView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    kind: str | None = None

    @document.models
    def get(self, request: Request) -> Response:
        """Every model with its price and allowed values."""
        models = catalog.on_sale(self.kind)
        body = {"success": True, "models": [catalog.to_dict(model) for model in models]}
        # a price is in force at once, so what a cache holds has to be asked for again
        return Response(body, headers={"Cache-Control": "public, no-cache"})


def owned(request: Request, generation_id: str) -> Generation:
    """The account's own generation with the database's time. Raises NotFound for any other id."""
    found = lookup.of_account(arrival(request).caller.account_id, ids.parse(generation_id))
    if found is None:
        raise NotFound
    found.account = arrival(request).key.account  # says how long outputs are kept
    return found
