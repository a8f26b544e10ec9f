"""The command lines of web, workers and beat, and of manage.py."""

from __future__ import annotations

import socket
import sys

from embedded.paths import CHECKOUT
from embedded.processes import Program

STAGES = ("submit", "poll", "store")  # one queue and one worker each (design.md, decision 1)


def web(listener: socket.socket) -> Program:
    """gunicorn on a socket that is open already: no other program can take the port meanwhile.

    Its control socket is off: two checkouts would share the default path in the home folder.
    """
    argv = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--no-control-socket"]
    argv += ["-k", "gthread", "-w", "2", "--threads", "8", "--graceful-timeout", "5"]
    argv += ["--bind", f"fd://{listener.fileno()}"]
    return Program("web", argv, pass_fds=(listener.fileno(),))


def worker(stage: str) -> Program:
    """A Celery worker for the queue of one stage."""
    argv = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", stage, "-c", "1"]
    argv += ["-n", f"{stage}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program(stage, argv, restart=True)


def beat() -> Program:
    """Celery beat; its scheduler is set in the settings and keeps no file."""
    return Program("beat", [sys.executable, "-m", "celery", "-A", "config", "beat"], restart=True)


def manage(*arguments: str) -> list[str]:
    """A ``manage.py`` command line."""
    return [sys.executable, str(CHECKOUT / "manage.py"), *arguments]


def listen(preferred: int) -> socket.socket:
    """A listening socket on loopback at the preferred port, else the next free one; 0 = any."""
    ports = [*range(preferred, min(preferred + 50, 65536)), 0] if preferred else [0]
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(512)
        except OSError:
            listener.close()
            continue
        return listener
    raise AssertionError("the kernel always has a port for 0")
