"""Buckets and objects as Cloud Storage's JSON API shows them."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from aiohttp import web

from dev.emulator.storage import StoredObject


def bucket_resource(request: web.Request, name: str) -> dict[str, Any]:
    """The bucket as the JSON API shows it."""
    link = f"{request.scheme}://{request.host}/storage/v1/b/{name}"
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "selfLink": link,
        "location": "US-CENTRAL1",
        "storageClass": "STANDARD",
    }


def object_resource(request: web.Request, stored: StoredObject) -> dict[str, Any]:
    """The object as the JSON API shows it."""
    name = quote(stored.name, safe="")
    base = f"{request.scheme}://{request.host}"
    path = f"storage/v1/b/{stored.bucket}/o/{name}"
    return {
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "selfLink": f"{base}/{path}",
        "mediaLink": f"{base}/download/{path}?generation={stored.generation}&alt=media",
        "bucket": stored.bucket,
        "name": stored.name,
        "generation": str(stored.generation),
        "metageneration": "1",
        "size": str(stored.size),
        "md5Hash": stored.md5,
        "crc32c": stored.crc32c,
        "etag": etag(stored),
        "storageClass": "STANDARD",
        "timeCreated": stored.created,
        "updated": stored.created,
        **stored.fields,
    }


def content_headers(stored: StoredObject) -> dict[str, str]:
    """What comes with an object's content."""
    headers = {
        "Content-Type": stored.fields.get("contentType", "application/octet-stream"),
        "Accept-Ranges": "bytes",
        "ETag": etag(stored),
        "x-goog-hash": f"crc32c={stored.crc32c},md5={stored.md5}",
        "x-goog-generation": str(stored.generation),
        "x-goog-metageneration": "1",
        "x-goog-stored-content-length": str(stored.size),
        "x-goog-stored-content-encoding": "identity",
        "x-goog-storage-class": "STANDARD",
    }
    if "contentDisposition" in stored.fields:
        headers["Content-Disposition"] = stored.fields["contentDisposition"]
    return headers


def etag(stored: StoredObject) -> str:
    """Another one for each generation of an object."""
    return base64.b64encode(str(stored.generation).encode()).decode()
