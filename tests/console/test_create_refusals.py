"""Whatever is refused on the playground: it is said in words, costs nothing, and loses nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from common.fresh import Fresh
from generation.models import CatalogModel, Generation
from generation.models.gate import ProviderGate
from generation.provider import admission
from tests.console.test_create import PROMPT, address, form_of, nothing_happened, send, text
from tests.support.bring_to import created
from tests.support.console import browser
from tests.support.forms import filled
from tests.support.people import Person, make_person


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"prompt": " \n "}, "This field is required"),
        ({"prompt": "x" * 1001}, "Must be at most 1000 characters"),
        ({"prompt": "🦊" * 5000}, "Must be at most 1000 characters"),
        ({"seed": "-1"}, "Must be an integer from 0 to 4294967295"),
        ({"seed": "seven"}, "Must be an integer from 0 to 4294967295"),
        ({"seed": "9" * 5000}, "Must be an integer from 0 to 4294967295"),
        ({"negative_prompt": "y" * 1001}, "Must be at most 1000 characters"),
        ({"source_image_urls": "ftp://example.com/a.png"}, "Image 1"),
        ({"source_image_urls": f"upload:{uuid.uuid4()}"}, "Image 1 is not an upload"),
        ({"source_image_urls": ["https://example.com/a.png"] * 4}, "at most 3 URLs"),
        ({"image": "cat.png"}, "press “Add image” first"),
    ],
    ids=range(11),
)
def test_what_is_wrong_is_said_and_nothing_lost(
    client: Client, alice: Person, typed: dict[str, Any], says: str
) -> None:
    fields = form_of(client, alice, **typed)
    answer = send(client, alice, fields)
    assert answer.status_code == 400
    assert says in text(answer)
    assert nothing_happened(alice)
    kept = filled(text(answer), "create")
    for name, value in typed.items():
        if name != "image":
            want = value if isinstance(value, list) else [value]
            assert [each for each in kept[name] if each] == want
    assert kept["form"] == fields["form"]


def test_a_nul(client: Client, alice: Person) -> None:
    answer = send(client, alice, form_of(client, alice, prompt="a\0b"))
    assert (answer.status_code, nothing_happened(alice)) == (400, True)
    assert "Null characters are not allowed" in text(answer)


def test_lines_count_as_the_page_counts_them(client: Client, alice: Person) -> None:
    prompt = "\r\n".join("x" * 9 for _ in range(100))  # 999 characters, and 1,098 as sent
    assert send(client, alice, form_of(client, alice, prompt=prompt)).status_code == 303
    assert Generation.objects.get().prompt == prompt.replace("\r\n", "\n")


def test_a_duration_that_the_resolution_has_not(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, resolution="1080p", duration="6", max_credits="288")
    answer = send(client, alice, fields)
    assert answer.status_code == 400
    assert "Must be 8 at 1080p" in text(answer)
    assert nothing_happened(alice)


def test_without_credits_one_is_led_to_them(alice: Person) -> None:
    poor = make_person("poor", 100)
    client = browser(poor.user)
    answer = send(client, poor, form_of(client, poor))
    assert answer.status_code == 402
    assert "This costs 240 credits, and poor has 100." in text(answer)
    assert f'href="/c/{poor.account.pk}/billing/">Buy credits' in text(answer)
    assert filled(text(answer), "create")["prompt"] == [PROMPT]
    assert nothing_happened(poor, 100)


def test_a_suspended_account_orders_nothing(client: Client, alice: Person) -> None:
    fields = form_of(client, alice)
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    assert send(client, alice, fields).status_code == 403
    assert client.post(address(alice) + "upload/", fields).status_code == 403
    assert nothing_happened(alice)
    assert client.get(address(alice)).status_code == 200


def test_the_window_is_the_apis(client: Client, alice: Person, api: Any) -> None:
    Account.objects.filter(pk=alice.account.pk).update(creates_per_minute=1)
    made = api(alice.key).post("/api/v1/generate/", json={"prompt": "p"})
    assert made.status_code == 201
    answer = send(client, alice, form_of(client, alice))
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert f'data-countdown="{answer["Retry-After"]}"' in text(answer)
    assert "Try again in" in text(answer)
    assert (Generation.objects.count(), alice.balance) == (1, 976)


def test_too_many_open(client: Client, alice: Person, settings: LazySettings) -> None:
    settings.MAX_OPEN_GENERATIONS = 1
    created(alice)
    answer = send(client, alice, form_of(client, alice))
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    assert "no more can begin" in text(answer)
    assert filled(text(answer), "create")["prompt"] == [PROMPT]
    assert (Generation.objects.count(), alice.balance) == (1, 760)


def test_a_busy_provider(client: Client, alice: Person, settings: LazySettings) -> None:
    created(alice)
    fields = form_of(client, alice)
    settings.DEADLINE = 0.001
    CatalogModel.objects.update(submits_per_minute=1)
    Fresh.clear_all()
    assert admission.is_overloaded(CatalogModel.objects.get(pk="veo3_fast"))
    answer = send(client, alice, fields)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "would take too long" in text(answer)
    assert "Try again in 60 seconds." in text(answer)
    assert alice.balance == 760


def test_a_paused_model(client: Client, alice: Person) -> None:
    fields = form_of(client, alice)
    now = timezone.now()
    ProviderGate.objects.create(
        model_id="veo3_fast",
        next_submit_at=now,
        window_ends_at=now,
        paused_until=now + timedelta(minutes=5),
    )
    Fresh.clear_all()
    answer = send(client, alice, fields)
    assert answer.status_code == 503
    assert "not available at the moment" in text(answer)
    assert nothing_happened(alice)


def test_a_model_that_left_between_page_and_press(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, "?model=veo3")
    CatalogModel.objects.filter(pk="veo3").update(enabled=False)
    Fresh.clear_all()
    answer = send(client, alice, fields)
    assert answer.status_code == 409
    assert "veo3 is not on sale any more" in text(answer)
    fields = filled(text(answer), "create")
    assert (fields["prompt"], fields["max_credits"]) == ([PROMPT], ["240"])
    assert nothing_happened(alice)
    CatalogModel.objects.update(enabled=False)
    Fresh.clear_all()
    for answer in (client.get(address(alice)), send(client, alice, fields)):
        assert "Nothing is on sale at the moment" in text(answer)
    assert nothing_happened(alice)


def test_a_press_without_a_price_or_a_name_orders_nothing(client: Client, alice: Person) -> None:
    answer = client.post(address(alice), {"prompt": PROMPT})
    assert (answer.status_code, nothing_happened(alice)) == (409, True)
    fields = form_of(client, alice, max_credits="9" * 400)
    assert send(client, alice, fields).status_code == 409
    assert nothing_happened(alice)
