"""``/metrics`` of a program that serves nothing else: a Celery worker, Celery beat.

It is a thread of the program's main process, which only watches over the others. It answers with
the counts of all of them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from prometheus_client.exposition import ThreadingWSGIServer

from common.telemetry.metrics import CONTENT_TYPE, Scrape
from monitoring.access import may_read

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

_running: list[WSGIServer] = []


# A scrape takes a second. A longer connection is closed, as is the oldest of too many: silent
# clients keep nobody out, and cost a bounded number of threads.
SECONDS = 10.0
CONNECTIONS = 16


class _Handler(WSGIRequestHandler):
    timeout = SECONDS

    def log_message(self, *args: object) -> None:
        """Nothing: a scrape every few seconds is no news."""


class _Server(ThreadingWSGIServer):
    address_family = socket.AF_INET

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: dict[socket.socket, float] = {}  # when it began, the oldest first

    def process_request(self, request: Any, client_address: Any) -> None:
        """Close the oldest if there are too many, then answer in a thread."""
        while len(self._open) >= CONNECTIONS:
            self._let_go(next(iter(self._open)))
        self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close what has been open too long. The base class calls it twice a second."""
        super().service_actions()
        now = time.monotonic()
        for request in [each for each, since in self._open.items() if now - since > SECONDS]:
            self._let_go(request)

    def _let_go(self, request: socket.socket) -> None:
        del self._open[request]
        with contextlib.suppress(OSError):  # it has ended already
            request.shutdown(socket.SHUT_RDWR)  # its thread reads the end, and closes it

    def handle_error(self, *args: object) -> None:
        """Nothing: a client went away, and the base class would print a traceback."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def start() -> int:
    """Serve on WORKER_METRICS_HOST and WORKER_METRICS_PORT; the port, or 0 if it is off.

    A second call does nothing. A port that is taken is logged, and the program goes on without.
    """
    port: int = settings.WORKER_METRICS_PORT
    if not port or _running:
        return port
    host: str = settings.WORKER_METRICS_HOST
    scrape, kind = Scrape(), _Server6 if ":" in host else _Server
    try:
        server = make_server(host, port, lambda *call: _answer(scrape, *call), kind, _Handler)
    except OSError as error:
        logger.error("no metrics at %s:%s: %s", host, port, error)
        return 0
    _running.append(server)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return port


def stop() -> None:
    """End it. The end of the program ends it, too."""
    while _running:
        server = _running.pop()
        server.shutdown()
        server.server_close()


def close_inherited() -> None:
    """Close the socket in a forked process, which would hold the port beyond the program's end."""
    while _running:
        _running.pop().socket.close()


def _answer(
    scrape: Scrape, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    status, content_type, body = "404 Not Found", "text/plain", b"not found: see /metrics\n"
    if environ["PATH_INFO"].rstrip("/") == "/metrics":
        address = ipaddress.ip_address(environ["REMOTE_ADDR"])
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if may_read(environ.get("HTTP_AUTHORIZATION", ""), address):
            status, content_type, body = "200 OK", CONTENT_TYPE, scrape.text()
        else:
            status, body = "403 Forbidden", b"forbidden\n"
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]
