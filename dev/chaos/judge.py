"""Gathers what the database, the files, the API, the provider and the customers say of a run."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import psycopg

from dev.chaos import invariants, money, orphans, promises, sold, told
from dev.chaos.book import Book
from dev.chaos.fleet import Fleet
from dev.chaos.invariants import Finding, Row
from dev.chaos.receipts import Receipts
from dev.chaos.stripe_page import StripePage
from dev.chaos.verdict import Bought, Run, Verdict, problems_of


def judge(
    fleet: Fleet, book: Book, receipts: Receipts, received: list[dict[str, Any]], run: Run
) -> Verdict:
    """``received`` is what the customers' receivers have got."""
    owner_url = fleet.stack.owner_url
    rows = invariants.generations(owner_url)
    marked = {
        row["id"]: book.orders[row["idempotency_key"]].marker
        for row in rows
        if row["idempotency_key"] in book.orders
    }
    verdict = Verdict(run, rows, bought(f"{fleet.stack.emulator_url}"), marked)
    whole = set(verdict.orphans)
    report = orphans.sweep(owner_url, whole)
    exists = orphans.in_bucket(f"{fleet.stack.emulator_url}")
    with psycopg.connect(owner_url) as connection:
        verdict.findings += invariants.asked_of_rows(connection)
        verdict.findings.append(invariants.both_delivered(connection))
    verdict.findings += [
        *promises.kept(book, rows),
        promises.files(fleet.outputs, book, rows),
        *promises.over_http(fleet.base_urls[0], book, rows, run.secrets),
        *orphans.findings(whole, verdict.bought.billed, report, exists),
        *_told(owner_url, book, rows, received),
    ]
    # last, since it may take long: what is billed is of a moment ago until here
    with closing(fleet.stripe_page()) as stripe:
        verdict.findings += _payments(fleet, stripe, receipts, verdict)
    # after the day's end for the daily look: check_payments compares all that Stripe has with ours
    verdict.findings += [
        *invariants.own_checks(fleet.stack.manage),
        invariants.own_errors(fleet.stack.processes.log("beat").parent),
    ]
    verdict.reported = len(report)
    verdict.problems += problems_of(verdict)
    return verdict


def _told(
    owner_url: str, book: Book, rows: list[Row], received: list[dict[str, Any]]
) -> list[Finding]:
    """Webhooks, and that all ways told the same."""
    everything = told.read(owner_url, received)
    asked = {
        row["id"]: book.orders[row["idempotency_key"]].body.get("webhook_url")
        for row in rows
        if row["idempotency_key"] in book.orders
    }
    told.add_ends(book, received)
    states = {row["id"]: row["state"] for row in rows}
    return [*told.kept(everything, states, asked), *told.agreed(book)]


def _payments(
    fleet: Fleet, stripe: StripePage, receipts: Receipts, verdict: Verdict
) -> list[Finding]:
    """Stripe is asked as long as it takes until all that it did was noticed."""
    till = money.settle(fleet.stack.owner_url, stripe)
    once, played = money.once_at_stripe(till.rows, stripe)
    verdict.till, verdict.played = till, played
    return [
        *money.findings(till, played),
        once,
        money.refused(stripe.deliveries()),
        *sold.kept(receipts, till.rows),
        sold.every_scenario(stripe.scenarios()),
        sold.over_http(fleet.base_urls[0], receipts, till.rows),
    ]


def bought(emulator_url: str) -> Bought:
    stats: dict[str, Any] = httpx.get(f"{emulator_url}/emulator/stats", timeout=20).json()
    by_label = ("by_label", "billed_by_label")
    accepted, billed = (stats[name].get("generation", {}) for name in by_label)
    return Bought(accepted, billed)
