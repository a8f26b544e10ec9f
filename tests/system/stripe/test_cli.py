"""The official command-line client plays its scenes: each call must be answered as by Stripe."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.stripe_works import SECRET_KEY, Shop, StripeEmulator, until
from tests.system.stripe.conftest import CLIENTS

CLI = CLIENTS / "node_modules/@stripe/cli-linux-x64/bin/stripe"
EVENTS = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.closed",
    "payment_intent.requires_action",
    "payment_intent.payment_failed",
    "setup_intent.succeeded",
    "promotion_code.created",
]


def run(home: Path, key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """It asks the world for a newer version of itself: nobody answers there."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "STRIPE_API_KEY": key,
        "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.run(
        [str(CLI), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def trigger(seller: StripeEmulator, home: Path, event: str, key: str = SECRET_KEY) -> str:
    done = run(home, key, "trigger", event, "--api-base", seller.url)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_the_pinned_version(tmp_path: Path) -> None:
    assert run(tmp_path, SECRET_KEY, "--version").stdout.startswith("stripe version 1.52.0")


@pytest.mark.parametrize("event", EVENTS)
def test_the_event_comes(seller: StripeEmulator, told: Shop, tmp_path: Path, event: str) -> None:
    assert "Trigger succeeded!" in trigger(seller, tmp_path, event)
    until(lambda: event in told.kinds())
    assert [each.type for each in seller.sdk.v1.events.list({"type": event}).data] == [event]


def test_it_takes_no_error_for_an_answer(
    seller: StripeEmulator, told: Shop, tmp_path: Path
) -> None:
    """So an exit code of 0 says that every call was answered."""
    arguments = ("trigger", EVENTS[0], "--api-base", seller.url)
    assert run(tmp_path, "sk_test_of_somebody_else", *arguments).returncode == 1
    broken = ("--override", "checkout_session:colour=red")
    assert run(tmp_path, SECRET_KEY, *arguments, *broken).returncode == 1
    assert EVENTS[0] not in told.kinds()
