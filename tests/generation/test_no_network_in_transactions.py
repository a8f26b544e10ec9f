"""The network is never touched inside a transaction (docs/decisions.md, decision 10)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connections, transaction

from generation.models import Generation
from generation.models.states import State
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due

Api = Callable[..., httpx.Client]
CALLS = ("connect", "connect_ex", "send", "sendall", "sendmsg", "recv", "recv_into")


class Watch:
    """Notes every use of a Python socket by a thread that is in a transaction.

    PostgreSQL itself is spoken to by libpq, whose sockets Python never sees; Redis counts.
    """

    def __init__(self) -> None:
        self.worker = connections["default"]
        self.uses = 0
        self.inside: list[str] = []

    def _in_transaction(self) -> bool:
        if threading.current_thread().name.startswith("asyncio_"):  # works for the engine's loop
            return bool(self.worker.in_atomic_block)
        return bool(connections["default"].in_atomic_block)

    def watched(self, name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def call(sock: socket.socket, *args: Any) -> Any:
            self.uses += 1
            if self._in_transaction() and not is_pair(sock):
                self.inside.append(name)
            return original(sock, *args)

        return call


def is_pair(sock: socket.socket) -> bool:
    """Whether both ends are in this process, as those by which a thread wakes an event loop."""
    try:
        return sock.family == socket.AF_UNIX and sock.getpeername() == ""
    except OSError:  # not connected yet
        return False


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watches from now on."""
    found = Watch()
    for name in CALLS:
        monkeypatch.setattr(socket.socket, name, found.watched(name))
    return found


def test_the_watch_sees_what_it_has_to(api: Api, watch: Watch) -> None:
    api().get("/livez")
    assert watch.uses
    assert not watch.inside
    with transaction.atomic():
        api().get("/livez")
    assert {"connect", "sendall"} & set(watch.inside)


@pytest.mark.parametrize(
    ("path", "body", "ends"),
    [
        ("video/", {}, State.COMPLETED),
        ("video/", {"source_image_urls": ["square.png"]}, State.COMPLETED),
        ("video/", {"prompt": "a fox [emulator:filtered]"}, State.FAILED),
        ("video/", {"prompt": "a fox [emulator:accepted-then-502]"}, State.COMPLETED),
        ("video/", {"prompt": "a fox [emulator:retired]"}, State.FAILED),
        ("", {}, State.COMPLETED),
    ],
)
def test_a_whole_generation_keeps_them_apart(
    path: str,
    body: dict[str, Any],
    ends: State,
    api: Api,
    alice: Person,
    works: Works,
    emulator: Emulator,
    watch: Watch,
) -> None:
    client = api(alice.key)
    if "source_image_urls" in body:
        body = {"source_image_urls": [f"{emulator.url}/sample-images/square.png"]}
    answer = client.post(f"/api/v1/generate/{path}", json={"prompt": "a fox"} | body)
    generation_id = answer.json()["data"]["generation_id"]
    assert works.finish(generation_id).state == ends
    shown = client.get(f"/api/v1/generate/{generation_id}/").json()
    assert shown["status"] == ends
    if shown["video_url"]:
        assert api().get(shown["video_url"]).status_code == 200
    assert watch.uses > 10
    assert watch.inside == []


def test_cancel_and_deadline_too(api: Api, alice: Person, works: Works, watch: Watch) -> None:
    client = api(alice.key)
    for _ in range(2):
        client.post("/api/v1/generate/video/", json={"prompt": "a fox [emulator:never]"})
    first, second = Generation.objects.order_by("created_at")
    assert client.post(f"/api/v1/generate/{first.pk}/cancel/").status_code == 200
    works.run("submit")
    Generation.objects.filter(pk=second.pk).update(deadline_at=second.created_at)
    make_due()
    works.run("poll")
    assert Generation.objects.get(pk=second.pk).error_code == "timeout"
    assert watch.inside == []
