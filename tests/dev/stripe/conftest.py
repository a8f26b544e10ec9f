"""One emulator of Stripe for all tests here; at the end its answers are held to the SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stripe_works import (
    WEBHOOK_SECRET,
    Shop,
    StripeEmulator,
    shop,
    stripe_emulator,
)

TIME_SCALE = "0.01"


@pytest.fixture(scope="session")
def shop_of_session() -> Iterator[Shop]:
    with shop() as kept:
        yield kept


@pytest.fixture(scope="session")
def stripe_side(
    tmp_path_factory: pytest.TempPathFactory, shop_of_session: Shop
) -> Iterator[StripeEmulator]:
    options = ["--time-scale", TIME_SCALE, "--webhook-url", shop_of_session.url]
    options += ["--webhook-secret", WEBHOOK_SECRET]
    with stripe_emulator(tmp_path_factory.mktemp("stripe"), *options) as running:
        yield running


@pytest.fixture
def seller(stripe_side: StripeEmulator, shop_of_session: Shop) -> Iterator[StripeEmulator]:
    """The emulator, and nothing in it."""
    stripe_side.http.post("/emulator/reset")
    shop_of_session.begin()
    yield stripe_side
    stripe_side.http.post("/emulator/reset")


@pytest.fixture
def told(seller: StripeEmulator, shop_of_session: Shop) -> Shop:
    """The shop's endpoint; it was told nothing yet."""
    return shop_of_session
