"""Buying credits in a test: Stripe's emulator, the stage that settles, orders as of checkout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.utils import timezone

from payments import ordering
from payments.models import CreditPack, Payment
from payments.stage import SettleStage
from payments.stripe.connection import PATIENCE, connect, shared_transport, transport
from tests.support.people import Person
from tests.support.stripe_works import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    StripeEmulator,
    stripe_emulator,
)
from work.engine import Engine

# of the emulator alone: a bank answers after 1.8 s, what follows a payment comes after 0.15 s
TIME_SCALE = "0.03"
LINK_MINUTES = 40
WEBHOOKS = 10  # more than come at once about one payment


class Worker:
    """What a worker process keeps for its life."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.http = transport()

    def close(self) -> None:
        """Leave no connection behind, of a web process neither."""
        self.engine.loop.run_until_complete(self.http.close_async())
        self.engine.close()
        self.http.close()
        for seconds in (PATIENCE, PATIENCE / 2):
            shared_transport(seconds).close()


class Till:
    """Orders, pays and settles, as customers, their browsers and a worker do."""

    def __init__(self, stripe: StripeEmulator, worker: Worker) -> None:
        self.stripe = stripe
        self.worker = worker

    def row(self, person: Person, pack: str = "credits_500", **columns: Any) -> Payment:
        """A payment as checkout commits it, before Stripe is asked."""
        sold = CreditPack.objects.get(pk=pack)
        now = timezone.now()
        terms: dict[str, Any] = {
            "account": person.account,
            "created_by": person.user,
            "pack": sold,
            "credits": sold.credits,
            "amount_minor": sold.amount_minor,
            "currency": sold.currency,
            "livemode": False,
            "expires_at": now + timedelta(minutes=LINK_MINUTES),
            "next_attempt_at": now + timedelta(seconds=60),
        }
        return Payment.objects.create(**terms | columns)

    def order(
        self, person: Person, pack: str = "credits_500", scenario: str = "", told: bool = False
    ) -> Payment:
        """A payment with its link. Without ``told`` no webhook comes in between."""
        words = [scenario, "" if told else "lost"]
        if wanted := "+".join(filter(None, words)):
            self.stripe.control(wanted).raise_for_status()
        return ordering.ask_for_link(self.row(person, pack))

    def pay(self, payment: Payment, card: str = "4242 4242 4242 4242", **fields: str) -> None:
        """On Stripe's page, by card."""
        self.press(payment, card=card, **fields)

    def press(self, payment: Payment, action: str = "pay", **fields: str) -> httpx.Response:
        return self.stripe.press(payment.url, action, **fields)

    def settle(self, payment: Payment | None = None) -> int:
        """One pass over what is due; ``payment`` is made due first.

        If that pass finds nothing, another follows: a claim skips a row that a webhook has locked.
        """
        for _ in range(1 if payment is None else WEBHOOKS):
            if payment is not None:
                make_due(payment)
            if worked := self.worker.engine.run(
                SettleStage(connect(self.worker.http)), seconds=0.0
            ):
                return worked
        return 0

    def settled(self, payment: Payment) -> Payment:
        """The row after one more look at Stripe."""
        self.settle(payment)
        payment.refresh_from_db()
        return payment

    def bought(self, person: Person, pack: str = "credits_500", scenario: str = "") -> Payment:
        """A payment that is paid and credited."""
        payment = self.order(person, pack, scenario)
        self.pay(payment)
        assert self.settled(payment).state == "paid", payment.last_error
        return payment

    def until(self, payment: Payment, state: str, limit: float = 10.0) -> Payment:
        """Settle until the payment is in ``state``."""
        ends = time.monotonic() + limit
        while self.settled(payment).state != state:
            assert time.monotonic() < ends, f"{payment.state}: {payment.last_error}"
            time.sleep(0.05)
        return payment

    def objects(self, payment: Payment, kind: str) -> list[dict[str, Any]]:
        """What Stripe has of one kind for the payment."""
        found = self.stripe.payment(str(payment.pk))["objects"]
        return [each for each in found if each["object"] == kind]


def make_due(payment: Payment) -> None:
    """Let its time come; a lease counts as over."""
    Payment.objects.filter(pk=payment.pk).update(next_attempt_at=timezone.now())


def long_ago(seconds: float) -> dict[str, Any]:
    """The columns of a payment that was ordered so long ago."""
    ordered = timezone.now() - timedelta(seconds=seconds)
    return {"created_at": ordered, "expires_at": ordered + timedelta(minutes=LINK_MINUTES)}


@pytest.fixture(scope="session")
def stripe_process(
    tmp_path_factory: pytest.TempPathFactory, base_url: str
) -> Iterator[StripeEmulator]:
    options = ["--time-scale", TIME_SCALE, "--webhook-url", f"{base_url}/webhooks/stripe/"]
    options += ["--webhook-secret", WEBHOOK_SECRET]
    with stripe_emulator(tmp_path_factory.mktemp("stripe"), *options) as running:
        yield running


@pytest.fixture
def stripe(
    stripe_process: StripeEmulator, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StripeEmulator]:
    """Stripe's emulator with nothing in it, and settings under which credits are sold."""
    monkeypatch.setattr(settings, "STRIPE_SECRET_KEY", SECRET_KEY)
    monkeypatch.setattr(settings, "STRIPE_WEBHOOK_SECRETS", [WEBHOOK_SECRET])
    monkeypatch.setattr(settings, "STRIPE_BASE_URL", stripe_process.url)
    monkeypatch.setattr(settings, "PUBLIC_BASE_URL", base_url)
    stripe_process.http.post("/emulator/reset")
    yield stripe_process
    stripe_process.http.post("/emulator/reset")


@pytest.fixture(scope="session")
def settle_worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def till(stripe: StripeEmulator, settle_worker: Worker) -> Till:
    return Till(stripe, settle_worker)
