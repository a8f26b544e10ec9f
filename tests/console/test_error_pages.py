"""What a person sees when something is refused or broken: a sentence, and one thing to do."""

from __future__ import annotations

import psycopg
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership
from console.middleware import COOKIE
from console.pages import ledger as page_of_ledger
from tests.support.console import browser
from tests.support.people import Person, make_person


def test_of_a_fault_of_ours_the_request_is_named(alice: Person) -> None:
    broken = Account.objects.create(name="without a wallet")
    Membership.objects.create(user=alice.user, account=broken)
    client = browser(alice.user, raise_request_exception=False)
    answer = client.get(f"/c/{broken.pk}/", headers={"X-Request-ID": "of-this-test"})
    assert answer.status_code == 500
    assert "Our fault" in answer.text
    assert "Request of-this-test" in answer.text
    assert "look into your gallery" in answer.text
    assert "Traceback" not in answer.text


def test_a_refusal_names_no_request(alice: Person) -> None:
    answer = browser(alice.user).get("/c/x/", headers={"X-Request-ID": "of-this-test"})
    assert answer.status_code == 404
    assert "of-this-test" not in answer.text


def test_who_is_too_fast_is_told_when(alice: Person, monkeypatch) -> None:
    monkeypatch.setattr(page_of_ledger, "FILES_PER_MINUTE", 1)
    client, path = browser(alice.user), f"/c/{alice.account.pk}/ledger.csv"
    assert client.get(path).status_code == 200
    answer = client.get(path)
    assert answer.status_code == 429
    assert "Wait a moment" in answer.text
    assert f"try again in {answer['Retry-After']} second" in answer.text
    assert '<a class="button" href="">Try again</a>' in answer.text


def test_who_is_suspended_is_told_what_is_left(alice: Person) -> None:
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    answer = browser(alice.user).post(f"/c/{alice.account.pk}/create/", {"prompt": "p"})
    assert answer.status_code == 403
    assert "What it has can still be looked at." in answer.text
    assert "To your account" in answer.text


def test_a_form_without_its_token_is_led_back_to_its_page(alice: Person) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    path = f"/c/{alice.account.pk}/keys/"
    for referer, link in ((f"http://testserver{path}", path), ("https://evil.example/", "/c/")):
        answer = client.post(path, {"name": "x"}, headers={"referer": referer})
        assert answer.status_code == 403
        assert "Nothing was done" in answer.text
        assert f'<a class="button" href="{link}">Open the page again</a>' in answer.text


def test_an_address_of_no_page_is_explained(alice: Person) -> None:
    answer = browser(alice.user).get(f"/c/{alice.account.pk}/ledger/?cursor=<b>x")
    assert answer.status_code == 400
    assert "There is no such page of this list." in answer.text
    assert "<b>" not in answer.text


def test_while_the_database_does_not_answer(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    client = browser(alice.user)
    with admin_connection.transaction():
        admin_connection.execute("LOCK TABLE credits_wallet IN ACCESS EXCLUSIVE MODE")
        answer = client.get(f"/c/{alice.account.pk}/ledger/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "Back in a moment" in answer.text
    assert "Try again" in answer.text
    assert client.get(f"/c/{alice.account.pk}/ledger/").status_code == 200


@pytest.mark.parametrize("path", ["/c/", "/me/", "/log-in/"])
def test_while_even_the_session_cannot_be_read(
    alice: Person, admin_connection: psycopg.Connection, path: str
) -> None:
    client = browser(alice.user)
    kept = client.cookies[COOKIE].value
    with admin_connection.transaction():
        admin_connection.execute("LOCK TABLE accounts_consolesession IN ACCESS EXCLUSIVE MODE")
        answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "Back in a moment" in answer.text
    assert client.cookies[COOKIE].value == kept
    assert client.get("/me/").status_code == 200


def test_a_stranger_gets_the_same_page_for_all_that_is_not_there() -> None:
    person = make_person("anybody")
    client = browser(person.user)
    paths = ("/nothing/", "/c/x/", f"/c/{Account.objects.create(name='other').pk}/", "/c/x/ledger/")
    texts = {client.get(path).text for path in paths}
    assert len(texts) == 1
    assert "There is no such page" in Client().get("/nothing/").text
