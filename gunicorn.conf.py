"""gunicorn reads this by itself when it is started in this folder; the command line wins."""

from __future__ import annotations

from typing import Any

from common import metrics_folder

# before the application is loaded, here or (without --preload) in each worker
metrics_folder.take("web")

from common.metrics import forget_process  # noqa: E402


def child_exit(server: Any, worker: Any) -> None:
    """A worker has ended, by itself or killed: it answers no requests any more."""
    forget_process(worker.pid)
