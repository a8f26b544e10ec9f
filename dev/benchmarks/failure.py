"""Why a benchmark ends without a figure."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """The measurement went wrong, so its figure would be worth nothing."""


class NothingAnswered(BenchmarkFailed):
    """No request was answered in time, as may happen on a busy machine."""
