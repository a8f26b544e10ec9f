"""Seeking in a video: RFC 9110, sections 13.1.5, 14 and 15.5.17."""

from __future__ import annotations

import io
from pathlib import Path
from wsgiref.util import FileWrapper

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from common.api.ranges import ranged_file_response

DATA = bytes(range(256)) * 1000
SIZE = len(DATA)
ETAG = '"abc"'


def ask(method: str = "GET", data: bytes = DATA, **headers: str) -> HttpResponseBase:
    request = RequestFactory().generic(method, "/", headers=headers)
    return ranged_file_response(request, io.BytesIO(data), len(data), "video/mp4", etag="abc")


def body(response: HttpResponseBase) -> bytes:
    data = b"".join(response)
    response.close()
    return data


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=5-9", 5, 10),
        ("bytes=100-100000", 100, 100_001),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=10-{SIZE}", 10, SIZE),
        ("bytes=10-" + "9" * 30, 10, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-70000", SIZE - 70_000, SIZE),
        (f"bytes=-{SIZE + 1}", 0, SIZE),
        ("BYTES= 1-2 ", 1, 3),
    ],
)
def test_one_range(header, start, stop):
    response = ask(Range=header)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response["Content-Length"] == str(stop - start)
    assert response["Content-Type"] == "video/mp4"
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == ETAG
    assert body(response) == DATA[start:stop]


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=-0"])
def test_a_range_outside_of_the_file(header):
    response = ask(Range=header)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response["Accept-Ranges"] == "bytes"
    assert body(response) == b""


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_file_has_no_ranges(header):
    assert ask(data=b"", Range=header).status_code == 416
    assert ask(data=b"").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=a-b",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=١-٢",
        "bytes=0-1,5-6",
        "bytes=0-1,",
        "items=0-1",
        "bytes=" + "9" * 8000 + "-",
    ],
)
def test_what_is_malformed_or_several_gets_the_whole_file(header):
    response = ask(Range=header)
    assert response.status_code == 200
    assert "Content-Range" not in response
    assert response["Content-Length"] == str(SIZE)
    assert body(response) == DATA


@pytest.mark.parametrize(
    ("validator", "status"),
    [
        (ETAG, 206),
        ('"other"', 200),
        ('W/"abc"', 200),
        ("abc", 200),
        ("Sat, 21 Nov 2026 10:00:00 GMT", 200),
        ("", 200),
    ],
)
def test_if_range_asks_for_the_same_file(validator, status):
    assert ask(**{"Range": "bytes=0-1", "If-Range": validator}).status_code == status


def test_a_file_without_an_etag_cannot_be_continued():
    request = RequestFactory().get("/", headers={"Range": "bytes=0-1", "If-Range": ETAG})
    response = ranged_file_response(request, io.BytesIO(DATA), SIZE, "video/mp4")
    assert response.status_code == 200
    assert "ETag" not in response


@pytest.mark.parametrize("header", [{}, {"Range": "bytes=0-1"}, {"Range": f"bytes={SIZE}-"}])
def test_head_is_the_whole_files_headers_without_it(header):
    response = ask("HEAD", **header)
    assert response.status_code == 200
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert body(response) == b""


def test_nothing_is_sniffed_and_the_name_is_ours():
    request = RequestFactory().get("/")

    def disposition(**options) -> str | None:
        response = ranged_file_response(request, io.BytesIO(DATA), SIZE, "video/mp4", **options)
        assert response["X-Content-Type-Options"] == "nosniff"
        return response.headers.get("Content-Disposition")

    assert disposition() is None
    assert disposition(filename="a.mp4") == 'inline; filename="a.mp4"'
    assert disposition(filename="a.mp4", inline=False) == 'attachment; filename="a.mp4"'
    assert disposition(filename='ä".mp4') == "inline; filename*=utf-8''%C3%A4%22.mp4"
    assert disposition(inline=False) == "attachment"


def test_the_storages_own_file_name_is_not_told(tmp_path):
    path: Path = tmp_path / "internal-name.mp4"
    path.write_bytes(DATA)
    response = ranged_file_response(RequestFactory().get("/"), path.open("rb"), SIZE, "video/mp4")
    assert "Content-Disposition" not in response
    response.close()


@pytest.mark.parametrize("header", ["", "bytes=1-2", f"bytes={SIZE}-"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_file_is_closed_whatever_is_answered(method, header):
    file = io.BytesIO(DATA)
    request = RequestFactory().generic(method, "/", headers={"Range": header})
    ranged_file_response(request, file, SIZE, "video/mp4").close()
    assert file.closed


@pytest.mark.parametrize("header", ["", "bytes=5-300000"])
def test_a_server_with_a_file_wrapper_gets_the_file(header):
    request = RequestFactory().get("/", headers={"Range": header})
    response = ranged_file_response(request, io.BytesIO(DATA), SIZE, "video/mp4")

    class Handler(WSGIHandler):
        def get_response(self, request):
            return response

    environ = request.environ | {"wsgi.file_wrapper": FileWrapper}
    wrapped = Handler()(environ, lambda *_: print)
    assert isinstance(wrapped, FileWrapper)
    assert wrapped.blksize == 64 * 1024
    blocks = list(wrapped)
    assert max(map(len, blocks)) == 64 * 1024
    assert b"".join(blocks) == (DATA[5:] if header else DATA)
    wrapped.close()


@given(st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True), st.binary(max_size=300))
def test_any_range_of_any_file_is_that_part_of_it(header, data):
    response = ask(data=data, Range=header)
    received = body(response)
    if response.status_code == 206:
        span, total = response["Content-Range"].removeprefix("bytes ").split("/")
        start, last = map(int, span.split("-"))
        assert received == data[start : last + 1] != b""
        assert int(total) == len(data)
    elif response.status_code == 200:
        assert received == data
    else:
        assert response.status_code == 416
