"""Nothing typed on Create is lost when the session has ended, and nobody else gets to see it."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ConsoleSession
from common.fresh import Fresh
from console import kept
from generation.models import CatalogModel, Generation
from tests.console.test_create import address, change_price, form_of, nothing_happened, send, text
from tests.support.console import browser
from tests.support.forms import Fields, filled
from tests.support.people import PASSWORD, Person
from tests.support.second_factors import code_of, enrol, forgive
from tests.support.uploads import PICTURE

PROMPT = '  a grey fox\r\n\r\n"it\'s" & <b>100 %</b>\0 🦊  '
TYPED: dict[str, Any] = {
    "prompt": PROMPT,
    "seed": "not a number",
    "negative_prompt": "snow;\nice",
    "resolution": "4k",
    "source_image_urls": ["https://example.com/a.png?b=c&d=e", ""],
}
HTMX = {"HX-Request": "true", "HX-Target": "options"}
KEPT = "What you typed is kept"
OURS = {"origin": "http://testserver"}


def fields_of_log_in(page: str) -> Fields:
    """The hidden fields of the log-in form, and who is coming."""
    marked = page.replace('action="/log-in/"', 'action="/log-in/" id="in"')
    return filled(marked, "in", identity="alice", password=PASSWORD)


def ended(person: Person, **typed: Any) -> tuple[Client, Fields, Any]:
    """A browser whose session was ended while something was typed, the form, and the answer."""
    client = browser(person.user)
    fields = form_of(client, person, **(TYPED | typed))
    ConsoleSession.objects.all().delete()
    return client, fields, send(client, person, fields)


def same(fields: Fields, typed: Fields) -> bool:
    """Browsers send each end of a line as two characters and show it as one."""
    names = ("form", "video_model", *TYPED)
    plain = {name: [each.replace("\r\n", "\n") for each in typed[name]] for name in names}
    return {name: [each.replace("\r\n", "\n") for each in fields[name]] for name in names} == plain


def test_it_is_there_after_the_password(alice: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, fields, answer = ended(alice)
    assert answer.status_code == 403
    assert KEPT in text(answer)
    assert ConsoleSession.objects.count() == 0
    into = fields_of_log_in(text(answer))
    wrong = client.post("/log-in/", into | {"password": ["wrong"]})
    assert KEPT in text(wrong)
    led = client.post("/log-in/", fields_of_log_in(text(wrong)))
    assert (led.status_code, led["Location"]) == (303, address(alice))
    page = text(client.get(led["Location"]))
    assert same(filled(page, "create"), fields)
    assert "Nothing was ordered now" in page
    assert nothing_happened(alice)
    assert "grey fox" not in text(client.get(address(alice))), "once"
    assert "kept" not in client.session
    assert "grey fox" not in caplog.text


def test_it_is_ordered_by_the_next_press(alice: Person) -> None:
    plain = {"prompt": "a fox", "seed": "7", "resolution": "720p", "source_image_urls": [""]}
    client, _, answer = ended(alice, **plain)
    led = client.post("/log-in/", fields_of_log_in(text(answer)))
    change_price(300)
    fields = filled(text(client.get(led["Location"])), "create")
    assert fields["max_credits"] == ["300"], "the price of now"
    assert send(client, alice, fields).status_code == 303
    assert Generation.objects.get().prompt == "a fox"
    assert alice.balance == 700


def test_after_a_second_factor(alice: Person) -> None:
    enrol(alice.user)
    client, fields, answer = ended(alice)
    into = fields_of_log_in(text(answer))
    assert client.post("/log-in/", into)["Location"] == "/log-in/code/"
    again = text(client.get("/log-in/"))  # back to the password
    assert KEPT in again
    assert client.post("/log-in/", fields_of_log_in(again))["Location"] == "/log-in/code/"
    forgive(alice.user)
    led = client.post("/log-in/code/", {"code": code_of(alice.user)})
    assert led["Location"] == address(alice)
    assert same(filled(text(client.get(led["Location"])), "create"), fields)


def test_somebody_else_does_not_get_it(alice: Person, bob: Person) -> None:
    client, _, answer = ended(alice)
    into = fields_of_log_in(text(answer)) | {"identity": ["bob"]}
    led = client.post("/log-in/", into)
    assert led["Location"] == address(alice)
    assert client.get(led["Location"]).status_code == 404
    assert "kept" not in client.session
    assert "grey fox" not in text(client.get(address(bob)))


def test_a_model_that_is_gone_is_named(alice: Person) -> None:
    client, _, answer = ended(alice, video_model="veo3")
    CatalogModel.objects.filter(pk="veo3").update(enabled=False)
    Fresh.clear_all()
    led = client.post("/log-in/", fields_of_log_in(text(answer)))
    page = client.get(led["Location"])
    assert page.status_code == 200
    assert "veo3 is not on sale any more" in text(page)
    assert filled(text(page), "create")["seed"] == ["not a number"]


def test_parts_are_asked_for_as_a_page(alice: Person) -> None:
    client, fields, _ = ended(alice)
    for extra in ("", "upload/"):
        part = client.post(address(alice) + extra, fields, headers=HTMX)
        assert (part.status_code, part["HX-Trigger"], part.content) == (403, "typed", b"")
    answer = send(client, alice, fields | {"do": ["show"]})
    assert KEPT in text(answer)


def test_an_image_of_a_stranger_is_not_read(alice: Person) -> None:
    file = SimpleUploadedFile("cat.png", PICTURE, "image/png")
    answer = Client().post(f"{address(alice)}upload/", {"prompt": "a fox", "image": file})
    assert answer.status_code == 303


def test_what_is_too_long_or_nothing_is_not_carried(alice: Person) -> None:
    assert KEPT in text(Client().post(address(alice), {"prompt": "x" * 90_000}))
    for typed in ({"prompt": "x" * kept.MOST}, {}, {"unknown": "x"}):
        assert Client().post(address(alice), typed).status_code == 303
    for odd in ("x", "prompt=x", "account=x&prompt=x", "\0", "&" * 2000, "a=b&" * 2000):
        client = Client()
        into = {"identity": "alice", "password": PASSWORD, "next": "\0", "kept": odd}
        assert client.post("/log-in/", into)["Location"] == "/c/"
        assert "kept" not in client.session


@pytest.mark.parametrize("extra", ["", "upload/"])
def test_a_form_that_is_older_than_the_log_in(alice: Person, bob: Person, extra: str) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    fields = form_of(client, alice, **TYPED) | {"csrfmiddlewaretoken": ["x" * 64]}
    path = address(alice) + extra
    answer = client.post(path, fields, headers=OURS)
    assert answer.status_code == 403
    assert same(filled(text(answer), "create"), fields)
    assert nothing_happened(alice)
    part = client.post(path, fields, headers=OURS | HTMX)
    assert (part.status_code, part["HX-Trigger"]) == (403, "typed")
    for origin in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        refused = client.post(path, fields, headers=origin)
        assert refused.status_code == 403
        assert "This page is too old" in text(refused)
        assert "grey fox" not in text(refused)
    his = browser(bob.user, enforce_csrf_checks=True)
    his.get(address(bob))
    for hers in (his.post(path, fields, headers=OURS), his.post("/log-in/", fields, headers=OURS)):
        assert "grey fox" not in text(hers)
        assert hers.status_code in {403, 404}
    again = filled(text(answer), "create", prompt="a fox", seed="", source_image_urls="")
    assert client.post(address(alice), again, headers=OURS).status_code == 303
    assert Generation.objects.count() == 1


def test_a_log_in_page_that_is_older_than_another_log_in(alice: Person) -> None:
    _, fields, answer = ended(alice)
    into = fields_of_log_in(text(answer)) | {"csrfmiddlewaretoken": ["x" * 64]}
    nobody = Client(enforce_csrf_checks=True)
    refused = nobody.post("/log-in/", into, headers=OURS)
    assert (refused.status_code, KEPT in text(refused)) == (403, True)
    client = browser(alice.user, enforce_csrf_checks=True)
    client.get(address(alice))
    page = client.post("/log-in/", into, headers=OURS)
    assert page.status_code == 403
    assert same(filled(text(page), "create"), fields)


def test_an_old_form_while_the_session_cannot_be_read(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    fields = form_of(client, alice) | {"csrfmiddlewaretoken": ["x" * 64]}
    with admin_connection.transaction():
        admin_connection.execute("LOCK TABLE accounts_consolesession IN ACCESS EXCLUSIVE MODE")
        answer = client.post(address(alice), fields, headers=OURS)
    assert answer.status_code in {403, 503}
    assert client.get(address(alice)).status_code == 200


def test_what_is_carried_fits_into_a_request() -> None:
    assert 2 * kept.MOST < settings.DATA_UPLOAD_MAX_MEMORY_SIZE
