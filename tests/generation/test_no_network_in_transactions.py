"""The network is never touched inside a transaction (docs/decisions.md, decision 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import transaction

from generation.models import Generation
from generation.models.states import State
from tests.support.network_watch import Watch, watch
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due

__all__ = ["watch"]
Api = Callable[..., httpx.Client]


def test_the_watch_sees_what_it_has_to(api: Api, watch: Watch) -> None:
    api().get("/livez")
    assert watch.sent
    assert not watch.inside
    with transaction.atomic():
        api().get("/livez")
    assert {"connect", "sendall"} & set(watch.inside)


@pytest.mark.parametrize(
    ("path", "body", "ends"),
    [
        ("video/", {}, State.COMPLETED),
        ("video/", {"source_image_urls": ["square.png"]}, State.COMPLETED),
        ("video/", {"prompt": "a fox [emulator:filtered]"}, State.FAILED),
        ("video/", {"prompt": "a fox [emulator:accepted-then-502]"}, State.COMPLETED),
        ("video/", {"prompt": "a fox [emulator:retired]"}, State.FAILED),
        ("", {}, State.COMPLETED),
    ],
)
def test_a_whole_generation_keeps_them_apart(
    path: str,
    body: dict[str, Any],
    ends: State,
    api: Api,
    alice: Person,
    works: Works,
    emulator: Emulator,
    watch: Watch,
) -> None:
    client = api(alice.key)
    if "source_image_urls" in body:
        body = {"source_image_urls": [f"{emulator.url}/sample-images/square.png"]}
    answer = client.post(f"/api/v1/generate/{path}", json={"prompt": "a fox"} | body)
    generation_id = answer.json()["data"]["generation_id"]
    assert works.finish(generation_id).state == ends
    shown = client.get(f"/api/v1/generate/{generation_id}/").json()
    assert shown["status"] == ends
    if shown["video_url"]:
        assert api().get(shown["video_url"]).status_code == 200
    assert watch.sent > 10
    assert watch.inside == []


def test_cancel_and_deadline_too(api: Api, alice: Person, works: Works, watch: Watch) -> None:
    client = api(alice.key)
    for _ in range(2):
        client.post("/api/v1/generate/video/", json={"prompt": "a fox [emulator:never]"})
    first, second = Generation.objects.order_by("created_at")
    assert client.post(f"/api/v1/generate/{first.pk}/cancel/").status_code == 200
    works.run("submit")
    Generation.objects.filter(pk=second.pk).update(deadline_at=second.created_at)
    make_due()
    works.run("poll")
    assert Generation.objects.get(pk=second.pk).error_code == "timeout"
    assert watch.inside == []
