"""Keeps the tests of one stack in one xdist process; loaded with ``-p tests.e2e.one_worker``.

xdist's own ``--dist loadgroup`` does nothing under pytest 9.2: it writes the group into an
attribute that pytest does not read any more. A conftest of this folder would come too late.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

FOLDER = "tests/e2e/"


class OneStack(LoadScopeScheduling):  # type: ignore[misc]  # Any, therefore
    """Every test is on its own, but those of this folder go together, and first."""

    def _split_scope(self, nodeid: str) -> str:
        return FOLDER if nodeid.startswith(FOLDER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack:
    return OneStack(config, log)
