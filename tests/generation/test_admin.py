"""The operator's pages about generations and the catalog."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.test import Client

from accounts.models import User
from generation import lifecycle
from generation.models import Attempt, CatalogModel, Generation, Orphan
from tests.people import Person

Api = Callable[..., httpx.Client]
GENERATIONS = "/admin/generation/generation/"
CATALOG = "/admin/generation/catalogmodel/"


@pytest.fixture
def operator() -> Client:
    return inside(make_staff())


@pytest.fixture
def generation(api: Api, alice: Person) -> Generation:
    answer = api(alice.key).post("/api/v1/generate/video/", json={"prompt": "a red fox"})
    found = Generation.objects.get(pk=answer.json()["data"]["generation_id"])
    attempt = Attempt.objects.create(
        generation=found, number=1, prefix="gs://bucket/1/", provider_model="veo"
    )
    Orphan.objects.create(attempt=attempt, uri="gs://bucket/1/sample_0.mp4")
    return found


def test_pages_open_and_change_nothing(operator: Client, generation: Generation):
    page = operator.get(f"{GENERATIONS}{generation.pk}/change/")
    assert "gs://bucket/1/" in page.text
    assert "queued" in page.text
    for path in (f"{GENERATIONS}?q={generation.pk}", "/admin/generation/orphan/", CATALOG):
        assert operator.get(path).status_code == 200, path
    assert operator.get(f"{GENERATIONS}add/").status_code == 403
    assert operator.get(f"{GENERATIONS}{generation.pk}/delete/").status_code == 403
    changed = operator.post(f"{GENERATIONS}{generation.pk}/change/", {"state": "completed"})
    assert changed.status_code == 403
    lifecycle.cancel(generation.pk)
    assert "canceled" in operator.get(f"{GENERATIONS}{generation.pk}/change/").text


def form(operator: Client, name: str) -> dict[str, object]:
    page = operator.get(f"{CATALOG}{name}/change/")
    fields = page.context["adminform"].form.initial
    return {key: "" if value is None else value for key, value in fields.items()} | {
        "aliases": "[]",
        "shapes": '["16:9", "9:16"]',
        "enabled": "on",
    }


def test_a_price_is_changed_and_checked(operator: Client):
    values = form(operator, "veo3")
    answer = operator.post(f"{CATALOG}veo3/change/", values | {"price": "600", "name": "other"})
    assert answer.status_code == 302
    assert CatalogModel.objects.get(pk="veo3").price == 600
    answer = operator.post(f"{CATALOG}veo3/change/", values | {"price": "0"})
    assert answer.status_code == 200
    assert "catalog_price_is_positive" in answer.text
    assert CatalogModel.objects.filter(kind="video").count() == 2
    assert operator.get(f"{CATALOG}veo3/delete/").status_code == 403
