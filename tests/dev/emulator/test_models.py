"""Models that are known, retired and revived. An emulator of its own: a reset is for all."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.dev.emulator.conftest import FAST, RunningEmulator, start_emulator
from tests.dev.emulator.interactions import OMNI, begin
from tests.dev.emulator.test_image_api import MODEL as IMAGE
from tests.dev.emulator.test_image_api import generate

IN_PROJECT = "projects/shop/locations/{}/publishers/google/models/{}"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    folder = tmp_path_factory.mktemp("models")
    process, url = start_emulator(folder, "--plain")
    headers = {"Authorization": "Bearer some-token"}
    with httpx.Client(headers=headers, timeout=20) as client:
        yield RunningEmulator(url, folder, process, client)
    process.terminate()
    assert process.wait(5) == 0
    if process.stdout is not None:
        process.stdout.close()


@pytest.fixture
def emulator(own: RunningEmulator) -> RunningEmulator:
    own.client.post(f"{own.url}/emulator/reset").raise_for_status()
    return own


def probe(emulator: RunningEmulator, path: str, version: str = "v1") -> httpx.Response:
    return emulator.client.get(f"{emulator.url}/{version}/{path}")


def switch(emulator: RunningEmulator, model: str, verb: str) -> httpx.Response:
    return emulator.client.post(f"{emulator.url}/emulator/models/{model}/{verb}")


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("model", [FAST, OMNI, IMAGE, "gemini-nano-banana-2.1"])
def test_known_models_are_told(emulator: RunningEmulator, model: str, version: str):
    for path in (f"publishers/google/models/{model}", IN_PROJECT.format("global", model)):
        answer = probe(emulator, path, version)
        assert answer.status_code == 200
        assert answer.json()["name"] == f"publishers/google/models/{model}"


@pytest.mark.parametrize(
    "path",
    [
        "publishers/google/models/veo-4",
        IN_PROJECT.format("us-central1", "veo-3.0-generate-001"),
        IN_PROJECT.format("us-central1", OMNI),
    ],
)
def test_unknown_models_are_not_found_in_googles_form(emulator: RunningEmulator, path: str):
    error = probe(emulator, path).json()["error"]
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert f"`{path}` was not found" in error["message"]


def test_a_probe_needs_a_token(emulator: RunningEmulator, anonymous: httpx.Client):
    url = f"{emulator.url}/v1/publishers/google/models/{FAST}"
    assert anonymous.get(url).status_code == 401


def test_the_new_image_model_makes_pictures(emulator: RunningEmulator):
    assert generate(emulator, "A cup", model="gemini-nano-banana-2.1").status_code == 200


def submitted(emulator: RunningEmulator, model: str) -> httpx.Response:
    if model == OMNI:
        return begin(emulator, "A kite")[0]
    if model == IMAGE:
        return generate(emulator, "A cup")
    return emulator.submit("A kite", model=model)


@pytest.mark.parametrize("model", [FAST, OMNI, IMAGE])
def test_a_retired_model_is_not_found_until_it_is_revived(emulator: RunningEmulator, model: str):
    other = "veo-3.1-generate-001"
    assert switch(emulator, model, "retire").json() == {"model": model, "retired": True}
    assert switch(emulator, model, "retire").status_code == 200
    refused = submitted(emulator, model)
    assert refused.status_code == 404
    assert refused.json()["error"]["status"] == "NOT_FOUND"
    assert probe(emulator, f"publishers/google/models/{model}").status_code == 404
    assert emulator.stats()["operations"] == 0
    assert emulator.stats()["rejected"] == 1
    assert submitted(emulator, other).status_code == 200
    assert switch(emulator, model, "revive").json() == {"model": model, "retired": False}
    assert submitted(emulator, model).status_code == 200
    assert probe(emulator, f"publishers/google/models/{model}").status_code == 200


def test_what_runs_is_finished_when_its_model_is_retired(emulator: RunningEmulator):
    name = emulator.submit("A kite [emulator:slow=0.3]").json()["name"]
    switch(emulator, FAST, "retire")
    assert "done" not in emulator.poll(name).json()
    assert "videos" in emulator.finish(name)["response"]


def test_a_reset_revives_all(emulator: RunningEmulator):
    for model in (FAST, OMNI):
        switch(emulator, model, "retire")
    emulator.client.post(f"{emulator.url}/emulator/reset")
    assert [submitted(emulator, each).status_code for each in (FAST, OMNI)] == [200, 200]


def test_what_is_not_known_cannot_be_switched(emulator: RunningEmulator):
    assert switch(emulator, "veo-4", "retire").status_code == 404
    assert switch(emulator, FAST, "paint").status_code == 404
