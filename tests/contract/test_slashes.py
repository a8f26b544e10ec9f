"""Every path under /api/ answers with and without its closing slash, and redirects nobody."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from generation.models import Generation
from generation.models.states import State
from tests.contract.test_isolation import routes
from tests.support.bring_to import reached
from tests.support.people import PASSWORD, Person

Api = Callable[..., httpx.Client]


def test_every_route_is_one_view_either_way(api: Api, alice: Person) -> None:
    generation = str(reached(alice, State.COMPLETED).pk)
    client = api(alice.key)
    for route in routes():
        path = "/" + route.replace("<str:generation_id>", generation)
        path = path.replace("<str:key_id>", "00000000-0000-0000-0000-000000000000")
        # the OpenAPI document takes a second to make
        for method in ("PUT",) if "schema" in route else ("GET", "POST"):
            # where two at once would be refused, the second time, too
            there = client.request(method, path, json={"force": True})
            same = client.request(method, path.rstrip("/"), json={"force": True})
            assert same.status_code == there.status_code, (method, path)
            assert there.status_code // 100 != 3, (method, path)
            assert same.headers.get("Allow") == there.headers.get("Allow")


@pytest.mark.parametrize(
    "path", ["/api/v1/generate/video", "/api/v1/generate", "/api/v1/generate/image"]
)
def test_a_post_keeps_its_body(path: str, api: Api, alice: Person) -> None:
    answer = api(alice.key).post(path, json={"prompt": "a red fox"})
    assert answer.status_code == 201
    assert Generation.objects.get().prompt == "a red fox"


def test_registering_and_logging_in(api: Api) -> None:
    body = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}
    assert api().post("/api/register", json=body).status_code == 201
    assert api().post("/api/login", json=body).status_code == 200


def test_a_query_survives(api: Api, alice: Person) -> None:
    for _ in range(2):
        reached(alice, State.QUEUED)
    body = api(alice.key).get("/api/v1/generate/history?limit=1").json()
    assert len(body["results"]) == 1
    assert body["next"].split("?")[0].endswith("/history/")
