"""Notes every use of the network by a thread that is in a transaction."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

SENDS = ("send", "sendall", "sendmsg")
CALLS = ("connect", "connect_ex", *SENDS, "recv", "recv_into")


class Watch:
    """Notes every use of a Python socket by a thread that is in a transaction.

    PostgreSQL itself is spoken to by libpq, whose sockets Python never sees; Redis counts. ``sent``
    is how often something was sent: in how many parts an answer arrives is chance.
    """

    def __init__(self) -> None:
        self.worker = connections["default"]
        self.sent = 0
        self.inside: list[str] = []

    def _in_transaction(self) -> bool:
        if threading.current_thread().name.startswith("asyncio_"):  # works for the engine's loop
            return bool(self.worker.in_atomic_block)
        return bool(connections["default"].in_atomic_block)

    def watched(self, name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def call(sock: socket.socket, *args: Any) -> Any:
            if not is_pair(sock):
                self.sent += name in SENDS
                if self._in_transaction():
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
