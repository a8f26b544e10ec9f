"""Bodies that are no JSON object, through HTTP and at the parser."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from common.api.json_body import MAX_DEPTH, parse_object
from common.errors import InvalidRequest

PATH = "/api/register/"
NOT_JSON = "The body is not valid JSON"
NOT_OBJECT = "The body must be a JSON object"
NUL = "The JSON contains a NUL character"
SURROGATE = "The JSON contains a lone surrogate"
# RFC 8259, section 8.1: a sender MUST NOT add one
MARK = "The body begins with a byte order mark (BOM), send JSON in UTF-8 without one"
DEEP = "The JSON is nested too deeply"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", NOT_JSON),
        (b"{'a': 1}", NOT_JSON),
        (b'{"a": 1,}', NOT_JSON),
        (b'{"a": 1} x', NOT_JSON),
        (b'{"a": NaN}', NOT_JSON),
        (b'{"a": -Infinity}', NOT_JSON),
        (b'{"a": ' + b"9" * 5000 + b"}", NOT_JSON),
        *((mark + b"{}", MARK) for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")),
        ('{"username": "a"}'.encode("utf-16"), MARK),
        ('{"username": "a"}'.encode("utf-32"), MARK),
        ("\ufeff".encode(), MARK),
        ('{"\ufeffusername": "a", \ufeff "b": 1}'.encode(), NOT_JSON),
        (b"username=a&password=b", NOT_JSON),
        (b"[]", NOT_OBJECT),
        (b"null", NOT_OBJECT),
        (b'"text"', NOT_OBJECT),
        (b"17", NOT_OBJECT),
        (b'{"username": "\xff\xfe"}', "The body is not valid UTF-8"),
        ('{"username": "ü"}'.encode("latin-1"), "The body is not valid UTF-8"),
        (rb'{"username": "a\u0000b"}', NUL),
        (rb'{"a\u0000b": 1}', NUL),
        (rb'{"deep": [{"er": ["\u0000"]}]}', NUL),
        (rb'{"username": "\ud800"}', SURROGATE),
        (rb'{"\udfff": 1}', SURROGATE),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", DEEP),
        (b"[" * 100_000 + b"]" * 100_000, DEEP),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DEEP),
    ],
)
def test_refused_and_says_why(api, body, error):
    answer = api().post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    shown = answer.json()
    assert (shown["success"], shown["code"], shown["error"]) == (False, "invalid_request", error)
    assert "details" not in shown
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "nonsense",
        "\xe4/\xf6",
    ],
)
def test_other_content_types(api, content_type):
    headers = {"Content-Type": content_type.encode("latin-1")}
    answer = api().post(PATH, content=b"{}", headers=headers)
    assert answer.status_code == 415, answer.text
    assert answer.json()["code"] == "unsupported_media_type"


def test_no_body_is_an_empty_object(api):
    answer = api().post(PATH, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Username is required")


def test_a_body_without_a_type(api):
    answer = api().post(PATH, content=b'{"username": "x"}')
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"'],
)
def test_accepted_content_types(api, content_type):
    answer = api().post(PATH, content=b"{}", headers={"Content-Type": content_type})
    assert answer.json()["error"] == "Username is required"


def test_good_text_goes_through():
    body: dict[str, object] = {
        "text": "\U0001f600 ü 李 \u2028",
        "list": [None, True, 1, 1.5, {"a": []}],
    }
    assert parse_object(json.dumps(body).encode()) == body
    assert parse_object(json.dumps(body, ensure_ascii=False).encode()) == body


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_is_an_object_or_refused(body):
    with suppress(InvalidRequest):
        assert isinstance(parse_object(body), dict)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=4))
def test_what_is_sent_is_what_arrives(value):
    assert parse_object(json.dumps(value).encode()) == value
