"""What the longest and worst text in any field costs, of every operation that is documented.

CPython holds its lock while it orders a run of marks or matches a pattern, so a request that costs
seconds stops all others of its process. Nothing of the kind may depend on credentials.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from common.api.json_body import MAX_VALUES
from generation.models import Generation
from tests.support.document import operations, resolved
from tests.support.people import Person, make_person
from tests.support.worst_texts import BOUND, WORST, cost, marks, texts

# of a request's first line gunicorn takes 4094 bytes
LINE = (600,)
# of one field of the head 8190 bytes; a hundred fields of one name become one text
FIELD = (4095,)
JOINED = 100
HEADERS = (
    *("AUTHORIZATION", "X_API_KEY", "X_REQUEST_ID", "ACCEPT", "ACCEPT_LANGUAGE", "IDEMPOTENCY_KEY"),
    *("IF_NONE_MATCH", "IF_MATCH", "IF_RANGE", "RANGE", "COOKIE", "HOST", "ORIGIN", "REFERER"),
    *("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "TRACEPARENT", "TRANSFER_ENCODING", "USER_AGENT"),
)
OPERATIONS = [pytest.param(*found, id=found[2]["operationId"]) for found in operations()]


@pytest.fixture(autouse=True)
def _limits_aside(settings: Any) -> None:
    for name in ("ANONYMOUS", "READS", "CREATES", "LOGINS", "REGISTRATIONS", "AUTH_FAILURES"):
        setattr(settings, f"RATE_LIMIT_{name}", 1_000_000)
    settings.NUM_PROXIES = 1


def named(path: str, value: str) -> str:
    start, brace, rest = path.partition("{")
    return f"{start}{value}{rest.partition('}')[2]}" if brace else path


def fields(operation: dict[str, Any]) -> dict[str, Any]:
    """The properties of its body."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return {}
    media = content["application/json"]
    found: dict[str, Any] = resolved(media["schema"])["properties"]
    return found


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_field_of_a_body(path: str, method: str, operation: dict[str, Any]) -> None:
    alice = make_person("alice", balance=1_000_000)
    for name in [*fields(operation), "unknown"] if fields(operation) else []:
        good = {"username": "dora", "email": "dora@example.com", "password": "a-long-sentence-7"}
        good |= {"prompt": "p", "name": "n"}
        longest = texts()[0]
        values: list[Any] = [*texts(), [longest], {longest: longest[:10]}]
        for value in values:
            status, took = cost(
                method.upper(),
                named(path, str(uuid.uuid4())),
                body=good | {name: value},
                head={"HTTP_AUTHORIZATION": f"Bearer {alice.key}"},
            )
            assert took < BOUND, (name, str(value)[:9])
            assert status < 500
    made = Generation.objects.values_list("model__price", flat=True)
    assert alice.balance == 1_000_000 - sum(made), "paid for what was made, and for nothing else"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_part_of_the_path_and_a_parameter(
    path: str, method: str, operation: dict[str, Any], alice: Person
) -> None:
    inside = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    for text in texts(LINE):
        calls: list[tuple[str, dict[str, str]]] = (
            [(named(path, quote(text)), {})] if "{" in path else []
        )
        calls += [(named(path, str(uuid.uuid4())), {name: text}) for name in [*inside, "unknown"]]
        for called, query in calls:
            status, took = cost(
                method.upper(),
                called,
                query=query,
                head={"HTTP_AUTHORIZATION": f"Bearer {alice.key}"},
            )
            assert took < BOUND, (query, text[:3])
            assert status < 500


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("path", ["/api/v1/credits/", "/admin/login/"])
def test_a_header(path: str, name: str, alice: Person) -> None:
    odd = ["a;b=c;" * 1300, '"' * 8000, "W/," * 2700, "bytes=" + "1-," * 2700, "a=b; " * 1600]
    for text in [*texts(FIELD), *odd]:
        sent = text.encode().decode("latin-1")[:8190]
        value = ",".join([sent] * JOINED)
        given = {"HTTP_AUTHORIZATION": f"Bearer {alice.key}", f"HTTP_{name}": value}
        status, took = cost("GET", path, head=given)
        assert took < BOUND, (len(value), text[:6])
        assert status < 500


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": [' + b",".join([b"[]"] * 340_000) + b"]}",
        b"{" + b",".join(b'"%x":1' % n for n in range(100_000)) + b"}",
        b'{"a": [' + b",".join([b"9" * 4299] * 240) + b"]}",
        b'{"a": ' + b"[" * 1_000_000,
        b'{"a": ' + b"9" * 1_000_000 + b"}",
        b'{"a": "' + b"\\u0301" * 170_000 + b'"}',
        b'{"a": "' + b"\\" * 1_000_000,
        b"[" + b"," * MAX_VALUES + b'"' + b'\\"' * 500_000,
        b"[" + b"," * MAX_VALUES + b'"' + b"\\x" * 500_000 + b"\\",
        b'{"' + b'a","' * 200_000,
    ],
    ids=lambda content: repr(content[:12]),
)
@pytest.mark.parametrize("path", ["/api/login/", "/api/register/"])
def test_a_body_of_many_values(path: str, content: bytes) -> None:
    status, took = cost("POST", path, body=content)
    assert took < BOUND
    assert status == 400


def test_many_values_are_refused_and_commas_in_a_text_are_none(alice: Person) -> None:
    client: dict[str, str] = {"HTTP_AUTHORIZATION": f"Bearer {alice.key}"}
    path = "/api/v1/generate/"
    for count, expected in ((MAX_VALUES - 1, 201), (MAX_VALUES + 1, 400)):
        body = {"prompt": "p", "unknown": [0] * (count - 1)}
        assert cost("POST", path, body=body, head=client)[0] == expected
    commas = {"prompt": "p", "note": 'a, "quoted\\", ' + "," * 20_000}
    assert cost("POST", path, body=commas, head=client)[0] == 201
    assert alice.balance == 1000 - 2 * 24


def test_the_worst_texts_are_as_bad_as_they_are_meant_to_be() -> None:
    assert {len(make(1000)) for make in WORST.values()} == {1000}
    assert marks(5) == "a\u0315\u0315\u0300\u0300"
