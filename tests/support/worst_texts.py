"""Texts that cost the most to fold, to match or to parse, and what a request may cost."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from common.web.body_limit import FORMS, LIMIT, BodyLimit

# Seconds of this thread's processor time for one request. Reading a MiB takes some 20 ms of it, now
# and then the collector some 100 ms; what takes the square of a length takes seconds.
BOUND = 0.4
FRAMES = 16  # by which the second try begins deeper in the stack, see _deeper
TOKEN = "t" * 32  # of CSRF: a cookie and a field that agree

application = BodyLimit(WSGIHandler(), LIMIT, less=FORMS)


def marks(length: int) -> str:
    """Half of the marks have to move behind the other half, one place at a time."""
    half = length // 2
    return ("a" + "\u0315" * half + "\u0300" * half)[:length]


# each makes a text of so many characters
WORST: dict[str, Callable[[int], str]] = {
    "marks": marks,
    "many from one": lambda length: "\ufdfa" * length,  # each becomes 18 characters
    "an address of marks": lambda length: ("http://" + marks(length))[:length],
    "a mail of marks": lambda length: (marks(length // 2) + "@" + marks(length))[:length],
    "blanks": lambda length: " " * (length - 1) + "a",
    "lines": lambda length: "\n" * length,
    "digits": lambda length: "9" * length,
    "dots": lambda length: "a." * (length // 2),
    "commas": lambda length: "a,;=" * (length // 4),
}
# Nearly a MiB, and just below each bound that some field has.
SIZES = (300_000, 4096, 1000, 600, 254, 150)


def texts(sizes: tuple[int, ...] = SIZES, kinds: Iterable[str] = WORST) -> list[str]:
    """Of all kinds; the marks, which cost the square of their number, in all ``sizes``."""
    return [marks(size) for size in sizes] + [
        WORST[kind](sizes[0]) for kind in kinds if kind != "marks"
    ]


def cost(
    method: str,
    path: str,
    *,
    body: Any = None,
    form: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    head: dict[str, str] | None = None,
) -> tuple[int, float]:
    """One request, answered in this thread: its status, and seconds of processor time.

    ``body`` is sent as JSON (bytes as they are), ``form`` as a browser does; ``head`` is named
    as WSGI names headers. Waits for the database are not counted, nor are other threads. What was
    slow is sent again, so it may have been done twice: the collector had its turn, or a cache was
    cold. What is slow by itself is so again.
    """
    content, kind = b"", ""
    head = dict(head or {})
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        kind = "application/json"
    elif form is not None:
        content, kind = urlencode(form | {"csrfmiddlewaretoken": TOKEN}).encode(), FORM
        head["HTTP_COOKIE"] = f"csrftoken={TOKEN}; {head.get('HTTP_COOKIE', '')}"
    made = RequestFactory().generic(method, path, content, kind, query_params=query)
    environ = made.environ | head | {"PATH_INFO": unquote_to_bytes(path).decode("latin-1")}
    status, took = _measured(environ, content)
    if took > BOUND:
        took = min(took, _deeper(FRAMES, environ, content))
    return status, took


def _deeper(frames: int, environ: dict[str, Any], content: bytes) -> float:
    """What the request costs when so many calls more are on the stack.

    CPython keeps frames in pieces of 16 KiB. It asks the system for a piece when a call does not
    fit in, and gives it back afterwards. A loop whose calls are just there costs 100 times as much:
    a page with a QR code, drawn by 20,000 calls, took 0.4 s instead of 0.05, whatever was sent.
    """
    if frames:
        return _deeper(frames - 1, environ, content)
    return _measured(environ, content)[1]


def _measured(environ: dict[str, Any], content: bytes) -> tuple[int, float]:
    statuses: list[str] = []

    def start(status: str, *_: Any) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _: None

    fresh = environ | {"wsgi.input": io.BytesIO(content)}
    began = time.thread_time()
    answer = application(fresh, start)
    list(answer)
    took = time.thread_time() - began
    if close := getattr(answer, "close", None):
        close()
    return int(statuses[0][:3]), took


FORM = "application/x-www-form-urlencoded"
