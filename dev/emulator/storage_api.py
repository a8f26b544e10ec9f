"""Reading side of Cloud Storage's JSON API: buckets, lists, metadata, downloads, deletion."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

from aiohttp import web

from dev.emulator.errors import StorageError
from dev.emulator.hang import reset
from dev.emulator.resources import bucket_resource, content_headers, etag, object_resource
from dev.emulator.storage import ObjectStore, StoredObject
from dev.emulator.tally import Tally

PAGE_MAX = 1000
CHUNK = 256 * 1024
ANSWERS = re.compile(r"answers-(4\d\d|5\d\d|nothing)")  # in the name of a bucket
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class StorageApi:
    """Handlers over one object store."""

    def __init__(self, store: ObjectStore, tally: Tally) -> None:
        self._store = store
        self._tally = tally

    def routes(self) -> list[web.RouteDef]:
        objects = "/storage/v1/b/{bucket}/o"
        return [
            web.post("/storage/v1/b", self.create_bucket),
            web.get("/storage/v1/b/{bucket}", self.get_bucket),
            web.get(objects, self.list_objects),
            web.get(objects + "/{name:.+}", self.get_object),
            web.get("/download" + objects + "/{name:.+}", self.download),
            web.delete(objects + "/{name:.+}", self.delete_object),
        ]

    def bucket_of(self, request: web.Request) -> str:
        """The bucket in the request's path. Raises a 404 when there is none."""
        bucket = request.match_info["bucket"]
        if not self._store.has_bucket(bucket):
            raise StorageError(404, "The specified bucket does not exist.")
        return bucket

    def _object_of(self, request: web.Request) -> StoredObject:
        bucket, name = self.bucket_of(request), request.match_info["name"]
        stored = self._store.get(bucket, name)
        wanted = request.query.get("generation")
        if stored is None or (wanted is not None and wanted != str(stored.generation)):
            raise StorageError(404, f"No such object: {bucket}/{name}")
        self.check_preconditions(request, stored)
        return stored

    def check_preconditions(self, request: web.Request, stored: StoredObject | None) -> None:
        """Raises a 412 when the caller expects another generation (0: no object at all)."""
        wanted = request.query.get("ifGenerationMatch")
        if wanted is not None and wanted != str(stored.generation if stored else 0):
            message = "At least one of the pre-conditions you specified did not hold."
            raise StorageError(412, message)

    async def create_bucket(self, request: web.Request) -> web.Response:
        """Every bucket exists already; this only answers as if it had been made."""
        body = await request.json()
        name = body.get("name") if isinstance(body, dict) else None
        if not isinstance(name, str) or not self._store.has_bucket(name):
            raise StorageError(400, "Invalid bucket name.")
        return web.json_response(bucket_resource(request, name))

    async def get_bucket(self, request: web.Request) -> web.Response:
        return web.json_response(bucket_resource(request, self.bucket_of(request)))

    async def list_objects(self, request: web.Request) -> web.Response:
        """Objects under a prefix, in pages; with a delimiter, "folders" as prefixes."""
        self._tally.requests["list"] += 1
        bucket, query = self.bucket_of(request), request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        size = query.get("maxResults", str(PAGE_MAX))
        if not size.isdecimal() or int(size) < 1:
            raise StorageError(400, "Invalid maxResults.")
        after = _from_token(query.get("pageToken", ""))
        items: list[dict[str, Any]] = []
        prefixes: list[str] = []
        last = ""
        for name in self._store.names(bucket, prefix, after):
            rest = name[len(prefix) :]
            folder = ""
            if delimiter and delimiter in rest:
                folder = prefix + rest.split(delimiter)[0] + delimiter
            if folder and (folder in prefixes or after.startswith(folder)):
                last = name
                continue
            if len(items) + len(prefixes) == min(int(size), PAGE_MAX):
                break
            last = name
            if folder:
                prefixes.append(folder)
            elif (stored := self._store.get(bucket, name)) is not None:
                items.append(object_resource(request, stored))
        else:
            last = ""
        answer: dict[str, Any] = {"kind": "storage#objects"}
        # Cloud Storage leaves empty lists out altogether.
        answer |= {"items": items} if items else {}
        answer |= {"prefixes": prefixes} if prefixes else {}
        answer |= {"nextPageToken": _to_token(last)} if last else {}
        return web.json_response(answer)

    async def get_object(self, request: web.Request) -> web.StreamResponse:
        """Metadata, or with ``alt=media`` the content."""
        if request.query.get("alt") == "media":
            return await self.download(request)
        self._tally.requests["metadata"] += 1
        stored = self._object_of(request)
        return web.json_response(object_resource(request, stored), headers={"ETag": etag(stored)})

    async def delete_object(self, request: web.Request) -> web.Response:
        self._tally.requests["delete"] += 1
        self._store.delete(self._object_of(request))
        return web.Response(status=204)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The content, whole or a range of it."""
        self._tally.requests["download"] += 1
        stored = self._object_of(request)
        path = self._store.path(stored)
        size = path.stat().st_size
        start, end = _range(request.headers.get("Range", ""), size)
        response = web.StreamResponse(headers=content_headers(stored))
        if start > 0 or end < size:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        response.content_length = end - start
        await response.prepare(request)
        stop = start + (end - start) // 2 if stored.damage == "connection" else end
        with path.open("rb") as file:
            file.seek(start)
            while start < stop:
                chunk = file.read(min(CHUNK, stop - start))
                await response.write(chunk)
                start += len(chunk)
        if stop < end and request.transport is not None:
            await asyncio.sleep(0.02)  # so that the first half leaves before the connection ends
            request.transport.close()
            return response
        await response.write_eof()
        return response


def answer_of_bucket(request: web.Request) -> web.Response | None:
    """The error or reset that a bucket's name asks for; None for all other buckets."""
    match = ANSWERS.search(request.match_info.get("bucket", ""))
    if match is None:
        return None
    if match[1] == "nothing":
        return reset(request)
    raise StorageError(int(match[1]), f"This bucket answers {match[1]}.")


def _range(header: str, size: int) -> tuple[int, int]:
    """First byte and the one behind the last (RFC 9110, 14.1.2); a malformed header is ignored."""
    match = RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return 0, size
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
    else:
        start, end = max(0, size - int(match[2])), size
    if start >= end:
        raise StorageError(
            416, "The requested range cannot be satisfied.", {"Content-Range": f"bytes */{size}"}
        )
    return start, end


def _to_token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        raise StorageError(400, "Invalid pageToken.") from None
