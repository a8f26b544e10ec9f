"""The servers that tests start: nobody is sent away because many call at once."""

from __future__ import annotations

import contextlib
import socket
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

import pytest
from django.test.testcases import QuietWSGIRequestHandler

from tests.support.web_server import AppServer, StandInServer

AT_ONCE = 60


@pytest.mark.parametrize(
    ("kind", "handler"),
    [(AppServer, QuietWSGIRequestHandler), (StandInServer, BaseHTTPRequestHandler)],
)
def test_who_comes_before_anybody_is_taken_in_is_kept(
    kind: type[TCPServer], handler: type[Any]
) -> None:
    with kind(("127.0.0.1", 0), handler) as server, contextlib.ExitStack() as callers:
        for _ in range(AT_ONCE):  # one too many would wait for the timeout
            callers.enter_context(
                socket.create_connection(("127.0.0.1", server.server_address[1]), 5)
            )
