"""The store stage: a file counts only when it is whole, playable and in our storage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from generation.delivery import deliver
from generation.models import Generation
from generation.stages.store import MAX_DAMAGED
from generation.states import State
from tests.generation.conftest import Works, age, make_due
from tests.generation.steps import claimed, created
from tests.generation.test_stage_submit import due_in, now, refunded
from tests.people import Person


def storing(person: Person, works: Works, marker: str = "") -> Generation:
    """Its output lies in the provider's bucket."""
    generation = created(person, prompt=f"a red fox {marker}")
    for _ in range(200):
        make_due()
        works.run("submit")
        works.run("poll")
        if now(generation.pk).state == State.STORING:
            return now(generation.pk)
    raise AssertionError(now(generation.pk))


def use_storage(settings: Settings, location: Path, backend: str = "") -> None:
    backend = backend or configured.STORAGES["default"]["BACKEND"]
    settings.STORAGES = configured.STORAGES | {
        "default": {"BACKEND": backend, "OPTIONS": {"location": str(location)}}
    }


def leftovers() -> list[Path]:
    return [path for path in Path(configured.WORK_DIR).rglob("*") if path.is_file()]


def test_what_was_read_back_is_kept(alice: Person, works: Works) -> None:
    pk = storing(alice, works).pk
    works.run("store")
    generation = now(pk)
    assert generation.state == State.COMPLETED, generation.last_error
    assert generation.output_key == f"outputs/{pk.hex[:2]}/{pk}.mp4"
    assert default_storage.size(generation.output_key) == generation.output_size
    assert generation.output_facts["duration_seconds"] == pytest.approx(8, abs=0.2)
    assert len(generation.output_sha256) == 64
    assert leftovers() == []


@pytest.mark.parametrize("marker", ["truncated", "truncated=file"])
def test_a_broken_file_is_fetched_a_few_times_and_refunded(
    marker: str, alice: Person, works: Works
) -> None:
    pk = storing(alice, works, f"[emulator:{marker}]").pk
    for tries in range(1, MAX_DAMAGED):
        works.run("store")
        assert (now(pk).state, now(pk).retries) == (State.STORING, tries)
        assert due_in(pk) > 0
        assert works.run("store") == 0
        make_due()
    works.run("store")
    assert refunded(pk, "provider_error", alice)
    assert now(pk).error_message == "The provider's file was not playable. Try again later."
    assert leftovers() == []
    assert not default_storage.exists(f"outputs/{pk.hex[:2]}/{pk}.mp4")


def test_a_broken_file_at_the_deadline_is_a_timeout(alice: Person, works: Works) -> None:
    pk = storing(alice, works, "[emulator:truncated]").pk
    age(str(pk), deadline_at="-1 second")
    works.run("store")
    assert refunded(pk, "timeout", alice)


def test_a_bucket_that_is_away_does_not_count_against_the_file(
    alice: Person, works: Works, emulator: object, settings: Settings
) -> None:
    pk = storing(alice, works).pk
    there = settings.VERTEX_BASE_URL
    settings.STORAGE_BASE_URL = "http://127.0.0.1:9"
    for _ in range(MAX_DAMAGED + 1):
        make_due()
        works.run("store")
        assert (now(pk).state, now(pk).retries) == (State.STORING, 0)
        assert 1 < due_in(pk) <= 8
    settings.STORAGE_BASE_URL = there
    make_due()
    works.run("store")
    assert now(pk).state == State.COMPLETED


def test_a_storage_that_refuses_is_waited_for(
    alice: Person, works: Works, settings: Settings, tmp_path: Path
) -> None:
    """As on a full disk: an OSError, whatever its reason, is not the file's fault."""
    pk = storing(alice, works).pk
    (tmp_path / "outputs").write_text("a file where the folder should be")
    use_storage(settings, tmp_path / "outputs")
    for _ in range(MAX_DAMAGED + 1):
        make_due()
        works.run("store")
        assert (now(pk).state, now(pk).retries) == (State.STORING, 0)
    assert now(pk).last_error.startswith(("NotADirectoryError", "FileExistsError"))
    use_storage(settings, tmp_path / "another")
    make_due()
    works.run("store")
    assert now(pk).state == State.COMPLETED
    assert leftovers() == []


def test_a_storage_that_refuses_until_the_deadline_is_a_timeout(
    alice: Person, works: Works, settings: Settings, tmp_path: Path
) -> None:
    pk = storing(alice, works).pk
    (tmp_path / "outputs").write_text("a file where the folder should be")
    use_storage(settings, tmp_path / "outputs")
    age(str(pk), deadline_at="-1 second")
    works.run("store")
    assert refunded(pk, "timeout", alice)


def test_what_is_there_at_the_deadline_is_still_delivered(alice: Person, works: Works) -> None:
    pk = storing(alice, works).pk
    age(str(pk), deadline_at="-1 second")
    works.run("store")
    assert now(pk).state == State.COMPLETED
    assert alice.balance == 760


def test_a_worker_that_died_after_the_copy_is_followed_by_the_same_copy(
    alice: Person, works: Works
) -> None:
    """Killed between the file and the commit: the next one writes the same bytes again."""
    generation = claimed(storing(alice, works))
    step = deliver(works.provider.backend, generation)
    first = works.engine.loop.run_until_complete(step)
    assert default_storage.exists(first.key)
    assert works.run("store") == 0  # its lease is not over
    make_due()
    works.run("store")
    found = now(generation.pk)
    assert (found.state, found.output_key, found.output_sha256) == (
        State.COMPLETED,
        first.key,
        first.sha256,
    )
    folder = Path(default_storage.path(first.key)).parent
    assert [path.name for path in folder.glob(f"*{generation.pk}*")] == [f"{generation.pk}.mp4"]


def test_the_work_folder_is_made_when_it_is_missing(alice: Person, works: Works) -> None:
    pk = storing(alice, works).pk
    shutil.rmtree(configured.WORK_DIR, ignore_errors=True)
    works.run("store")
    assert now(pk).state == State.COMPLETED


def test_a_storage_that_renames_has_not_kept_the_file(
    alice: Person, works: Works, settings: Settings, tmp_path: Path
) -> None:
    pk = storing(alice, works).pk
    use_storage(settings, tmp_path, "django.core.files.storage.FileSystemStorage")
    default_storage.save(f"outputs/{pk.hex[:2]}/{pk}.mp4", ContentFile(b"somebody else's"))
    works.run("store")
    assert (now(pk).state, now(pk).retries) == (State.STORING, 0)
    assert now(pk).last_error == "the storage did not keep the file as it was"
