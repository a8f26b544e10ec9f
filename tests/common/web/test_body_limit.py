"""Bodies over 1 MiB: refused before the application, and the client sees the answer."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from wsgiref.util import is_hop_by_hop

import httpx
import pytest

from accounts.models import User
from common.web.body_limit import BodyLimit

MIB = 1024 * 1024
PATH = "/api/register/"
JSON = {"Content-Type": "application/json"}


def body_of(size: int) -> bytes:
    start, end = b'{"username": "', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
def test_too_large_with_a_content_length(api, size):
    answer = api().post(PATH, content=body_of(size), headers=JSON | {"X-Request-ID": "my-id-12345"})
    assert answer.status_code == 413
    shown = answer.json()
    assert (shown["success"], shown["code"]) == (False, "request_too_large")
    assert shown["error"]
    assert shown["request_id"] == answer.headers["X-Request-ID"] == "my-id-12345"
    assert not User.objects.exists()


def test_exactly_1_mib_is_read(api):
    answer = api().post(PATH, content=body_of(MIB), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Username must be at most 150 characters"


@pytest.mark.parametrize(
    "parameters", ["x*=bogus''%ff", "x*=idna''%ff", "x*=a; x*0=b", "x*" + "9" * 5000 + "=a"]
)
def test_a_content_type_that_nobody_can_parse(api, parameters):
    unreadable = {"Content-Type": f"application/json; {parameters}"}
    for method in ("GET", "POST"):
        answer = api().request(method, PATH, content=b"{}", headers=unreadable)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
        assert answer.json()["error"] == "The header Content-Type is invalid"
    readable = {"Content-Type": "application/json; x*=utf-8''a"}
    assert "username" in api().post(PATH, content=b"{}", headers=readable).json()["details"]


class Application:
    """Reads what it is given, as Django does."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    def __call__(self, environ, start_response):
        length = environ.get("CONTENT_LENGTH", "")
        self.read.append(environ["wsgi.input"].read(int(length) if length.isdigit() else 0))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"read"]


def ask(stream: io.BufferedIOBase, **environ: str) -> tuple[httpx.Response, Application]:
    """One request to a BodyLimit of 10 bytes, in the way of a server that decodes chunks."""
    application = Application()
    seen = []

    def start_response(status, headers, exc_info=None):
        seen.append((int(status.split()[0]), headers))

    content = b"".join(
        BodyLimit(application, 10)(
            {"REQUEST_METHOD": "POST", "wsgi.input": stream, **environ}, start_response
        )
    )
    status, headers = seen[0]
    return httpx.Response(status, headers=headers, content=content), application


def test_chunked_within_the_limit():
    answer, application = ask(io.BytesIO(b"0123456789"), HTTP_TRANSFER_ENCODING="Chunked")
    assert answer.status_code == 200
    assert application.read == [b"0123456789"]


def test_chunked_over_the_limit_is_swallowed_and_refused():
    stream = io.BytesIO(b"x" * 300_000)
    answer, application = ask(stream, HTTP_TRANSFER_ENCODING="chunked")
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"
    # PEP 3333 forbids an application the headers of the connection; wsgiref asserts it
    assert not any(is_hop_by_hop(name) for name in answer.headers)
    assert not application.read
    assert stream.tell() == 300_000


def test_chunked_beside_a_content_length_counts_as_chunked():
    answer, _ = ask(io.BytesIO(b"x" * 11), HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="2")
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["", "0", "nonsense", "-5"])
def test_no_sane_length_is_no_body(length):
    answer, application = ask(io.BytesIO(b"x" * 50), CONTENT_LENGTH=length)
    assert answer.status_code == 200
    assert application.read == [b""]


class Gone(io.BufferedIOBase):
    """A client that hangs up while it sends."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise ConnectionResetError


def test_a_client_that_went_away():
    answer, application = ask(Gone(), CONTENT_LENGTH="5000")
    assert answer.status_code == 413
    assert not application.read


def test_the_client_sees_the_answer_after_sending_it_all(api):
    def blocks() -> Iterator[bytes]:
        yield from [b"x" * 65536] * 64

    headers = JSON | {"Content-Length": str(64 * 65536)}
    answer = api().post(PATH, content=blocks(), headers=headers)
    assert answer.status_code == 413
    assert json.loads(answer.text)["code"] == "request_too_large"


@pytest.mark.parametrize(("path", "most"), [("/admin/login/", 20), ("/api/login/", 30)])
def test_a_path_may_have_a_limit_of_its_own(path, most):
    for size, chunked in itertools.product((most, most + 1), (False, True)):
        application = Application()
        environ = {"PATH_INFO": path, "wsgi.input": io.BytesIO(b"x" * size)}
        environ |= (
            {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": str(size)}
        )
        statuses: list[str] = []
        limited = BodyLimit(application, 30, less={"/admin": 20})
        list(limited(environ, lambda status, *_, seen=statuses: seen.append(status)))
        assert bool(application.read) == (size == most)
        assert (statuses[0][:3] == "413") == (size > most)
