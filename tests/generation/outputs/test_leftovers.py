"""What killed workers leave behind is removed, and nothing else ever is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from generation.models import Generation, Orphan
from generation.models.states import State
from generation.outputs.leftovers import Leftovers, least_age
from tests.support.bring_to import reached
from tests.support.orphan_looks import came_late, make_looks_due, seconds_until_look, sweep
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# a sweeper's claim, then a store that dies while it writes
WORK = (
    "from generation.outputs import orphans; from generation.tasks.store import store;"
    " orphans.claim_looks(); store()"
)


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WORK_DIR", tmp_path / "work")


def outputs() -> set[Path]:
    return {path for path in Path(settings.OUTPUT_ROOT).rglob("*") if path.is_file()}


def leave(path: Path, age: float) -> Path:
    """A file that was last written to ``age`` seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    grow_old(path, age)
    return path


def grow_old(path: Path, age: float) -> None:
    moment = time.time() - age
    os.utime(path, (moment, moment))


def test_a_worker_that_dies_while_it_writes(
    start: Callable[..., str], alice: Person, works: Works, emulator: Emulator
) -> None:
    """A real process, killed with a look claimed, a work file fetched and half an output kept."""
    late = came_late(alice, works, emulator)
    generation_id = start(alice)
    works.run("submit")
    while Generation.objects.get(pk=generation_id).state != State.STORING:
        make_due(generation_id)
        works.run("poll")
    before = outputs()
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {WORK}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "WORK_DIR": str(settings.WORK_DIR)}
        | {"VERTEX_BASE_URL": emulator.url, "CRASH_POINTS": "store.mid_write=1"},
        capture_output=True,
        text=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr

    assert sweep(works) == 0
    assert seconds_until_look(late) == pytest.approx(settings.LEASE, abs=60)
    make_looks_due()  # the lease is over
    assert sweep(works) == 1
    assert Orphan.objects.get().attempt == late

    (part,) = outputs() - before
    (work,) = Path(settings.WORK_DIR).iterdir()
    assert part.name.startswith(".part-")
    assert work.name == f"{generation_id}.{Generation.objects.get(pk=generation_id).lease_token}"
    assert Leftovers().remove() == 0  # written to lately
    for path in (part, work, *before):
        grow_old(path, 2 * least_age())
    assert Leftovers().remove() == 1
    assert (part.exists(), work.exists()) == (False, True)  # its lease lives, however old it is
    make_due(generation_id)
    assert Leftovers().remove() == 1
    assert not work.exists()
    done = works.finish(generation_id)
    assert done.state == State.COMPLETED
    grow_old(Path(default_storage.path(done.output_key)), 2 * least_age())
    assert Leftovers().remove() == 0
    assert outputs() == before | {Path(default_storage.path(done.output_key))}


def test_only_names_of_ours_that_are_old_enough(alice: Person) -> None:
    old = 2 * least_age()
    work, root = Path(settings.WORK_DIR), Path(settings.OUTPUT_ROOT)
    held = reached(alice, State.STORING)
    over = uuid.uuid4()
    gone = [
        leave(work / f"{uuid.uuid4()}.{over}", old),
        leave(work / f"{held.pk}.{over}", old),  # of an earlier lease
        leave(root / "outputs/ab/.part-0123456789abcdef", old),
        leave(root / ".part-fedcba9876543210", old),
    ]
    stay = [
        leave(work / f"{held.pk}.{held.lease_token}", old),
        leave(work / f"{uuid.uuid4()}.{over}", least_age() - 60),
        leave(work / f"{uuid.uuid4()}.{over}.txt", old),
        leave(work / "notes.txt", old),
        leave(root / f"outputs/ab/{uuid.uuid4()}.mp4", old),
        leave(root / "outputs/ab/.part-0000000000000000", least_age() - 60),
        leave(root / "outputs/ab/.part-of-something-else", old),
        leave(root / "outputs/ab/x.part-0123456789abcdef", old),
    ]
    assert Leftovers().remove() == 4
    assert not [path for path in gone if path.exists()]
    assert [path for path in stay if path.exists()] == stay
    for path in stay:
        path.unlink()


def test_outputs_are_walked_through_now_and_then_and_work_files_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leftovers, old = Leftovers(), 2 * least_age()
    part = Path(settings.OUTPUT_ROOT) / "outputs/ab/.part-0123456789abcdef"
    work = Path(settings.WORK_DIR) / f"{uuid.uuid4()}.{uuid.uuid4()}"
    assert leftovers.remove() == 0
    for path in (part, work):
        leave(path, old)
    assert leftovers.remove() == 1
    assert part.exists()
    monkeypatch.setattr(settings, "OUTPUT_STORAGE", "gcs")
    assert Leftovers().remove() == 0  # the folder is not ours then
    monkeypatch.setattr(settings, "OUTPUT_STORAGE", "local")
    assert Leftovers().remove() == 1
    assert not part.exists()


def test_a_leftover_is_older_than_an_hour_and_than_any_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert least_age() == 3600
    monkeypatch.setattr(settings, "TIME_SCALE", 0.001)
    assert least_age() == 2 * settings.LEASE


def test_what_cannot_be_removed_stays_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    old = 2 * least_age()
    folder = Path(settings.WORK_DIR) / f"{uuid.uuid4()}.{uuid.uuid4()}"
    folder.mkdir(parents=True)  # unlink() refuses a folder, whoever runs this
    grow_old(folder, old)
    work = leave(Path(settings.WORK_DIR) / f"{uuid.uuid4()}.{uuid.uuid4()}", old)
    assert Leftovers().remove() == 1
    assert folder.exists()
    assert not work.exists()
    assert "a leftover stays" in caplog.text


def test_a_folder_that_does_not_exist_yet_holds_nothing() -> None:
    assert not Path(settings.WORK_DIR).exists()
    assert Leftovers().remove() == 0


def test_whole_outputs_go_when_their_generation_is_over_without_them(alice: Person) -> None:
    old, root = 2 * least_age(), Path(settings.OUTPUT_ROOT)
    failed, done = reached(alice, State.FAILED), reached(alice, State.COMPLETED)
    gone = [
        leave(root / f"outputs/ab/{failed.pk}.mp4", old),
        leave(root / f"outputs/cd/{done.pk}.mp4", old),  # not the one that its row names
    ]
    stay = [
        leave(root / f"outputs/ab/{reached(alice, State.STORING).pk}.mp4", old),
        leave(root / f"outputs/ab/{reached(alice, State.CANCELED).pk}.mp4", least_age() - 60),
        leave(root / f"outputs/ab/{failed.pk}.txt", old),
        leave(root / f"outputs/ab/{uuid.uuid4()}.mp4", old),
        leave(Path(default_storage.path(done.output_key)), old),
    ]
    leftovers = Leftovers()
    assert leftovers.remove() == 2
    assert not [path for path in gone if path.exists()]
    assert [path for path in stay if path.exists()] == stay
    late = leave(root / f"outputs/ef/{failed.pk}.mp4", 2 * old + 2 * settings.DEADLINE)
    leftovers._next_walk = 0.0
    assert leftovers.remove() == 0  # written before the last walk, which has asked about it
    assert Leftovers().remove() == 1  # of another process
    for path in stay:
        path.unlink()
    assert not late.exists()
