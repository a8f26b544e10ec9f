"""Why a benchmark ends without a figure."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """What was measured was not what should be measured; a figure would be worth nothing."""


class NothingAnswered(BenchmarkFailed):
    """Not one request was answered in the time; a machine that others use may be that slow."""
