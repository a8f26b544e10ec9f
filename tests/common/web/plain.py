"""A WSGI application without Django, for what the server does before and after one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from common.web.body_limit import BodyLimit
from common.web.connection import AHEAD
from common.web.refusals import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BLOCK = b"x" * 65536
WHOLE = b"x" * (AHEAD - 4096)  # with its head it is no more than a view may write ahead
TOLD = ("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "REMOTE_ADDR", "wsgi.url_scheme")


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A file, an answer that never ends, one that breaks off, or what the request said."""
    path = environ["PATH_INFO"]
    if path == "/file":
        file = Path(os.environ["PLAIN_FILE"])
        start_response("200 OK", [("Content-Length", str(file.stat().st_size))])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file.open("rb"), len(BLOCK))
        return wrapped
    if path == "/broken":
        raise RuntimeError("the database's password is hunter2")
    if path == "/whole":
        start_response("200 OK", [("Content-Length", str(len(WHOLE)))])
        return [WHOLE]
    if path in ("/endless", "/half"):
        start_response("200 OK", [])
        return endless() if path == "/endless" else half()
    if path == "/process":
        start_response("200 OK", [])
        return [str(os.getpid()).encode()]
    told = {name: environ[name] for name in TOLD}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    content = json.dumps(told | {"body": body.decode()}).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


def endless() -> Iterator[bytes]:
    """64 kB for ever."""
    while True:
        yield BLOCK


def half() -> Iterator[bytes]:
    """It was to be more."""
    yield b"half"
    raise RuntimeError("the other half")


application = BodyLimit(answer, MAX_BODY)
