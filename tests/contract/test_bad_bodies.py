"""Bodies, headers and queries that nobody should send: always a 4xx that says which."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from generation.models import Generation
from tests.contract.answers import error
from tests.support.people import Person

Api = Callable[..., httpx.Client]
CREATES = ("/api/v1/generate/video/", "/api/v1/generate/")

MARKED = "The body begins with a byte order mark (BOM), send JSON in UTF-8 without one"
NOT_JSON = "The body is not valid JSON"
NOT_OBJECT = "The body must be a JSON object"
NUL = "The JSON contains a NUL character"
SURROGATE = "The JSON contains a lone surrogate"
NESTED = "The JSON is nested too deeply"

BODIES: list[tuple[bytes, str]] = [
    (b"", "Prompt is required"),
    (b"{}", "Prompt is required"),
    (b" ", NOT_JSON),
    (b"{", NOT_JSON),
    (b"prompt=p", NOT_JSON),
    (b'{"prompt": "p"} x', NOT_JSON),
    (b'{"prompt": "p",}', NOT_JSON),
    (b"{'prompt': 'p'}", NOT_JSON),
    (b'{"prompt": "a\nb"}', NOT_JSON),
    (b'{"prompt": "p", "x": NaN}', NOT_JSON),
    (b'{"prompt": "p", "x": -Infinity}', NOT_JSON),
    (b'{"prompt": "p", "x": ' + b"9" * 5000 + b"}", NOT_JSON),
    (b'\xef\xbb\xbf{"prompt": "p"}', MARKED),
    (b"[]", NOT_OBJECT),
    (b"null", NOT_OBJECT),
    (b'"prompt"', NOT_OBJECT),
    (b"7", NOT_OBJECT),
    (b'[{"prompt": "p"}]', NOT_OBJECT),
    (b'{"prompt": "caf\xe9"}', "The body is not valid UTF-8"),
    (b'{"prompt": "\xed\xa0\x80"}', "The body is not valid UTF-8"),
    ('{"prompt": "p"}'.encode("utf-16"), MARKED),
    (b'{"prompt": "a\\u0000b"}', NUL),
    (b'{"prompt": "p", "seed\\u0000": 1}', NUL),
    (b'{"prompt": "p", "x": [{"y": "\\u0000"}]}', NUL),
    (b'{"prompt": "\\ud800"}', SURROGATE),
    (b'{"prompt": "p", "\\udfff": 1}', SURROGATE),
    (b'{"prompt": "p", "x": ' + b"[" * 40 + b"]" * 40 + b"}", NESTED),
    (b'{"prompt": "p", "x": ' + b"[" * 200_000, NESTED),
    (b'{"prompt": 7}', "Prompt must be a string"),
    (b'{"prompt": true}', "Prompt must be a string"),
    (b'{"prompt": {"text": "p"}}', "Prompt must be a string"),
]


@pytest.mark.parametrize("path", CREATES)
def test_bodies(path: str, api: Api, alice: Person) -> None:
    client = api(alice.key, **{"Content-Type": "application/json"})
    for content, message in BODIES:
        body = error(client.post(path, content=content), 400, "invalid_request")
        assert body["error"] == message, content[:80]
    assert alice.balance == 1000
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b'{"prompt": "p", "x": 1e999}',
        b'{"prompt": "p", "x": 1e-999, "y": -0}',
        b'{"prompt": "p", "x": ' + b"9" * 4000 + b"}",
        b'{"prompt": "\\ud83e\\udd8a"}',
        b'{"prompt": "p", "prompt": "q"}',
        b'{"prompt": "p", "x": ' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"prompt": "p", "__proto__": {}, "": null}',
        '{"prompt": "\u202efox\u0301 \'a\'; DROP TABLE--"}'.encode(),
    ],
)
def test_strange_but_good_ones(content: bytes, api: Api, alice: Person) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": "k"}
    client = api(alice.key, **headers)
    first = client.post(CREATES[0], content=content)
    assert first.status_code == 201, first.text
    assert client.post(CREATES[0], content=content).json() == first.json()
    assert alice.balance == 760


def test_a_thousand_characters_are_counted_as_people_count_them(api: Api, alice: Person) -> None:
    client = api(alice.key)
    assert client.post(CREATES[1], json={"prompt": "\U0001f98a" * 1000}).status_code == 201
    assert client.post(CREATES[1], json={"prompt": "\U0001f98a" * 1001}).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/generate/history/", "/api/v1/credits/transactions/"])
@pytest.mark.parametrize(
    "query",
    ["limit=%00", "limit=%ff", "offset=%F0%9F", "cursor=%00", "cursor=%ff%fe", "limit=1&limit=x"],
)
def test_queries(path: str, query: str, api: Api, alice: Person) -> None:
    error(api(alice.key).get(f"{path}?{query}"), 400, "invalid_request")


def test_headers(api: Api, alice: Person) -> None:
    client = api(alice.key)
    for name, value in (
        ("If-None-Match", '"' * 5000),
        ("If-None-Match", "\xff"),
        ("Range", "bytes=" + "9" * 3000 + "-"),
        ("Accept", "*/*;q=nonsense"),
        ("Accept-Language", "\xff"),
        ("X-Request-ID", "\xff" * 50),
        ("Cookie", "sessionid=\xff"),
        ("Content-Length", "0"),
    ):
        headers = [(name.encode(), value.encode("latin-1"))]
        answer = client.get("/api/v1/generate/history/", headers=headers)
        assert answer.status_code < 500, name
