"""Vertex AI's calls for videos: predictLongRunning and fetchPredictOperation."""

from __future__ import annotations

import asyncio

from aiohttp import web

from dev.emulator.errors import ApiError, invalid
from dev.emulator.incoming import (
    MODELS,
    check_token,
    known_model,
    loose_labels,
    model_path,
    read_json,
)
from dev.emulator.operations import Operations
from dev.emulator.played import lost_answer, refusal
from dev.emulator.tally import Tally
from dev.emulator.validation import VIDEO_MODELS, video_request


class VideoApi:
    """Handlers over the operations of this process."""

    def __init__(self, operations: Operations, tally: Tally, closing: asyncio.Event) -> None:
        self._operations = operations
        self._tally = tally
        self._closing = closing

    def routes(self) -> list[web.RouteDef]:
        """What is served. There is no GET of an operation: the real service has none either."""
        return [
            web.post(MODELS + ":predictLongRunning", self.submit),
            web.post(MODELS + ":fetchPredictOperation", self.poll),
            web.post(MODELS + ":predict", self.predict),
        ]

    async def submit(self, request: web.Request) -> web.Response:
        """Accept a video, or say why not."""
        self._tally.requests["submit"] += 1
        check_token(request)
        body = await read_json(request)
        try:
            model = known_model(request, VIDEO_MODELS)
            wanted = await asyncio.to_thread(video_request, body)
            refused = refusal(request, wanted, self._tally)
        except ApiError:
            self._tally.reject(loose_labels(body))
            raise
        if refused is not None:
            self._tally.reject(wanted.labels)
            return refused
        self._tally.accept_video(wanted.labels)
        operation = self._operations.begin(model_path(request), VIDEO_MODELS[model], wanted)
        lost = await lost_answer(request, wanted.scenario, self._closing)
        return lost or web.json_response({"name": operation.name})

    async def poll(self, request: web.Request) -> web.Response:
        check_token(request)
        body = await read_json(request)
        name = body.get("operationName") if isinstance(body, dict) else None
        if not isinstance(name, str) or not name:
            raise invalid("The operationName is missing.")
        self._tally.poll(name)
        if not name.startswith(model_path(request) + "/operations/"):
            raise invalid(f"The operation {name} does not belong to this model.")
        return web.json_response(self._operations.poll(name))

    async def predict(self, request: web.Request) -> web.Response:
        """The Imagen models, all retired: the 404 that the real service gives for them."""
        check_token(request)
        known_model(request, ())
        return web.Response(status=404)  # not reached: no model is known to :predict
