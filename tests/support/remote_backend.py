"""A provider without a bucket, over HTTP, and a backend of the protocol for it.

It forgets nothing by itself, cannot be asked what an unanswered submit made, and wants 40 seconds
between two polls: what the service's own two backends never show.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx

from generation.backends.base import (
    Accepted,
    Backend,
    Capabilities,
    Fetched,
    Kind,
    NotAccepted,
    OperationGone,
    Produced,
    Running,
    SubmitRequest,
    Unavailable,
    Unknown,
)
from tests.support.web_server import StandInServer

SILENT = "[silent]"  # in a prompt: made, and not answered
POLL_FLOOR = 40.0


class RemoteProvider(StandInServer):
    """What it was asked is in its lists; ``busy`` submits and ``deaf`` deletes it turns away."""

    def __init__(self, film: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.film = film
        self.busy = self.deaf = 0
        self.is_done = True
        self.submitted: list[dict[str, Any]] = []
        self.polled: list[str] = []
        self.deleted: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: RemoteProvider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.busy:
            self.server.busy -= 1
            return self._answer(429)
        self.server.submitted.append(body)
        if SILENT in body["prompt"]:
            self.close_connection = True
            return None
        return self._answer(200, {"id": f"job-{len(self.server.submitted)}"})

    def do_GET(self) -> None:
        if self.path.startswith("/files/"):
            return self._answer(200, raw=self.server.film)
        self.server.polled.append(self.path)
        name = self.path.rpartition("/")[2]
        done = {"url": f"{self.server.url}/files/{name}.mp4"} if self.server.is_done else {}
        return self._answer(200, done)

    def do_DELETE(self) -> None:
        if self.server.deaf:
            self.server.deaf -= 1
            return self._answer(503)
        self.server.deleted.append(self.path)
        return self._answer(404 if self.server.deleted.count(self.path) > 1 else 204)

    def _answer(self, status: int, body: Any = None, raw: bytes | None = None) -> None:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def remote_provider(film: bytes) -> Iterator[RemoteProvider]:
    server = RemoteProvider(film)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class RemoteBackend(Backend):
    """As the manual says, for :class:`RemoteProvider`."""

    capabilities = Capabilities(
        kinds=frozenset({"video"}),
        durations=range(1, 61),
        resolutions=("720p",),
        silent=True,
        audible=True,
        negative_prompt=True,
        seed_max=None,
        max_images=0,
        recovers=False,
        remembers=True,
        poll_floor=POLL_FLOOR,
    )

    def __init__(self, *, base_url: str, read_timeout: float, **_: Any) -> None:
        self._url = base_url
        self._client = httpx.AsyncClient(timeout=read_timeout)

    def place_for(self, generation_id: str, number: int) -> str:
        return ""

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        body = {"prompt": request.prompt, "token": request.token, "place": request.place}
        try:
            answer = await self._client.post(f"{self._url}/jobs", json=body)
        except httpx.ConnectError as error:
            raise NotAccepted("not connected") from error
        except httpx.HTTPError as error:
            raise Unknown(type(error).__name__) from error
        if answer.status_code == 429:
            raise NotAccepted("busy", is_quota=True)
        return Accepted(answer.json()["id"])

    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        answer = await self._read("GET", f"jobs/{operation_name}")
        if answer.status_code == 404:
            raise OperationGone("unknown job")
        done = answer.json().get("url")
        return Produced(done) if done else Running()

    async def find_output(self, place: str, kind: Kind) -> Produced | None:
        return None

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        content = (await self._read("GET", uri.removeprefix(f"{self._url}/"))).content
        destination.write_bytes(content)
        return Fetched(destination, len(content), hashlib.sha256(content).hexdigest())

    async def remove_outputs(self, place: str) -> None:
        """It lets them end by itself."""

    async def forget(self, operation_name: str, place: str) -> None:
        if operation_name:
            await self._read("DELETE", f"jobs/{operation_name}")

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _read(self, method: str, path: str) -> httpx.Response:
        try:
            answer = await self._client.request(method, f"{self._url}/{path}")
        except httpx.HTTPError as error:
            raise Unavailable(type(error).__name__) from error
        if answer.status_code >= 500:
            raise Unavailable(f"HTTP {answer.status_code}")
        return answer
