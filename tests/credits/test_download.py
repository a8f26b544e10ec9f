"""A customer's ledger as CSV: as the API lists it, in files of a bounded length."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from common.web.connection import AHEAD
from credits import download, ledger
from credits.download import Part
from tests.credits.api.test_endpoints import LEDGER
from tests.credits.test_constraints import charge
from tests.support.ledgers import fill
from tests.support.people import Person

Api = Callable[..., httpx.Client]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_text(entry: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in entry.items()}


def test_it_is_what_the_api_lists(api: Api, alice: Person, bob: Person) -> None:
    ledger.refund(charge(alice)["charge"], "it failed")
    charge(bob)
    taken = uuid.uuid4()
    ledger.reverse(alice.account.pk, 1760, reversal_id=taken, description="Payment disputed")
    ledger.grant(
        alice.account.pk,
        5,
        description='Zoë, "quoted"\nand more',
        created_by=alice.user.pk,
        reference="ticket 7",
    )
    text = download.text(alice.account.pk)
    listed = api(alice.key).get(LEDGER).json()["results"]
    assert rows_of(text) == [as_text(entry) for entry in listed]
    assert len(listed) == 5
    for hidden in ("ticket 7", alice.user.username, str(alice.user.pk), str(taken)):
        assert hidden not in text


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_description_runs_as_a_formula_and_numbers_stay(alice: Person, begin: str) -> None:
    ledger.grant(alice.account.pk, 5, description=f"{begin}1+1")
    charge(alice)
    newest, granted, _ = rows_of(download.text(alice.account.pk))
    assert granted["description"] == f"'{begin}1+1"
    assert (newest["amount"], newest["balance_after"]) == ("-240", "765")


def test_an_account_without_entries_has_the_head_alone() -> None:
    text = download.text(uuid.uuid4())
    head = "id,sequence,kind,amount,balance_after,generation_id,description,created_at\r\n"
    assert text == head


def test_a_long_ledger_comes_in_files_that_join(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST", 3)
    for _ in range(6):
        ledger.grant(alice.account.pk, 5, description="g")
    parts = list(download.parts(7))
    assert parts == [Part(5, 7), Part(2, 4), Part(1, 1)]
    files = [rows_of(download.text(alice.account.pk, part.last)) for part in parts]
    numbers = [[int(row["sequence"]) for row in rows] for rows in files]
    assert numbers == [[7, 6, 5], [4, 3, 2], [1]]
    assert rows_of(download.text(alice.account.pk)) == files[0]
    assert rows_of(download.text(alice.account.pk, 0)) == []


def test_an_empty_ledger_has_no_file() -> None:
    assert list(download.parts(0)) == []


def test_no_thread_has_to_wait_for_the_reader_of_the_longest_file(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    """Of a longer one the server waits until its client has taken some of it."""
    fill(admin_connection, alice, download.MOST + 100, 9)
    text = download.text(alice.account.pk)
    assert len(rows_of(text)) == download.MOST
    longest = f"{'x' * 50} generation"  # of a model's longest name
    more = len(longest) - len("veo3_fast generation") + len("9,000,000,000" * 2)
    assert len(text) + more * download.MOST < AHEAD
