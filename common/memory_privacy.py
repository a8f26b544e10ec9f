"""Keeps the memory and the environment of this process from other programs of the same user.

Secrets lie in both, and Linux lets all processes of a user read them, unless a process says that
it is not to be dumped. The price: no core files, and a debugger or profiler (py-spy) needs root, or
``ALLOW_DEBUGGERS=1``.
"""

from __future__ import annotations

import ctypes
import os
import sys

VARIABLE = "ALLOW_DEBUGGERS"
_PR_SET_DUMPABLE = 4  # linux/prctl.h; forked processes inherit it, a new program begins anew


def keep_to_ourselves() -> None:
    """For the web, workers and beat, before they fork. Does nothing outside of Linux."""
    if sys.platform == "linux" and os.environ.get(VARIABLE, "").strip() not in ("1", "true"):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
