"""The Interactions API of Vertex AI, as far as Gemini Omni's videos need it. There is no list."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial

from aiohttp import web

from dev.emulator.errors import ApiError, invalid
from dev.emulator.incoming import check_token, loose_labels, read_json
from dev.emulator.interaction_answer import status_of, whole
from dev.emulator.interaction_request import contents_of, interaction_request, model_of
from dev.emulator.making import Maker
from dev.emulator.models import OMNI, OMNI_LOCATION, OMNI_MODELS, Models, path_of
from dev.emulator.operations import Operation, Operations, without_images
from dev.emulator.played import lost_answer, refusal
from dev.emulator.storage import ObjectStore
from dev.emulator.tally import Tally

COLLECTION = "/v1beta1/projects/{project}/locations/{location}/interactions"
ONE = COLLECTION + "/{id:[^/:]+}"
ID_BYTES = 180  # real ids are long, too; this makes 240 characters


class InteractionsApi:
    """Handlers over the operations of this process."""

    def __init__(
        self,
        models: Models,
        operations: Operations,
        maker: Maker,
        store: ObjectStore,
        tally: Tally,
        closing: asyncio.Event,
    ) -> None:
        self._models = models
        self._operations = operations
        self._maker = maker
        self._store = store
        self._tally = tally
        self._closing = closing

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(COLLECTION, self.submit),
            web.get(COLLECTION, self.no_list),
            web.get(ONE, self.get, allow_head=False),
            web.delete(ONE, self.delete),
            web.post(ONE + "/cancel", self.cancel),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """Begin an interaction, or say why not."""
        self._tally.requests["submit"] += 1
        check_token(request)
        place = _place(request)
        body = await read_json(request)
        model = model_of(body)
        path = path_of(request.match_info["project"], OMNI_LOCATION, model)
        try:
            if not model:
                raise invalid("The 'model' is missing.")
            self._models.check(model, path, OMNI_MODELS)
            wanted = await asyncio.to_thread(interaction_request, body, self._exists)
            refused = refusal(wanted, path, self._tally)
        except ApiError:
            self._tally.reject(loose_labels(body))
            raise
        if refused is not None:
            self._tally.reject(wanted.labels)
            return refused
        self._tally.accept_video(wanted.labels)
        operation = Operation(
            name=f"{place}/{secrets.token_urlsafe(ID_BYTES)}",
            api="interactions",
            location=OMNI_LOCATION,
            model=model,
            request=without_images(wanted),
            images=len(wanted.images),
            contents=contents_of(body),
        )
        prefix = wanted.storage[1] if wanted.storage else ""
        work = partial(self._maker.make, OMNI, wanted, lambda _: f"{prefix}video.mp4")
        self._operations.begin(operation, work)
        lost = await lost_answer(request, wanted.scenario, self._closing)
        return lost or web.json_response(status_of(operation))

    def _exists(self, bucket: str, name: str) -> bool:
        return self._store.get(bucket, name) is not None

    async def no_list(self, request: web.Request) -> web.Response:
        """The real service has none either; whoever lost an id looks into the bucket."""
        check_token(request)
        raise ApiError(404, "Interactions cannot be listed.")

    async def get(self, request: web.Request) -> web.Response:
        """The interaction; what was put in is repeated unless ``include_input=false``."""
        check_token(request)
        name = _name(request)
        self._tally.poll(name)
        if _flag(request, "stream", False):
            raise invalid("This emulator does not stream. Use stream=false.")
        include_input = _flag(request, "include_input", True)
        return web.json_response(whole(self._operations.poll(name), include_input))

    async def cancel(self, request: web.Request) -> web.Response:
        """End the work; one that is done already stays as it is."""
        check_token(request)
        self._tally.requests["cancel"] += 1
        operation = self._operations.named(_name(request))
        self._operations.cancel(operation)
        return web.json_response(status_of(operation))

    async def delete(self, request: web.Request) -> web.Response:
        """Forget prompt, inputs and answer. The file in the bucket stays."""
        check_token(request)
        self._tally.requests["forget"] += 1
        self._operations.delete(self._operations.named(_name(request)))
        return web.json_response({})


def _place(request: web.Request) -> str:
    """``projects/…/locations/global/interactions``. Raises a 404 for any other location."""
    project, location = request.match_info["project"], request.match_info["location"]
    if location != OMNI_LOCATION:
        raise ApiError(404, f"Interactions are not available in the location {location}.")
    return f"projects/{project}/locations/{location}/interactions"


def _name(request: web.Request) -> str:
    return f"{_place(request)}/{request.match_info['id']}"


def _flag(request: web.Request, name: str, default: bool) -> bool:
    value = request.query.get(name, str(default).lower())
    if value not in ("true", "false"):
        raise invalid(f"The value of '{name}' is not a boolean: {value!r}.")
    return value == "true"
