"""How a log record becomes a line: JSON for machines, columns for people, redacted in both.

The fields are those of docs/logs.md and no others, so that nobody puts a prompt into a log by the
way: what else a library adds to its records is left out.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

from structlog.contextvars import merge_contextvars
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from common.telemetry import request_id, tracing
from common.telemetry.redaction import is_suspect, redact, traceback_text
from common.times import with_z

# What a caller may add with ``extra=``, or bind for a while with structlog's bound_contextvars().
FIELDS = (
    *("method", "route", "status", "duration_ms", "request_id", "account_id"),
    *("generation_id", "payment_id", "delivery_id", "mail_id"),
    *("stage", "state", "was", "version", "attempt", "reason", "wait_s"),
)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def line_formatter(style: str) -> ProcessorFormatter:
    """A formatter of the standard library; ``style`` is ``json`` or ``console``."""
    return ProcessorFormatter(
        foreign_pre_chain=[merge_contextvars, ExtraAdder(FIELDS)],
        processors=[_fields, _console() if style == "console" else _json],
    )


def _fields(_: Any, __: str, event: EventDict) -> EventDict:
    """The fields that every line has, in their order, then its own."""
    record = event.pop("_record")
    del event["_from_structlog"]
    moment = datetime.fromtimestamp(record.created, UTC)
    line: dict[str, Any] = {
        "time": with_z(moment, "milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "event": event.pop("event"),
    }
    if identifier := request_id.current.get():
        line["request_id"] = identifier
    line |= tracing.ids()
    error = (event.pop("exc_info", None) or (None, None))[1]
    event.pop("stack_info", None)
    line |= event
    if error is not None:
        line["exception"] = traceback_text(error)
    return line


def _json(_: Any, __: str, line: EventDict) -> str:
    """One line of JSON. Values are redacted one by one: a rule may cut to the end of its text."""
    text = _encode(line)
    return _encode(_cleaned(line)) if is_suspect(text) else text


def _console() -> Processor:
    """Columns, in colour on a terminal; a traceback follows on lines of its own."""
    render = ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=plain_traceback,
        sort_keys=False,
        timestamp_key="time",
        pad_event_to=0,
    )

    def console(logger: Any, name: str, line: EventDict) -> str:
        line = _cleaned(line)
        line["level"] = line["level"].lower()  # its colours are named so
        return render(logger, name, line)

    return console


def _cleaned(line: EventDict) -> EventDict:
    """Every text redacted; what is neither text nor a number is made text first."""
    return {
        name: value
        if value is None or isinstance(value, bool | int | float) or name == "exception"
        else redact(str(value))
        for name, value in line.items()
    }
