"""What gunicorn reads by itself from the folder it starts in; its command line wins."""

from __future__ import annotations

from typing import Any

from common import memory_privacy
from common.telemetry import metrics_folder, tracing

memory_privacy.keep_to_ourselves()  # every worker is forked from here and inherits it
# before the application is loaded, here or (without --preload) in each worker
metrics_folder.take("web")

from common.telemetry.metrics import process_ended
from config import serving

# Sixteen requests at once, by few threads in each of several processes: those of one process take
# turns at Python's lock. The application is loaded once for all of them.
workers = 4
threads = 4
preload_app = True
# Its threads answer and never wait for a client, whatever a proxy before it does; two more read
# uploads.
worker_class = "common.web.turns.StreamingWorker"
graceful_timeout = 25  # seconds; docker-compose.yml and the manifests wait longer

# the same for the waiter, with the reasons
worker_tmp_dir = serving.worker_tmp_dir
control_socket_disable = serving.control_socket_disable
forwarder_headers = serving.forwarder_headers
forwarded_allow_ips = serving.forwarded_allow_ips
secure_scheme_headers = serving.secure_scheme_headers
header_map = serving.header_map
proxy_protocol = serving.proxy_protocol
logger_class = serving.logger_class
keepalive = serving.keepalive


def post_fork(server: Any, worker: Any) -> None:
    """Traces are sent by a thread, and a fork leaves threads behind."""
    tracing.start()


def child_exit(server: Any, worker: Any) -> None:
    """A worker has ended, by itself or killed: it answers no requests any more."""
    process_ended(worker.pid)
