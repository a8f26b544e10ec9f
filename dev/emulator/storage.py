"""Objects of emulated buckets, kept as files so that anyone can open them.

Every object is ``<data dir>/buckets/<bucket>/<hash>-<last part of the name>`` with a ``.json``
beside it that holds its metadata; a restarted emulator finds them again.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Hashable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import google_crc32c

Crc32c: Any = google_crc32c.Checksum  # the package has no annotations
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
NAME_BYTES_MAX = 1024  # Cloud Storage's limit
# What a caller may set of an object, all of it given back unchanged.
WRITABLE = ("contentType", "cacheControl", "contentDisposition", "contentEncoding", "metadata")


@dataclass(slots=True)
class StoredObject:
    """An object's metadata; ``size`` and the hashes are of the whole content.

    ``damage`` is ``""``, ``object`` (the file is shorter than the metadata says) or ``connection``
    (downloads break off half-way).
    """

    bucket: str
    name: str
    size: int
    md5: str
    crc32c: str
    generation: int
    created: str
    file: str
    fields: dict[str, Any] = field(default_factory=dict)
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A complete file; the hashes are in Base64, as Cloud Storage writes them."""

    path: Path
    size: int
    md5: str
    crc32c: str


class Incoming:
    """A file being written; hashed on the way, invisible until it is committed.

    As a context manager it is discarded when anything fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = Crc32c()
        self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._md5.update(data)
        self._crc32c.update(data)
        self.size += len(data)

    def close(self) -> Content:
        self._file.close()
        md5, crc32c = self._md5.digest(), self._crc32c.digest()
        return Content(
            self.path, self.size, base64.b64encode(md5).decode(), base64.b64encode(crc32c).decode()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()

    def discard(self) -> None:
        """Remove everything that was written."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class ObjectStore:
    """All buckets. Any well-formed bucket exists, unless its name contains ``missing``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "buckets"
        self._incoming = folder / "incoming"
        self._shared = folder / "shared"
        self._ready: dict[Hashable, Content] = {}
        self._objects: dict[str, dict[str, StoredObject]] = {}
        self._names: dict[str, list[str]] = {}
        for own in (self._incoming, self._shared):
            shutil.rmtree(own, ignore_errors=True)
            own.mkdir(parents=True)
        for sidecar in sorted(self._folder.glob("*/*.json")):
            self._enter(StoredObject(**json.loads(sidecar.read_text())))

    def has_bucket(self, bucket: str) -> bool:
        return BUCKET.fullmatch(bucket) is not None and "missing" not in bucket

    def receive(self) -> Incoming:
        """A new file to write an upload into."""
        return Incoming(self._incoming / uuid.uuid4().hex)

    def put(
        self, bucket: str, name: str, data: bytes, content_type: str, damage: str = ""
    ) -> StoredObject:
        """Store ``data``, truncated on disk when ``damage`` is ``object``."""
        incoming = self.receive()
        incoming.write(data)
        content = incoming.close()
        if damage == "object":
            os.truncate(content.path, len(data) // 2)
        return self.commit(content, bucket, name, {"contentType": content_type}, damage)

    def put_shared(
        self, bucket: str, name: str, data: bytes, content_type: str, key: Hashable
    ) -> StoredObject:
        """Store ``data``, the same for every ``key``: written and hashed once, then linked."""
        ready = self._ready.get(key)
        if ready is None:
            file = Incoming(self._shared / uuid.uuid4().hex)
            file.write(data)
            ready = self._ready[key] = file.close()
        path = self._incoming / uuid.uuid4().hex
        try:
            path.hardlink_to(ready.path)
        except OSError:  # a file has 65,000 links at most, and some file systems have none
            shutil.copyfile(ready.path, path)
        return self.commit(replace(ready, path=path), bucket, name, {"contentType": content_type})

    def commit(
        self, content: Content, bucket: str, name: str, fields: dict[str, Any], damage: str = ""
    ) -> StoredObject:
        """Make a received file the object's current content; it is moved."""
        stored = StoredObject(
            bucket=bucket,
            name=name,
            size=content.size,
            md5=content.md5,
            crc32c=content.crc32c,
            generation=time.time_ns() // 1000,
            created=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            file=_file_name(name),
            fields={key: fields[key] for key in WRITABLE if fields.get(key) is not None},
            damage=damage,
        )
        path = self.path(stored)
        path.parent.mkdir(parents=True, exist_ok=True)
        content.path.replace(path)
        path.with_name(path.name + ".json").write_text(json.dumps(asdict(stored)))
        self._enter(stored)
        return stored

    def _enter(self, stored: StoredObject) -> None:
        objects = self._objects.setdefault(stored.bucket, {})
        if stored.name not in objects:
            bisect.insort(self._names.setdefault(stored.bucket, []), stored.name)
        objects[stored.name] = stored

    def path(self, stored: StoredObject) -> Path:
        """The file that holds the object's content."""
        return self._folder / stored.bucket / stored.file

    def get(self, bucket: str, name: str) -> StoredObject | None:
        return self._objects.get(bucket, {}).get(name)

    def names(self, bucket: str, prefix: str, after: str = "") -> list[str]:
        """Names with ``prefix`` in order, those behind ``after`` only."""
        names = self._names.get(bucket, [])
        start = bisect.bisect_left(names, prefix)
        if after:
            start = max(start, bisect.bisect_right(names, after))
        end = start
        while end < len(names) and names[end].startswith(prefix):
            end += 1
        return names[start:end]

    def delete(self, stored: StoredObject) -> None:
        del self._objects[stored.bucket][stored.name]
        names = self._names[stored.bucket]
        del names[bisect.bisect_left(names, stored.name)]
        path = self.path(stored)
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".json").unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything in every bucket."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._objects.clear()
        self._names.clear()


def _file_name(name: str) -> str:
    """Names may be longer than a file's, and may hold anything; the hash keeps them apart."""
    last = re.sub(r"[^A-Za-z0-9._-]", "_", name.rsplit("/", 1)[-1])[-80:]
    return f"{hashlib.sha256(name.encode()).hexdigest()[:24]}-{last}"
