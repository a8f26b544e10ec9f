"""Stripe's own clients, as `make test-stripe` fetched them, and an emulator for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stripe_works import (
    ROOT,
    WEBHOOK_SECRET,
    Shop,
    StripeEmulator,
    shop,
    stripe_emulator,
)

CLIENTS = ROOT / "var/stripe-clients"


@pytest.fixture
def told() -> Iterator[Shop]:
    """The shop's endpoint; it was told nothing yet."""
    with shop() as kept:
        yield kept


@pytest.fixture
def seller(tmp_path: Path, told: Shop) -> Iterator[StripeEmulator]:
    """The emulator, and nothing in it."""
    options = ["--time-scale", "0.005", "--webhook-url", told.url]
    with stripe_emulator(tmp_path, *options, "--webhook-secret", WEBHOOK_SECRET) as running:
        yield running
