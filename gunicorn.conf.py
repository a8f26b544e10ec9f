"""What gunicorn reads by itself from the folder it starts in; its command line wins."""

from __future__ import annotations

from typing import Any

from common import metrics_folder, tracing

# before the application is loaded, here or (without --preload) in each worker
metrics_folder.take("web")

from common.metrics import forget_process  # noqa: E402

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
