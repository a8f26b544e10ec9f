"""What our loggers write as JSON, read again."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from common.telemetry.log_lines import line_formatter

Lines = list[dict[str, Any]]


@contextmanager
def lines_of(*names: str, level: int = logging.INFO) -> Iterator[Lines]:
    """The list is filled when the block ends, with what these loggers wrote meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(line_formatter("json"))
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
    lines: Lines = []
    try:
        yield lines
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(old)
        lines += [json.loads(line) for line in stream.getvalue().splitlines()]
