"""A body is taken as it is or not at all: no coding is understood, on no route."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from accounts.models import ApiKey, User
from generation.models import Generation
from staff.models import AuditEntry
from tests.support.document import operations
from tests.support.people import Person

Api = Callable[..., httpx.Client]

BODY = json.dumps({"prompt": "a red fox", "username": "carol", "email": "c@example.com"}).encode()
CODINGS = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "GZip", "identity, gzip", "odd"]
ID = "01a226b8-5e1c-71c4-bda2-afdc77c9d90d"


def writing() -> list[tuple[str, str]]:
    """Method and path of everything of the API that is no mere read, and two pages with forms."""
    found = [
        (method.upper(), path.replace("{generation_id}", ID).replace("{key_id}", ID))
        for path, method, _ in operations()
        if method not in ("get", "head")
    ]
    assert len(found) > 8
    return [*found, ("POST", "/admin/login/"), ("POST", "/nowhere/")]


def rows() -> dict[str, Any]:
    kinds = (User, ApiKey, Generation, AuditEntry)
    return {kind.__name__: kind.objects.count() for kind in kinds}


@pytest.mark.parametrize("coding", CODINGS)
def test_every_coding_is_refused_everywhere(coding: str, api: Api, alice: Person) -> None:
    before, entries = rows(), alice.entries
    for method, path in writing():
        for content in (BODY, gzip.compress(BODY)):
            answer = api(alice.key).request(
                method,
                path,
                content=content,
                headers={"Content-Type": "application/json", "Content-Encoding": coding},
            )
            assert answer.status_code == 415, (method, path, answer.text)
            told = answer.json()
            assert told["code"] == "unsupported_media_type"
            assert told["request_id"] == answer.headers["X-Request-ID"]
            assert answer.headers["Accept-Encoding"] == "identity"
    assert (rows(), alice.entries) == (before, entries)


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
def test_none_is_fine(coding: str, api: Api, alice: Person) -> None:
    answer = api(alice.key).post(
        "/api/v1/generate/video/",
        content=BODY,
        headers={"Content-Type": "application/json", "Content-Encoding": coding},
    )
    assert answer.status_code == 201, answer.text


def test_without_a_body_there_is_nothing_to_decode(api: Api, alice: Person) -> None:
    answer = api(alice.key).get("/api/v1/credits/", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 200
