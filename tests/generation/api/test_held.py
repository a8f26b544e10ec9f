"""``wait`` and ``Prefer`` of a status: what is read, what is refused, and that web holds nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from generation.api.held import preferred
from tests.contract.answers import error
from tests.support.bring_to import created
from tests.support.people import Person

Api = Callable[..., httpx.Client]
BOUNDS = "Must be a whole number from 1 to 25"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *[("wait=10", 10), ("WAIT = 10", 10), ("wait", 25), ("wait=", 25), ('wait=""', 25)],
        *[("wait=26", 25), ("wait=999999999", 25), ('wait="7"', 7), ("wait=007", 7)],
        *[("respond-async, wait=10", 10), ("wait=10; x=1", 10), ("wait; foo", 25)],
        *[("return=minimal", None), ("", None), (",,;=", None), ("waiting=3", None)],
        *[("wait=0", None), ("wait=-1", None), ("wait=1.5", None), ("wait=ten", None)],
        *[("wait=9999999999", None), ("wait=\u0663", None), ('wait="1 0"', None)],
        *[("wait=3, wait=9", 3), ("wait=x, wait=9", None)],  # only the first one counts
        *[('foo="a, wait=3"', None), ('foo="a\\", wait=3", wait=4', 4), ('"', None)],
        *[('wait="5', None), ('foo="a, wait=3', None), ('foo="a\\', None), ('wait=3, "', 3)],
        ("," * 100_000, None),
    ],
)
def test_prefer(header: str, seconds: int | None) -> None:
    assert preferred(header) == seconds


@pytest.mark.parametrize("part", ['\\"', '"\\', '"', "\\"])
def test_prefer_is_read_once_however_it_is_quoted(part: str) -> None:
    """All headers of that name together may be of 64 KiB, and what is read holds all threads."""
    began = time.process_time()
    assert preferred('"' + part * (64 * 1024 // len(part))) is None
    assert time.process_time() - began < 1


@pytest.mark.parametrize("wait", ["0", "26", "-1", "1.5", "", "ten", "1e1", "\u0663", "9" * 5000])
def test_a_wait_out_of_range_is_refused(wait: str, api: Api, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/"
    answer = api(alice.key).get(path, params={"wait": wait}, headers={"Prefer": "wait=5"})
    body = error(answer, 400, "invalid_request")
    assert body["details"] == {"wait": BOUNDS}
    assert body["error"] == f"Wait m{BOUNDS[1:]}"


@pytest.mark.parametrize("header", [{}, {"Prefer": "wait=20"}])
def test_web_answers_at_once(header: dict[str, str], api: Api, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/"
    plain, began = api(alice.key).get(path), time.monotonic()
    answer = api(alice.key).get(path, params=None if header else {"wait": "20"}, headers=header)
    assert time.monotonic() - began < 5
    assert (answer.status_code, answer.json()) == (200, plain.json())
    assert "Retry-After" in answer.headers
    assert "Preference-Applied" not in answer.headers
    seen = header | {"If-None-Match": plain.headers["ETag"]}
    assert api(alice.key).get(path, headers=seen).status_code == 304


def test_what_cannot_be_read_of_prefer_is_ignored(api: Api, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/"
    for odd in ("wait=99", "wait=soon", ";;;", "x" * 4000):
        assert api(alice.key).get(path, headers={"Prefer": odd}).status_code == 200


def test_a_create_does_not_wait(api: Api, alice: Person) -> None:
    began = time.monotonic()
    answer = api(alice.key).post(
        "/api/v1/generate/video/?wait=99", json={"prompt": "a fox"}, headers={"Prefer": "wait=20"}
    )
    assert (answer.status_code, time.monotonic() - began < 5) == (201, True)
