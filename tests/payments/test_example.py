"""The example that buys credits, as a customer runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from payments.models import Payment
from tests.support.packages import ROOT
from tests.support.paying import Till
from tests.support.people import Person

EXAMPLE = ROOT / "examples" / "buy_credits.py"


@contextmanager
def running(base_url: str, key: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"BASE_URL": base_url, "API_KEY": key}
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(base_url: str, key: str, *arguments: str) -> tuple[int, str, str]:
    with running(base_url, key, *arguments) as process:
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err


def test_it_lists_what_credits_cost(base_url: str) -> None:
    code, out, _ = ended(base_url, "")
    assert (code, out.splitlines()[0]) == (0, "credits_500: 500 credits")


def test_it_says_why_nothing_was_bought(base_url: str, alice: Person) -> None:
    code, out, err = ended(base_url, alice.key, "credits_500")
    assert (code, out) == (1, "")
    assert err.strip().endswith("503 Payments are not available at the moment")


def test_a_person_pays_at_its_link(base_url: str, till: Till, alice: Person) -> None:
    with running(base_url, alice.key, "credits_2500") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2500 credits for 25.00 USD, pay here:\n"
        assert re.fullmatch(rf"{till.stripe.url}\S+\n", process.stdout.readline())
        payment = Payment.objects.get()
        till.pay(payment)
        till.until(payment, "paid")
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out == "2500 credits were added, you have 3500.\n"


def test_a_link_that_expired_is_no_success(base_url: str, till: Till, alice: Person) -> None:
    with running(base_url, alice.key, "credits_500") as process:
        assert process.stdout is not None
        process.stdout.readline()
        payment = Payment.objects.get()
        till.stripe.sdk.v1.checkout.sessions.expire(str(payment.session_id))
        till.until(payment, "expired")
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, "No credits: the payment is expired.\n")
