"""The operator's pages about generations and the catalog."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.test import Client

from generation import lifecycle
from generation.models import Attempt, CatalogModel, Generation, Orphan
from generation.offer import catalog
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_staff

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
    values = {key: "" if value is None else value for key, value in fields.items()}
    return values | {"reason": "a new price list"}


def test_a_price_is_changed_and_what_was_charged_stays(
    operator: Client, generation: Generation, api: Api, alice: Person
):
    values = form(operator, "veo3_fast")
    answer = operator.post(f"{CATALOG}veo3_fast/change/", values | {"price": "300", "name": "x"})
    assert answer.status_code == 302
    assert CatalogModel.objects.get(pk="veo3_fast").price == 300
    generation.refresh_from_db()
    assert (generation.price, alice.balance) == (240, 760)
    models = api().get("/api/v1/models/video/").json()
    assert "300" in str(models)
    ordered = api(alice.key).post("/api/v1/generate/video/", json={"prompt": "another"}).json()
    assert ordered["data"]["credits_used"] == 300
    lifecycle.cancel(generation.pk)
    assert alice.balance == 700
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id) == ("change_catalogmodel", "veo3_fast")
    assert (entry.reason, entry.changes) == ("a new price list", {"price": [240, 300]})
    assert "240 → 300" in operator.get(f"{CATALOG}veo3_fast/history/").text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("price", "0", "Must be 1 to"),
        ("price", "", "This field is required"),
        ("estimated_time", "", "This field is required"),
        ("estimated_time_with_images", "", "required for a video"),
        ("expected_seconds", "0", "Must be 1 to"),
        ("provider_model", "models/veo 4", "no blanks"),
        ("retires_at_0", "tomorrow", "Enter a valid date"),
        ("reason", " ", "This field is required"),
    ],
)
def test_what_makes_no_sense_is_told_and_not_saved(
    field: str, value: str, said: str, operator: Client
):
    before = CatalogModel.objects.filter(pk="veo3").values().get()
    answer = operator.post(f"{CATALOG}veo3/change/", form(operator, "veo3") | {field: value})
    assert answer.status_code == 200
    assert said in answer.text
    assert CatalogModel.objects.filter(pk="veo3").values().get() == before
    assert not AuditEntry.objects.exists()


def test_a_model_retires_at_its_time(operator: Client, api: Api, alice: Person):
    values = form(operator, "veo3") | {"retires_at_0": "2001-01-01", "retires_at_1": "00:00:00"}
    assert operator.post(f"{CATALOG}veo3/change/", values).status_code == 302
    assert [model.name for model in catalog.on_sale("video")] == ["veo3_fast"]
    sent = {"prompt": "a red fox", "video_model": "veo3"}
    assert api(alice.key).post("/api/v1/generate/video/", json=sent).status_code == 400
    assert operator.get(f"{CATALOG}veo3/delete/").status_code == 403
    assert operator.get(f"{CATALOG}add/").status_code == 403
