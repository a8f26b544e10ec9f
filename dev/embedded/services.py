"""The command lines of web, workers and beat, and of manage.py."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

import httpx

from dev.embedded import StackError
from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import Program

# one queue and one worker each
STAGES = ("prepare", "submit", "poll", "store", "settle", "mail", "deliver")
WEB_PROCESSES = 4  # that gunicorn forks, as gunicorn.conf.py says
CELERY = (sys.executable, "-m", "celery", "-A", "config")


def web(listener: socket.socket) -> Program:
    """gunicorn on a socket that is open already: no other program can take the port meanwhile.

    All that is the same everywhere is in gunicorn.conf.py. (No split of the sixteen threads over
    processes was better than another beyond the noise.)
    """
    argv = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--graceful-timeout", "5"]
    argv += ["--bind", f"fd://{listener.fileno()}"]
    return Program("web", argv, pass_fds=(listener.fileno(),))


def waiter(listener: socket.socket) -> Program:
    """Who holds requests and streams, likewise; the rest is in config/waiter.py."""
    argv = [sys.executable, "-m", "gunicorn", "config.asgi:application"]
    argv += ["-c", "python:config.waiter", "--bind", f"fd://{listener.fileno()}"]
    return Program("waiter", argv, restart=True, pass_fds=(listener.fileno(),))


def worker(name: str, stages: Sequence[str], *options: str) -> Program:
    """A Celery worker for the queues of some stages, with a process for each."""
    argv = [*CELERY, "worker", "-Q", ",".join(stages), "-c", str(len(stages)), "-n", f"{name}@%h"]
    argv += ["--without-gossip", "--without-mingle", "--without-heartbeat", *options]
    return Program(name, argv, restart=True)


def workers(together: bool) -> list[Program]:
    """One worker for each stage and beat, as in production; or one for all, beat included.

    Loading the application costs each of them two to three seconds of a CPU.
    """
    if together:
        return [worker("worker", STAGES, "--beat")]
    beat = Program("beat", [*CELERY, "beat"], restart=True)  # its scheduler keeps no file
    return [*(worker(stage, [stage]) for stage in STAGES), beat]


def metrics_port(environment: Mapping[str, str], number: int) -> dict[str, str]:
    """Where the worker or beat of that number answers /metrics, counted from the first one's.

    Programs of one machine cannot share a port; nothing when the first one has none either.
    """
    first = int(environment.get("WORKER_METRICS_PORT") or 0)
    return {"WORKER_METRICS_PORT": str(first + number)} if first else {}


def run_manage(environment: Mapping[str, str], *arguments: str) -> str:
    """The output of a ``manage.py`` command; StackError with its words when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=dict(environment),
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = f"{done.stdout}{done.stderr}".rstrip()
        raise StackError(f"manage.py {arguments[0]} failed:\n{words}")
    return done.stdout


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


def address(listener: socket.socket) -> str:
    """What it listens at, as a URL without a slash at the end."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def answers(url: str) -> bool:
    """Whether a server there says that it is ready."""
    try:
        return httpx.get(f"{url}/readyz", timeout=2).is_success
    except httpx.HTTPError:
        return False
