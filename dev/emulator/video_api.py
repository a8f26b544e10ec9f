"""Vertex AI's calls for videos: predictLongRunning and fetchPredictOperation."""

from __future__ import annotations

import asyncio
import base64
import secrets
import uuid
from functools import partial
from typing import Any

from aiohttp import web

from dev.emulator.errors import ApiError, invalid
from dev.emulator.incoming import MODELS, check_token, loose_labels, read_json
from dev.emulator.making import Maker, Namer
from dev.emulator.models import VIDEO_MODELS, Models, missing, model_path
from dev.emulator.operations import Operation, Operations, without_images
from dev.emulator.outcome import MIME_TYPE, Video
from dev.emulator.played import lost_answer, refusal
from dev.emulator.tally import Tally
from dev.emulator.video_request import VideoRequest, video_request

RESPONSE_TYPE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"


class VideoApi:
    """Handlers over the operations of this process."""

    def __init__(
        self,
        models: Models,
        operations: Operations,
        maker: Maker,
        tally: Tally,
        closing: asyncio.Event,
    ) -> None:
        self._models = models
        self._operations = operations
        self._maker = maker
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
        model, path = request.match_info["model"], model_path(request)
        try:
            self._models.check(model, path, VIDEO_MODELS)
            wanted = await asyncio.to_thread(video_request, body, model)
            refused = refusal(wanted, path, self._tally)
        except ApiError:
            self._tally.reject(loose_labels(body))
            raise
        if refused is not None:
            self._tally.reject(wanted.labels)
            return refused
        self._tally.accept_video(wanted.labels)
        operation = Operation(
            name=f"{path}/operations/{uuid.uuid4()}",
            api="predictLongRunning",
            location=request.match_info["location"],
            model=model,
            request=without_images(wanted),
            images=len(wanted.images),
        )
        work = partial(self._maker.make, VIDEO_MODELS[model], wanted, _names(wanted))
        self._operations.begin(operation, work)
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
        return web.json_response(_shown(self._operations.poll(name)))

    async def predict(self, request: web.Request) -> web.Response:
        """The Imagen models, all retired: the 404 that the real service gives for them."""
        check_token(request)
        raise missing(model_path(request))


def _names(wanted: VideoRequest) -> Namer:
    """The real service makes a folder of its own, a long number, under the given prefix."""
    prefix = wanted.storage[1] if wanted.storage else ""
    slash = "" if not prefix or prefix.endswith("/") else "/"
    folder = 10**18 + secrets.randbelow(9 * 10**18)
    return lambda number: f"{prefix}{slash}{folder}/sample_{number}.mp4"


def _shown(operation: Operation) -> dict[str, Any]:
    """The operation as fetchPredictOperation shows it."""
    outcome = operation.outcome
    if outcome is None:
        return {"name": operation.name}
    done = {"name": operation.name, "done": True}
    if outcome.error:
        code, message = outcome.error
        return done | {"error": {"code": code, "message": message}}
    response: dict[str, Any] = {"@type": RESPONSE_TYPE, "raiMediaFilteredCount": outcome.filtered}
    if outcome.reason:
        response["raiMediaFilteredReasons"] = [outcome.reason]
    if outcome.videos and "unlisted" not in operation.scenario:
        response["videos"] = [_video(each) for each in outcome.videos]
    return done | {"response": response}


def _video(video: Video) -> dict[str, str]:
    if video.uri:
        return {"gcsUri": video.uri, "mimeType": MIME_TYPE}
    return {"bytesBase64Encoded": base64.b64encode(video.data).decode(), "mimeType": MIME_TYPE}
