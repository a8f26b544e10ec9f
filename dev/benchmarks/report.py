"""The figures of the last line, taken from the rounds."""

from __future__ import annotations

from typing import Any

from dev.benchmarks.figures import Rounds

# What a run tells in its last line, whatever part of it was run; None = not measured this time.
FIGURES = (
    *("create_vs_textbook", "create_vs_pgbench", "create_per_s", "create_cpu_ms"),
    *("create_statements", "create_p99_ms_at_half", "hot_wallet_per_s", "hot_wallet_vs_spread"),
    *("status_vs_floor", "status_completed_vs_floor", "not_modified_vs_floor", "status_per_s"),
    *("status_cpu_ms", "status_statements", "history_per_s", "history_cpu_ms"),
    *("history_statements", "first_201_s", "worker_rss_mb", "rss_mb", "in_flight_polls_per_s"),
    *("history_10m_vs_10k", "pipeline_vs_textbook", "pipeline_per_s", "pipeline_cpu_ms"),
)


def create_figures(rounds: Rounds) -> dict[str, Any]:
    return {
        "create_vs_textbook": rounds.ratio("create", "create, textbook"),
        "create_vs_pgbench": rounds.ratio("create", "create, pgbench"),
        "create_per_s": rounds.median("create"),
        "create_cpu_ms": rounds.median("create", "cpu_ms"),
        "create_statements": rounds.median("create", "statements"),
        "create_p99_ms_at_half": rounds.median("create, open loop at half", "p99_ms"),
        "hot_wallet_per_s": rounds.median("create, one wallet"),
        "hot_wallet_vs_spread": rounds.ratio("create, one wallet", "create"),
    }


def status_figures(rounds: Rounds) -> dict[str, Any]:
    """Of the status; ``not_modified_vs_floor`` is that of a completed one."""
    floor, processing = "empty DRF view", "status, processing"
    return {
        "status_vs_floor": rounds.ratio(processing, floor),
        "status_completed_vs_floor": rounds.ratio("status, completed", floor),
        "not_modified_vs_floor": rounds.ratio("status, completed, not modified", floor),
        "status_per_s": rounds.median(processing),
        "status_cpu_ms": rounds.median(processing, "cpu_ms"),
        "status_statements": rounds.median(processing, "statements"),
    }


def history_figures(rounds: Rounds) -> dict[str, Any]:
    """Of a page of the history."""
    name = "history, first page"
    return {
        "history_per_s": rounds.median(name),
        "history_cpu_ms": rounds.median(name, "cpu_ms"),
        "history_statements": rounds.median(name, "statements"),
    }
