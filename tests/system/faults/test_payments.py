"""Web and worker are killed at every crash point of a purchase: nothing is lost or credited twice.

With a stack of its own: this one sells, to Stripe's emulator.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from django.db import connections
from django.utils import timezone

from config.env import parse_database_url
from credits.models import LedgerEntry
from dev.embedded.environment import Options
from dev.embedded.stack import Stack
from payments.models import Payment
from tests.e2e.conftest import TIME_SCALE, free_ports
from tests.support.people import make_person
from tests.support.stripe_works import SECRET_KEY, StripeEmulator, stripe_emulator, until

SECRET = "whsec_of_the_fault_tests"
PATIENCE = 60.0  # seconds; a shared machine is slow to start a worker again
CHECKOUT = "/api/v1/credits/checkout/"


@dataclass
class Selling:
    """A stack that sells, its Stripe, and a folder of traps."""

    stack: Stack
    stripe: StripeEmulator
    traps: Path

    def trap(self, place: str) -> None:
        """Whoever passes there next dies."""
        (self.traps / place).touch()

    def sprung(self, place: str) -> bool:
        return not (self.traps / place).exists()


@pytest.fixture(scope="module")
def selling() -> Iterator[Selling]:
    folder = Path(tempfile.mkdtemp(prefix="rm-pay-"))
    traps = folder / "traps"
    traps.mkdir()
    port = free_ports(1)
    options = ["--time-scale", str(TIME_SCALE), "--webhook-secret", SECRET]
    options += ["--webhook-url", f"http://127.0.0.1:{port}/webhooks/stripe/"]
    with stripe_emulator(folder, *options) as stripe:
        environment = {
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_BASE_URL": stripe.url,
            "CRASH_TRAPS": str(traps),
            "OUTPUT_ROOT": f"{folder}/outputs",
            "WORK_DIR": f"{folder}/work",
        }
        running = Stack(
            folder / "var", Options(port=port, time_scale=TIME_SCALE, environment=environment)
        )
        running.start()
        try:
            assert running.base_url.endswith(f":{port}")
            with _looking_into(running):
                yield Selling(running, stripe, traps)
        finally:
            running.stop()


@contextmanager
def _looking_into(stack: Stack) -> Iterator[None]:
    """Django in this process reads the database of the stack."""
    settings = connections["default"].settings_dict
    before = dict(settings)
    connections.close_all()
    settings |= parse_database_url(stack.env["DATABASE_URL"])
    try:
        yield
    finally:
        connections.close_all()
        settings |= before


@pytest.mark.parametrize(
    "place",
    [
        "checkout.after_row",
        "checkout.after_answer",
        "webhook.after_commit",
        "settle.after_fetch",
        "settle.after_commit",
    ],
)
def test_whoever_dies_there_loses_and_doubles_nothing(selling: Selling, place: str) -> None:
    person = make_person(f"buyer at {place}", 0)
    person.user.email = f"{place}@example.com"
    person.user.email_verified_at = timezone.now()
    person.user.save()
    selling.trap(place)
    with httpx.Client(
        base_url=selling.stack.base_url,
        headers={"Authorization": f"Bearer {person.key}", "Idempotency-Key": place},
        timeout=30,
    ) as customer:
        ends = time.monotonic() + PATIENCE
        url = ""
        while not url:  # as a client does whose answer was lost
            assert time.monotonic() < ends
            try:
                answer = customer.post(CHECKOUT, json={"pack": "credits_500"})
            except httpx.TransportError:
                continue
            url = answer.json().get("url") or ""
            time.sleep(0.2)
    selling.stripe.press(url, card="4242 4242 4242 4242")
    payment = Payment.objects.get(account=person.account)
    until(lambda: Payment.objects.get(pk=payment.pk).state == "paid", PATIENCE)
    assert selling.sprung(place)
    time.sleep(1.0)  # for whoever would do it again
    sold = LedgerEntry.objects.filter(wallet_id=person.account.pk)
    assert list(sold.values_list("kind", "amount")) == [("purchase", 500)]
    at_stripe = selling.stripe.payment(str(payment.pk))
    assert at_stripe["taken"] == 500
    kinds = [each["object"] for each in at_stripe["objects"]]
    assert kinds.count("checkout.session") == 1


def test_the_books_agree_with_stripe_afterwards(selling: Selling) -> None:
    for command in ("check_ledger", "check_payments"):
        selling.stack.manage(command, "--skip-checks")
