"""Each invariant is provoked once by rows made by hand, in tables that have no constraints.

The real tables refuse every one of these rows; so copies of them stand in front, for one session.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from dev.chaos.book import Book, Seen
from dev.chaos.invariants import Finding, asked_of_rows, own_checks, own_errors
from dev.chaos.orders import IMAGE, Order
from dev.chaos.promises import files, kept
from dev.embedded import StackError
from tests.support.videos import write_video

TABLES = (
    "credits_wallet",
    "credits_ledgerentry",
    "generation_generation",
    "generation_generationevent",
    "generation_attempt",
    "events_event",
)
WALLET = uuid.uuid4()
Rows = psycopg.Connection[Any]


@pytest.fixture
def rows() -> Iterator[Rows]:
    """A wallet with a grant, a completed generation and a refunded one: all in order."""
    with psycopg.connect(os.environ["TEST_ADMIN_URL"]) as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM {table} LIMIT 0".encode()
            )
        add(connection, "credits_wallet", account_id=WALLET, balance=70, open_charges=0, reversed=0)
        entry(connection, 100, "grant")
        make(connection, "completed")
        make(connection, "failed")
        yield connection
        connection.rollback()


def add(rows: Rows, table: str, **columns: Any) -> None:
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    values = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
    rows.execute(f"INSERT INTO {table} ({names}) VALUES ({places})".encode(), values)


def entry(rows: Rows, amount: int, kind: str, **columns: Any) -> uuid.UUID:
    known = {"id": uuid.uuid4(), "wallet_id": WALLET, "amount": amount, "kind": kind}
    add(rows, "credits_ledgerentry", **known | columns)
    return known["id"]  # type: ignore[return-value]


def make(rows: Rows, state: str) -> uuid.UUID:
    """A generation of 30 credits with all that belongs to it."""
    name = uuid.uuid4()
    known = {"id": name, "state": state, "price": 30, "version": 3, "finished_at": "now"}
    add(rows, "generation_generation", **known)
    charge = entry(rows, -30, "charge", generation_id=name)
    if state == "failed":
        entry(rows, 30, "refund", generation_id=name, reverses=charge)
    event = {"id": 1, "generation_id": name, "sequence": 3, "state": state, "is_terminal": True}
    add(rows, "generation_generationevent", **event)
    add(rows, "generation_attempt", generation_id=name, outcome="accepted")
    add(rows, "events_event", id=uuid.uuid4(), generation_id=name, type=f"generation.{state}")
    return name


def broken(rows: Rows) -> list[str]:
    return [each.sentence for each in asked_of_rows(rows) if each.problem]


def test_all_is_well_and_counted(rows: Rows) -> None:
    checked = {each.sentence.split()[0]: each.checked for each in asked_of_rows(rows)}
    assert broken(rows) == []
    known = {"I1": 1, "I2": 2, "I3": 1, "I4": 1, "I5": 1, "I6": 2, "I10": 2, "I11": 2}
    assert {name: count for name, count in checked.items() if name in known} == known


BREAKS = {
    "I1 a balance is the sum of its entries": "UPDATE credits_wallet SET balance = 71",
    "only a reversal overdraws": """UPDATE credits_ledgerentry SET balance_after = -1
        WHERE kind = 'charge'""",
    "a wallet below 0 had a reversal, and counts them": "UPDATE credits_wallet SET reversed = 1",
    "I2 exactly one charge, of the price": """UPDATE generation_generation SET price = 31
        WHERE state = 'completed'""",
    "I3 failed or canceled: exactly one refund": """INSERT INTO credits_ledgerentry
        SELECT * FROM credits_ledgerentry WHERE kind = 'refund';
        UPDATE credits_wallet SET balance = 100""",
    "I4 completed: no refund": """UPDATE generation_generation SET state = 'completed'
        WHERE state = 'failed'; UPDATE generation_generationevent SET state = 'completed';
        UPDATE events_event SET type = 'generation.completed'""",
    "I5 a refund is its charge": """UPDATE credits_ledgerentry SET reverses = gen_random_uuid()
        WHERE kind = 'refund'""",
    "I6 nothing is open": """UPDATE generation_generation SET finished_at = NULL
        WHERE state = 'completed'""",
    "I10 exactly one final event, the last one": """UPDATE generation_generationevent
        SET sequence = 2 WHERE state = 'failed'""",
    "I11 customers are told once, of this end": """UPDATE events_event
        SET type = 'generation.canceled' WHERE type = 'generation.failed'""",
    "a charge or refund is of a generation": """INSERT INTO credits_ledgerentry (id, kind)
        SELECT gen_random_uuid(), 'charge'""",
    "open charges are counted": "UPDATE credits_wallet SET open_charges = 1",
    "nothing was delivered that the provider did not make": """UPDATE generation_attempt
        SET outcome = 'rejected'""",
}


@pytest.mark.parametrize("sentence", BREAKS)
def test_what_is_wrong_is_noticed_by_its_own_question(rows: Rows, sentence: str) -> None:
    rows.execute(BREAKS[sentence].encode())
    assert broken(rows) == [sentence]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM credits_ledgerentry WHERE kind = 'refund'", "I3"),
        ("DELETE FROM credits_ledgerentry WHERE kind = 'charge'", "I2"),
        ("UPDATE generation_generation SET state = 'running'", "I6"),
        ("DELETE FROM generation_generationevent", "I10"),
        ("INSERT INTO generation_generationevent SELECT * FROM generation_generationevent", "I10"),
        ("DELETE FROM events_event", "I11"),
        ("INSERT INTO events_event SELECT * FROM events_event", "I11"),
        ("UPDATE generation_generation SET state = 'storing'", "I11"),
    ],
)
def test_what_is_missing_or_there_twice_is_noticed(
    rows: Rows, statement: str, sentence: str
) -> None:
    rows.execute(statement.encode())
    assert sentence in {each.split()[0] for each in broken(rows)}


# --- what the customers saw -----------------------------------------------------------------------
def a_book() -> Book:
    book = Book()
    for number in range(2):
        order = Order("secret", f"key-{number}", IMAGE, {})
        book.ask(order)
        book.answer(order, {"generation_id": f"g{number}"}, 0.1)
    return book


def row(number: int, **columns: Any) -> dict[str, Any]:
    known = {"id": f"g{number}", "idempotency_key": f"key-{number}", "state": "completed"}
    return known | columns


def wrong(found: list[Finding]) -> set[str]:
    return {each.sentence.split()[0] for each in found if each.problem}


def test_i7_an_answered_order_that_is_gone_or_another_is_noticed() -> None:
    assert wrong(kept(a_book(), [row(0), row(1)])) == set()
    assert wrong(kept(a_book(), [row(0)])) == {"I7"}
    assert wrong(kept(a_book(), [row(0), row(1, id="g2")])) == {"I7"}


def test_i8_what_nobody_asked_for_is_noticed() -> None:
    assert wrong(kept(a_book(), [row(0), row(1), row(2)])) == {"I8"}


def test_an_end_that_was_shown_and_changed_is_noticed() -> None:
    book = a_book()
    book.seen["g0"] = Seen(status="failed")
    found = kept(book, [row(0), row(1)])
    assert [each.problem for each in found if each.problem] == [
        "what was shown to be over stays as it was shown: not so 1 times, such as g0"
    ]


def test_i9_a_file_that_is_gone_cut_or_another_is_noticed(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "whole.mp4").read_bytes()
    good = hashlib.sha256(clip).hexdigest()
    (tmp_path / "cut.mp4").write_bytes(clip[:-100])

    def look(key: str, sha256: str = good, fetched: str = "") -> Finding:
        book = a_book()
        book.seen["g0"].sha256 = fetched
        kept_as = {"output_key": key, "output_sha256": sha256, "kind": "video"}
        return files(tmp_path, book, [row(0, **kept_as)])

    assert look("whole.mp4", fetched=good) == Finding(look("whole.mp4").sentence, 1)
    for problem in (
        look("gone.mp4"),
        look("cut.mp4", hashlib.sha256(clip[:-100]).hexdigest()),
        look("whole.mp4", "0" * 64),
        look("whole.mp4", fetched="0" * 64),
    ):
        assert problem.sentence.startswith("I9")
        assert len(problem.wrong) == 1


def test_a_check_of_ours_that_complains_is_passed_on() -> None:
    def manage(command: str) -> str:
        raise StackError(f"{command} failed: 1 difference")

    problems = [each.problem for each in own_checks(manage)]
    assert len(problems) == 3
    assert all("1 difference" in str(problem) for problem in problems)


def test_an_error_of_our_own_code_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text('{"message": "all is well"}\n')
    assert own_errors(tmp_path).problem is None
    (tmp_path / "poll.log").write_text('{"message": "generation 7 failed in our own code"}\n')
    assert "poll.log" in str(own_errors(tmp_path).problem)
