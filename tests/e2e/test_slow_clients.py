"""Clients that stand still do not stop the service for others."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import httpx

from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer
from tests.e2e.wire import Wire

READERS, BODIES = 48, 40  # of 16 threads
SIZE = 8_000_000  # bytes, as a film of eight seconds in 1080p may have
PATIENCE = 5.0  # seconds for an answer on a machine that does much else; a free one needs 0.01
JSON = "Content-Type: application/json"


def film(stack: Stack, rich: Customer) -> tuple[str, str]:
    """The path of a signed link to a file of SIZE, and its generation's."""
    generation_id = rich.create(VIDEO, "a red fox")
    link = httpx.URL(rich.finished(generation_id)["video_url"])
    file = Path(stack.env["OUTPUT_ROOT"]) / link.path.removeprefix("/media/")
    with file.open("r+b") as output:
        output.truncate(SIZE)
    return link.raw_path.decode(), f"/api/v1/generate/{generation_id}/download/"


def assert_others_are_served(stack: Stack, rich: Customer, seconds: float) -> None:
    """Probes, orders and statuses, each in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        assert httpx.get(f"{stack.base_url}/livez", timeout=PATIENCE).status_code == 200
        rich.status(rich.create(VIDEO, "a red fox"))
        time.sleep(0.2)


def test_stalled_readers_and_silent_bodies(stack: Stack, rich: Customer) -> None:
    """Of a link, a download and a static file; and bodies before any log-in."""
    link, download = film(stack, rich)
    secret = f"Authorization: {rich.http.headers['Authorization']}"
    static = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    paths = (link, download, static)
    with contextlib.ExitStack() as wires:
        for number in range(READERS):
            wire = wires.enter_context(Wire(stack.base_url, receive=4096))
            wire.request("GET", paths[number % len(paths)], secret)
        silent = [wires.enter_context(Wire(stack.base_url)) for _ in range(BODIES)]
        began = time.monotonic()
        for wire in silent:
            wire.request("POST", "/api/login/", JSON, "Content-Length: 1000")
            wire.send(b"{")
        assert_others_are_served(stack, rich, 12)
        for wire in silent:
            answer = wire.answer()
            assert (answer.status, answer.json()["code"]) == (408, "request_timeout")
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert time.monotonic() - began < 20
        whole = httpx.get(stack.base_url + link, timeout=20)
        part = httpx.get(stack.base_url + link, headers={"Range": "bytes=-100"}, timeout=20)
    assert (len(whole.content), part.content) == (SIZE, whole.content[-100:])


def test_script_name_leads_round_no_rule_about_paths(stack: Stack) -> None:
    """A proxy that forbids /metrics and /admin/ lets /x/metrics through: it must not be ours."""
    for path in ("/metrics", "/admin/login/", "/livez"):
        for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO"):
            with Wire(stack.base_url) as wire:
                value = path if name == "PATH_INFO" else "/x"
                wire.request("GET", f"/x{path}", f"{name}: {value}")
                answer = wire.answer()
                assert (answer.status, b"There is no such page" in answer.content) == (404, True)
