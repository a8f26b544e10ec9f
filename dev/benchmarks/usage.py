"""What a request costs besides time: processor seconds, memory, statements."""

from __future__ import annotations

import psutil
import psycopg

from dev.embedded.stack import Stack

# Only statements of the services' role count, and none of the load generators'.
CALLS = """
SELECT COALESCE(sum(calls), 0)
  FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
 WHERE rolname = 'reelmint_app'
"""


def cpu_seconds(stack: Stack, name: str) -> float:
    """Processor time, user and system, that a program's processes have used until now."""
    times = [process.cpu_times() for process in family(stack, name)]
    return float(sum(used.user + used.system for used in times))


def cpu_with_ended(stack: Stack, name: str) -> float:
    """The same with what the program started and outlived, such as PostgreSQL's ended sessions."""
    times = [process.cpu_times() for process in family(stack, name)]
    ended = times[0].children_user + times[0].children_system
    return float(ended + sum(used.user + used.system for used in times))


def memory(stack: Stack) -> dict[str, float]:
    """MB of RSS of each program and of the largest process that it forked."""
    found = {}
    for name in stack.processes.children:
        first, *forked = [process.memory_info().rss / 1e6 for process in family(stack, name)]
        found[name] = round(first, 1)
        if forked:
            found[f"{name} (forked)"] = round(max(forked), 1)
    return found


def worker_rss_mb(memory_by_process: dict[str, float], stages: tuple[str, ...]) -> float:
    """The largest process that does a stage's work."""
    return max(memory_by_process[f"{stage} (forked)"] for stage in stages)


def forget_statements(connection: psycopg.Connection) -> None:
    """Count from here; needs the superuser."""
    connection.execute("SELECT pg_stat_statements_reset()")


def statements(connection: psycopg.Connection) -> int:
    """Statements of the services since then, BEGIN and COMMIT included: each is a round trip."""
    row = connection.execute(CALLS).fetchone()
    return int(row[0]) if row else 0


def family(stack: Stack, name: str) -> list[psutil.Process]:
    """A program and everything that it started."""
    parent = psutil.Process(stack.processes.children[name].pid)
    return [parent, *parent.children(recursive=True)]
