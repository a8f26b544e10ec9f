"""The playground: one press, one generation, one charge; every refusal keeps what was typed."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.fresh import Fresh
from credits.models import LedgerEntry
from generation.models import CatalogModel, Generation, Upload
from generation.models.states import State
from generation.offer.parameters import Parameters
from tests.support.bring_to import created, reached
from tests.support.console import browser
from tests.support.forms import Fields, filled
from tests.support.people import Person
from tests.support.racing import race
from tests.support.uploads import make_upload, name_of

PROMPT = "a red fox"


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def address(person: Person) -> str:
    return f"/c/{person.account.pk}/create/"


def form_of(client: Client, person: Person, query: str = "", **typed: Any) -> Fields:
    page = client.get(address(person) + query)
    assert page.status_code == 200
    return filled(page.content.decode(), "create", **({"prompt": PROMPT} | typed))


def send(client: Client, person: Person, fields: Fields, **options: Any) -> Any:
    return client.post(address(person), fields, **options)


def nothing_happened(person: Person, balance: int = 1000) -> bool:
    charges = LedgerEntry.objects.filter(kind="charge").count()
    return (Generation.objects.count(), charges, person.balance) == (0, 0, balance)


def text(answer: Any) -> str:
    content: bytes = answer.content
    return content.decode()


def test_a_press_orders_what_is_shown(client: Client, alice: Person) -> None:
    page = text(client.get(address(alice)))
    assert 'Create for <span id="price">240</span> credits' in page
    answer = send(client, alice, form_of(client, alice, seed="7"))
    made = Generation.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"/c/{alice.account.pk}/gallery/{made.pk}/"
    assert (made.prompt, made.price, alice.balance) == (PROMPT, 240, 760)
    assert (made.created_by_id, made.api_key_id) == (alice.user.pk, None)
    asked = Parameters.of(made.kind, made.parameters)
    assert (asked.seed, asked.duration, asked.generate_audio) == (7, 8, True)


def test_an_image(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, "?model=image", size="3:2")
    assert fields["max_credits"] == ["24"]
    assert send(client, alice, fields).status_code == 303
    made = Generation.objects.get()
    assert (made.kind, made.parameters["size"], made.price) == ("image", "3:2", 24)


def test_the_same_form_twice_is_one_order(client: Client, alice: Person) -> None:
    fields = form_of(client, alice)
    first, again = send(client, alice, fields), send(client, alice, fields)
    assert first["Location"] == again["Location"]
    assert (Generation.objects.count(), alice.balance) == (1, 760)


def test_a_double_click_is_one_order(alice: Person) -> None:
    fields = form_of(browser(alice.user), alice)
    clients = [browser(alice.user) for _ in range(4)]
    answers = race([partial(send, each, alice, fields) for each in clients], at_once=4)
    places = {answer["Location"] for answer in answers if not isinstance(answer, BaseException)}
    assert len(places) == 1
    assert (Generation.objects.count(), alice.balance) == (1, 760)
    assert LedgerEntry.objects.filter(kind="charge").count() == 1


def test_the_way_back_leads_to_the_form_that_ordered(client: Client, alice: Person) -> None:
    fields = form_of(client, alice)
    send(client, alice, fields)
    made = Generation.objects.get()
    back = f"?form={fields['form'][0]}"
    page = text(client.get(address(alice) + back))
    assert f"/gallery/{made.pk}/" in page
    same = filled(page, "create")
    assert same["form"] == fields["form"]
    assert send(client, alice, same)["Location"].endswith(f"/{made.pk}/")
    other = send(client, alice, same | {"prompt": ["a blue fox"]})
    assert other.status_code == 409
    assert (Generation.objects.count(), alice.balance) == (1, 760)
    fresh = filled(text(other), "create")
    assert fresh["prompt"] == ["a blue fox"]
    assert fresh["form"] != fields["form"]
    assert send(client, alice, fresh).status_code == 303
    assert (Generation.objects.count(), alice.balance) == (2, 520)


def test_a_reload_after_the_price_has_changed(client: Client, alice: Person) -> None:
    fields = form_of(client, alice)
    first = send(client, alice, fields)
    change_price(300)
    assert send(client, alice, fields)["Location"] == first["Location"]
    assert (Generation.objects.count(), alice.balance) == (1, 760)


def change_price(price: int) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(price=price)
    Fresh.clear_all()


def test_a_price_that_was_not_shown_is_not_paid(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, seed="11")
    for price in (300, 200):
        change_price(price)
        answer = send(client, alice, fields)
        assert answer.status_code == 409
        assert nothing_happened(alice)
        assert f'<span id="price">{price}</span>' in text(answer)
        fields = filled(text(answer), "create")
        assert (fields["prompt"], fields["seed"]) == ([PROMPT], ["11"])
    assert send(client, alice, fields).status_code == 303
    assert alice.balance == 800


def test_without_a_script_another_model_is_shown_first(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, video_model="veo3", negative_prompt="no snow")
    answer = send(client, alice, fields)
    assert (answer.status_code, nothing_happened(alice)) == (409, True)
    fields = filled(text(answer), "create")
    assert (fields["max_credits"], fields["shown_model"]) == (["500"], ["veo3"])
    assert fields["negative_prompt"] == ["no snow"]
    # an image has neither sound nor a negative prompt, and what was typed is kept for a video
    answer = send(client, alice, fields | {"video_model": ["image"]})
    fields = filled(text(answer), "create")
    assert (fields["max_credits"], fields["size"]) == (["24"], ["1:1"])
    assert fields["negative_prompt"] == ["no snow"]
    assert send(client, alice, fields).status_code == 303
    assert Generation.objects.get().parameters == {"size": "1:1"}


def test_without_a_script_options_cost_what_is_shown_then(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, resolution="1080p", seed="5")
    answer = send(client, alice, fields)
    assert (answer.status_code, nothing_happened(alice)) == (409, True)
    fields = filled(text(answer), "create")
    assert (fields["max_credits"], fields["seed"]) == (["288"], ["5"])
    assert send(client, alice, fields).status_code == 303
    assert Generation.objects.get().parameters["resolution"] == "1080p"


def test_with_a_script_the_price_follows(client: Client, alice: Person) -> None:
    fields = form_of(client, alice, resolution="4k", duration="4")
    asks = {"HX-Request": "true", "HX-Target": "options"}
    part = text(send(client, alice, fields, headers=asks))
    assert '<span id="price" hx-swap-oob="true">720</span>' in part
    assert 'name="max_credits" value="720"' in part
    assert '<option value="4">' not in part  # 4k takes 8 seconds
    assert "<html" not in part
    assert nothing_happened(alice)
    asks["HX-Target"] = "code"
    assert send(client, alice, fields, headers=asks).status_code == 204
    shown = text(send(client, alice, fields | {"do": ["show"]}, headers=asks))
    assert "&quot;resolution&quot;: &quot;4k&quot;" in shown
    assert nothing_happened(alice)


def test_code_is_shown_and_nothing_ordered(client: Client, alice: Person) -> None:
    page = text(send(client, alice, form_of(client, alice, do="show", prompt="it's <b>")))
    assert "API_KEY" in page
    assert "it&#x27;s &lt;b&gt;" in page
    assert "http://testserver/api/v1/generate/video/" in page
    assert filled(page, "create")["code"] == ["show"]
    assert nothing_happened(alice)


def test_try_again_keeps_all_that_was_asked_for(client: Client, alice: Person) -> None:
    images = [name_of(make_upload(alice)), "https://example.com/a.png"]
    asked: dict[str, Any] = {"resolution": "1080p", "seed": 5, "negative_prompt": "snow"}
    before = reached(
        alice, State.FAILED, prompt="it's a 🦊", model="veo3", source_image_urls=images, **asked
    )
    fields = form_of(client, alice, f"?again={before.pk}", prompt="it's a 🦊")
    assert fields["prompt"] == ["it's a 🦊"]
    assert (fields["resolution"], fields["seed"]) == (["1080p"], ["5"])
    assert (fields["video_model"], fields["negative_prompt"]) == (["veo3"], ["snow"])
    assert fields["source_image_urls"] == [*images, ""]
    assert send(client, alice, fields).status_code == 303
    again = Generation.objects.exclude(pk=before.pk).get()
    assert again.parameters == before.parameters


def test_try_again_leaves_out_what_is_gone(client: Client, alice: Person) -> None:
    images = [name_of(make_upload(alice)), "https://example.com/a.png"]
    before = reached(alice, State.FAILED, model="veo3", source_image_urls=images)
    Upload.objects.update(expires_at=timezone.now())
    CatalogModel.objects.filter(pk="veo3").update(enabled=False)
    Fresh.clear_all()
    fields = form_of(client, alice, f"?again={before.pk}")
    assert fields["video_model"] == ["veo3_fast"]
    assert fields["source_image_urls"] == ["https://example.com/a.png", ""]


@pytest.mark.parametrize("query", ["again=x", "again=00000000-0000-0000-0000-000000000000"])
def test_nothing_to_try_again(client: Client, alice: Person, query: str) -> None:
    assert client.get(f"{address(alice)}?{query}").status_code == 404


def test_somebody_elses(client: Client, alice: Person, bob: Person) -> None:
    his = created(bob)
    assert client.get(f"{address(alice)}?again={his.pk}").status_code == 404
    assert client.get(address(bob)).status_code == 404
    assert client.post(address(bob), {"prompt": "p"}).status_code == 404
    fields = form_of(browser(bob.user), bob)
    send(browser(bob.user), bob, fields)
    made = Generation.objects.exclude(pk=his.pk).get()
    page = text(client.get(f"{address(alice)}?form={fields['form'][0]}"))
    assert str(made.pk) not in page
    # his form's name under her account is hers
    assert send(client, alice, form_of(client, alice, form=fields["form"])).status_code == 303
    assert (Generation.objects.count(), alice.balance) == (3, 760)


def test_examples_are_a_click_away(client: Client, alice: Person) -> None:
    page = text(client.get(address(alice)))
    assert page.count("?example=") == 3
    filled_in = text(client.get(f"{address(alice)}?example=2"))
    assert "A cup of coffee" in filled(filled_in, "create")["prompt"][0]
    assert client.get(f"{address(alice)}?example=99").status_code == 200
    filled_in = text(client.get(address(alice), {"prompt": "it's <b>"}))
    assert filled(filled_in, "create")["prompt"] == ["it's <b>"]


def test_a_token_is_asked_for(alice: Person) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    fields = form_of(client, alice)
    for extra in ("", "upload/"):
        answer = client.post(address(alice) + extra, {**fields, "csrfmiddlewaretoken": "x"})
        assert answer.status_code == 403
    assert nothing_happened(alice)
    assert client.post(address(alice), fields).status_code == 303


def test_what_it_costs_us(client: Client, alice: Person) -> None:
    for _ in range(3):
        created(alice)
    with CaptureQueriesContext(connection) as counted:
        client.get(address(alice))
    assert len(counted) <= 12, [each["sql"] for each in counted]
    fields = form_of(client, alice)
    with CaptureQueriesContext(connection) as counted:
        assert send(client, alice, fields).status_code == 303
    assert len(counted) <= 12, [each["sql"] for each in counted]
