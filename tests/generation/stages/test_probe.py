"""The probe of the models' ids: it warns, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from common.fresh import Fresh
from generation.models import CatalogModel, ProviderGate
from generation.models.states import State
from generation.provider import model_ids
from generation.provider.readers import READERS
from generation.provider.router import Router
from generation.provider.standing import standings
from generation.stages import probe
from generation.stages.probe import probe_models
from tests.support.people import Person, inside, make_staff
from tests.support.provider_models import FAST, OTHER, ProviderModels, models
from tests.support.scraped import Samples, samples, value
from tests.support.works import Works

__all__ = ["models"]
IMAGE = "gemini-3.1-flash-image"


def asked(works: Works) -> dict[str, dict[str, bool | None]]:
    router = Router(READERS)
    try:
        return probe_models(router, works.engine.loop)
    finally:
        works.engine.loop.run_until_complete(router.aclose())


def warnings() -> list[str]:
    return [each for standing in standings() for each in standing.warnings]


def later(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_providergate SET known_at = known_at - %s * interval '1 second'",
            [seconds],
        )


def test_each_row_on_sale_is_asked_for_its_id_and_its_fallback_every_ten_minutes(
    works: Works, models: ProviderModels
) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(provider_model_fallback=OTHER)
    assert asked(works) == {
        "veo3_fast": {FAST: True, OTHER: True},
        "veo3": {OTHER: True},
        "image": {IMAGE: True},
    }
    assert warnings() == []
    assert asked(works) == {}
    models.retire()
    later(probe.EVERY - 5)
    assert asked(works) == {}
    later(6)
    assert asked(works)["veo3_fast"] == {FAST: False, OTHER: True}
    assert warnings() == [f"the provider does not know {FAST}, asked for veo3_fast"]


def test_other_ids_are_asked_for_at_the_next_tick(works: Works) -> None:
    asked(works)
    CatalogModel.objects.filter(pk="veo3").update(provider_model="veo-4")
    assert asked(works) == {"veo3": {"veo-4": False}}
    CatalogModel.objects.filter(pk="omni").update(enabled=True)
    assert asked(works) == {"omni": {"gemini-omni-1.2-flash": True}}


def test_it_never_blocks_a_sale(
    works: Works, models: ProviderModels, start: Callable[..., str], alice: Person
) -> None:
    CatalogModel.objects.filter(pk="veo3").update(provider_model="veo-4")
    assert asked(works)["veo3"] == {"veo-4": False}
    assert start(alice, video_model="veo3")
    ProviderGate.objects.update(known={FAST: False})
    assert works.finish(start(alice)).state == State.COMPLETED


def test_what_is_not_sold_is_not_worth_a_warning(works: Works, models: ProviderModels) -> None:
    models.retire()
    asked(works)
    CatalogModel.objects.filter(pk="veo3_fast").update(enabled=False)
    assert warnings() == []
    CatalogModel.objects.filter(pk="veo3_fast").update(enabled=True, retires_at="2001-01-01T00:00Z")
    assert warnings() == []


def test_a_provider_that_does_not_answer_tells_nothing(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VERTEX_BASE_URL", "http://127.0.0.1:9")
    assert asked(works)["veo3_fast"] == {FAST: None}
    assert warnings() == []


def test_a_backend_of_another_release_tells_nothing(works: Works) -> None:
    CatalogModel.objects.filter(pk="veo3").update(backend="later")
    assert asked(works)["veo3"] == {OTHER: None}


def told(*arguments: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("check_models", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_the_command_exits_with_1_for_an_unknown_id(works: Works, models: ProviderModels) -> None:
    lines, code = told()
    assert code == 0
    assert f"veo3_fast\t{FAST}\tknown" in lines.splitlines()
    models.retire()
    lines, code = told()
    assert code == 1
    assert f"veo3_fast\t{FAST}\tunknown" in lines.splitlines()
    assert f"veo3\t{OTHER}\tknown" in lines.splitlines()


def scraped(base_url: str) -> Samples:
    Fresh.clear_all()
    return samples(httpx.get(f"{base_url}/metrics").raise_for_status().text)


def test_operators_are_told_everywhere(works: Works, models: ProviderModels, base_url: str) -> None:
    found = scraped(base_url)
    for name in ("veo3_fast", "veo3", "image", "omni"):
        assert value(found, "reelmint_model_known", model=name) == 1
        assert value(found, "reelmint_model_paused", model=name) == 0
        assert value(found, "reelmint_model_on_fallback", model=name) == 0
    CatalogModel.objects.filter(pk="veo3").update(provider_model_fallback=FAST)
    models.retire()
    asked(works)
    ProviderGate.objects.filter(pk="veo3_fast").update(paused_until="2999-01-01T00:00Z")
    ProviderGate.objects.filter(pk="veo3").update(fallback_until="2001-01-01T00:00Z")
    Fresh.clear_all()
    sentences = [
        f"the provider does not know {FAST}, asked for veo3_fast",
        "veo3_fast is paused until 2999-01-01 00:00:00 UTC",
        f"the provider does not know {FAST}, asked for veo3",
        "veo3 is made by its fallback",
    ]
    ready = httpx.get(f"{base_url}/readyz")
    assert ready.status_code == 200
    assert [each for each in ready.json()["warnings"] if "veo3" in each] == sentences
    found = scraped(base_url)
    assert value(found, "reelmint_model_known", model="veo3_fast") == 0
    assert value(found, "reelmint_model_known", model="image") == 1
    assert value(found, "reelmint_model_paused", model="veo3_fast") == 1
    assert value(found, "reelmint_model_on_fallback", model="veo3") == 1
    page = inside(make_staff()).get("/admin/").text
    for each in sentences:
        assert f"{each[0].upper()}{each[1:]}." in page
    model_ids.start_again("veo3")
    model_ids.start_again("veo3_fast")
    assert warnings() == []
