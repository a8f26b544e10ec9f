"""Uploads end: unused ones after a day, used ones with the last prompt that used them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from generation.inputs import upload_retention
from generation.models import Upload, UploadUse
from generation.models.states import State
from generation.outputs import retention
from tests.generation.outputs.test_retention import RUN, Ended, ended
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.support.uploads import make_upload, used
from tests.support.works import ROOT, Emulator

__all__ = ["ended"]  # a fixture


def pass_over() -> int:
    Upload.objects.update(next_look_at=timezone.now())
    return upload_retention.remove_ended(5.0)


def test_an_unused_one_is_deleted_after_a_day(alice: Person) -> None:
    old, fresh = make_upload(alice, hours_left=-0.1), make_upload(alice, hours_left=0.1)
    assert pass_over() == 1
    assert list(Upload.objects.all()) == [fresh]
    assert not default_storage.exists(old.key)
    assert default_storage.exists(fresh.key)


def test_one_that_came_to_nothing_is_forgotten_after_a_day(alice: Person) -> None:
    Upload.objects.create(account=alice.account, received=1)
    assert pass_over() == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert pass_over() == 1
    assert not Upload.objects.exists()


def test_the_file_of_a_crash_is_found(alice: Person) -> None:
    """Its process died when the file was written and the row did not say so yet."""
    crashed = make_upload(alice, hours_left=-1)
    Upload.objects.update(expires_at=None)
    assert pass_over() == 1
    assert not default_storage.exists(crashed.key)


def test_a_used_one_is_kept_as_long_as_the_last_prompt(alice: Person, ended: Ended) -> None:
    upload = make_upload(alice, hours_left=-30)
    films = [reached(alice, State.COMPLETED), reached(alice, State.CANCELED)]
    for film in films:
        used(upload, film)
    assert pass_over() == 0
    assert default_storage.exists(upload.key)
    ended(films[0], 400)
    assert retention.erase_prompts() == 1
    assert upload_retention.remove_ended(5.0) == 0  # looked at at once, and the other prompt found
    assert default_storage.exists(upload.key)
    ended(films[1], 400)
    assert retention.erase_prompts() == 1
    assert upload_retention.remove_ended(5.0) == 1
    assert not default_storage.exists(upload.key)
    upload.refresh_from_db()
    assert (upload.key, upload.deleted_at is None, upload.width) == ("", False, 40)
    assert UploadUse.objects.count() == 2
    assert pass_over() == 0


def test_prompts_that_are_kept_for_ever_keep_it_for_ever(alice: Person, ended: Ended) -> None:
    upload = make_upload(alice, hours_left=-9000)
    used(upload, ended(reached(alice, State.COMPLETED), 4000))
    alice.account.prompt_retention_days = 0
    alice.account.save()
    assert retention.erase_prompts() == 0
    assert pass_over() == 0
    upload.refresh_from_db()
    assert upload.next_look_at > timezone.now() + timedelta(minutes=50)


def test_what_a_storage_refuses_is_tried_again(alice: Person) -> None:
    upload = make_upload(alice, hours_left=-1)
    path = Path(default_storage.path(upload.key))
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    assert pass_over() == 0
    upload.refresh_from_db()
    assert (upload.deleted_at is None, upload.key) == (
        False,
        f"uploads/{path.parent.name}/{path.name}",
    )
    assert upload_retention.remove_ended(5.0) == 0
    (path / "in the way").rmdir()
    assert pass_over() == 1
    assert not path.exists()


def test_one_that_is_just_being_used_is_left_alone(alice: Person) -> None:
    """An order holds its lock; its use is seen by the next look."""
    upload = make_upload(alice, hours_left=-0.01)
    generation = created(alice)
    Upload.objects.update(next_look_at=timezone.now())
    with transaction.atomic():
        Upload.objects.select_for_update().get()
        in_another_connection = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup(); {RUN_UPLOADS}"],
            cwd=ROOT,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
        )
        assert in_another_connection.stdout.strip() == "0", in_another_connection.stderr
        used(upload, generation)
    assert connection.get_autocommit()
    assert pass_over() == 0
    assert default_storage.exists(upload.key)


RUN_UPLOADS = "from generation.inputs import upload_retention as u; print(u.remove_ended(5.0))"


@pytest.mark.parametrize("point", ["uploads.after_rows", "uploads.after_file"])
def test_a_worker_that_dies_between_row_and_file(
    point: str, alice: Person, emulator: Emulator
) -> None:
    upload = make_upload(alice, hours_left=-1)
    Upload.objects.update(next_look_at=timezone.now())
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {RUN}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "CRASH_POINTS": f"{point}=1"}
        | {"VERTEX_BASE_URL": emulator.url},
        capture_output=True,
        text=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert Upload.objects.get().deleted_at is not None  # nobody can use it any more
    assert default_storage.exists(upload.key) == (point == "uploads.after_rows")
    assert pass_over() == 1
    assert not default_storage.exists(upload.key)
    assert not Upload.objects.exists()
