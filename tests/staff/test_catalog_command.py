"""``manage.py catalog``: the page's form without a browser."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from common.fresh import Fresh
from generation.models import CatalogModel, ProviderGate
from staff.models import AuditEntry

Api = Callable[..., httpx.Client]
TO_OMNI = (
    *("--backend", "interactions", "--provider-model", "gemini-omni-1.2-flash"),
    *("--audio", "always", "--no-negative-prompt", "--seed-max", "2147483647"),
)


def catalog(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("catalog", *arguments, stdout=out)
    return dict(json.loads(out.getvalue()))


def row(name: str = "veo3_fast") -> CatalogModel:
    return CatalogModel.objects.get(pk=name)


def test_without_a_name_it_shows_all_rows() -> None:
    shown = catalog()["models"]
    assert [each["name"] for each in shown] == ["veo3_fast", "veo3", "omni", "image"]
    assert shown[0]["provider_model"] == "veo-3.1-fast-generate-001"
    assert shown[0]["prices"]["4k"] == {"audio": 720, "silent": 600}
    assert shown[0]["warnings"] == []
    assert not AuditEntry.objects.exists()


def test_a_model_goes_on_sale(api: Api) -> None:
    assert catalog("omni", "--enable", "--reason", "try")["changes"] == {"enabled": [False, True]}
    Fresh.clear_all()
    names = [each["name"] for each in api().get("/api/v1/models/").json()["models"]]
    assert names == ["veo3_fast", "veo3", "omni", "image"]
    answer = api().get("/api/schema/", headers={"Accept": "application/json"}).json()
    fields = answer["components"]["schemas"]["VideoRequest"]["properties"]
    assert fields["video_model"]["enum"] == ["veo3_fast", "veo3", "omni", None]
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.target_id) == ("try", "omni")


def test_switching_to_another_backend_and_back_changes_nothing_else() -> None:
    before = CatalogModel.objects.filter(pk="veo3_fast").values().get()
    ProviderGate.objects.create(
        model_id="veo3_fast", next_submit_at=timezone.now(), window_ends_at=timezone.now(), pauses=2
    )
    changes = catalog("veo3_fast", *TO_OMNI, "--reason", "Veo 3.1 was retired")["changes"]
    assert set(changes) == {"backend", "provider_model", "abilities", "paused"}
    assert (row().backend, row().able.audio) == ("interactions", "always")
    assert ProviderGate.objects.get().pauses == 0
    catalog(
        *("veo3_fast", "--backend", "vertex", "--provider-model", "", "--audio", "optional"),
        *("--negative-prompt", "--seed-max", "4294967295", "--reason", "it is back"),
    )
    assert CatalogModel.objects.filter(pk="veo3_fast").values().get() == before


def test_prices_lengths_and_the_rest() -> None:
    catalog(
        *("veo3", "--price", "720p:audio=520", "-p", "4k:silent=555", "--durations", "4,8"),
        *("--resolutions", "720p,4k", "--durations-where", "3=", "--default-duration", "4"),
        *("--durations-where", "4k=4,8", "--max-images", "2", "--reason", "a new list"),
        *("--fallback", "veo-3.1-fast-generate-001", "--location", "europe-west4"),
    )
    changed = row("veo3")
    assert (changed.price, changed.prices["4k"]["silent"]) == (520, 555)
    assert changed.able.durations == (4, 8)
    assert changed.able.resolutions == ("720p", "4k")
    assert changed.able.durations_by_images == {}
    assert (changed.able.durations_by_resolution or {})["4k"] == [4, 8]
    assert (changed.able.default_duration, changed.able.max_images) == (4, 2)
    assert changed.provider_model_fallback == "veo-3.1-fast-generate-001"
    assert changed.location == "europe-west4"
    catalog("image", "--price", "30", "--reason", "a new list")
    assert row("image").price == 30
    catalog("veo3", "--disable", "--seed-max", "", "--reason", "x")
    assert (row("veo3").enabled, row("veo3").able.seed_max) == (False, None)


def test_the_providers_quota_is_changed_and_audited() -> None:
    told = catalog("veo3", "--submits-per-minute", "7", "--reason", "a smaller quota")
    assert told["changes"] == {"submits_per_minute": [50, 7]}
    assert told["models"][0]["submits_per_minute"] == 7
    assert row("veo3").submits_per_minute == 7
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.target_id) == ("a smaller quota", "veo3")
    assert entry.changes == {"submits_per_minute": [50, 7], "by": "manage.py catalog"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["veo3", "--enable"], "reason: This field is required"),
        (["veo3", "--backend", "interactions", "--reason", "x"], "The settings name ids of vertex"),
        (["veo3", "--backend", "x", "--reason", "x"], "Select a valid choice"),
        (["veo3", "--price", "0", "--reason", "x"], "name the cell"),
        (["veo3", "--price", "720p:audio=0", "--reason", "x"], "greater than or equal to 1"),
        (["veo3", "--price", "8k:audio=1", "--reason", "x"], "is none of 720p:audio"),
        (["veo3", "--price", "720p:audio=", "--reason", "x"], "This is sold"),
        (["veo3", "--durations-where", "8k=8", "--reason", "x"], "is none of 720p"),
        (["veo3", "--durations", "x", "--reason", "x"], "Select a valid choice"),
        *(
            (["veo3", "--submits-per-minute", each, "--reason", "x"], "submits_per_minute: ")
            for each in ("", "0", "-1", "10001", "9" * 40, "7.5", "many", "1\x00")
        ),
        (["veo3", "--submits-per-minute", "7"], "reason: This field is required"),
        (["image", "--audio", "never", "--reason", "x"], "image has no audio"),
        (["veo4", "--enable", "--reason", "x"], "No model is called veo4"),
        (["--enable", "--reason", "x"], "Name the model to change"),
        (
            ["image", "--backend", "interactions", "--provider-model", "o", "--reason", "x"],
            "no image",
        ),
    ],
)
def test_what_makes_no_sense_is_told_and_not_saved(arguments: list[str], said: str) -> None:
    before = list(CatalogModel.objects.values())
    with pytest.raises(CommandError, match=said):
        catalog(*arguments)
    assert list(CatalogModel.objects.values()) == before
    assert not AuditEntry.objects.exists()
