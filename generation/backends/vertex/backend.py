"""Veo (and Gemini's image models) on Vertex AI.

Buying goes through google-genai; the rest is what a reader does (``reader.py``). A poll is
one POST of our own, which costs a fraction of the CPU and is held to google-genai's behaviour by a
test. ``generation/backends/base.py`` says what each error means.
"""

from __future__ import annotations

import asyncio

import httpx
from google import genai
from google.genai import errors, types

from generation.backends.base import (
    Accepted,
    Backend,
    Produced,
    SubmitRequest,
    Unavailable,
    Unknown,
)
from generation.backends.google.errors import broken
from generation.backends.google.locations import vertex_url
from generation.backends.google.refusals import NOT_SENT
from generation.backends.vertex.image import read_image
from generation.backends.vertex.operation import OperationName
from generation.backends.vertex.reader import API_VERSION, VertexReader
from generation.backends.vertex.refusals import UNREADABLE, submit_error
from generation.backends.vertex.request import (
    image_config,
    image_contents,
    video_config,
    video_source,
)


class VertexBackend(VertexReader, Backend):
    """A reader that can also buy: VertexReader says what its arguments are."""

    _genai: genai.Client | None = None

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """Buy one output; see :meth:`Backend.submit`."""
        if not self._is_ours(request.place):
            raise broken(request.kind, "not a place in our bucket", operator_fault=True)
        try:
            async with asyncio.timeout(self._submit_timeout):
                client = await self._genai_client()
                if request.kind == "image":
                    return await self._submit_image(client, request)
                return await self._submit_video(client, request)
        except (*NOT_SENT, *UNREADABLE, errors.APIError, httpx.HTTPError, TimeoutError) as error:
            if getattr(error, "code", None) == 401:
                self._token.doubt()
            # "from None": the provider's answer, which may quote the prompt, stays out of logs.
            raise submit_error(error, request.kind) from None

    async def aclose(self) -> None:
        """Close connections; the backend is not used afterwards."""
        await super().aclose()
        if self._genai is not None:
            self._genai.close()

    async def _submit_video(self, client: genai.Client, request: SubmitRequest) -> Accepted:
        operation = await client.aio.models.generate_videos(
            model=request.model, source=video_source(request), config=video_config(request)
        )
        name = OperationName.parse(operation.name)
        if name is None:
            raise Unknown("accepted without a usable operation name")
        return Accepted(name.full)

    async def _submit_image(self, client: genai.Client, request: SubmitRequest) -> Produced:
        response = await client.aio.models.generate_content(
            model=request.model, contents=image_contents(request), config=image_config(request)
        )
        raw = response.sdk_http_response
        image = read_image((raw.body if raw else None) or "")
        name = f"{request.place}image_0.{image.suffix}"
        try:
            return await self._store(name, image.data, image.mime_type)
        except Unavailable as error:
            raise Unknown(f"made, but not stored: {error}") from error

    async def _genai_client(self) -> genai.Client:
        """The one client of this backend, its credentials fresh, so that it refreshes nothing.

        Project and location are both given because google-genai otherwise posts to "/" without a
        token; our HTTP client and a single attempt are given because it otherwise repeats a
        request that was cut off when aiohttp is installed, and buys a second video.
        """
        credentials = await self._token.fresh()
        if self._genai is None:
            self._genai = genai.Client(
                vertexai=True,
                project=self._project,
                location=self._location,
                credentials=credentials,
                http_options=types.HttpOptions(
                    base_url=self._base_url or vertex_url(self._location),
                    api_version=API_VERSION,
                    timeout=round(self._submit_timeout * 1000),
                    httpx_async_client=self._client,
                    retry_options=types.HttpRetryOptions(attempts=1),
                ),
            )
        return self._genai
