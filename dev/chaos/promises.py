"""What must be true of what the customers were told and given: I7 to I9, and the API afterwards."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import httpx

from dev.chaos.book import Book
from dev.chaos.feed import untold
from dev.chaos.invariants import Finding, Row, finding
from dev.chaos.orders import REFUSED
from generation.outputs.playable import NotPlayable, inspect_image, inspect_video

ASKED_OVER_HTTP = 150  # generations


def kept(book: Book, rows: list[Row]) -> list[Finding]:
    """I7 and I8: every answered order exists, and no other."""
    ids = {row["idempotency_key"]: row["id"] for row in rows}
    completed = [row for row in rows if row["state"] == "completed"]
    return [
        finding("answers, repeated answers and progress agree", len(book.seen), book.wrong),
        finding(
            "I7 every answered order has its generation",
            len(book.answers),
            (key for key, data in book.answers.items() if ids.get(key) != data["generation_id"]),
        ),
        finding(
            "I8 nothing that nobody asked for, or was told of",
            len(rows),
            (row["id"] for row in rows if row["idempotency_key"] not in book.answers),
        ),
        finding(
            "what was shown to be over stays as it was shown",
            len(book.seen),
            (row["id"] for row in rows if not _stays(book, row)),
        ),
        finding(
            "what the provider refused, broke or never made is not completed",
            len(completed),
            (
                row["id"]
                for row in completed
                if (order := book.orders.get(row["idempotency_key"])) is not None
                and order.marker in REFUSED
            ),
        ),
    ]


def _stays(book: Book, row: Row) -> bool:
    seen = book.seen.get(row["id"])
    return seen is None or seen.status in ("processing", row["state"])


def files(outputs: Path, book: Book, rows: list[Row]) -> Finding:
    """I9: completed means a whole, playable file with the noted checksum, as it was fetched."""
    damaged, known = [], set[str]()
    completed = [row for row in rows if row["state"] == "completed"]
    for row in completed:
        path = outputs / row["output_key"]
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
    return finding("I9 a completed generation has its whole file", len(completed), damaged)


def over_http(base_url: str, book: Book, rows: list[Row], secrets: list[str]) -> list[Finding]:
    """The API agrees with the rows, also when an order is repeated now."""
    chance = random.Random(len(rows))
    asked = [row for row in rows if row["idempotency_key"] in book.answers]
    sample = chance.sample(asked, min(ASKED_OVER_HTTP, len(asked)))
    with httpx.Client(base_url=base_url, timeout=20) as http:
        return [
            finding(
                "the API says the same as the rows, and to an order that is repeated now",
                len(sample),
                [wrong for row in sample for wrong in _said(http, book, row)],
            ),
            finding(
                "each end was told once, as it was",
                len(rows),
                list(untold(http, book, rows, secrets)),
            ),
            finding(
                "the balance that is shown goes with the newest entry",
                len(secrets),
                [wrong for secret in secrets for wrong in _balance(http, secret)],
            ),
        ]


def _said(http: httpx.Client, book: Book, row: Row) -> Iterator[str]:
    order = book.orders[row["idempotency_key"]]
    headers = {"Authorization": f"Bearer {order.secret}"}
    body = http.get(f"/api/v1/generate/{row['id']}/", headers=headers).json()
    if body.get("status") != row["state"]:
        yield f"the API says {body}, the row {row}"
    headers["Idempotency-Key"] = order.key
    again = http.post(order.path, json=order.body, headers=headers)
    if again.status_code != 201 or again.json()["data"] != book.answers[order.key]:
        yield f"repeated now, {order.key} is answered {again.status_code} {again.text}"


def _balance(http: httpx.Client, secret: str) -> Iterator[str]:
    headers = {"Authorization": f"Bearer {secret}"}
    balance = http.get("/api/v1/credits/", headers=headers).json()["credits_balance"]
    page = http.get("/api/v1/credits/transactions/?limit=1", headers=headers).json()
    if balance != page["results"][0]["balance_after"]:
        yield f"a balance of {balance} does not go with {page['results'][0]}"
