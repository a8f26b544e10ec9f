"""What is not as it was ordered is delivered, counted, and told to operators alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from generation.models import Generation
from generation.models.states import State
from generation.outputs.as_ordered import differences
from generation.outputs.delivery import Delivered
from generation.stages.store import StoreStage
from tests.generation.stages.test_store import storing
from tests.generation.stages.test_submit import now
from tests.support.bring_to import claimed, kept, reached
from tests.support.log_reader import lines_of
from tests.support.operators import operator
from tests.support.people import Person
from tests.support.videos import write_video
from tests.support.works import Emulator, Works

Api = Callable[..., httpx.Client]
DIFFER = ("sound", "length")
CASES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"duration": 8, "generate_audio": True}, {}),
    ({"duration": 4}, {"length": "8.0 s instead of 4 s"}),
    ({"generate_audio": False}, {"sound": "with sound, ordered without"}),
    (
        {"duration": 6, "generate_audio": False},
        {"sound": "with sound, ordered without", "length": "8.0 s instead of 6 s"},
    ),
]


def counts() -> dict[str, float]:
    name = "reelmint_outputs_not_as_ordered_total"
    return {what: REGISTRY.get_sample_value(name, {"what": what}) or 0 for what in DIFFER}


def ordered(pk: Any, parameters: dict[str, Any]) -> None:
    """The order had these parameters as well."""
    row = now(pk)
    Generation.objects.filter(pk=pk).update(parameters=row.parameters | parameters)


def store_and_count(pk: Any, works: Works) -> tuple[Generation, dict[str, float]]:
    before = counts()
    works.run("store")
    after = counts()
    return now(pk), {what: after[what] - before[what] for what in DIFFER}


@pytest.mark.parametrize(("parameters", "differ"), CASES)
def test_what_differs_is_delivered_counted_and_noted(
    parameters: dict[str, Any],
    differ: dict[str, str],
    alice: Person,
    works: Works,
    api: Api,
) -> None:
    pk = storing(alice, works).pk
    ordered(pk, parameters)
    with lines_of("generation.transitions") as lines:
        row, counted = store_and_count(pk, works)
    assert row.state == State.COMPLETED, row.last_error
    assert counted == {what: float(what in differ) for what in DIFFER}
    said = "; ".join(differ.values())
    assert row.last_error == said
    event = row.events.get(is_terminal=True)
    assert event.data == ({"code": "not_as_ordered", "detail": said} if said else {})
    assert lines[-1].get("reason") == ("not_as_ordered" if said else None)
    assert alice.balance == 760  # charged as ordered
    body = api(alice.key).get(f"/api/v1/generate/{pk}/")
    assert body.json()["status"] == "completed"
    assert body.json()["error"] is None
    for words in ("instead of", "ordered with", "not_as_ordered"):
        assert words not in body.text
    page = operator().get(f"/admin/generation/generation/{pk}/change/").text
    assert all(words in page for words in differ.values())


@pytest.mark.parametrize("tag", ["hvc1", "hev1"])
def test_a_silent_second_in_h265_where_eight_with_sound_were_ordered(
    tag: str, alice: Person, works: Works, emulator: Emulator, tmp_path: Path
) -> None:
    generation = storing(alice, works)
    film = write_video(tmp_path / "film.mp4", codec="libx265", tag=tag, sound=False)
    replace_output(emulator, generation, film.read_bytes())
    row, counted = store_and_count(generation.pk, works)
    assert row.state == State.COMPLETED, row.last_error
    assert (row.output_facts["video_codec"], row.output_facts["audio_codec"]) == (tag, None)
    assert counted == {"sound": 1, "length": 1}
    assert row.last_error == "no sound, ordered with; 1.0 s instead of 8 s"


def test_h265_as_ordered_is_delivered_and_named(alice: Person, works: Works) -> None:
    pk = storing(alice, works, "[emulator:hevc]").pk
    row, counted = store_and_count(pk, works)
    assert (row.state, row.last_error) == (State.COMPLETED, "")
    assert (row.output_facts["video_codec"], row.output_type) == ("hvc1", "video/mp4")
    assert counted == {"sound": 0, "length": 0}


def replace_output(emulator: Emulator, generation: Generation, data: bytes) -> None:
    """Another file at the provider under the output's name."""
    bucket, _, name = generation.output_uri.removeprefix("gs://").partition("/")
    answer = httpx.post(
        f"{emulator.url}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "media", "name": name},
        headers={"Content-Type": "video/mp4", "Authorization": "Bearer t"},
        content=data,
    )
    assert answer.status_code == 200, answer.text


def test_a_silent_video_that_was_ordered_so_is_as_ordered(
    alice: Person, works: Works, emulator: Emulator, tmp_path: Path
) -> None:
    generation = storing(alice, works)
    ordered(generation.pk, {"generate_audio": False, "duration": 2})
    film = write_video(tmp_path / "film.mp4", sound=False)  # a second less is no difference
    replace_output(emulator, generation, film.read_bytes())
    row, counted = store_and_count(generation.pk, works)
    assert row.state == State.COMPLETED, row.last_error
    assert counted == {"sound": 0, "length": 0}
    assert row.last_error == ""


def test_an_image_has_neither() -> None:
    image = Generation(kind="image", parameters={"size": "1:1"})
    assert differences(image, {"format": "PNG", "width": 1, "height": 1}) == {}


@pytest.mark.parametrize(("seconds", "differs"), [(7, False), (9, False), (6.9, True), (9.1, True)])
def test_a_second_is_the_limit(seconds: float, differs: bool) -> None:
    video = Generation(kind="video", parameters={"aspect_ratio": "16:9"})
    facts = {"duration_seconds": float(seconds), "audio_codec": "mp4a"}
    assert ("length" in differences(video, facts)) is differs


def test_who_was_fenced_off_counts_nothing(alice: Person, works: Works) -> None:
    """The worker that took the row over delivers it, and counts."""
    late = reached(alice, State.STORING)
    claimed(late)  # another worker
    facts = kept(late)["output_facts"] | {"duration_seconds": 1.0, "audio_codec": None}
    before = counts()
    stage = StoreStage(works.provider)
    outcome = Delivered("outputs/x.mp4", "video/mp4", 1, "0" * 64, facts)
    assert stage.in_time(late, outcome) is None
    assert counts() == before
    assert now(late.pk).state == State.STORING
