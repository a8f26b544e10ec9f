"""The operator's page about the catalog."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from generation.models import CatalogModel

CATALOG = "/admin/generation/catalogmodel/"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator", "op@example.com", "x"))
    return client


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
