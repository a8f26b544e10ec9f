"""What a line of the log looks like, and that nothing gets into one by the way."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.contextvars import bound_contextvars

from accounts import secrets
from common.telemetry import request_id
from common.telemetry.log_lines import FIELDS, line_formatter
from config.logs import logging_config
from tests.support.log_reader import lines_of

ROOT = Path(__file__).resolve().parent.parent.parent.parent
logger = logging.getLogger("a.b")


def test_a_line_is_one_json_object_whatever_is_in_it() -> None:
    token = request_id.current.set("request-1")
    with lines_of("a.b") as lines, bound_contextvars(generation_id="g"):
        logger.warning("two\nlines of %s", "ü", extra={"status": 200, "route": None})
    request_id.current.reset(token)
    (line,) = lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "logger": "a.b",
        "event": "two\nlines of ü",
        "request_id": "request-1",
        "generation_id": "g",
        "status": 200,
        "route": None,
    }


def test_fields_that_nobody_documented_are_left_out() -> None:
    """Django adds the request itself to some records."""
    with lines_of("a.b") as lines:
        logger.info("x", extra={"request": "GET /?q=hush", "prompt": "hush", "method": "GET"})
    assert set(lines[0]) == {"time", "level", "logger", "event", "method"}
    documented = re.findall(r"^\| `(\w+)`", (ROOT / "docs/logs.md").read_text(), re.MULTILINE)
    always = {"time", "level", "logger", "event", "exception", "trace_id", "span_id"}
    assert set(documented) == set(FIELDS) | always


@pytest.mark.parametrize("style", ["json", "console"])
def test_every_value_is_redacted_and_the_json_stays_whole(style: str) -> None:
    secret = secrets.generate(secrets.KEY_PREFIX)
    said = {"method": f"X-{secret}", "route": "Authorization: hush", "reason": ["password=hush"]}
    record = logging.makeLogRecord({"msg": f"GET /?signature={secret}", "name": "a", **said})
    text = line_formatter(style).format(record)
    assert "hush" not in text
    assert secret not in text
    if style == "json":
        line = json.loads(text)
        assert line["event"] == "GET /?…"
        assert line["route"] == "Authorization:…"
        assert set(list(line)[-3:]) == set(said)


def test_a_bad_format_is_refused_with_the_others() -> None:
    environment = os.environ | {"LOG_FORMAT": "xml", "LOG_LEVEL": "LOUD"}
    argv = [sys.executable, "manage.py", "check"]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "LOG_FORMAT: 'xml' is not one of json, console" in done.stderr
    assert "LOG_LEVEL: 'LOUD'" in done.stderr


def test_gunicorn_writes_the_same_lines_before_it_has_loaded_anything(tmp_path: Path) -> None:
    """With preload_app it loads the application before it writes any line.

    One worker: of several that fail at once, the second one changes the exit code.
    """
    settings = tmp_path / "gunicorn.conf.py"
    settings.write_text(
        (ROOT / "gunicorn.conf.py").read_text() + "\npreload_app = False\nworkers = 1\n"
    )
    environment = os.environ | {"LOG_LEVEL": "INFO"}
    argv = [sys.executable, "-m", "gunicorn", "no.such:application", "--bind", "127.0.0.1:0"]
    argv += ["--config", str(settings)]
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 3  # the worker failed to boot
    # gunicorn prints its last words besides
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert any(line["event"].startswith("Starting gunicorn") for line in lines)
    assert any("No module named 'no'" in line.get("exception", "") for line in lines)


def test_both_formats_have_the_same_loggers() -> None:
    found = [logging_config("INFO", style)["loggers"] for style in ("json", "console")]
    assert found[0] == found[1]
