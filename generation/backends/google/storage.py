"""Outputs in Google Cloud Storage, by its JSON API: write, look, copy.

google-cloud-storage is not used: it is synchronous and costs 47 MB a process.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import google_crc32c
import httpx

from generation.backends.base import DamagedOutput, Fetched, Kind, Produced, Unavailable
from generation.backends.google.http import (
    MAX_ANSWER_KEY,
    MIB,
    GoogleHttp,
    Json,
    Missing,
    json_object,
)
from generation.backends.google.tokens import TokenUnavailable
from generation.kinds import IMAGES, MP4

MAX_OUTPUT = 512 * MIB
_MAX_PAGES = 20
_SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "video": (f".{MP4.extension}",),
    "image": (".jpeg", *(f".{image.extension}" for image in IMAGES)),
}
# Bucket names: Cloud Storage's naming rules, loosely. Object names: no control characters.
_GS = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220})/(?P<name>[^\x00-\x1f\x7f]{0,1024})")


@dataclass(frozen=True, slots=True)
class Location:
    """Where something is in a bucket: an object's name, or a folder's, which ends in a slash."""

    bucket: str
    name: str

    @classmethod
    def parse(cls, uri: str) -> Location | None:
        """The parts of ``gs://bucket/name``; None when it is not one."""
        match = _GS.fullmatch(uri)
        return cls(match["bucket"], match["name"]) if match else None


def is_below(uri: str, place: str) -> bool:
    """Whether ``uri`` names an object in ``place`` (which ends in a slash)."""
    below = place.endswith("/") and uri.startswith(place) and len(uri) > len(place)
    return below and Location.parse(uri) is not None


@dataclass(frozen=True, slots=True)
class _Expected:
    size: int
    md5: str
    crc32c: str


