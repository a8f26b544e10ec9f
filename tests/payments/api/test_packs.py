"""``GET /api/v1/credits/packs/``: what is on sale, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payments.models import CreditPack
from tests.support.document import fits, served
from tests.support.stripe_works import SECRET_KEY

Api = Callable[..., httpx.Client]
PACKS = "/api/v1/credits/packs/"


@pytest.mark.parametrize("key", ["", SECRET_KEY])
def test_everybody_sees_what_is_on_sale(key: str, api: Api, settings: Any) -> None:
    """Also where nothing can be bought; a bad secret does no harm."""
    settings.STRIPE_SECRET_KEY = key
    answer = api("nonsense").get(PACKS)
    body = fits(answer, PACKS, 200)
    assert list(body) == ["success", "payments_available", "packs"]
    assert body["payments_available"] is bool(key)
    assert body["packs"] == [
        {"name": f"credits_{number}", "credits": number, "amount_minor": cents, "currency": "usd"}
        for number, cents in ((500, 500), (2500, 2500), (10_000, 9500), (50_000, 45_000))
    ]
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_enabled_ones_in_the_order_of_their_position(api: Api) -> None:
    CreditPack.objects.filter(name="credits_500").update(enabled=False)
    CreditPack.objects.filter(name="credits_50000").update(position=0)
    CreditPack.objects.filter(name="credits_10000").update(position=2)
    names = [pack["name"] for pack in api().get(PACKS).json()["packs"]]
    assert names == ["credits_50000", "credits_10000", "credits_2500"]
    pack = served()["components"]["schemas"]["CheckoutRequest"]["properties"]["pack"]
    assert pack["enum"] == names
    document = api().get("/api/schema/?format=json").json()
    assert document["components"]["schemas"]["CheckoutRequest"]["properties"]["pack"] == pack
