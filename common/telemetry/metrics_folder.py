"""Where the processes of one program count together: a folder of its own below ``METRICS_DIR``.

prometheus-client keeps the counts of each forked process in files there, and adds them up at a
scrape. It decides so when it is *imported*, by PROMETHEUS_MULTIPROC_DIR. Therefore a program that
forks (gunicorn, a Celery worker) calls :func:`take` before anything of ours is loaded.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_taken: list[Path] = []  # none or one; a forked process inherits it


def base() -> Path:
    """The folder of the folders."""
    fallback = Path(tempfile.gettempdir()) / f"reelmint-metrics-{os.getuid()}"
    return Path(os.environ.get("METRICS_DIR") or fallback)


def take(program: str) -> Path:
    """Give this process and those that it will fork an empty folder; repeated, it is the same.

    Counts of an earlier life are wiped, and so are folders of programs that are dead. Raises
    RuntimeError when prometheus-client was imported before (it would count for one process only),
    or when somebody else made the folder of that name in the temporary one.
    """
    if _taken:  # gunicorn reads its configuration again on SIGHUP, Celery prepares each process
        return _taken[0]
    folder = base() / f"{program}-{os.getpid()}"
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported too early to count over processes")
    base().mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.environ.get("METRICS_DIR") and base().stat().st_uid != os.getuid():
        raise RuntimeError(f"{base()} belongs to somebody else; set METRICS_DIR")
    for left in base().glob("*-*"):
        if not _is_alive(left):
            shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ[VARIABLE] = str(folder)
    _taken.append(folder)
    return folder


def is_own() -> bool:
    """Whether this very process took the folder, and did not inherit it."""
    return os.environ.get(VARIABLE, "").endswith(f"-{os.getpid()}")


def _is_alive(folder: Path) -> bool:
    number = folder.name.rpartition("-")[2]
    if not number.isdigit():
        return True  # not one of ours
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
