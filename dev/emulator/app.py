"""Puts the emulator's parts together into one web application."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dev.emulator.credentials import TokenApi
from dev.emulator.errors import ApiError, StorageError
from dev.emulator.image_api import ImageApi
from dev.emulator.incoming import check_token
from dev.emulator.interactions_api import InteractionsApi
from dev.emulator.making import Maker
from dev.emulator.models import Models, ModelsApi
from dev.emulator.operations import Operations
from dev.emulator.options import Options
from dev.emulator.rendering import Renderer
from dev.emulator.samples import SIZES, sample_image
from dev.emulator.storage import ObjectStore
from dev.emulator.storage_api import StorageApi, answer_of_bucket
from dev.emulator.tally import Tally
from dev.emulator.uploads import UploadApi
from dev.emulator.video_api import VideoApi

SENTENCE = (
    "This is Reelmint's Vertex AI emulator: it stands in for Google's video and image models on "
    "this machine, everything it makes is synthetic, and nothing here reaches Google."
)
# Three images of 20 MB in Base64, and some room.
BODY_BYTES_MAX = 90 * 1024 * 1024
STORAGE_PATHS = ("/storage/", "/download/storage/", "/upload/storage/")


@dataclass(frozen=True, slots=True)
class Emulator:
    """The application and what the command line needs of its parts."""

    app: web.Application
    tokens: TokenApi


class ControlApi:
    """What only an emulator has: a home page, counters, a reset."""

    def __init__(
        self, models: Models, operations: Operations, store: ObjectStore, tally: Tally
    ) -> None:
        self._models = models
        self._operations = operations
        self._store = store
        self._tally = tally

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.post("/", self.misrouted),
            web.get(r"/sample-images/{name}.{kind:png|jpg}", sample_image),
            web.get("/emulator/stats", self.stats),
            web.get("/emulator/operations/{what}", self.operations),
            web.post("/emulator/reset", self.reset),
        ]

    async def home(self, request: web.Request) -> web.Response:
        """What this is, for people and for programs."""
        if "json" in request.headers.get("Accept", ""):
            samples = [f"/sample-images/{name}.{kind}" for name in SIZES for kind in ("png", "jpg")]
            return web.json_response(
                {"emulator": True, "description": SENTENCE, "sample_images": samples}
            )
        page = f"<!doctype html><meta charset=utf-8><title>Emulator</title><p>{SENTENCE}</p>\n"
        return web.Response(text=page, content_type="text/html")

    async def misrouted(self, request: web.Request) -> web.Response:
        """google-genai posts to ``/`` when it was given a base URL but no project or location."""
        message = (
            "POST / is no call. Pass both project= and location= to google.genai.Client: with a "
            "base_url and one of them missing it drops the path and the token."
        )
        raise ApiError(404, message)

    async def stats(self, request: web.Request) -> web.Response:
        """Counters since the start or the last reset."""
        return web.json_response(self._tally.as_dict())

    async def operations(self, request: web.Request) -> web.Response:
        """Operations by their id or by the value of one of their labels."""
        found = self._operations.find(request.match_info["what"])
        return web.json_response({"operations": [each.as_dict() for each in found]})

    async def reset(self, request: web.Request) -> web.Response:
        """Forget operations, counters and objects, and revive all models."""
        self._models.revive_all()
        await self._operations.clear()
        self._tally.clear()
        self._store.clear()
        return web.json_response({"reset": True})


def make_emulator(options: Options) -> Emulator:
    """Build the application; call it inside the event loop that will serve it."""
    tally = Tally()
    store = ObjectStore(options.data_dir)
    renderer = Renderer(options.threads)
    maker = Maker(options, renderer, store)
    operations = Operations(tally)
    models = Models()
    closing = asyncio.Event()
    storage = StorageApi(store, tally)
    tokens = TokenApi(tally)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_google_errors(tally)])
    parts = (
        ControlApi(models, operations, store, tally),
        ModelsApi(models),
        VideoApi(models, operations, maker, tally, closing),
        InteractionsApi(models, operations, maker, store, tally, closing),
        ImageApi(options, models, maker, renderer, tally, closing),
        storage,
        UploadApi(store, storage, tally),
        tokens,
    )
    for part in parts:
        app.router.add_routes(part.routes())

    async def end_held_answers(_: web.Application) -> None:
        closing.set()

    async def end_work(_: web.Application) -> None:
        renderer.close()
        await operations.clear()

    app.on_shutdown.append(end_held_answers)
    app.on_cleanup.append(end_work)
    return Emulator(app, tokens)


def _google_errors(tally: Tally) -> Middleware:
    """Middleware: every error leaves in the shape of Google's APIs."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        storage = request.path.startswith(STORAGE_PATHS)
        kind = StorageError if storage else ApiError
        try:
            if storage:
                _check_storage_token(request, tally)
                if (lost := answer_of_bucket(request)) is not None:
                    return lost
            return await handler(request)
        except ApiError as error:
            return error.response()
        except web.HTTPException as error:
            if error.status < 400:  # a redirect
                raise
            return kind(error.status, error.reason).response()
        except json.JSONDecodeError:
            return kind(400, "Invalid JSON payload received.").response()

    return middleware


def _check_storage_token(request: web.Request, tally: Tally) -> None:
    """A bad token is refused; none at all is counted.

    Google's own client sends none when STORAGE_EMULATOR_HOST is set, as it does for any emulator.
    """
    if "Authorization" not in request.headers:
        tally.requests["storage_without_token"] += 1
        return
    try:
        check_token(request)
    except ApiError as error:
        raise StorageError(401, "Invalid Credentials", error.headers) from None
