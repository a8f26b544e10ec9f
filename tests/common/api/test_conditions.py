"""Conditional requests: RFC 9110, section 13, and its order of precedence in 13.2.2."""

from __future__ import annotations

import io
import time

import pytest
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from common.api.headers import condition
from common.api.ranges import ranged_file_response

TAG, WEAK = '"abc"', 'W/"abc"'
DATA = b"0123456789"
LISTS = ('"x", "abc"', '"abc","x"', ' "x" ,\t"abc" ', '"x,y", "abc"', '"", "abc"')


def ask(method: str = "GET", **headers: str) -> HttpResponseBase:
    """The answer about a file; names are those of headers, with ``_`` for ``-``."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory().generic(method, "/", headers=sent)
    return ranged_file_response(request, io.BytesIO(DATA), len(DATA), "video/mp4", etag=TAG)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("known", [TAG, WEAK, "*", " * ", *LISTS, 'W/"x", W/"abc"'])
def test_who_has_it_is_not_sent_it_again(method: str, known: str) -> None:
    answer = ask(method, If_None_Match=known, Range="bytes=0-1", If_Range=TAG)
    assert (answer.status_code, answer["ETag"], b"".join(answer)) == (304, TAG, b"")
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("known", ["", '"x"', "abc", 'w/"abc"', '"abc', '"abc, x"', 'W/ "abc"'])
def test_who_has_another_one_gets_it(known: str) -> None:
    assert ask(If_None_Match=known).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("wanted", ["", '"x"', WEAK, "abc", '"x", W/"abc"', '"' * 5000])
def test_who_wants_another_one_gets_none(method: str, wanted: str) -> None:
    """If-Match compares strongly, and is looked at before all others."""
    answer = ask(method, If_Match=wanted, If_None_Match=TAG, Range="bytes=0-1")
    assert answer.status_code == 412
    assert not isinstance(answer, FileResponse)


@pytest.mark.parametrize("wanted", [TAG, "*", *LISTS])
def test_who_wants_this_one_goes_on_to_the_next_condition(wanted: str) -> None:
    assert ask(If_Match=wanted).status_code == 200
    assert ask(If_Match=wanted, If_None_Match=TAG).status_code == 304
    assert ask(If_Match=wanted, If_None_Match='"x"', Range="bytes=0-1").status_code == 206
    assert ask(If_Match=wanted, Range="bytes=0-1", If_Range='"x"').status_code == 200


def test_times_are_no_conditions() -> None:
    """We hand out no dates of changes, so these have to be ignored (13.1.3 and 13.1.4)."""
    then = "Sat, 29 Oct 1994 19:43:31 GMT"
    assert ask(If_Unmodified_Since=then, If_Modified_Since=then).status_code == 200


@pytest.mark.parametrize("piece", [",", '"', '"a",', "W/", " ", 'W/"'])
def test_a_long_header_is_read_in_one_go(piece: str) -> None:
    request = RequestFactory().get(
        "/", headers={"If-Match": piece * 100_000, "If-None-Match": piece * 100_000}
    )
    began = time.process_time()
    condition(request, TAG)
    assert time.process_time() - began < 2
