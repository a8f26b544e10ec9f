"""GET /api/v1/generate/history/."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from common.api import pagination
from credits import ledger
from generation.models import Generation
from generation.models.states import State
from tests.contract.test_isolation import ONE_THING, an_endpoint, named, routes
from tests.support.bring_to import created, reached
from tests.support.people import Person, make_token
from tests.support.purchases import a_payment
from tests.support.webhook_rows import a_delivery
from webhooks import endpoints

Api = Callable[..., httpx.Client]
PATH = "/api/v1/generate/history/"
PAYMENTS = "/api/v1/credits/payments/"
ENDPOINTS = "/api/v1/webhook-endpoints/"
DELIVERIES = f"{ENDPOINTS}default/deliveries/"  # of orders' own URLs
LISTS = (PATH, "/api/v1/credits/transactions/", PAYMENTS, ENDPOINTS, DELIVERIES)


@pytest.fixture
def client(api: Api, alice: Person) -> httpx.Client:
    """Alice's, who can afford many images."""
    ledger.grant(alice.account.pk, 10_000, description="for many")
    return api(alice.key)


def images(person: Person, count: int) -> list[str]:
    """The ids of new ones, the newest first."""
    return [str(created(person, model="image").pk) for _ in range(count)][::-1]


def fill(path: str, person: Person) -> None:
    """Five more rows of that list."""
    if path == PAYMENTS:
        for _ in range(5):
            a_payment(person)
    elif path == ENDPOINTS:
        for _ in range(5):
            endpoints.create(person.account.pk, person.user.pk, url="https://hooks.example.com/")
    elif path == DELIVERIES:
        for _ in range(5):
            a_delivery(person)
    else:
        images(person, 5)


def ids(body: dict[str, Any]) -> list[str]:
    return [result.get("id") or result["payment_id"] for result in body["results"]]


def follow(client: httpx.Client, url: str, link: str) -> list[list[str]]:
    """The ids on each page from ``url`` on."""
    pages, here = [], url
    while True:
        body = client.get(here).raise_for_status().json()
        pages.append(ids(body))
        if body[link] is None:
            return pages
        here = body[link]


