"""How many connections a process has room for, and which ones make room."""

from __future__ import annotations

import heapq
import resource
from collections import Counter
from collections.abc import Collection

from common.web.connection import Connection, State

FREE = 8  # places that are kept for new connections
MADE_AT_ONCE = 64  # places that are made when fewer are free
MOST = 4096  # descriptors; more than gunicorn's worker_connections ever need
OTHERS = 200  # descriptors of files, databases and threads


def who_goes(connections: Collection[Connection]) -> list[Connection]:
    """Waiting connections to close: of the most crowded network first, by state and age."""
    crowds = Counter(connection.network for connection in connections)

    def rank(connection: Connection) -> tuple[int, int, float]:
        return -crowds[connection.network], connection.state, connection.since

    waiting = [each for each in connections if each.state is not State.WORKING]
    return heapq.nsmallest(MADE_AT_ONCE, waiting, rank)


def descriptors(most: int = MOST) -> int:
    """How many files connections may have open; each takes two while it is sent a file.

    The limit of the process is raised to ``most`` where the system lets it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed - OTHERS
