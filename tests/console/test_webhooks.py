"""Webhook endpoints in a browser: made once, their secret shown once, changed and deleted."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from events.models import DeliveryState, DisabledReason, Type, WebhookDelivery, WebhookEndpoint
from tests.support.console import browser, session_of
from tests.support.people import Person
from tests.support.racing import race
from tests.support.webhook_rows import URL, a_delivery, an_endpoint, deleted, switched_off
from webhooks import keys
from webhooks.refusals import MOST_ENDPOINTS

SECRET = re.compile(r"whsec_[0-9A-Za-z+/]{43}=")
FORM = re.compile(r'<input type="hidden" name="form" value="([^"]+)"')
MOST_STATEMENTS = 12


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def path(person: Person, *more: object) -> str:
    return f"/c/{person.account.pk}/webhooks/" + "".join(f"{each}/" for each in more)


def filled(client: Client, person: Person, **changes: Any) -> dict[str, Any]:
    """The form of the page, filled in."""
    found = FORM.search(client.get(path(person)).text)
    assert found is not None
    wanted = {"url": URL, "description": "my shop", "event_types": Type.values, "form": found[1]}
    return wanted | changes


def secret_in(answer: Any) -> str:
    assert answer.status_code == 200
    [secret] = set(SECRET.findall(answer.text))
    return str(secret)


def sudo_is_over(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.entrance.has_confirmed_lately", lambda request: False)


def test_an_endpoint_is_made_and_its_secret_signs(client: Client, alice: Person) -> None:
    assert "Be told when a generation ends" in client.get(path(alice)).text
    answer = client.post(path(alice), filled(client, alice))
    [row] = WebhookEndpoint.objects.all()
    assert keys.valid_secrets(row, timezone.now()) == [secret_in(answer)]
    assert (row.account, row.created_by, row.url) == (alice.account, alice.user, URL)
    assert (row.enabled, row.description, row.event_types) == (True, "my shop", Type.values)
    page = client.get(path(alice)).text
    assert path(alice, row.pk) in page
    assert "Be told when a generation ends" not in page


def test_the_secret_is_shown_once(
    client: Client, alice: Person, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = filled(client, alice)
    answer = client.post(path(alice), form)
    secret = secret_in(answer)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "strict-origin"
    [row] = WebhookEndpoint.objects.all()
    later = [client.get(path(alice)), client.post(path(alice), form, follow=True)]
    later += [client.get(path(alice, row.pk)), client.get(f"/c/{alice.account.pk}/")]
    for each in later:
        assert secret not in each.text
        assert secret[8:-4] not in str(each.headers)
    assert "made already" in later[1].text
    assert f"whsec_…{secret[-4:]}" in later[2].text
    written = capsys.readouterr()
    assert secret[8:-4] not in caplog.text + written.out + written.err
    assert WebhookEndpoint.objects.count() == 1


def test_two_clicks_at_once_make_one(alice: Person) -> None:
    client = browser(alice.user)
    form = filled(client, alice)
    cookie = client.cookies

    def send() -> int:
        other = Client()
        other.cookies = cookie
        return other.post(path(alice), form).status_code

    answers = race([send, send, send], 3)
    assert sorted(map(str, answers)) == ["200", "303", "303"]
    assert WebhookEndpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("url", "http://example.com/x", "Must be an https URL"),
        ("url", "https://user:pw@example.com/", "https://user:pw@example.com/"),
        ("url", "", "This field is required."),
        ("url", "https://example.com/" + "x" * 2048, "at most 2048"),
        ("url", "https://example.com/a\0b", "Must not contain spaces or control characters"),
        ("event_types", [], "This field is required."),
        ("event_types", ["webhook_endpoint.test"], "not one of the available choices"),
        ("description", "x" * 201, "at most 200"),
    ],
)
def test_what_the_api_refuses_is_refused(
    client: Client, alice: Person, field: str, value: Any, told: str
) -> None:
    answer = client.post(path(alice), filled(client, alice) | {field: value})
    assert answer.status_code == 200
    assert told in answer.text
    assert "Ensure this value" not in answer.text or field != "url"  # one sentence is enough
    assert not WebhookEndpoint.objects.exists()
    endpoint = an_endpoint(alice)
    answer = client.post(path(alice, endpoint.pk), filled(client, alice) | {field: value})
    assert told in answer.text
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == (URL, Type.values)


def test_no_more_than_there_may_be(client: Client, alice: Person) -> None:
    form = filled(client, alice)
    for _ in range(MOST_ENDPOINTS):
        an_endpoint(alice)
    answer = client.post(path(alice), form)
    assert "at most 10 webhook endpoints" in answer.text
    assert "Delete one to make another" in answer.text
    assert WebhookEndpoint.objects.count() == MOST_ENDPOINTS


def test_it_is_changed(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    wanted = {"url": "https://example.com/new", "description": "", "event_types": ["*"]}
    answer = client.post(path(alice, endpoint.pk), wanted)
    assert (answer.status_code, answer["Location"]) == (303, path(alice, endpoint.pk))
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == ("https://example.com/new", ["*"])
    page = client.get(path(alice, endpoint.pk)).text
    assert 'value="https://example.com/new"' in page
    assert "everything" in page


def test_it_is_switched_off_and_on(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    waiting = a_delivery(endpoint, DeliveryState.PENDING)
    for enabled, reason in (("off", "endpoint_disabled"), ("on", "endpoint_disabled")):
        answer = client.post(path(alice, endpoint.pk, "switch"), {"enabled": enabled})
        assert answer.status_code == 303
        endpoint.refresh_from_db()
        assert endpoint.enabled == (enabled == "on")
        waiting.refresh_from_db()
        assert waiting.failed_reason == reason


def test_why_it_is_off(client: Client, alice: Person) -> None:
    said = {
        None: "You switched it off.",
        DisabledReason.GONE: "answered 410",
        DisabledReason.FAILING: "nothing had succeeded for five days",
        DisabledReason.OPERATOR: "Somebody of ours switched it off",
    }
    for reason, words in said.items():
        assert words in client.get(path(alice, switched_off(alice, reason).pk)).text
    failing = an_endpoint(alice, last_attempt_succeeded=False)
    assert "on, but failing" in client.get(path(alice, failing.pk)).text


def test_a_new_secret_and_the_old_one_for_a_while(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    [old] = keys.valid_secrets(endpoint, timezone.now())
    answer = client.post(path(alice, endpoint.pk, "rotate"), {"keep": "24"})
    new = secret_in(answer)
    assert answer["Cache-Control"] == "no-store"
    endpoint.refresh_from_db()
    now = timezone.now()
    assert keys.valid_secrets(endpoint, now) == [new, old]
    assert keys.valid_secrets(endpoint, now + timedelta(hours=25)) == [new]
    page = client.post(path(alice, endpoint.pk, "rotate"), {"keep": "24"}, follow=True)
    assert "Two secrets are still valid" in page.text
    assert new not in page.text
    forced = client.post(path(alice, endpoint.pk, "rotate"), {"keep": "0", "force": "on"})
    endpoint.refresh_from_db()
    assert keys.valid_secrets(endpoint, timezone.now()) == [secret_in(forced)]
    for wrong in ("-1", "169", "", "x"):
        answer = client.post(path(alice, endpoint.pk, "rotate"), {"keep": wrong, "force": "on"})
        assert (answer.status_code, SECRET.findall(answer.text)) == (200, [])


def test_it_is_deleted(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    sent = a_delivery(endpoint)
    answer = client.post(path(alice, endpoint.pk, "delete"))
    assert (answer.status_code, answer["Location"]) == (303, path(alice))
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.enabled) == ("", False)
    assert path(alice, endpoint.pk) not in client.get(path(alice)).text
    for verb in ("", "switch", "rotate", "delete", "test"):
        more = [verb] if verb else []
        assert client.post(path(alice, endpoint.pk, *more)).status_code == 404
    assert client.post(path(alice, "sent", sent.pk, "again")).status_code in (303, 404)
    sent.refresh_from_db()
    assert sent.state == DeliveryState.SUCCEEDED


def test_secrets_need_the_password_anew(
    client: Client, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, form = an_endpoint(alice), filled(client, alice)
    sudo_is_over(client, monkeypatch)
    for where in ([], [endpoint.pk], [endpoint.pk, "rotate"], [endpoint.pk, "delete"]):
        answer = client.post(path(alice, *where), form | {"keep": "0"})
        assert answer.status_code == 303
        assert answer["Location"].startswith("/confirm/?next=")
    row = WebhookEndpoint.objects.get()
    assert (row.secret, row.deleted_at) == (endpoint.secret, None)


def test_a_suspended_account_changes_nothing(client: Client, alice: Person) -> None:
    endpoint, gone, form = an_endpoint(alice), deleted(alice), filled(client, alice)
    sent = a_delivery(endpoint, DeliveryState.FAILED)
    before = list(WebhookEndpoint.objects.order_by("pk").values())
    Account.objects.update(suspended_at=timezone.now())
    where: list[list[object]] = [[], [endpoint.pk], ["sent", sent.pk, "again"]]
    where += [[endpoint.pk, verb] for verb in ("switch", "rotate", "delete", "test")]
    for each in where:
        answer = client.post(path(alice, *each), form | {"keep": "0", "enabled": "off"})
        assert answer.status_code == 403, each
    assert list(WebhookEndpoint.objects.order_by("pk").values()) == before
    assert WebhookDelivery.objects.get().state == DeliveryState.FAILED
    assert gone.pk
    for page in (path(alice), path(alice, endpoint.pk)):
        assert '<button class="button">Create' not in client.get(page).text
        assert "Send test" not in client.get(page).text


def test_a_page_costs_the_same_however_many_there_are(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    for _ in range(30):
        a_delivery(endpoint)
        a_delivery(alice)
    for _ in range(5):
        an_endpoint(alice)
    for more in ([], [endpoint.pk], ["orders"]):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path(alice, *more)).status_code == 200
        assert len(asked) <= MOST_STATEMENTS, [query["sql"] for query in asked]


def test_the_newest_deliveries_page_by_page(client: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    rows = [a_delivery(endpoint).pk for _ in range(25)]
    seen: list[str] = []
    where: str | None = path(alice, endpoint.pk)
    while where:
        page = client.get(where)
        seen += [str(each.row.pk) for each in page.context["deliveries"]]
        where = page.context["page"].earlier
    assert seen == [str(each) for each in reversed(rows)]
    assert client.get(path(alice, endpoint.pk), {"cursor": "x"}).status_code == 400


def test_no_session_no_page(alice: Person) -> None:
    assert session_of(alice.user)
    assert Client().get(path(alice)).status_code == 303


@pytest.mark.parametrize("odd", ["\0", "\x01", "\x7f", "\u202e"])
def test_a_character_that_is_not_seen_gets_one_sentence(
    client: Client, alice: Person, odd: str
) -> None:
    fields = filled(client, alice, url=f"https://example.com/{odd}")
    answer = client.post(path(alice), fields)
    [said] = re.findall(r'<p class="error"[^>]*>(.*?)</p>', answer.text)
    assert said == "Must not contain spaces or control characters"
    assert not WebhookEndpoint.objects.exists()
