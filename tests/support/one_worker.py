"""Keeps the tests of one stack in one xdist process; loaded with ``-p tests.support.one_worker``.

xdist's own ``--dist loadgroup`` does nothing under pytest 9.2: it writes the group into an
attribute that pytest does not read any more. A conftest of this folder would come too late.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Each has a stack or an emulator of its own, which takes a second or more of CPU to start.
FOLDERS = ("tests/e2e/", "tests/generation/backends/", "tests/dev/emulator/")


class OneStack(LoadScopeScheduling):  # type: ignore[misc]  # Any, therefore
    """Every test is on its own, but those of each of these folders go together."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in FOLDERS if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack:
    return OneStack(config, log)
