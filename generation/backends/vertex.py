"""Veo (and Gemini's image models) on Vertex AI.

Submitting goes through google-genai; a poll is one POST of our own, which costs a fraction of the
CPU and is held to google-genai's behaviour by a test. ``base.py`` says what each error means.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types

from generation.backends.base import (
    Accepted,
    Backend,
    Fetched,
    OperationGone,
    Produced,
    Running,
    SubmitRequest,
    Unavailable,
    Unknown,
)
from generation.backends.google_token import GoogleToken
from generation.backends.vertex_errors import NOT_SENT, UNREADABLE, broken, submit_error
from generation.backends.vertex_http import GoogleHttp, Missing, open_client
from generation.backends.vertex_operation import (
    LOCATION,
    InlineVideo,
    OperationName,
    read_operation,
    required_name,
    vertex_url,
)
from generation.backends.vertex_polls import PollHttp
from generation.backends.vertex_request import (
    image_config,
    image_contents,
    read_image,
    video_config,
    video_source,
)
from generation.backends.vertex_storage import EXTENSIONS, Location, Outputs

STORAGE_URL = "https://storage.googleapis.com"
API_VERSION = "v1"  # google-genai would take v1beta1
TOKEN_LIMIT = 10.0


class VertexBackend(Backend):
    """One project's Vertex AI. All times in seconds; each bounds one whole call.

    ``credentials`` None means Google's application default credentials, looked up at the first
    call. ``base_url`` and ``storage_base_url`` are for the emulator; the latter follows the former.
    Operations and outputs are found by their own names: a generation that was made with another
    location or bucket is finished there.
    """

    def __init__(
        self,
        *,
        project: str,
        location: str,
        bucket: str,
        credentials: Credentials | None = None,
        base_url: str = "",
        storage_base_url: str = "",
        submit_timeout: float = 60.0,
        read_timeout: float = 20.0,
        fetch_timeout: float = 60.0,
        max_connections: int = 100,
    ) -> None:
        if not project or not bucket or not LOCATION.fullmatch(location):
            raise ValueError("project, location and bucket are needed")
        self._project = project
        self._location = location
        self._bucket = bucket
        self._base_url = _checked(base_url)
        self._submit_timeout = submit_timeout
        limit = min(TOKEN_LIMIT, submit_timeout / 3, read_timeout / 2)
        self._token = GoogleToken(credentials, limit=limit)
        self._client = open_client(max_connections)
        self._http = GoogleHttp(self._client, self._token, read_timeout)
        self._polls = PollHttp(self._http, self._token, max_connections)
        storage_url = _checked(storage_base_url) or self._base_url or STORAGE_URL
        self._outputs = Outputs(self._http, storage_url, copy_timeout=fetch_timeout)
        self._genai: genai.Client | None = None

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """Buy one output; see :meth:`Backend.submit`."""
        place = Location.parse(request.prefix)
        if place is None or place.bucket != self._bucket or not place.name.endswith("/"):
            raise broken(request.kind, "not a prefix in our bucket", operator_fault=True)
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

    async def poll(self, operation_name: str, prefix: str) -> Running | Produced:
        """Look at an operation; see :meth:`Backend.poll`."""
        name = required_name(operation_name)
        base_url = self._base_url or vertex_url(name.location)
        try:
            answer = await self._polls.post(
                f"{base_url}/{API_VERSION}/{name.resource}:fetchPredictOperation",
                {"operationName": name.full},
            )
        except Missing:
            raise OperationGone("the provider does not know the operation") from None
        outcome = read_operation(answer, name, prefix)
        if isinstance(outcome, InlineVideo):
            return await self._store(f"{prefix}sample_0", outcome.data, outcome.mime_type)
        return outcome

    async def find_output(self, prefix: str) -> Produced | None:
        """Look into a prefix; see :meth:`Backend.find_output`."""
        return await self._outputs.find(prefix)

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        """Copy an output, at most 512 MiB; see :meth:`Backend.fetch_output`."""
        return await self._outputs.fetch(uri, destination)

    async def aclose(self) -> None:
        """Close connections; the backend is not used afterwards."""
        await self._token.aclose()
        await self._polls.aclose()
        await self._client.aclose()
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
        image = read_image(response)
        try:
            return await self._store(f"{request.prefix}image_0", image.data, image.mime_type)
        except Unavailable as error:
            raise Unknown(f"made, but not stored: {error}") from error

    async def _store(self, stem: str, data: bytes, mime_type: str) -> Produced:
        uri = f"{stem}.{EXTENSIONS[mime_type]}"
        await self._outputs.write(uri, data, mime_type)
        return Produced(uri, mime_type)

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


def _checked(url: str) -> str:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("a base URL starts with http:// or https://")
    return url.rstrip("/")
