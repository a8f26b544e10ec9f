"""What must be true after everything has calmed down, asked of the rows, files and the API.

The numbers are those of the project's list of invariants. The product's own checks
(``check_ledger``, ``check_generations``) run as well; these here were written apart from them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from chaos.book import Book
from chaos.fleet import Fleet
from chaos.orders import NEVER_DELIVERED
from embedded import StackError
from generation.media import NotPlayable, inspect_image, inspect_video

SHOWN = 3  # offenders named in a sentence
ASKED_OVER_HTTP = 150  # generations

# Each answers with what is wrong; no row means that the invariant holds.
QUESTIONS = {
    "I1 a balance is the sum of its entries": """
        SELECT wallet.account_id FROM credits_wallet wallet
          LEFT JOIN credits_ledgerentry entry ON entry.wallet_id = wallet.account_id
         GROUP BY wallet.account_id, wallet.balance
        HAVING wallet.balance <> COALESCE(sum(entry.amount), 0)""",
    "I2 exactly one charge, of the price": """
        SELECT g.id FROM generation_generation g
          LEFT JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'charge'
         GROUP BY g.id, g.price HAVING count(e.id) <> 1 OR min(e.amount) <> -g.price""",
    "I3 failed or canceled: exactly one refund": """
        SELECT g.id FROM generation_generation g
          LEFT JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'refund'
         WHERE g.state IN ('failed', 'canceled') GROUP BY g.id HAVING count(e.id) <> 1""",
    "I4 anything else: no refund": """
        SELECT g.id FROM generation_generation g
          JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'refund'
         WHERE g.state NOT IN ('failed', 'canceled')""",
    "I5 a refund is its charge": """
        SELECT refund.id FROM credits_ledgerentry refund
          LEFT JOIN credits_ledgerentry charge ON charge.id = refund.reverses
           AND charge.kind = 'charge' AND charge.generation_id = refund.generation_id
           AND charge.wallet_id = refund.wallet_id AND charge.amount = -refund.amount
         WHERE refund.kind = 'refund' AND charge.id IS NULL""",
    "I6 nothing is open": """
        SELECT id FROM generation_generation
         WHERE state NOT IN ('completed', 'failed', 'canceled') OR finished_at IS NULL""",
    "I10 exactly one final event, the last one": """
        SELECT g.id FROM generation_generation g
          LEFT JOIN generation_generationevent e ON e.generation_id = g.id AND e.is_terminal
         GROUP BY g.id
        HAVING count(e.id) <> 1 OR min(e.state) <> g.state OR min(e.sequence) <> g.version""",
    "open charges are counted": """
        SELECT account_id FROM credits_wallet WHERE open_charges <> 0""",
    "nothing was delivered that the provider did not make": """
        SELECT g.id FROM generation_generation g WHERE state = 'completed' AND NOT EXISTS (
            SELECT FROM generation_attempt a WHERE a.generation_id = g.id
               AND a.outcome IN ('accepted', 'adopted'))""",
}
GENERATIONS = """
SELECT g.id::text, g.state, g.kind, g.idempotency_key, g.error_code, g.output_key,
       g.output_sha256, g.output_size, g.unknown_attempts,
       (SELECT count(*) FROM generation_attempt a WHERE a.generation_id = g.id
           AND a.outcome IN ('unknown', 'adopted', 'asked')) AS doubts
  FROM generation_generation g ORDER BY created_at
