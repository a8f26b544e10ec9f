"""Which backend a name means, and what may be known of it without loading it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

from generation.backends.base import NotAccepted, SubmitRequest, Unavailable
from generation.backends.capabilities import CAPABILITIES
from generation.models import CatalogModel
from generation.provider.buyers import BUYERS
from generation.provider.readers import READERS
from generation.provider.router import MISSING, Router


def test_what_is_told_of_a_backend_without_loading_it_is_true() -> None:
    for classes in (BUYERS, READERS):
        assert {name: each.capabilities for name, each in classes.items()} == CAPABILITIES


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("generation.tasks.poll", ["google.genai", "PIL", "av"]),
        ("generation.tasks.store", ["google.genai", "av"]),
        ("generation.tasks.prepare", ["google.genai", "av"]),
        (
            "config.urls",
            [
                "google.auth",
                "google.genai",
                "generation.backends.vertex",
                "generation.provider.router",
            ],
        ),
    ],
)
def test_a_process_loads_no_more_of_a_backend_than_it_needs(
    module: str, forbidden: list[str]
) -> None:
    code = (
        "import sys, django; django.setup(); import importlib;"
        f"importlib.import_module({module!r});"
        f"print([name for name in {forbidden!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"


def test_a_backend_is_made_when_it_is_first_needed_and_once_a_location(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "VERTEX_BASE_URL", "http://127.0.0.1:9")
    router = Router(READERS)
    assert router._made == {}
    vertex = router.of("vertex")
    assert router.of("vertex", settings.GOOGLE_CLOUD_LOCATION) is vertex
    assert router.of("vertex", "europe-west4") is not vertex
    assert router.of("interactions") is router.of("interactions", "global")
    assert len(router._made) == 3


def test_a_route_has_the_names_that_rows_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VERTEX_BASE_URL", "http://127.0.0.1:9")
    route = Router(READERS).route(CatalogModel(name="veo3", location=""), "veo-3.1")
    assert route.names == {
        "backend": "vertex",
        "project": settings.GOOGLE_CLOUD_PROJECT,
        "location": settings.GOOGLE_CLOUD_LOCATION,
        "provider_model": "veo-3.1",
    }
    assert route.place_for("g", 3) == f"gs://{settings.OUTPUT_BUCKET}/generations/g/3/"
    assert not route.remembers
    far = CatalogModel(name="veo3", location="europe-west4")
    assert Router(READERS).route(far, "veo-3.1").location == "europe-west4"
    other = Router(READERS).route(
        CatalogModel(name="omni", backend="interactions", location=""), "omni"
    )
    assert (other.backend, other.location, other.remembers) == ("interactions", "global", True)


def test_a_name_of_another_build_is_unavailable_and_counted() -> None:
    before = MISSING._value.get()
    router = Router(READERS)
    assert not router.has("newer")
    assert MISSING._value.get() == before + 1
    with pytest.raises(Unavailable):
        router.route(CatalogModel(name="veo3", backend="newer"), "model")
    stand_in = Router(BUYERS).of("newer")
    request = SubmitRequest("video", "m", "p", "16:9", "")
    for call, error in [
        (stand_in.submit(request), NotAccepted),
        (stand_in.poll("o", ""), Unavailable),
        (stand_in.find_output("", "video"), Unavailable),
        (stand_in.remove_outputs(""), Unavailable),
        (stand_in.forget("o", "p"), Unavailable),
    ]:
        with pytest.raises(error, match="newer"):
            call.send(None)