def test_nothing_yet(client: httpx.Client) -> None:
    assert client.get(PATH).json() == {
        "success": True,
        "count": 0,
        "count_is_capped": False,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_newest_first_in_the_form_of_the_status(client: httpx.Client, alice: Person) -> None:
    made = [reached(alice, state).pk for state in (State.COMPLETED, State.FAILED, State.RUNNING)]
    body = client.get(PATH).json()
    assert ids(body) == [str(pk) for pk in reversed(made)]
    assert body["count"] == 3
    for result in body["results"]:
        assert result == client.get(f"/api/v1/generate/{result['id']}/").json()


def test_the_default_limit_is_20(client: httpx.Client, alice: Person) -> None:
    wanted = images(alice, 21)
    body = client.get(PATH).json()
    assert ids(body) == wanted[:20]
    assert (body["count"], body["previous"]) == (21, None)
    assert ids(client.get(body["next"]).json()) == wanted[20:]
    assert ids(client.get(f"{PATH}?limit=100").json()) == wanted


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_cursors_lead_through_all_pages_and_back(
    limit: int, client: httpx.Client, alice: Person
) -> None:
    wanted = images(alice, 5)
    pages = follow(client, f"{PATH}?limit={limit}", "next")
    assert [pk for page in pages for pk in page] == wanted
    assert all(len(page) == limit for page in pages[:-1])
    last = client.get(f"{PATH}?limit={limit}&offset={5 - len(pages[-1])}").json()
    back = follow(client, last["previous"], "previous") if len(pages) > 1 else []
    assert back == pages[:-1][::-1]


def test_pages_do_not_shift_when_rows_are_added(client: httpx.Client, alice: Person) -> None:
    wanted = images(alice, 5)
    first = client.get(f"{PATH}?limit=2").json()
    newer = images(alice, 3)
    assert ids(first) == wanted[:2]
    rest = follow(client, first["next"], "next")
    assert rest == [wanted[2:4], wanted[4:]]
    second = client.get(first["next"]).json()
    assert ids(client.get(second["previous"]).json()) == wanted[:2]
    assert ids(client.get(PATH).json()) == newer + wanted


def test_rows_of_one_moment_are_neither_lost_nor_doubled(
    client: httpx.Client, alice: Person
) -> None:
    wanted = images(alice, 5)
    moment = Generation.objects.latest("created_at").created_at
    Generation.objects.update(created_at=moment)
    found = [pk for page in follow(client, f"{PATH}?limit=2", "next") for pk in page]
    assert sorted(found) == sorted(wanted)


def test_an_offset_skips_and_its_links_carry_cursors(client: httpx.Client, alice: Person) -> None:
    wanted = images(alice, 5)
    body = client.get(f"{PATH}?limit=2&offset=1").json()
    assert ids(body) == wanted[1:3]
    for link, names in (("next", wanted[3:5]), ("previous", wanted[:1])):
        query = parse_qs(urlsplit(body[link]).query)
        assert set(query) == {"limit", "cursor"}
        assert ids(client.get(body[link]).json()) == names
    assert ids(client.get(f"{PATH}?offset=10000").json()) == []


def test_filters_and_their_links(client: httpx.Client, alice: Person) -> None:
    films = [reached(alice, state).pk for state in (State.COMPLETED, State.FAILED, State.QUEUED)]
    pictures = [
        reached(alice, state, model="image").pk for state in (State.CANCELED, State.RUNNING)
    ]
    expected = {
        "type=video": films[::-1],
        "type=image": pictures[::-1],
        "status=processing": [pictures[1], films[2]],
        "status=completed": [films[0]],
        "status=failed": [films[1]],
        "status=canceled": [pictures[0]],
        "status=processing&type=video": [films[2]],
        "status=failed&type=image": [],
    }
    for query, wanted in expected.items():
        body = client.get(f"{PATH}?{query}").json()
        assert ids(body) == [str(pk) for pk in wanted], query
        assert body["count"] == len(wanted)
    pages = follow(client, f"{PATH}?type=video&limit=1", "next")
    assert pages == [[str(pk)] for pk in films[::-1]]


def test_the_count_is_capped(
    client: httpx.Client, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "COUNT_CAP", 3)
    images(alice, 3)
    body = client.get(f"{PATH}?limit=1").json()
    assert (body["count"], body["count_is_capped"]) == (3, False)
    images(alice, 1)
    body = client.get(f"{PATH}?limit=1").json()
    assert (body["count"], body["count_is_capped"]) == (3, True)
    assert len(follow(client, f"{PATH}?limit=1", "next")) == 4


def test_nobody_elses_are_listed(
    client: httpx.Client, api: Api, alice: Person, bob: Person
) -> None:
    images(alice, 2)
    (theirs,) = images(bob, 1)
    body = api(bob.key).get(PATH).json()
    assert (ids(body), body["count"]) == ([theirs], 1)
    link = client.get(f"{PATH}?limit=1").json()["next"]
    assert set(ids(api(bob.key).get(link).json())) <= {theirs}


@pytest.mark.parametrize(
    ("query", "field", "error"),
    [
        ("limit=0", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=101", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=x", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=1e1", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=%D9%A1", "limit", "Limit must be a whole number from 1 to 100"),
        ("limit=" + "9" * 5000, "limit", "Limit must be a whole number from 1 to 100"),
        ("offset=-1", "offset", None),
        ("offset=10001", "offset", None),
        ("type=audio", "type", "Invalid type. Must be one of: video, image"),
        ("type=", "type", "Invalid type. Must be one of: video, image"),
        (
            "status=queued",
            "status",
            "Invalid status. Must be one of: processing, completed, failed, canceled",
        ),
        ("status=%00", "status", None),
    ],
)
def test_bad_parameters(client: httpx.Client, query: str, field: str, error: str | None) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert list(answer.json()["details"]) == [field]
    assert error in {None, answer.json()["error"]}


def test_beyond_the_largest_offset_the_answer_names_next(client: httpx.Client) -> None:
    assert client.get(f"{PATH}?offset=10000").status_code == 200
    error = client.get(f"{PATH}?offset=10001").json()["error"]
    assert error == "Offset must be a whole number from 0 to 10000; follow next to go further"


@pytest.mark.parametrize("path", LISTS)
class TestPagesByNumber:
    """Of every paged list (the routes are found by ``next``, below)."""

    def test_whoever_counts_pages_comes_to_an_end(
        self, path: str, client: httpx.Client, alice: Person
    ) -> None:
        fill(path, alice)
        everything = ids(client.get(path).json())
        pages = [ids(client.get(f"{path}?limit=2&page={number}").json()) for number in range(1, 6)]
        assert [each for page in pages for each in page] == everything
        assert pages[-1] == []
        assert pages[0] == ids(client.get(f"{path}?limit=2").json())

    def test_links_carry_none_of_the_three(
        self, path: str, client: httpx.Client, alice: Person
    ) -> None:
        fill(path, alice)
        body = client.get(f"{path}?limit=2&page=2&note=x").json()
        for link in (body["next"], body["previous"]):
            query = parse_qs(urlsplit(link).query)
            assert set(query) == {"limit", "cursor", "note"}
        everything = ids(client.get(path).json())
        assert ids(client.get(body["next"]).json()) == everything[4:6]
        assert ids(client.get(body["previous"]).json()) == everything[:2]

    def test_a_cursor_wins_over_an_offset_and_that_over_a_page(
        self, path: str, client: httpx.Client, alice: Person
    ) -> None:
        fill(path, alice)
        everything = ids(client.get(path).json())
        assert ids(client.get(f"{path}?limit=2&page=3&offset=1").json()) == everything[1:3]
        assert ids(client.get(f"{path}?limit=2&page=x&offset=1").json()) == everything[1:3]
        further = client.get(f"{path}?limit=2").json()["next"]
        for also in ("page=1", "page=x", "offset=4&page=x", "offset=0"):
            assert ids(client.get(f"{further}&{also}").json()) == everything[2:4], also

    @pytest.mark.parametrize(
        ("page", "limit", "most"),
        [
            *(("0", 2, 5001), ("-1", 2, 5001), ("5002", 2, 5001), ("102", 100, 101)),
            *(("", 20, 501), ("1.5", 20, 501), ("x", 20, 501), ("1" + "0" * 30, 20, 501)),
            *(("10002", 1, 10001), ("\u0661", 20, 501)),
        ],
    )
    def test_out_of_bounds(
        self, path: str, page: str, limit: int, most: int, client: httpx.Client
    ) -> None:
        answer = client.get(path, params={"page": page, "limit": str(limit)})
        message = f"ust be a whole number from 1 to {most}; follow next to go further"
        assert answer.status_code == 400
        assert answer.json()["error"] == f"Page m{message}"
        assert answer.json()["details"] == {"page": f"M{message}"}
        assert client.get(path, params={"page": str(most), "limit": str(limit)}).is_success


def test_no_paged_list_is_forgotten(client: httpx.Client, alice: Person) -> None:
    generation = reached(alice, State.COMPLETED)
    a_payment(alice)
    make_token(alice)
    an_endpoint(alice)
    answered, paged = set(), set()
    for route in routes():
        names = ONE_THING[route][1](alice, generation) if "<" in route else ""
        answer = client.get(named(route, names))
        if answer.is_success and not route.startswith("api/docs"):
            answered.add(route)
            # events go forwards alone: tests/webhooks/api/test_events.py
            if b'"previous":' in answer.content:
                paged.add(f"/{route}")
    asked = {route for route, (methods, _) in ONE_THING.items() if "GET" in methods}
    assert asked <= answered
    assert paged == {path.replace("/default/", "/<str:endpoint_id>/") for path in LISTS}


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOW, ID = "2026-11-22T12:00:00+00:00", str(uuid.UUID(int=7))


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "nonsense", "é", "%00", "A" * 5000, cursor(), cursor(False)),
        *(cursor(False, NOW), cursor(False, NOW, ID, 1), cursor(0, NOW, ID), cursor("", NOW, ID)),
        *(cursor(False, None, ID), cursor(False, NOW, None), cursor(False, "x", ID)),
        *(cursor(False, NOW, "x"), cursor(False, [NOW], ID), cursor(False, NOW, [ID])),
        *(cursor(False, 5, ID), cursor(False, NOW, {}), cursor(False, NOW, -1)),
        *(cursor(False, float("nan"), ID), cursor(False, NOW, 10**40), cursor(False, "", "")),
        *(cursor(False, "2026-11-22T12:00:00", ID), cursor(False, "2026-11-22", ID)),
        *(cursor(True, "9999-12-31T23:59:59-23:59", ID), cursor(False, "0001-01-01T00:00+14", ID)),
        *(cursor(False, "2026-13-40T12:00:00Z", ID), base64.b64encode(b"[" * 3000).decode()),
    ],
)
def test_bad_cursors(client: httpx.Client, text: str) -> None:
    answer = client.get(PATH, params={"cursor": text})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["details"] == {"cursor": "Must be a cursor taken from next or previous"}


def test_a_cursor_before_everything_is_an_empty_page(client: httpx.Client, alice: Person) -> None:
    images(alice, 1)
    for text in (
        cursor(False, "0001-01-01T00:00:00-15:59", ID),
        cursor(True, "9999-01-01T00:00:00+23:59", 7),
    ):
        body = client.get(PATH, params={"cursor": text}).raise_for_status().json()
        assert (body["results"], body["next"], body["previous"]) == ([], None, None)