"""
Row = dict[str, Any]


def generations(fleet: Fleet) -> list[Row]:
    """Every generation of the run."""
    with psycopg.connect(fleet.stack.owner_url, row_factory=dict_row) as connection:
        return connection.execute(GENERATIONS).fetchall()


def violations(fleet: Fleet, book: Book, rows: list[Row], secrets: list[str]) -> Iterator[str]:
    """Every sentence is one invariant that does not hold."""
    yield from book.wrong
    yield from _asked_of_rows(fleet)
    yield from _own_checks(fleet)
    yield from _asked_for(book, rows)
    yield from _files(fleet, book, rows)
    yield from _over_http(fleet, book, rows, secrets)


def _asked_of_rows(fleet: Fleet) -> Iterator[str]:
    with psycopg.connect(fleet.stack.owner_url) as connection:
        for sentence, question in QUESTIONS.items():
            yield from _wrong(sentence, [row[0] for row in connection.execute(question.encode())])


def _own_checks(fleet: Fleet) -> Iterator[str]:
    for command in ("check_ledger", "check_generations"):
        try:
            fleet.stack.manage(command)
        except StackError as error:
            yield str(error)


def _asked_for(book: Book, rows: list[Row]) -> Iterator[str]:
    """I7 and I8: what was answered exists, and nothing exists that nobody asked for."""
    ids = {row["idempotency_key"]: row["id"] for row in rows}
    yield from _wrong(
        "I7 every answered order has its generation",
        [key for key, data in book.answers.items() if ids.get(key) != data["generation_id"]],
    )
    yield from _wrong(
        "I8 nothing that nobody asked for, or was told of",
        [row["id"] for row in rows if row["idempotency_key"] not in book.answers],
    )
    yield from _wrong(
        "what was shown to be over stays as it was shown",
        [
            row["id"]
            for row in rows
            if (seen := book.seen.get(row["id"])) is not None
            and seen.status not in ("processing", row["state"])
        ],
    )
    yield from _wrong(
        "what the provider refused, broke or never made is not completed",
        [
            row["id"]
            for row in rows
            if row["state"] == "completed"
            and (order := book.orders.get(row["idempotency_key"])) is not None
            and order.marker in NEVER_DELIVERED
        ],
    )


def _files(fleet: Fleet, book: Book, rows: list[Row]) -> Iterator[str]:
    """I9: completed means a whole, playable file with the noted checksum, and no other file."""
    damaged, known, kept = [], set[str](), set[str]()
    for row in rows:
        if row["state"] != "completed":
            continue
        kept.add(row["output_key"])
        path = fleet.outputs / row["output_key"]
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            if sha256 not in known:
                (inspect_video if row["kind"] == "video" else inspect_image)(path)
                known.add(sha256)
        except (OSError, NotPlayable) as error:
            damaged.append(f"{row['id']} ({error})")
            continue
        seen = book.seen.get(row["id"])
        fetched = seen.sha256 if seen else ""
        if sha256 != row["output_sha256"] or fetched not in ("", sha256):
            damaged.append(row["id"])
    yield from _wrong("I9 a completed generation has its whole file", damaged)


def _over_http(fleet: Fleet, book: Book, rows: list[Row], secrets: list[str]) -> Iterator[str]:
    """The API says the same as the rows, and so does an order that is repeated now."""
    chance = random.Random(len(rows))  # noqa: S311 - not a secret
    asked = [row for row in rows if row["idempotency_key"] in book.answers]
    with httpx.Client(base_url=fleet.base_urls[0], timeout=20) as http:
        for row in chance.sample(asked, min(ASKED_OVER_HTTP, len(asked))):
            order = book.orders[row["idempotency_key"]]
            headers = {"Authorization": f"Bearer {order.secret}"}
            body = http.get(f"/api/v1/generate/{row['id']}/", headers=headers).json()
            if body.get("status") != row["state"]:
                yield f"the API says {body}, the row {row}"
            headers["Idempotency-Key"] = order.key
            again = http.post(order.path, json=order.body, headers=headers)
            if again.status_code != 201 or again.json()["data"] != book.answers[order.key]:
                yield f"repeated now, {order.key} is answered {again.status_code} {again.text}"
        for secret in secrets:
            headers = {"Authorization": f"Bearer {secret}"}
            balance = http.get("/api/v1/credits/", headers=headers).json()["credits_balance"]
            page = http.get("/api/v1/credits/transactions/?limit=1", headers=headers).json()
            if balance != page["results"][0]["balance_after"]:
                yield f"a balance of {balance} does not go with {page['results'][0]}"


def _wrong(sentence: str, offenders: list[Any]) -> Iterator[str]:
    if offenders:
        names = ", ".join(str(each) for each in offenders[:SHOWN])
        yield f"{sentence}: not so {len(offenders)} times, such as {names}"
