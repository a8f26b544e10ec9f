"""What gunicorn reads by itself from the folder it starts in; its command line wins."""

from __future__ import annotations

import os
from typing import Any

from common import memory_privacy
from common.telemetry import metrics_folder, tracing

memory_privacy.keep_to_ourselves()  # every worker is forked from here and inherits it
# before the application is loaded, here or (without --preload) in each worker
metrics_folder.take("web")

from common.telemetry.metrics import forget_process

# Sixteen requests at once, by few threads in each of several processes: those of one process take
# turns at Python's lock. The application is loaded once for all of them.
workers = 4
threads = 4
preload_app = True
# Its threads answer and never wait for a client, whatever a proxy before it does; two more read
# uploads.
worker_class = "common.web.turns.StreamingWorker"
# The heartbeat file, without a name, must not be on a disk that can stall.
MEMORY = "/dev/shm"  # noqa: S108
worker_tmp_dir = MEMORY if os.access(MEMORY, os.W_OK) else None
# Two checkouts would share the default path in the home folder.
control_socket_disable = True
graceful_timeout = 25  # seconds; docker-compose.yml and the manifests wait longer

# No header moves the path, the scheme or the address: Django reads our proxies' own (NUM_PROXIES).
# Trusted here, SCRIPT_NAME would lead round a proxy's rules about paths.
forwarder_headers = ""
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
proxy_protocol = "off"

# Its own lines look like ours, also while the application is not loaded yet.
logger_class = "config.gunicorn_logger.GunicornLogger"

# Seconds that an idle connection stays open. Clients and proxies have to be the ones that close it
# (Node after 4, httpx after 5, nginx after 60): what closes first meets the next request on its
# way, and a POST whose connection broke is not repeated by any library. gunicorn's own default, 2,
# is what many wait between two looks at a generation.
keepalive = 75


def post_fork(server: Any, worker: Any) -> None:
    """Traces are sent by a thread, and a fork leaves threads behind."""
    tracing.start()


def child_exit(server: Any, worker: Any) -> None:
    """A worker has ended, by itself or killed: it answers no requests any more."""
    forget_process(worker.pid)
