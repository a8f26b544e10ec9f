"""The operator's pages about generations and the catalog."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from common.fresh import Fresh
from generation import lifecycle
from generation.backends.capabilities import CAPABILITIES
from generation.models import Attempt, CatalogModel, Generation, Orphan, ProviderGate
from generation.offer import catalog
from staff.models import AuditEntry
from staff.pages import abilities_form
from tests.support.people import Person, inside, make_staff

Api = Callable[..., httpx.Client]
GENERATIONS = "/admin/generation/generation/"
VIDEO = "/api/v1/generate/video/"
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
    for key, value in values.items():
        if key.startswith(("durations_at", "durations_with")):
            values[key] = ", ".join(map(str, value))
    return values | {"reason": "a new price list"}


def test_a_price_is_changed_and_what_was_charged_stays(
    operator: Client, generation: Generation, api: Api, alice: Person
):
    values = form(operator, "veo3_fast")
    answer = operator.post(
        f"{CATALOG}veo3_fast/change/", values | {"price_720p_audio": "300", "name": "x"}
    )
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
        ("price_720p_audio", "0", "greater than or equal to 1"),
        ("price_720p_audio", "", "This is sold, so it needs a price"),
        ("price_4k_silent", "", "This is sold, so it needs a price"),
        ("estimated_time", "", "This field is required"),
        ("estimated_time_with_images", "", "required for a video"),
        ("expected_seconds", "0", "Must be 1 to"),
        ("provider_model", "models/veo 4", "no blanks"),
        ("provider_model_fallback", "veo 5", "no blanks"),
        ("provider_model_fallback", "veo-3.1-generate-001", "asked for first"),
        ("backend", "later", "Select a valid choice"),
        ("location", "us/../eu", "A location is like"),
        ("durations", [], "This field is required"),
        ("durations", ["4", "8", "9"], "vertex makes no video of 9 seconds"),
        ("durations", ["4", "6"], "Must be one of the lengths on sale"),
        ("default_duration", "5", "Must be one of the lengths on sale"),
        ("durations_at_4k", "8; 6", "Must be numbers from 3 to 15 with commas"),
        ("durations_with_3", "4", "No length is left for 1080p with 3 source images"),
        ("resolutions", [], "This field is required"),
        ("audio", "loud", "Select a valid choice"),
        ("seed_max", "4294967296", "vertex takes seeds up to 4294967295"),
        ("max_images", "4", "less than or equal to 3"),
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


OMNI = {
    "backend": "interactions",
    "provider_model": "gemini-omni-1.2-flash",
    "audio": "always",
    "negative_prompt": "false",
    "seed_max": "2147483647",
}


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("audio", "interactions makes no video without sound"),
        ("negative_prompt", "interactions takes no negative prompt"),
        ("provider_model", "The settings name ids of vertex alone"),
    ],
)
def test_a_backend_is_not_chosen_for_what_it_cannot_do(
    left_out: str, said: str, operator: Client
) -> None:
    before = CatalogModel.objects.filter(pk="veo3_fast").values().get()
    sent = {name: value for name, value in OMNI.items() if name != left_out}
    values = form(operator, "veo3_fast") | sent
    answer = operator.post(f"{CATALOG}veo3_fast/change/", values)
    assert answer.status_code == 200
    assert said in answer.text
    assert CatalogModel.objects.filter(pk="veo3_fast").values().get() == before


def test_pictures_are_made_by_a_backend_that_makes_some(operator: Client) -> None:
    values = form(operator, "image") | {"backend": "interactions", "provider_model": "omni"}
    answer = operator.post(f"{CATALOG}image/change/", values)
    assert "interactions makes no images" in answer.text
    assert "durations" not in values
    assert operator.post(f"{CATALOG}image/change/", form(operator, "image") | {"price": "30"})
    assert CatalogModel.objects.get(pk="image").price == 30


def test_another_backend_is_sold_at_once_and_the_pause_ends(
    operator: Client, api: Api, alice: Person
) -> None:
    ProviderGate.objects.create(
        model_id="veo3_fast",
        next_submit_at=timezone.now(),
        window_ends_at=timezone.now(),
        gone=3,
        pauses=1,
        paused_until="2999-01-01T00:00Z",
    )
    Fresh.clear_all()
    sent = {"prompt": "a fox", "generate_audio": False}
    assert api(alice.key).post(VIDEO, json=sent).status_code == 503
    values = form(operator, "veo3_fast") | OMNI
    assert operator.post(f"{CATALOG}veo3_fast/change/", values).status_code == 302
    row = CatalogModel.objects.get(pk="veo3_fast")
    assert (row.backend, row.able.audio, row.able.negative_prompt) == (
        "interactions",
        "always",
        False,
    )
    assert row.prices["4k"] == {"audio": 720, "silent": 600}  # kept for the way back
    refused = api(alice.key).post(VIDEO, json=sent)
    assert refused.json()["error"] == "Generate audio must be true for veo3_fast"
    assert api(alice.key).post(VIDEO, json={"prompt": "a fox"}).status_code == 201
    entry = AuditEntry.objects.get()
    assert entry.changes["backend"] == ["vertex", "interactions"]
    assert entry.changes["paused"] == [True, False]
    assert set(entry.changes) == {"backend", "provider_model", "abilities", "paused"}


def test_a_save_without_a_change_ends_a_pause_and_leaves_its_entry(operator: Client) -> None:
    ProviderGate.objects.create(
        model_id="veo3", next_submit_at=timezone.now(), window_ends_at=timezone.now(), pauses=1
    )
    assert operator.post(f"{CATALOG}veo3/change/", form(operator, "veo3")).status_code == 302
    assert ProviderGate.objects.get().pauses == 0
    assert AuditEntry.objects.get().changes == {"paused": [True, False]}
    assert operator.post(f"{CATALOG}veo3/change/", form(operator, "veo3")).status_code == 302
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("name", ["veo3_fast", "veo3", "omni", "image"])
def test_a_row_comes_back_from_its_fields_as_it_was(operator: Client, name: str) -> None:
    before = CatalogModel.objects.filter(pk=name).values().get()
    values = form(operator, name) | {"position": 7}
    assert operator.post(f"{CATALOG}{name}/change/", values).status_code == 302
    after = CatalogModel.objects.filter(pk=name).values().get()
    assert after | {"position": before["position"]} == before
    assert AuditEntry.objects.get().changes == {"position": [before["position"], 7]}


def test_there_is_a_field_for_all_that_any_backend_can_do() -> None:
    for backend in CAPABILITIES.values():
        assert set(backend.resolutions) <= set(abilities_form.RESOLUTIONS)
        assert set(backend.durations) <= set(abilities_form.SECONDS)
        assert backend.max_images <= len(abilities_form.IMAGES)
    fields = abilities_form.AbilitiesForm.base_fields
    assert set(abilities_form.CELLS) | set(abilities_form.LIMITS) <= set(fields)


def test_support_sees_it_and_changes_nothing() -> None:
    support = inside(make_staff(role="support"))
    page = support.get(f"{CATALOG}veo3_fast/change/")
    assert page.status_code == 200
    assert "720p: {&#x27;audio&#x27;: 240" in page.text
    assert support.post(f"{CATALOG}veo3_fast/change/", {"reason": "x"}).status_code == 403


def test_the_page_shows_a_price_a_cell_and_boxes_to_tick(operator: Client) -> None:
    page = operator.get(f"{CATALOG}veo3_fast/change/").text
    for name in (*abilities_form.CELLS, *abilities_form.LIMITS):
        assert f'name="{name}"' in page, name
    assert re.search(r'name="price_4k_silent" value="600"', page)
    boxes = re.findall(r"<input type=\"checkbox\" name=\"(?:durations|resolutions)\"[^>]*>", page)
    ticked = [re.findall(r'value="(\w+)"', box)[0] for box in boxes if " checked" in plain(box)]
    assert ticked == ["720p", "1080p", "4k", "4", "6", "8"]
    assert 'name="price"' not in page
    assert "{&quot;" not in page  # no JSON
    picture = operator.get(f"{CATALOG}image/change/").text
    assert 'name="price"' in picture
    assert "price_720p" not in picture


def plain(box: str) -> str:
    """Without its classes, of which one is ``checked:…``."""
    return re.sub(r'class="[^"]*"', "", box)
