"""The store stage: a file counts only when it is whole, playable and in our storage."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import uuid
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from generation.models import Generation
from generation.models.states import State
from generation.outputs.delivery import deliver
from generation.stages.base import MAX_STRIKES
from generation.stages.store import MAX_DAMAGED
from tests.generation.stages.test_submit import due_in, now, refunded
from tests.support.bring_to import claimed, created
from tests.support.people import Person
from tests.support.works import PATIENCE, Emulator, Works, age, make_due


def storing(person: Person, works: Works, marker: str = "") -> Generation:
    """Its output lies in the provider's bucket."""
    generation = created(person, prompt=f"a red fox {marker}")
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
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


class Refusing:
    """A storage of a kind that refuses in some way, until it is mended."""

    def __init__(
        self, settings: Settings, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._settings, self._folder, self._url = settings, folder, url
        self._monkeypatch = monkeypatch

    def refuse(self, how: str) -> None:
        if how == "local: no folder":
            (self._folder / "outputs").write_text("a file where the folder should be")
            use_storage(self._settings, self._folder / "outputs")
        elif how == "gcs: no connection":
            self._use_bucket("outputs", "http://127.0.0.1:9")
        elif how == "gcs: no credentials":
            self._use_bucket("outputs", None, self._folder / "nothing.json")
        elif how == "gcs: credentials that nobody takes":
            self._use_bucket("outputs", None, self._stale_key())
        else:
            self._use_bucket(how.removeprefix("gcs: "), self._url)

    def mend(self, how: str) -> None:
        if how.startswith("local"):
            use_storage(self._settings, self._folder / "another")
        else:
            self._use_bucket(f"kept-{uuid.uuid4().hex[:8]}", self._url)

    def _use_bucket(self, name: str, url: str | None, key: Path | None = None) -> None:
        """As OUTPUT_STORAGE=gcs makes it; with ``url`` Google's client shows no credentials."""
        if url is None:
            self._monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
            self._monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        else:
            self._monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        self._monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
        bucket = {
            "BACKEND": "generation.outputs.bucket_storage.BucketStorage",
            "OPTIONS": {"bucket_name": name, "file_overwrite": True, "querystring_auth": True},
        }
        self._settings.STORAGES = configured.STORAGES | {"default": bucket}

    def _stale_key(self) -> Path:
        """A key whose tokens come from where nobody is."""
        key = json.loads(Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())
        path = self._folder / "stale.json"
        path.write_text(json.dumps(key | {"token_uri": "http://127.0.0.1:9/token"}))
        return path


WAYS_TO_REFUSE = (
    "local: no folder",
    *(f"gcs: answers-{what}" for what in (401, 403, 404, 408, 429, 500, 502, 503, "nothing")),
    *("gcs: missing", "gcs: no connection", "gcs: no credentials"),
    "gcs: credentials that nobody takes",
)


@pytest.fixture
def refusing(
    emulator: Emulator,
    works: Works,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Refusing:
    # The provider's token is there before the storage's credentials go bad; the two share a file.
    asked = works.provider.of("vertex").knows("veo-3.1-fast-generate-001", "")
    assert works.engine.loop.run_until_complete(asked)
    return Refusing(settings, tmp_path, emulator.url, monkeypatch)


@pytest.mark.parametrize("how", WAYS_TO_REFUSE)
def test_a_storage_that_refuses_is_waited_for_and_nothing_more_is_bought(
    how: str, alice: Person, works: Works, emulator: Emulator, refusing: Refusing
) -> None:
    """Whichever it is, and however it says no: that is not the file's fault, nor our code's."""
    pk = storing(alice, works).pk
    refusing.refuse(how)
    tries = 1 if "nobody takes" in how else MAX_STRIKES + 2  # google-auth takes its time
    for _ in range(tries):
        make_due(str(pk))
        works.run("store")
        held = now(pk)
        assert (held.state, held.retries, held.strikes) == (State.STORING, 0, 0), held.last_error
        assert due_in(pk) > 0
    assert held.last_error.split(":")[0].endswith(("Error", "StorageRefused")), held.last_error
    waiting = created(alice)
    assert works.run("submit") == 0
    assert emulator.bought(str(waiting.pk)) == 0
    refusing.mend(how)
    make_due(str(pk))
    works.run("store")
    kept = now(pk)
    assert kept.state == State.COMPLETED, kept.last_error
    assert default_storage.size(kept.output_key) == kept.output_size
    assert leftovers() == []


@pytest.mark.parametrize("how", ["local: no folder", "gcs: answers-503", "gcs: no credentials"])
def test_a_storage_that_refuses_until_the_deadline_is_a_timeout(
    how: str, alice: Person, works: Works, refusing: Refusing
) -> None:
    pk = storing(alice, works).pk
    refusing.refuse(how)
    age(str(pk), deadline_at="-1 second")
    works.run("store")
    assert refunded(pk, "timeout", alice)


def test_a_bucket_that_never_answers_is_waited_for_within_the_lease(
    alice: Person, works: Works, refusing: Refusing, settings: Settings
) -> None:
    """The question ends before the lease does, so that its row is written back."""
    pk = storing(alice, works).pk
    refusing.refuse("gcs: outputs")
    settings.LEASE = 5.0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        os.environ["STORAGE_EMULATOR_HOST"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        make_due(str(pk))
        began = time.monotonic()
        works.run("store")
        assert time.monotonic() - began < 15
    held = now(pk)
    assert (held.state, held.retries, held.strikes) == (State.STORING, 0, 0)
    assert held.last_error.startswith("TimeoutError")


def test_what_a_bucket_has_is_told_as_by_any_storage(refusing: Refusing) -> None:
    refusing.refuse(f"gcs: kept-{uuid.uuid4().hex[:8]}")
    name = "outputs/ab/x.mp4"
    with pytest.raises(FileNotFoundError):
        default_storage.size(name)
    assert not default_storage.exists(name)
    default_storage.delete(name)
    for data in (b"one", b"three"):  # saved again it is the same file
        assert default_storage.save(name, ContentFile(data)) == name
        assert (default_storage.exists(name), default_storage.size(name)) == (True, len(data))
    with default_storage.open(name) as file:
        assert file.read() == b"three"
    default_storage.delete(name)
    assert not default_storage.exists(name)
    refusing.refuse("gcs: answers-503")
    for ask in (default_storage.size, default_storage.exists, default_storage.delete):
        with pytest.raises(OSError, match="ServiceUnavailable"):
            ask(name)
    with pytest.raises(OSError, match="ServiceUnavailable"):
        default_storage.save(name, ContentFile(b"x"))


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
    step = deliver(works.provider.of("vertex"), generation)
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
