"""What must be true of what the buyers were told of their payments, and the API afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from dev.chaos.invariants import Finding, Row, finding
from dev.chaos.purchases import CHECKOUT, PAYMENTS, WORDS
from dev.chaos.receipts import Receipts

ASKED_OVER_HTTP = 60  # payments, the newest


def kept(receipts: Receipts, rows: list[Row]) -> list[Finding]:
    """Every answered checkout has its payment; no other was made."""
    ids = {row["idempotency_key"]: row["id"] for row in rows}
    states = {row["id"]: row["state"] for row in rows}
    return [
        finding(
            "answers of checkouts agree, and payments only go forward",
            len(receipts.states),
            receipts.wrong,
        ),
        finding(
            "every answered checkout has its payment",
            len(receipts.answers),
            (key for key, told in receipts.answers.items() if ids.get(key) != told["payment_id"]),
        ),
        finding(
            "no payment that nobody asked for, or was told of",
            len(rows),
            (row["id"] for row in rows if row["idempotency_key"] not in receipts.answers),
        ),
        finding(
            "what was shown as paid stays paid",
            len(receipts.states),
            (
                name
                for name, state in receipts.states.items()
                if state == "paid" and states.get(name) != "paid"
            ),
        ),
    ]


def every_scenario(met: set[str]) -> Finding:
    """Nothing is proven of a fault that was not met."""
    return finding("each fault of Stripe was met", len(WORDS), sorted(WORDS - met))


def over_http(base_url: str, receipts: Receipts, rows: list[Row]) -> Finding:
    """The API agrees with the rows, also when a checkout is repeated now."""
    asked = [row for row in rows if row["idempotency_key"] in receipts.answers][-ASKED_OVER_HTTP:]
    with httpx.Client(base_url=base_url, timeout=20) as http:
        wrong = [wrong for row in asked for wrong in _said(http, receipts, row)]
    return finding(
        "the API says the same of payments, and to a repeated checkout", len(asked), wrong
    )


def _said(http: httpx.Client, receipts: Receipts, row: Row) -> Iterator[str]:
    wish = receipts.wishes[row["idempotency_key"]]
    headers = {"Authorization": wish.headers["Authorization"]}
    body = http.get(f"{PAYMENTS}{row['id']}/", headers=headers).json()
    if (body["status"], body["credits_reversed"]) != (row["state"], row["reversed_credits"]):
        yield f"the API says {body}, the row {row}"
    again = http.post(CHECKOUT, json={"pack": wish.pack}, headers=wish.headers)
    if again.status_code != 201 or again.json()["payment_id"] != row["id"]:
        yield f"repeated now, {wish.key} is answered {again.status_code} {again.text}"
