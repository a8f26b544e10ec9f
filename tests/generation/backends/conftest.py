"""A provider that answers anything at all, for what the emulator is too well behaved to say."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from google.oauth2.credentials import Credentials
from PIL import Image

from generation.backends.base import SourceImage, SubmitRequest
from generation.backends.vertex.backend import VertexBackend

BUCKET = "outputs"
PLACE = f"gs://{BUCKET}/g1/a1/"
MODEL = "veo-3.1-fast-generate-001"
RESOURCE = f"projects/p1/locations/us-central1/publishers/google/models/{MODEL}"
OPERATION = f"{RESOURCE}/operations/0f0e-1"

# What an answer may say of a file that was made and billed.
TYPES: tuple[object, ...] = (
    *("video/mp4", "Video/MP4", " video/mp4 ", "video/mp4; codecs=avc1", "VIDEO/QUICKTIME"),
    *("application/octet-stream", "text/html", "image/png", "video", "", "\0", "x" * 10_000),
    *(None, 5, True, [], ["video/mp4"], {}),
)

Reply = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """A server on loopback whose answer is ``reply``; everything it was asked is in ``seen``."""

    url: str = ""
    reply: Reply | None = None
    seen: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.raw_path, headers, body))
        assert self.reply is not None
        return await self.reply(request, body)


def says(
    payload: object = None,
    *,
    status: int = 200,
    text: str | bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """A reply with a JSON payload, or with ``text`` as it is."""

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if text is None:
            return web.json_response(payload, status=status, headers=headers)
        raw = text.encode() if isinstance(text, str) else text
        return web.Response(body=raw, status=status, headers=headers, content_type="text/html")

    return reply


def google_error(code: int, message: str = "no", status: str = "", **headers: str) -> Reply:
    """An error in Google's shape."""
    error = {"error": {"code": code, "message": message, "status": status}}
    return says(error, status=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def reset(request: web.Request, body: bytes) -> web.StreamResponse:
    """Cut the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def hang_up(request: web.Request, body: bytes) -> web.StreamResponse:
    """End the connection in order, without a byte of an answer."""
    assert request.transport is not None
    request.transport.close()
    await asyncio.sleep(0)
    return web.Response()


async def hang(request: web.Request, body: bytes) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(30)
    return web.Response()


async def drip(request: web.Request, body: bytes) -> web.StreamResponse:
    """Answer one byte at a time, each in time, without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(600):
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


# One server and one backend for all tests: making TLS contexts is most of a test's time.
@pytest.fixture(scope="session")
async def server(anyio_backend: str) -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application(client_max_size=200 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def provider(server: Provider) -> Provider:
    server.reply, server.seen = None, []
    return server


@pytest.fixture(scope="session")
async def backend(server: Provider) -> AsyncIterator[VertexBackend]:
    made = open_backend(server.url)
    yield made
    await made.aclose()


@pytest.fixture(scope="session")
async def hasty(server: Provider) -> AsyncIterator[VertexBackend]:
    """A backend that gives up soon, for answers that do not come."""
    made = open_backend(server.url, timeout=0.3)
    yield made
    await made.aclose()


def open_backend(
    url: str, *, credentials: Credentials | None = None, timeout: float = 30.0
) -> VertexBackend:
    """A backend of project p1; ``timeout`` in seconds."""
    return VertexBackend(
        project="p1",
        location="us-central1",
        bucket=BUCKET,
        credentials=credentials or Credentials(token="t1", quota_project_id="q1"),
        base_url=url,
        submit_timeout=timeout,
        read_timeout=timeout,
        fetch_timeout=timeout,
    )


@dataclass(frozen=True)
class Emulator:
    """A running emulator: its address and a service-account file of its making."""

    url: str
    credentials: Path

    def bought(self, request: SubmitRequest) -> int:
        """How many outputs it counts for the generation of ``request``."""
        counts = httpx.get(f"{self.url}/emulator/stats").json()["by_label"]
        return int(counts.get("generation", {}).get(request.labels["generation"], 0))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    ready, credentials = folder / "url", folder / "credentials.json"
    command = [sys.executable, "-m", "dev.emulator", "--port", "0", "--size", "small", "--plain"]
    command += ["--time-scale", "0.001", "--data-dir", str(folder / "data")]
    command += ["--ready-file", str(ready), "--write-credentials", str(credentials)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not ready.exists():
        assert process.poll() is None, "the emulator ended"
        assert time.monotonic() < deadline, "the emulator did not start"
        time.sleep(0.02)
    yield Emulator(ready.read_text().strip(), credentials)
    process.terminate()
    process.wait(10)


def picture() -> SourceImage:
    data = io.BytesIO()
    Image.new("RGB", (320, 180), "teal").save(data, "PNG")
    return SourceImage(data.getvalue(), "image/png")


def video(prompt: str = "a red kite", *images: SourceImage, place: str = PLACE) -> SubmitRequest:
    return SubmitRequest("video", MODEL, prompt, "16:9", place, images, {"generation": "g1"})


def image(prompt: str = "a red kite", *, place: str = PLACE) -> SubmitRequest:
    return SubmitRequest(
        "image", "gemini-3.1-flash-image", prompt, "3:2", place, labels={"generation": "g1"}
    )
