"""A bucket of ours for outputs, which fails as any storage does: by an OSError.

When a storage is away, the store stage waits and nothing is bought meanwhile. Google's libraries
raise errors of their own, and repeat a request for two minutes, longer than a lease. Here each
request is sent once, within a limit.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.base import ContentFile, File
from django.utils.deconstruct import deconstructible
from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from storages.backends.gcloud import GoogleCloudStorage

LIMIT = 20.0  # seconds to connect, and again between two parts of an answer
ONCE: dict[str, Any] = {"retry": None, "timeout": LIMIT}


_making = threading.Lock()
_answers = threading.local()  # the last one of each thread


def _keep(response: Any, **_: Any) -> None:
    _answers.last = response


def _close() -> None:
    if (last := getattr(_answers, "last", None)) is not None:
        last.close()


class StorageRefused(OSError):
    """The bucket refused or did not answer, or we have no credentials. The words are Google's."""


@deconstructible(path="generation.outputs.bucket_storage.BucketStorage")
class BucketStorage(GoogleCloudStorage):  # type: ignore[misc]  # it has no types
    """django-storages' bucket, whose errors are OSErrors: FileNotFoundError for a missing file."""

    @property
    def client(self) -> Client:
        """Google's client. Each thread keeps the last answer that it got."""
        with _making:
            if self._client is None:
                super().client._http.hooks["response"].append(_keep)
            return self._client

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """requests' own errors are OSErrors already.

        Google's libraries leave the connection of an answer that they did not like, or that broke
        off, to the garbage collector; here it is closed.
        """
        try:
            yield
        except (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption) as error:
            _close()
            raise StorageRefused(f"{type(error).__name__}: {error}") from error
        except OSError:
            _close()
            raise

    def _save(self, name: str, content: File[Any]) -> str:
        kind, _ = mimetypes.guess_type(name)
        with self._refusals():
            blob = self.bucket.blob(self._normalize_name(name))
            blob.upload_from_file(
                content, rewind=True, size=content.size, content_type=kind, **ONCE
            )
        return name

    def _open(self, name: str, mode: str = "rb") -> ContentFile[bytes]:
        # At once: django-storages' file asks when it is read, where nobody expects a refusal.
        with self._refusals():
            blob = self.bucket.blob(self._normalize_name(name))
            try:
                return ContentFile(blob.download_as_bytes(**ONCE), name)
            except NotFound as error:
                raise FileNotFoundError(f"{name} is not in the bucket") from error

    def delete(self, name: str) -> None:
        """Delete the file. It may be gone already."""
        with self._refusals():
            try:
                self.bucket.delete_blob(self._normalize_name(name), **ONCE)
            except NotFound:
                return

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        with self._refusals():
            return self.bucket.get_blob(self._normalize_name(name), **ONCE) is not None

    def size(self, name: str) -> int:
        """The size in bytes. Also raises FileNotFoundError."""
        with self._refusals():
            blob = self.bucket.get_blob(self._normalize_name(name), **ONCE)
        if blob is None:
            raise FileNotFoundError(f"{name} is not in the bucket")
        return int(blob.size)

    def url(self, name: str, parameters: dict[str, Any] | None = None) -> str:
        """The bucket's own signed link."""
        with self._refusals():
            return str(super().url(name, parameters))
