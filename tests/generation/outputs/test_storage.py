"""Under its final name a file is whole, whoever dies or whatever is full in the meantime."""

from __future__ import annotations

import io
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage.handler import StorageHandler

from generation.outputs.storage import AtomicFileSystemStorage

NAME = "outputs/2026/11/a.mp4"
ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.fixture
def folder(tmp_path) -> Path:
    path: Path = tmp_path / "media"
    return path


@pytest.fixture
def storage(folder) -> AtomicFileSystemStorage:
    return AtomicFileSystemStorage(location=str(folder))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def read(storage: AtomicFileSystemStorage, name: str) -> bytes:
    with storage.open(name) as file:
        data: bytes = file.read()
    return data


def test_a_file_is_saved_under_the_very_name(storage, folder):
    assert storage.save(NAME, ContentFile(b"x" * 200_000)) == NAME
    assert read(storage, NAME) == b"x" * 200_000
    assert storage.size(NAME) == 200_000
    assert files(folder) == [NAME]


def test_saving_again_replaces_and_old_readers_keep_the_old_one(storage, folder):
    storage.save(NAME, ContentFile(b"old"))
    with storage.open(NAME) as reader:
        assert storage.save(NAME, ContentFile(b"new")) == NAME
        assert reader.read() == b"old"
    assert read(storage, NAME) == b"new"
    assert files(folder) == [NAME]


def test_text_and_raw_files_are_taken_too(storage, tmp_path):
    storage.save("a.txt", ContentFile("ä"))
    assert read(storage, "a.txt") == "ä".encode()
    source = tmp_path / "source"
    source.write_bytes(b"video")
    with source.open("rb") as raw:
        storage.save("b.mp4", raw)
    assert read(storage, "b.mp4") == b"video"


def test_names_cannot_leave_the_folder(storage):
    with pytest.raises(SuspiciousFileOperation):
        storage.save("../a.mp4", ContentFile(b"x"))


class Breaking(File):
    """A source that fails in the middle, as a network file system does."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half"
        raise OSError("gone")


def test_a_failing_source_leaves_what_was_there(storage, folder):
    storage.save(NAME, ContentFile(b"old"))
    with pytest.raises(OSError, match="gone"):
        storage.save(NAME, Breaking(io.BytesIO()))
    assert read(storage, NAME) == b"old"
    assert files(folder) == [NAME]


SAVE = """
import sys, time
from django.conf import settings
from django.core.files.base import ContentFile
settings.configure(USE_TZ=True)
from generation.outputs.storage import AtomicFileSystemStorage

class Slow(ContentFile):
    def chunks(self, chunk_size=None):
        for _ in range(1000):
            yield b"x" * 100_000
            print("written", flush=True)
            time.sleep(float(sys.argv[2]))

AtomicFileSystemStorage(location=sys.argv[1]).save("a/b.mp4", Slow(b""))
"""


def test_a_kill_in_the_middle_leaves_no_file_under_the_name(storage, folder):
    storage.save("a/other.mp4", ContentFile(b"whole"))
    command = [sys.executable, "-c", SAVE, str(folder), "0.01"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    part, other = files(folder)
    assert part.startswith("a/.part-")
    assert other == "a/other.mp4"
    assert not storage.exists("a/b.mp4")


def test_a_write_that_the_system_refuses_leaves_nothing(storage, folder):
    # The same path as a full disk, which a test cannot have: write() itself fails half-way.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))\n"
    command = [sys.executable, "-c", limit + SAVE, str(folder), "0"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert answer.returncode == 1
    assert b"File too large" in answer.stderr
    assert files(folder) == []


def test_many_savers_of_one_name_leave_one_whole_file(storage, folder):
    code = (
        "import sys\n"
        "from django.conf import settings\n"
        "from django.core.files.base import ContentFile\n"
        "settings.configure(USE_TZ=True)\n"
        "from generation.outputs.storage import AtomicFileSystemStorage\n"
        "storage = AtomicFileSystemStorage(location=sys.argv[1])\n"
        "for _ in range(10):\n"
        "    storage.save('a/b.mp4', ContentFile(sys.argv[2].encode() * 500_000))\n"
    )
    savers = [
        subprocess.Popen([sys.executable, "-c", code, str(folder), letter], cwd=ROOT)
        for letter in "xyz"
    ]
    seen = 0
    while any(process.poll() is None for process in savers):
        if storage.exists("a/b.mp4"):
            data = read(storage, "a/b.mp4")
            assert len(data) == 500_000
            assert len(set(data)) == 1
            seen += 1
        time.sleep(0.005)
    assert [process.returncode for process in savers] == [0, 0, 0]
    assert seen > 0
    assert files(folder) == ["a/b.mp4"]


def test_modes_are_the_configured_ones(folder, settings):
    storage = AtomicFileSystemStorage(
        location=str(folder), file_permissions_mode=0o640, directory_permissions_mode=0o750
    )
    storage.save("a/b.mp4", ContentFile(b"x"))
    assert stat.S_IMODE((folder / "a/b.mp4").stat().st_mode) == 0o640
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o750
    settings.FILE_UPLOAD_PERMISSIONS = None  # the process's umask decides
    AtomicFileSystemStorage(location=str(folder)).save("a/c.mp4", ContentFile(b"x"))
    assert stat.S_IMODE((folder / "a/c.mp4").stat().st_mode) & 0o600 == 0o600


def test_settings_and_migrations_can_name_it(folder):
    backend: Any = {
        "BACKEND": "generation.outputs.storage.AtomicFileSystemStorage",
        "OPTIONS": {"location": str(folder), "base_url": "/x/"},
    }
    made = StorageHandler({"default": backend})["default"]
    assert isinstance(made, AtomicFileSystemStorage)
    path, arguments, options = made.deconstruct()
    assert path == "generation.outputs.storage.AtomicFileSystemStorage"
    assert AtomicFileSystemStorage(*arguments, **options).location == str(folder)
