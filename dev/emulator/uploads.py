"""Writing side of Cloud Storage's JSON API: simple, multipart and resumable uploads."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from dev.emulator.errors import StorageError
from dev.emulator.resources import object_resource
from dev.emulator.storage import NAME_BYTES_MAX, Incoming, ObjectStore, StoredObject
from dev.emulator.storage_api import StorageApi
from dev.emulator.tally import Tally

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
SESSIONS_MAX = 100


@dataclass(slots=True)
class _Session:
    bucket: str
    name: str
    fields: dict[str, Any]
    incoming: Incoming
    stored: StoredObject | None = None


class UploadApi:
    """Handlers that write into the object store."""

    def __init__(self, store: ObjectStore, storage: StorageApi, tally: Tally) -> None:
        self._store = store
        self._storage = storage
        self._tally = tally
        self._sessions: dict[str, _Session] = {}

    def routes(self) -> list[web.RouteDef]:
        path = "/upload/storage/v1/b/{bucket}/o"
        return [web.post(path, self.start), web.put(path, self.resume)]

    async def start(self, request: web.Request) -> web.Response:
        """A whole upload, or the beginning of a resumable one."""
        self._tally.requests["upload"] += 1
        bucket = self._storage.bucket_of(request)
        kind = request.query.get("uploadType")
        if kind == "media":
            return await self._media(request, bucket)
        if kind == "multipart":
            return await self._multipart(request, bucket)
        if kind == "resumable":
            return await self._open_session(request, bucket)
        raise StorageError(400, f"Invalid uploadType: {kind}")

    async def _media(self, request: web.Request, bucket: str) -> web.Response:
        name = _checked_name(request.query.get("name"))
        fields = {"contentType": request.headers.get("Content-Type")}
        # when the caller goes away, nothing of a half upload may stay
        with self._store.receive() as incoming:
            async for chunk in request.content.iter_any():
                incoming.write(chunk)
            return self._commit(request, incoming, bucket, name, fields)

    async def _multipart(self, request: web.Request, bucket: str) -> web.Response:
        if not request.content_type.startswith("multipart/"):
            raise StorageError(400, "A multipart upload needs a multipart body.")
        reader = await request.multipart()
        first = await reader.next()
        if not isinstance(first, BodyPartReader):
            raise StorageError(400, "The first part must be the object's metadata.")
        fields = _metadata(await first.read())
        content = await reader.next()
        if not isinstance(content, BodyPartReader):
            raise StorageError(400, "The second part must be the object's content.")
        name = _checked_name(fields.get("name") or request.query.get("name"))
        fields.setdefault("contentType", content.headers.get("Content-Type"))
        with self._store.receive() as incoming:
            while chunk := await content.read_chunk(256 * 1024):
                incoming.write(bytes(chunk))
            return self._commit(request, incoming, bucket, name, fields)

    async def _open_session(self, request: web.Request, bucket: str) -> web.Response:
        body = await request.read()
        fields = _metadata(body) if body else {}
        name = _checked_name(fields.get("name") or request.query.get("name"))
        fields.setdefault("contentType", request.headers.get("X-Upload-Content-Type"))
        self._storage.check_preconditions(request, self._store.get(bucket, name))
        while len(self._sessions) >= SESSIONS_MAX:
            self._sessions.pop(next(iter(self._sessions))).incoming.discard()
        upload_id = uuid.uuid4().hex
        self._sessions[upload_id] = _Session(bucket, name, fields, self._store.receive())
        link = f"{request.scheme}://{request.host}{request.path}"
        location = f"{link}?uploadType=resumable&upload_id={upload_id}"
        return web.Response(headers={"Location": location, "X-GUploader-UploadID": upload_id})

    async def resume(self, request: web.Request) -> web.Response:
        """One chunk of a resumable upload, or the question how much has arrived."""
        self._tally.requests["upload"] += 1
        session = self._sessions.get(request.query.get("upload_id", ""))
        if session is None:
            raise StorageError(404, "No such upload.")
        if session.stored is not None:
            return web.json_response(object_resource(request, session.stored))
        header = request.headers.get("Content-Range", "")
        match = CONTENT_RANGE.fullmatch(header)
        if header and match is None:
            raise StorageError(400, f"Invalid Content-Range: {header}")
        total = match[3] if match else "*"
        asked_only = match is not None and match[1] is None
        if not asked_only:
            if match is not None and int(match[1]) != session.incoming.size:
                raise StorageError(503, "The chunk does not follow what has arrived.")
            async for chunk in request.content.iter_any():
                session.incoming.write(chunk)
        if match is None or total == str(session.incoming.size):
            return self._finish(request, session)
        arrived = session.incoming.size
        headers = {"Range": f"bytes=0-{arrived - 1}"} if arrived else {}
        return web.Response(status=308, reason="Resume Incomplete", headers=headers)

    def _finish(self, request: web.Request, session: _Session) -> web.Response:
        for pair in request.headers.get("X-Goog-Hash", "").split(","):
            kind, _, value = pair.strip().partition("=")
            if kind in ("md5", "crc32c"):
                session.fields["md5Hash" if kind == "md5" else "crc32c"] = value
        with session.incoming as incoming:
            answer = self._commit(request, incoming, session.bucket, session.name, session.fields)
        session.stored = self._store.get(session.bucket, session.name)
        return answer

    def _commit(
        self,
        request: web.Request,
        incoming: Incoming,
        bucket: str,
        name: str,
        fields: dict[str, Any],
    ) -> web.Response:
        self._storage.check_preconditions(request, self._store.get(bucket, name))
        content = incoming.close()
        for name_of, found in (("md5Hash", content.md5), ("crc32c", content.crc32c)):
            given = fields.get(name_of)
            if given is not None and given != found:
                raise StorageError(400, f"Provided hash {given} does not match {found}.")
        stored = self._store.commit(content, bucket, name, fields)
        return web.json_response(object_resource(request, stored))


def _metadata(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        raise StorageError(400, "The metadata is not JSON.") from None
    if not isinstance(value, dict):
        raise StorageError(400, "The metadata is not an object.")
    return value


def _checked_name(name: str | None) -> str:
    """A valid object name, or a 400."""
    if not name or len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX:
        raise StorageError(400, "Required parameter: name")
    if "\r" in name or "\n" in name or name in (".", ".."):
        raise StorageError(400, "Invalid object name.")
    return name