class Outputs:
    """The objects of generations. ``copy_timeout`` is for a whole copy, in seconds."""

    def __init__(self, http: GoogleHttp, base_url: str, *, copy_timeout: float) -> None:
        self._http = http
        self._base_url = base_url
        self._copy_timeout = copy_timeout

    async def write(self, uri: str, data: bytes, mime_type: str) -> None:
        """Store ``data`` at ``uri``, in place of any object there. Raises Unavailable."""
        place = _required(uri)
        try:
            stored = await self._http.call(
                "POST",
                f"{self._base_url}/upload/storage/v1/b/{place.bucket}/o",
                params={"uploadType": "media", "name": place.name},
                headers={"Content-Type": mime_type},
                content=data,
            )
        except Missing:
            raise Unavailable("no such bucket") from None
        if stored.get("md5Hash", _md5(data)) != _md5(data):
            raise Unavailable("the upload arrived damaged")

    async def find(self, place: str, kind: Kind) -> Produced | None:
        """What is in ``place`` and not empty: the first that calls itself of this kind, else the
        first that says nothing about itself. Raises Unavailable.

        Its name and type are a hint which one to take, and no reason to leave what was paid for.
        But what says that it is of the other kind may be the customer's own picture.
        """
        folder = _required(place)
        unnamed: Produced | None = None
        params = {
            "prefix": folder.name,
            "fields": "items(name,size,contentType),nextPageToken",
        }
        for _ in range(_MAX_PAGES):
            try:
                page = await self._http.call(
                    "GET", f"{self._base_url}/storage/v1/b/{folder.bucket}/o", params=params
                )
            except Missing:
                raise Unavailable("no such bucket") from None
            for output, kinds in _outputs(page, folder.bucket, place):
                if kinds == {kind}:
                    return output
                if not kinds:
                    unnamed = unnamed or output
            token = page.get("nextPageToken")
            if not isinstance(token, str) or not token:
                return unnamed
            params["pageToken"] = token
        raise Unavailable("the list of outputs does not end")

    async def fetch(self, uri: str, destination: Path) -> Fetched:
        """Copy an object into a file and check it; raises what the manual says and leaves none."""
        place = _required(uri)
        url = f"{self._base_url}/storage/v1/b/{place.bucket}/o/{quote(place.name, safe='')}"
        try:
            expected = _expectation(
                await self._http.call("GET", url, params={"fields": "size,md5Hash,crc32c"})
            )
            async with asyncio.timeout(self._copy_timeout):
                sha256 = await self._copy(url, destination, expected)
        except Missing:
            _discard(destination)
            raise DamagedOutput("the output is not there") from None
        except TimeoutError as error:
            _discard(destination)
            raise Unavailable("not copied in time") from error
        except (Unavailable, DamagedOutput, OSError):
            _discard(destination)
            raise
        return Fetched(destination, expected.size, sha256)

    async def _copy(self, url: str, destination: Path, expected: _Expected) -> str:
        sha256, md5, crc32c, size = hashlib.sha256(), _new_md5(), 0, 0
        with destination.open("wb") as file:
            async with contextlib.aclosing(self._stream(url, expected.size)) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    sha256.update(chunk)
                    md5.update(chunk)
                    crc32c = google_crc32c.extend(crc32c, chunk)
                    file.write(chunk)
        if size != expected.size:
            raise DamagedOutput(f"{size} of {expected.size} bytes")
        if expected.md5 and _base64(md5.digest()) != expected.md5:
            raise DamagedOutput("wrong MD5")
        if expected.crc32c and _base64(crc32c.to_bytes(4, "big")) != expected.crc32c:
            raise DamagedOutput("wrong CRC32C")
        return sha256.hexdigest()

    async def _stream(self, url: str, size: int) -> AsyncGenerator[bytes, None]:
        begun = False
        try:
            headers = await self._http.token.headers()
            async with self._http.client.stream(
                "GET",
                url,
                params={"alt": "media"},
                headers=headers,
                timeout=self._http.timeout,
                extensions={MAX_ANSWER_KEY: size},
            ) as response:
                if not response.is_success:
                    payload = json_object(await response.aread())
                    self._http.check(response.status_code, response.headers, payload)
                begun = True
                async for chunk in response.aiter_raw():
                    yield chunk
        except (httpx.HTTPError, TokenUnavailable) as error:
            if begun and not isinstance(error, httpx.TimeoutException):
                raise DamagedOutput(f"cut: {type(error).__name__}") from error
            raise Unavailable(f"no answer: {type(error).__name__}") from error


def _required(uri: str) -> Location:
    place = Location.parse(uri)
    if place is None:
        raise Unavailable("not a gs:// address")
    return place


def _outputs(page: Json, bucket: str, place: str) -> Iterator[tuple[Produced, set[Kind]]]:
    """Every object that is not empty, by name, and what its type and its name say that it is."""
    items = page.get("items")
    objects = sorted(
        (item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str))
        if isinstance(items, list)
        else (),
        key=lambda item: str(item["name"]),
    )
    for item in objects:
        uri = f"gs://{bucket}/{item['name']}"
        if _size(item) and is_below(uri, place):
            told = str(item.get("contentType") or "").lower()
            kinds = {
                kind
                for kind, suffixes in _SUFFIXES.items()
                if told.startswith(f"{kind}/") or uri.lower().endswith(suffixes)
            }
            yield Produced(uri), kinds


def _size(item: Json) -> int:
    """Cloud Storage gives sizes as decimal strings; 0 for anything else."""
    size = str(item.get("size", ""))
    return int(size) if re.fullmatch(r"[0-9]{1,15}", size) else 0


def _expectation(item: Json) -> _Expected:
    size = _size(item)
    if not 0 < size <= MAX_OUTPUT:
        raise DamagedOutput(f"an output of {size} bytes")
    md5, crc32c = item.get("md5Hash"), item.get("crc32c")
    return _Expected(
        size,
        md5 if isinstance(md5, str) else "",
        crc32c if isinstance(crc32c, str) else "",
    )


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)


def _new_md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # Cloud Storage's checksum, against accidents


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _md5(data: bytes) -> str:
    checksum = _new_md5()
    checksum.update(data)
    return _base64(checksum.digest())
