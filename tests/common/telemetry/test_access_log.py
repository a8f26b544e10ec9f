"""One line a request: by whom, what, how long; and never what was in the path."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import httpx

from accounts import secrets
from common.telemetry import access_log
from common.telemetry.access_log import is_uuid
from tests.support.log_reader import lines_of
from tests.support.people import Person

VIDEO = "/api/v1/generate/video/"
Api = Callable[..., httpx.Client]


def test_a_create_and_a_look(api: Api, alice: Person) -> None:
    client = api(alice.key)
    with lines_of("access") as lines:
        made = client.post(VIDEO, json={"prompt": "hush"}, headers={"Idempotency-Key": "k"})
        again = client.post(VIDEO, json={"prompt": "hush"}, headers={"Idempotency-Key": "k"})
        generation_id = made.json()["data"]["generation_id"]
        client.get(f"/api/v1/generate/{generation_id}/")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [line["method"] for line in lines] == ["POST", "POST", "GET"]
    assert {line["generation_id"] for line in lines} == {generation_id}
    assert {line["account_id"] for line in lines} == {str(alice.account.pk)}
    assert lines[0]["route"] == "api/v1/generate/video/"
    assert lines[2]["route"] == "api/v1/generate/<str:generation_id>/"
    assert lines[0]["request_id"] == made.headers["X-Request-ID"]
    assert [line["status"] for line in lines] == [201, 201, 200]
    assert all(0 < line["duration_ms"] < 5000 for line in lines)
    assert "hush" not in str(lines)


def test_who_is_not_known(api: Api) -> None:
    with lines_of("access") as lines:
        api().get("/api/v1/credits/")
        api().get("/api/v1/generate/not-an-id/")
        api().get("/no/such/path")
        api().post(VIDEO, content=b"x" * (1024 * 1024 + 1))
    assert [line["status"] for line in lines] == [401, 401, 404, 413]
    assert [line["route"] for line in lines][2:] == [None, None]
    assert all(line["request_id"] for line in lines)
    assert not any("account_id" in line or "generation_id" in line for line in lines)


def test_a_secret_in_the_wrong_place(api: Api) -> None:
    secret = secrets.generate(secrets.KEY_PREFIX)
    with lines_of("access") as lines:
        answer = api().get(f"/api/v1/generate/{secret}/", headers={"X-Request-ID": secret})
    assert answer.headers["X-Request-ID"] != secret
    assert secret not in str(lines)
    assert lines[0]["request_id"] == answer.headers["X-Request-ID"]


def test_probes_are_told_at_debug_alone(api: Api) -> None:
    for level, count in ((logging.INFO, 0), (logging.DEBUG, 1)):
        with lines_of("access", level=level) as lines:
            api().get("/livez")
        assert len(lines) == count


def test_an_error_of_ours_is_an_error_of_the_log() -> None:
    with lines_of("access", level=logging.ERROR) as lines:
        access_log.write("GET", "readyz", 503, time.perf_counter())
        access_log.write("GET", "readyz", 200, time.perf_counter())
    assert [line["status"] for line in lines] == [503]


def test_outside_of_a_request_nothing_is_noted() -> None:
    access_log.add_fields(generation_id="x")
    assert not is_uuid("x")
    assert not is_uuid(None)
    assert not is_uuid("{0f8fad5b-d9cb-469f-a165-70867728950e}")
    assert is_uuid("0F8FAD5B-d9cb-469f-a165-70867728950e")
