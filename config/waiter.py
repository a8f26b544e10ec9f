"""How gunicorn runs the waiter: ``gunicorn config.asgi:application -c python:config.waiter``.

One process: 50 of an account are counted in it. For more, start more of them.
"""

from __future__ import annotations

import socket
from typing import Any

from common import memory_privacy
from common.telemetry import tracing
from config import serving
from webhooks.waiter import refusing

memory_privacy.keep_to_ourselves()  # the worker is forked from here and inherits it
refusing.install()

bind = "127.0.0.1:8001"  # a container says another
workers = 1
worker_class = "asgi"
worker_connections = 5000
asgi_lifespan = "on"
asgi_loop = "asyncio"
# What is held is let go at once when it is told to end; what is left then are idle connections.
graceful_timeout = 10
# the same for web, with the reasons
worker_tmp_dir = serving.worker_tmp_dir
control_socket_disable = serving.control_socket_disable
forwarder_headers = serving.forwarder_headers
forwarded_allow_ips = serving.forwarded_allow_ips
secure_scheme_headers = serving.secure_scheme_headers
header_map = serving.header_map
proxy_protocol = serving.proxy_protocol
logger_class = serving.logger_class
keepalive = serving.keepalive
# Of each client the kernel keeps so many bytes that it has not taken yet.
SENT_AHEAD = 64 * 1024


def post_fork(server: Any, worker: Any) -> None:
    """Traces are sent by a thread, and a fork leaves threads behind."""
    tracing.start()


def post_worker_init(worker: Any) -> None:
    """The application sees by the worker that it is to end: gunicorn says so only afterwards."""
    worker.asgi.serve_under(worker)
    for listener in worker.sockets:  # connections inherit it
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
