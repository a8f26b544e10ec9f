"""GET /api/v1/credits/ and /api/v1/credits/transactions/ (contract, section 5)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from common.api import pagination
from credits import ledger
from tests.credits.test_constraints import charge
from tests.support.people import Person

Api = Callable[..., httpx.Client]
BALANCE = "/api/v1/credits/"
LEDGER = "/api/v1/credits/transactions/"


def test_the_balance_is_the_accounts_own(api: Api, alice: Person, bob: Person) -> None:
    charge(alice)
    assert api(alice.key).get(BALANCE).json() == {"success": True, "credits_balance": 760}
    assert api(bob.key).get(BALANCE).json() == {"success": True, "credits_balance": 1000}


@pytest.mark.parametrize("path", [BALANCE, LEDGER])
def test_both_need_credentials(api: Api, path: str) -> None:
    answer = api().get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_an_entry_is_shown_as_the_contract_says(api: Api, alice: Person) -> None:
    work = charge(alice)
    body = api(alice.key).get(LEDGER).json()
    newest, oldest = body.pop("results")
    assert body == {
        "success": True,
        "count": 2,
        "count_is_capped": False,
        "next": None,
        "previous": None,
    }
    entry = alice.entries[-1]
    assert newest == {
        "id": str(entry.pk),
        "sequence": 2,
        "kind": "charge",
        "amount": -240,
        "balance_after": 760,
        "generation_id": str(work["generation"]),
        "description": "work",
        "created_at": entry.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert oldest["generation_id"] is None
    assert (oldest["kind"], oldest["amount"], oldest["balance_after"]) == ("grant", 1000, 1000)


def test_what_was_taken_back_is_shown_below_zero(api: Api, alice: Person) -> None:
    for words in ("Payment refunded", "Payment disputed"):
        taken = uuid.uuid4()
        ledger.reverse(alice.account.pk, 1500, reversal_id=taken, description=words)
    words = "Payment reinstated"
    ledger.reinstate(alice.account.pk, 1500, reversal_id=taken, description=words)
    client = api(alice.key)
    shown = ("kind", "amount", "balance_after", "generation_id", "description")
    assert [
        tuple(entry[name] for name in shown) for entry in client.get(LEDGER).json()["results"]
    ] == [
        ("reinstated", 1500, -500, None, "Payment reinstated"),
        ("reversal", -1500, -2000, None, "Payment disputed"),
        ("reversal", -1500, -500, None, "Payment refunded"),
        ("grant", 1000, 1000, None, "for the test"),
    ]
    assert client.get(BALANCE).json() == {"success": True, "credits_balance": -500}


def all_pages(client: httpx.Client, url: str | None, link: str = "next") -> list[list[Any]]:
    pages = []
    while url is not None:
        body = client.get(url).raise_for_status().json()
        pages.append(body["results"])
        url = body[link]
    return pages


def test_pages_join_without_a_gap_also_when_entries_are_added(api: Api, alice: Person) -> None:
    for number in range(6):
        ledger.refund(charge(alice, number + 1)["charge"], "back")
    client = api(alice.key)
    first = client.get(f"{LEDGER}?limit=5").json()
    assert first["previous"] is None
    ledger.grant(alice.account.pk, 1, description="meanwhile")
    pages = [first["results"], *all_pages(client, first["next"])]
    entries = [entry for page in pages for entry in page]
    assert [len(page) for page in pages] == [5, 5, 3]
    assert [entry["sequence"] for entry in entries] == list(range(13, 0, -1))
    for newer, older in pairwise(entries):
        assert newer["balance_after"] == older["balance_after"] + newer["amount"]


def test_previous_leads_back_to_the_newest(api: Api, alice: Person) -> None:
    for _ in range(5):
        ledger.grant(alice.account.pk, 1, description="g")
    client = api(alice.key)
    last = client.get(f"{LEDGER}?limit=2&offset=4").json()
    assert [entry["sequence"] for entry in last["results"]] == [2, 1]
    back = all_pages(client, last["previous"], "previous")
    assert [[entry["sequence"] for entry in page] for page in back] == [[4, 3], [6, 5]]


def test_nobody_elses_entries_are_listed(api: Api, alice: Person, bob: Person) -> None:
    charge(alice)
    body = api(bob.key).get(LEDGER).json()
    assert body["count"] == 1
    assert [entry["id"] for entry in body["results"]] == [str(bob.entries[0].pk)]


def test_a_cursor_of_somebody_else_shows_only_ones_own(
    api: Api, alice: Person, bob: Person
) -> None:
    for _ in range(3):
        ledger.grant(alice.account.pk, 1, description="g")
    link = api(alice.key).get(f"{LEDGER}?limit=1").json()["next"]
    body = api(bob.key).get(link).json()
    assert [entry["id"] for entry in body["results"]] == [str(bob.entries[0].pk)]


def test_count_is_exact_up_to_its_cap(
    api: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "COUNT_CAP", 2)
    ledger.grant(alice.account.pk, 1, description="g")
    client = api(alice.key)
    assert {"count": 2, "count_is_capped": False}.items() <= client.get(LEDGER).json().items()
    ledger.grant(alice.account.pk, 1, description="g")
    assert {"count": 2, "count_is_capped": True}.items() <= client.get(LEDGER).json().items()


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (cursor(False, 2), 200),
        (cursor(False, 10**40), 200),
        (cursor(True, -(10**40)), 200),
        (cursor(True, 10**18), 200),
        (cursor(False, float("inf")), 400),
        (cursor(False, float("nan")), 400),
        (cursor(False, "two"), 400),
        (cursor(False, 1, 2), 400),
        (cursor(False, [1]), 400),
    ],
)
def test_made_up_cursors_never_break_it(api: Api, alice: Person, text: str, status: int) -> None:
    answer = api(alice.key).get(LEDGER, params={"cursor": text})
    assert answer.status_code == status
