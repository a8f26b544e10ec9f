"""``webhook_url`` of a create: taken, kept to itself, sent to once, and erased with the prompt."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events.models import WebhookDelivery
from generation import creation, interventions, lifecycle
from generation.models import Generation
from generation.models.states import State
from generation.outputs import retention
from tests.support.bring_to import order, reached
from tests.support.log_reader import lines_of
from tests.support.people import Person, make_person
from tests.support.racing import race
from tests.support.works import Works

Api = Callable[..., httpx.Client]
VIDEO, IMAGE, QUOTE = "/api/v1/generate/video/", "/api/v1/generate/", "/api/v1/quote/"
URL = "https://hooks.example.com:8443/of-one-order?token=hush#part"
HTTPS = "an https URL"
WORST = "https://example.org/" + "".join(chr(0x4E00 + 7 * each) for each in range(2028))


def made(answer: httpx.Response) -> Generation:
    assert answer.status_code == 201, answer.text
    return Generation.objects.get(pk=answer.json()["data"]["generation_id"])


def sent_to() -> list[tuple[uuid.UUID | None, str | None]]:
    """The generation and the URL of each delivery, in their order."""
    rows = WebhookDelivery.objects.order_by("created_at")
    return list(rows.values_list("event__generation_id", "url"))


@pytest.mark.parametrize("path", [VIDEO, IMAGE, "/api/v1/generate/image/"])
@pytest.mark.parametrize("url", [URL, WORST, "HTTPS://bücher.example/ä"])
def test_its_end_is_sent_there_once(path: str, url: str, api: Api, alice: Person) -> None:
    body = {"prompt": "a red fox", "webhook_url": url}
    generation = made(api(alice.key).post(path, json=body))
    assert generation.webhook_url == url
    assert not WebhookDelivery.objects.exists()
    assert lifecycle.cancel(generation.pk)
    assert not lifecycle.cancel(generation.pk)
    assert sent_to() == [(generation.pk, url)]
    assert WebhookDelivery.objects.get().target == alice.account.pk


def test_others_of_the_account_are_not_sent_there(api: Api, alice: Person) -> None:
    body: dict[str, Any] = {"prompt": "a red fox"}
    named = made(api(alice.key).post(VIDEO, json=body | {"webhook_url": URL}))
    for other in (body, body | {"webhook_url": None}):
        assert lifecycle.cancel(made(api(alice.key).post(VIDEO, json=other)).pk)
    assert sent_to() == []
    assert lifecycle.cancel(named.pk)
    assert sent_to() == [(named.pk, URL)]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (7, "a string"),
        (True, "a string"),
        ([URL], "a string"),
        ({"url": URL}, "a string"),
        ("", "t be blank"),
        ("   ", "t contain spaces or control characters"),
        (f" {URL}", "t contain spaces or control characters"),
        ("http://example.com/", HTTPS),
        ("ftp://example.com/", HTTPS),
        ("javascript:alert(1)", HTTPS),
        ("https://user:word@example.com/", "t contain a user name or password"),
        ("https://example.com:22/", "t name a port other than 443 and 8443"),
        ("https://127.0.0.1/", "t name a private or reserved address"),
        ("https://[::1]/", "t name a private or reserved address"),
        ("https://testserver.example/", "t lead to this service"),
        ("https://example.com/" + "a" * 2029, "at most 2048 characters"),
        ("https://example.com/" + "a" * 900_000, "at most 2048 characters"),
    ],
)
@pytest.mark.parametrize("path", [VIDEO, IMAGE, QUOTE])
def test_what_is_wrong_is_told_by_its_own_name(
    path: str, url: Any, fault: str, api: Api, alice: Person, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://testserver.example"
    answer = api(alice.key).post(path, json={"prompt": "a", "webhook_url": url})
    body = answer.json()
    must = f"ust no{fault}" if fault.startswith("t ") else f"ust be {fault}"
    assert (answer.status_code, body["code"]) == (400, "invalid_request")
    assert body["details"] == {"webhook_url": f"M{must}"}
    assert body["error"] == f"Webhook url m{must}"
    assert alice.balance == 1000
    assert not Generation.objects.exists()


def test_it_is_the_last_field(api: Api, alice: Person) -> None:
    body = {"webhook_url": 1, "max_credits": "x", "prompt": "a"}
    for path in (VIDEO, IMAGE):
        answer = api(alice.key).post(path, json=body).json()
        assert list(answer["details"]) == ["max_credits", "webhook_url"]
        assert answer["error"] == "Max credits must be an integer, 0 or more"


def test_a_quote_takes_it_and_keeps_nothing(api: Api, alice: Person) -> None:
    for kind in ("video", "image"):
        body = {"prompt": "a", "type": kind, "webhook_url": URL}
        answer = api(alice.key).post(QUOTE, json=body)
        assert answer.status_code == 200
        assert "hush" not in answer.text
    assert not Generation.objects.exists()


def test_it_is_part_of_the_same_request(api: Api, alice: Person) -> None:
    client = api(alice.key, **{"Idempotency-Key": "once"})
    body = {"prompt": "a red fox"}
    first = client.post(VIDEO, json=body | {"webhook_url": URL})
    again = client.post(VIDEO, json=body | {"webhook_url": URL})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    for other in (body, body | {"webhook_url": None}, body | {"webhook_url": f"{URL}2"}):
        refused = client.post(VIDEO, json=other)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")
    assert lifecycle.cancel(made(first).pk)
    assert sent_to() == [(made(first).pk, URL)]


def test_none_and_null_are_the_same_request(api: Api, alice: Person) -> None:
    client = api(alice.key, **{"Idempotency-Key": "once"})
    client.post(IMAGE, json={"prompt": "a red fox"})
    again = client.post(IMAGE, json={"prompt": "a red fox", "webhook_url": None})
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_was_taken_then_is_replayed_now(api: Api, alice: Person, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset({"http://127.0.0.1:9"})
    client = api(alice.key, **{"Idempotency-Key": "once"})
    body = {"prompt": "a red fox", "webhook_url": "http://127.0.0.1:9/"}
    first = client.post(VIDEO, json=body)
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset()
    assert client.post(VIDEO, json=body).json() == first.json()
    assert Generation.objects.count() == 1


def test_two_at_once_are_one(api: Api, alice: Person) -> None:
    clients = [api(alice.key, **{"Idempotency-Key": "once"}) for _ in range(2)]
    bodies = [{"prompt": "a red fox", "webhook_url": f"{URL}{each}"} for each in range(2)]
    calls = [
        partial(client.post, VIDEO, json=body) for client, body in zip(clients, bodies, strict=True)
    ]
    answers = [each for each in race(calls, 2) if isinstance(each, httpx.Response)]
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert Generation.objects.count() == 1


def test_no_other_answer_and_no_line_shows_it(api: Api, alice: Person, works: Works) -> None:
    client = api(alice.key)
    with lines_of("", "access", "generation.transitions", level=logging.DEBUG) as lines:
        created = client.post(VIDEO, json={"prompt": "a red fox", "webhook_url": URL})
        generation = works.finish(created.json()["data"]["generation_id"])
        said = [created.text, client.post(VIDEO, json={"webhook_url": URL}).text]
        paths = (f"{IMAGE}{generation.pk}/", f"{IMAGE}history/", "/api/v1/events/")
        said += [client.get(path).text for path in paths]
    assert len(lines) > 3
    assert generation.state == State.COMPLETED
    assert sent_to() == [(generation.pk, URL)]
    shown = json.dumps([said, lines])
    assert str(generation.pk) in shown
    for part in ("hooks.example.com", "of-one-order", "hush"):
        assert part not in shown


def test_to_try_again_takes_it_over(alice: Person) -> None:
    lost = reached(alice, State.FAILED, webhook_url=URL)
    staff = make_person("olga", 0)
    values: dict[str, Any] = {"actor": staff.user, "reason": "sorry", "token": uuid.uuid4()}
    answer = interventions.order_again(lost, paid_by="grant", **values)
    again = Generation.objects.get(pk=answer.generation_id)
    assert (again.retry_of_id, again.webhook_url) == (lost.pk, URL)
    assert lifecycle.cancel(again.pk)
    assert sent_to() == [(lost.pk, URL), (again.pk, URL)]


def test_it_goes_with_the_prompt_and_not_alone(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    old, young = (reached(alice, State.CANCELED, webhook_url=URL) for _ in range(2))
    rows = Generation.objects.filter(pk=old.pk)
    for change in ({"webhook_url": None}, {"prompt": ""}, {"prompt": "", "webhook_url": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    with admin_connection.transaction():
        admin_connection.execute("SET LOCAL session_replication_role = replica")
        admin_connection.execute(
            "UPDATE generation_generation SET finished_at = now() - interval '400 days'"
            " WHERE id = %s",
            [old.pk],
        )
    assert retention.erase_prompts() == 1
    assert rows.values_list("prompt", "webhook_url").get() == ("", None)
    assert Generation.objects.get(pk=young.pk).webhook_url == URL
    assert retention.erase_prompts() == 0


def test_a_create_costs_as_many_statements_with_it(alice: Person) -> None:
    counts = []
    creation.create(order(alice))  # asks what it then remembers
    for url in (None, URL):
        asked = order(alice, webhook_url=url)
        with CaptureQueriesContext(connection) as captured:
            creation.create(asked)
        counts.append(len(captured))
    assert counts[0] == counts[1]
