"""The local folder for outputs: a file under its final name is always whole.

A killed worker must not leave half a video where a signed link finds it, and what the database
calls stored must survive a power cut. So a file is written beside its place, flushed to the disk,
and then renamed, which POSIX makes atomic.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from common.crash import crash_point

LEFTOVER_PREFIX = ".part-"


@deconstructible(path="generation.outputs.storage.AtomicFileSystemStorage")
class AtomicFileSystemStorage(FileSystemStorage):
    """Django's local storage, with saves that happen whole or not at all.

    The file gets exactly the name that was asked for. To save it again replaces it; open readers
    go on with the old one. A kill in the middle leaves only a file called ``.part-…`` in the same
    folder; an error, such as a full disk, leaves nothing.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_overwrite", True)
        super().__init__(**options)

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        self._make_folder(target.parent)
        part = target.with_name(LEFTOVER_PREFIX + secrets.token_hex(8))
        try:
            _write(part, content)
            crash_point("store.mid_write")
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)  # of a save that failed; a whole one has its own name
        self._flush_folders(target.parent)
        return target.relative_to(self.location).as_posix()

    def _make_folder(self, folder: Path) -> None:
        mode = self.directory_permissions_mode
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            if mode is not None:
                path.chmod(mode)

    def _flush_folders(self, folder: Path) -> None:
        # A new name is safe once its folder is flushed, and a new folder once the one above it is.
        for path in (folder, *folder.parents):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if path == Path(self.location):
                return


def _write(path: Path, content: File[Any]) -> None:
    with path.open("xb") as file:
        for chunk in content.chunks():
            file.write(chunk.encode() if isinstance(chunk, str) else chunk)
        file.flush()
        os.fsync(file.fileno())
