"""What a log line keeps and what it loses; tests/system/faults/test_leaks.py looks at real logs."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import IntegrityError, connection
from hypothesis import given
from hypothesis import strategies as st
from structlog.stdlib import ProcessorFormatter

from accounts import secrets
from common.telemetry import redaction
from common.telemetry.log_lines import line_formatter
from common.telemetry.redaction import MAX_SENTENCE, MAX_TEXT, cut_text, is_suspect, redact

PROMPT = "a kite over the sea"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("GET /media/a.mp4?expires=1&signature=abc HTTP/1.1", "GET /media/a.mp4?… HTTP/1.1"),
        ("https://me:hush@images.example/a.png#x", "https://…@images.example/a.png#x"),
        ("redis://:hush@redis:6379/0 is away", "redis://…@redis:6379/0 is away"),
        ("Is it away? Yes", "Is it away? Yes"),
        ("neither rk_live_51Hush nor whsec_Hu+sh", "neither rk_live_… nor whsec_…"),
        ("GET /api/v1/webhook-endpoints/whsec_/+Hu/sh=", "GET /api/v1/webhook-endpoints/whsec_…"),
        ("GET /x/whsec_Hu%2Fsh%3D HTTP/1.1", "GET /x/whsec_… HTTP/1.1"),
        ('{"username": "bob", "password": "hush hush"}', '{"username": "bob", "password":…'),
        ("Authorization: Basic aHVzaA==", "Authorization:…"),
        ("Forbidden: /reset/1-a/cz-4f/", "Forbidden: /reset/1-a/…"),
        (
            "https://a.example/Confirm-Email/eyJ1:1v:hu-sh, said",
            "https://a.example/Confirm-Email/… said",
        ),
        ("/reset/ and /confirm-email/ are pages", "/reset/ and /confirm-email/ are pages"),
        ("(b'Authorization', b'Bearer hush')", "(b'Authorization',…"),
        ("sent 'Bearer ya29.hush', got 401", "sent 'Bearer …', got 401"),
        ("assertion of eyJhbGciOiJSUzI1NiJ9.eyJpc3Mi.sig_nature-", "assertion of eyJ…"),
        (
            "Invalid request from ip=::1: Invalid HTTP Header: 'X hush'\nhush",
            "Invalid request from ip=::1: Invalid HTTP Header…",
        ),
        (f"no\nDETAIL:  Failing row contains (1, {PROMPT}).\nmore", "no …"),
        (f"UndefinedColumn('no\\nLINE 1: INSERT {PROMPT}')", "UndefinedColumn('no …"),
    ],
)
def test_what_is_kept(said: str, kept: str) -> None:
    assert redact(said) == kept
    assert redact(kept) == kept


def slowly(text: str) -> str:
    for pattern, instead in redaction._RULES:
        text = pattern.sub(instead, text)
    return text


WORDS = (
    *("rmk_0123456789", "Authorization", "cookie", "ſecret", "PASSWORD", "csrftoken", "bearer"),
    *(
        "?",
        "//",
        "@",
        ":",
        "=",
        " ",
        "\n",
        "\\n",
        "DETAIL",
        "LINE 1",
        "QUERY",
        "eyJhbGciOiJ.a.b",
        "x",
        "/reset/",
        "/confirm-email/",
    ),
    "Invalid request from ip=1: ",
)


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_the_quick_look_overlooks_nothing(words: list[str]) -> None:
    text = "".join(words)
    assert redact(text) == slowly(text)
    assert is_suspect(text) or slowly(text) == text


def test_a_note_for_operators_is_redacted_and_short() -> None:
    said = "IntegrityError: new row\nDETAIL:  Failing row contains (" + PROMPT
    assert cut_text(said) == "IntegrityError: new row …"
    assert cut_text("x" * 10_000) == "x" * 500
    assert cut_text("") == ""


@pytest.mark.parametrize("prefix", [secrets.KEY_PREFIX, secrets.TOKEN_PREFIX])
def test_our_secrets(prefix: str) -> None:
    secret = secrets.generate(prefix)
    assert redact(f"Not Found: /api/{secret}/") == f"Not Found: /api/{prefix}…/"


def logged(fail: Callable[[], object]) -> str:
    """The line that ``logger.exception`` writes of what ``fail`` raises."""
    try:
        fail()
    except Exception:  # noqa: BLE001 - whatever it raises is to be formatted
        record = logging.LogRecord("x", 40, "", 1, "it failed", None, sys.exc_info())
        # another handler was there first; the standard library would take the text from it
        logging.Formatter().format(record)
    text: str = json.loads(line_formatter("json").format(record))["exception"]
    assert record.exc_info is not None  # what other handlers need is left as it was
    assert text in line_formatter("console").format(record)
    return text


def test_the_database_quotes_the_row_and_the_log_does_not() -> None:
    def break_a_rule() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE t (prompt text CHECK (prompt = ''))")
            cursor.execute("INSERT INTO t VALUES (%s)", [PROMPT])

    with pytest.raises(IntegrityError, match=PROMPT):
        break_a_rule()
    connection.close()
    text = logged(break_a_rule)
    assert PROMPT not in text
    assert 'violates check constraint "t_prompt_check"' in text
    assert text.index("psycopg.errors.CheckViolation:") < text.index("django.db.utils.Integrity")
    assert "in break_a_rule" in text
    connection.close()


def test_every_cause_is_told_by_its_first_line() -> None:
    def fail() -> None:
        try:
            raise ExceptionGroup("several", [ValueError(f"one\n{PROMPT}"), KeyError("two")])
        except ExceptionGroup as group:
            raise psycopg.DataError("x" * 10_000) from group

    text = logged(fail)
    assert PROMPT not in text
    assert "builtins.ValueError: one\n" in text
    assert "builtins.KeyError: 'two'\n" in text
    assert text.endswith("psycopg.DataError: " + "x" * MAX_SENTENCE)


def test_a_circle_of_causes_ends() -> None:
    def fail() -> None:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    assert logged(fail).count("ValueError: ") == 2


@pytest.mark.parametrize("name", ["", "django", "django.server", "gunicorn.access", "celery"])
def test_nothing_is_logged_in_another_way(settings, name: str) -> None:
    """Every handler that the settings leave in place redacts."""
    logger = logging.getLogger(name)
    ours = [each for each in logger.handlers if type(each) is logging.StreamHandler]
    assert len(ours) == (name == "")
    assert all(isinstance(each.formatter, ProcessorFormatter) for each in ours)
    assert logger.propagate


@pytest.mark.parametrize("role", ["reelmint_app", "reelmint_owner"])
def test_the_database_server_quotes_nothing(admin_connection, role: str) -> None:
    row = admin_connection.execute(
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole"
        " WHERE rolname = %s",
        [role],
    ).fetchone()
    assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= set(row[0])


@pytest.mark.parametrize("text", ["\n" * 100_000 + "?", "eyJaaaaaaaa-" * 10_000, "?" * 10**6])
def test_no_text_takes_the_square_of_its_length(text: str) -> None:
    began = time.thread_time()
    redact(text)
    assert time.thread_time() - began < 0.4


def test_of_a_long_text_the_end_is_left_out_and_no_half_of_a_secret_stays() -> None:
    secret = "rmk_" + "a" * 42
    text = "word " * 1998 + f"{secret} and more"
    assert len(text) > MAX_TEXT
    assert redact(text) == "word " * 1997 + "word …"
    assert redact("x" * 20_000) == "x" * 20_000, "nothing in it can be a secret"
