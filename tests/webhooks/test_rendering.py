"""The body of a delivery: the event as it would be told now."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.models import WebhookDelivery
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.deliveries import delivery_to, endpoint_of, event_of, trial_of
from tests.support.people import Person
from tests.webhooks.conftest import Ask
from webhooks import rendering

LINKS = {"video_url", "image_url", "expires_at"}
BASE = "https://api.example.com"


@pytest.mark.parametrize("model", ["veo3_fast", "image"])
@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_it_is_what_the_list_of_events_tells(
    state: State, model: str, asked: Ask, alice: Person, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = BASE
    event = event_of(reached(alice, state, model=model))
    for target in (endpoint_of(alice), "https://example.com/of-an-order"):
        told = rendering.body_of(WebhookDelivery.objects.get(pk=delivery_to(target, event).pk))
        (listed,) = asked(alice)["results"]
        assert list(told) == list(listed)
        assert list(told["data"]) == list(listed["data"])
        for each in (told, listed):
            each["data"] |= dict.fromkeys(LINKS)
        assert told == listed


def test_links_begin_with_where_customers_ask(alice: Person, settings: Any) -> None:
    event = event_of(reached(alice, State.COMPLETED))
    delivery = delivery_to(endpoint_of(alice), event)
    settings.PUBLIC_BASE_URL = BASE
    assert rendering.body_of(delivery)["data"]["video_url"].startswith(f"{BASE}/")
    settings.PUBLIC_BASE_URL = ""
    told = rendering.body_of(delivery, "http://testserver")
    assert told["data"]["video_url"].startswith("http://testserver/")


def test_a_test_says_which_endpoint_it_is_for(alice: Person) -> None:
    endpoint = endpoint_of(alice)
    event = trial_of(alice)
    told = rendering.body_of(delivery_to(endpoint, event))
    assert told["data"] == {
        "webhook_endpoint_id": f"we_{endpoint.pk.hex}",
        "message": "This is a test",
    }
    assert (told["id"], told["type"]) == (f"evt_{event.pk.hex}", "webhook_endpoint.test")
    assert rendering.message_id(event) == told["id"]


def test_the_bytes_are_compact_and_what_they_say(alice: Person) -> None:
    prompt = 'a "fox"\u2028 – Füchse 🦊 \\u0041'
    generation = reached(alice, State.FAILED, prompt=prompt)
    told = rendering.body_of(delivery_to(endpoint_of(alice), event_of(generation)))
    sent = rendering.encoded(told)
    assert json.loads(sent) == told
    assert told["data"]["prompt"] == prompt
    assert b'", "' not in sent
    assert "🦊".encode() in sent
