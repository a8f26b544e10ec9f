"""Whichever way a customer learns of an end, the body is the same but for the links."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db.models import F
from django.db.models.functions import Now
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from credits import ledger
from credits.models import Wallet
from events.models import WebhookDelivery
from generation import lifecycle
from generation.models import Generation
from generation.models.states import State
from tests.support.bring_to import kept, reached
from tests.support.people import Person
from tests.webhooks.waiter.conftest import Running
from tests.webhooks.waiter.reading import parsed
from webhooks import public, rendering

Api = Callable[..., httpx.Client]
Body = dict[str, Any]
LINKS = ("video_url", "image_url", "expires_at")
ENDS = [State.COMPLETED, State.FAILED, State.CANCELED]
PICTURES = ["https://example.com/a.png", "https://example.com/b.png?signature=ü"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
VIDEO = st.fixed_dictionaries(
    {"model": st.sampled_from(["veo3_fast", "veo3"]), "prompt": TEXT.map(lambda text: text[:1000])},
    optional={
        "aspect_ratio": st.sampled_from(["16:9", "9:16"]),
        "resolution": st.sampled_from(["720p", "1080p", "4k"]),
        "generate_audio": st.booleans(),
        "seed": st.integers(0, 2**32 - 1),
        "negative_prompt": TEXT.map(lambda text: text[:1000]),
        "source_image_urls": st.integers(0, 2).map(lambda most: PICTURES[:most]),
    },
)
IMAGE = st.fixed_dictionaries(
    {"model": st.just("image"), "prompt": TEXT.map(lambda text: text[:1000])},
    optional={"size": st.sampled_from(["1:1", "3:2", "2:3"])},
)
ORDERS = st.one_of(VIDEO, IMAGE)


def unlinked(body: Body) -> Body:
    """Without what may differ; what may not be there at all is compared by whether it is."""
    return body | {name: body[name] is not None for name in LINKS}


def streamed(text: str) -> Body:
    """The last state of a stream, which has ended."""
    frames = parsed(text)
    assert frames[-1]["event"] == "done"
    [*_, last] = [frame["data"] for frame in frames if frame.get("event") == "status"]
    return dict(json.loads(last))


def told(client: httpx.Client, generation: Generation) -> dict[str, Body]:
    """The body by every way that is left once a generation has ended."""
    path = f"/api/v1/generate/{generation.pk}/"
    events = client.get("/api/v1/events/", params={"limit": 100}).json()["results"]
    [listed] = [event for event in events if event["data"]["id"] == str(generation.pk)]
    delivery = WebhookDelivery.objects.get(event__generation_id=generation.pk)
    sent = json.loads(rendering.encoded(rendering.body_of(delivery)))
    data = sent.pop("data")
    assert unlinked(data) == unlinked(listed.pop("data"))
    assert sent == listed  # id, type and moments, to the letter
    shown = f"/api/v1/webhook-endpoints/default/deliveries/{public.delivery_id(delivery.pk)}/"
    payload = client.get(shown).json()["payload"]
    assert unlinked(payload.pop("data")) == unlinked(data)
    assert payload == listed
    history = client.get("/api/v1/generate/history/", params={"limit": 100}).json()["results"]
    return {
        "poll": client.get(path).json(),
        "wait": client.get(path, params={"wait": 5}).json(),
        "stream": streamed(client.get(f"{path}events/").text),
        "webhook": data,
        "history": next(row for row in history if row["id"] == str(generation.pk)),
    }


def erase(generation: Generation, what: str) -> None:
    """What retention does some day."""
    changes: dict[str, Any] = {"version": F("version") + 1, "updated_at": Now()}
    if what == "prompt":
        changes |= {"prompt": "", "webhook_url": None}
    if what == "output":
        changes |= {"output_key": "", "output_deleted_at": Now()}
    Generation.objects.filter(pk=generation.pk).update(**changes)


@pytest.fixture
def client(api: Api, alice: Person, base_url: str, settings: Settings) -> httpx.Client:
    """Alice's; workers and web know the same address."""
    settings.PUBLIC_BASE_URL = base_url
    settings.RATE_LIMIT_READS = 100_000
    Wallet.objects.filter(account=alice.account).update(max_open_charges=1_000)
    ledger.grant(alice.account.pk, 1_000_000, description="for the test")
    return api(alice.key)


@given(asked=ORDERS, end=st.sampled_from(ENDS), gone=st.sampled_from(["", "prompt", "output"]))
@tries(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_every_way_tells_the_same(
    client: httpx.Client, alice: Person, asked: Body, end: State, gone: str
) -> None:
    generation = reached(alice, end, webhook_url="https://example.com/hooks", **asked)
    if gone != "output" or end == State.COMPLETED:
        erase(generation, gone)
    bodies = {way: unlinked(body) for way, body in told(client, generation).items()}
    for way, body in bodies.items():
        assert body == bodies["poll"], way
    assert bodies["poll"]["prompt"] == ("" if gone == "prompt" else asked["prompt"])


def test_those_who_were_held_are_told_the_same(
    client: httpx.Client, alice: Person, waiter: Running
) -> None:
    """By the real process that holds them, from before the end until it."""
    open_ones = [
        reached(alice, before, model=model, webhook_url="https://example.com/hooks")
        for model in ("veo3_fast", "image")
        for before in (State.STORING, State.RUNNING, State.QUEUED)
    ]
    held = waiter.client(alice)
    with ThreadPoolExecutor(2 * len(open_ones)) as pool:
        answers: dict[str, list[Future[httpx.Response]]] = {}
        for row in open_ones:
            path = f"/api/v1/generate/{row.pk}/"
            answers[str(row.pk)] = [
                pool.submit(held.get, path, params={"wait": 25}),
                pool.submit(held.get, f"{path}events/"),
            ]
        until = time.monotonic() + 20
        while waiter.holds("wait") + waiter.holds("stream") < 12 and time.monotonic() < until:
            time.sleep(0.05)
        for row in open_ones:
            if row.state == State.STORING:
                assert lifecycle.complete(row, **kept(row))
            elif row.state == State.RUNNING:
                assert lifecycle.fail(row, "timeout", "Too late", retryable=True)
            else:
                assert lifecycle.cancel(row.pk)
        waited = {
            pk: (wait.result(40), stream.result(40)) for pk, (wait, stream) in answers.items()
        }
    for row in open_ones:
        bodies = told(client, row)
        wait, stream = waited[str(row.pk)]
        assert wait.headers["Preference-Applied"] == "wait=25"
        bodies |= {"held wait": wait.json(), "held stream": streamed(stream.text)}
        for way, body in bodies.items():
            assert unlinked(body) == unlinked(bodies["poll"]), way
