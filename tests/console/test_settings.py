"""What an account's members choose for it, in a browser."""

from __future__ import annotations

import html
import re
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.choices import Choices
from accounts.models import Account, Membership
from console.forms import settings as settings_form
from generation.models import Generation
from generation.models.states import State
from generation.outputs import retention
from tests.support.bring_to import reached
from tests.support.console import browser
from tests.support.people import Person

VALUE = re.compile(r'<input type="(?:text|number|hidden)" name="(\w+)"(?: value="([^"]*)")?')


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def path(person: Person) -> str:
    return f"/c/{person.account.pk}/settings/"


def page(client: Client, person: Person) -> str:
    answer = client.get(path(person))
    assert answer.status_code == 200
    return answer.content.decode()


def filled(client: Client, person: Person, **changes: str) -> dict[str, str]:
    """The form as the page has it, with ``changes``."""
    values = {name: html.unescape(value) for name, value in VALUE.findall(page(client, person))}
    assert {"name", "outputs", "prompts", "seen"} <= set(values)
    return values | changes


def now(person: Person) -> Choices:
    return Choices.of(Account.objects.get(pk=person.account.pk))


def age(admin: psycopg.Connection, generation: Generation, days: int) -> None:
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(
            "UPDATE generation_generation SET finished_at = now() - %s * interval '1 day'"
            " WHERE id = %s",
            [days, generation.pk],
        )


def test_saving(client: Client, alice: Person, bob: Person) -> None:
    others = now(bob)
    answer = client.post(path(alice), filled(client, alice, name=" Alice & <Sons> "))
    assert (answer.status_code, answer["Location"]) == (303, path(alice))
    assert now(alice) == Choices("Alice & <Sons>", None, None)
    shown = page(client, alice)
    assert "Saved." in shown
    assert "Alice &amp; &lt;Sons&gt;" in shown
    assert "<Sons>" not in shown
    assert now(bob) == others
    assert "Saved." not in page(client, alice)


def test_a_member_who_is_no_owner_may(alice: Person, bob: Person) -> None:
    Membership.objects.create(user=bob.user, account=alice.account, role=Membership.Role.MEMBER)
    client = browser(bob.user)
    assert client.post(path(alice), filled(client, alice, name="Ours")).status_code == 303
    assert now(alice).name == "Ours"


def test_it_says_what_the_service_does(client: Client, alice: Person, settings: Any) -> None:
    assert "From 1 to 90 days" in page(client, alice)
    assert "From 1 to 365 days" in page(client, alice)
    settings.OUTPUT_RETENTION_DAYS = 0
    assert "From 1 to 36,500 days" in page(client, alice)
    assert "for ever" in page(client, alice)
    settings.OUTPUT_RETENTION_DAYS = 1
    assert "1 day." in page(client, alice)


@pytest.mark.parametrize("name", ["outputs", "prompts"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "366", "36501", "9" * 5000, "1.5", "x", "\0", "1e1", "NaN", "²"]
)
def test_days_out_of_bounds(name: str, value: str, client: Client, alice: Person) -> None:
    before = now(alice)
    answer = client.post(path(alice), filled(client, alice, **{name: value}))
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()
    assert now(alice) == before


@pytest.mark.parametrize("name", ["", " \t", "n" * 151, "\0", "a\0", "\u200b", "\x01"])
def test_bad_names(name: str, client: Client, alice: Person) -> None:
    before = now(alice)
    answer = client.post(path(alice), filled(client, alice, name=name))
    assert answer.status_code == 200
    assert now(alice) == before


@pytest.mark.parametrize("name", ["n" * 150, "𓀀" * 150, "a\u202e\x1bb"])
def test_good_names(name: str, client: Client, alice: Person) -> None:
    assert client.post(path(alice), filled(client, alice, name=name)).status_code == 303
    assert now(alice).name == name
    assert client.get(f"/c/{alice.account.pk}/").status_code == 200


def test_a_shorter_time_asks_first(
    client: Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    old, young = reached(alice, State.COMPLETED), reached(alice, State.COMPLETED)
    age(admin_connection, old, 10)
    before = now(alice)
    answer = client.post(path(alice), filled(client, alice, outputs="7"))
    text = answer.content.decode()
    assert "older than 7 days: 1." in text
    assert "Nothing is changed yet." in text
    assert '<input type="checkbox" name="confirmed"' in text
    assert now(alice) == before
    sent = filled(client, alice, outputs="7", confirmed="on")
    assert client.post(path(alice), sent).status_code == 303
    assert now(alice).output_retention_days == 7
    assert retention.expire_outputs() == 1
    assert Generation.objects.get(pk=young.pk).output_key
    # and longer again needs no word
    assert client.post(path(alice), filled(client, alice, outputs="")).status_code == 303
    assert now(alice).output_retention_days is None


def test_prompts_ask_for_themselves(
    client: Client, alice: Person, admin_connection: psycopg.Connection, monkeypatch: Any
) -> None:
    monkeypatch.setattr(settings_form, "MOST_COUNTED", 1)
    for _ in range(2):
        age(admin_connection, reached(alice, State.FAILED), 10)
    answer = client.post(path(alice), filled(client, alice, prompts="7"))
    assert "Prompts of yours that are older than 7 days: more than 1." in answer.content.decode()
    assert "Files of yours" not in answer.content.decode()
    assert now(alice).prompt_retention_days is None


def test_what_an_operator_gave(client: Client, alice: Person) -> None:
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=0)
    assert "It is for ever now, which you may keep." in page(client, alice)
    assert client.post(path(alice), filled(client, alice, name="Kept")).status_code == 303
    assert now(alice) == Choices("Kept", 0, None)
    # nothing is that old, so there is nothing to ask about
    assert client.post(path(alice), filled(client, alice, outputs="90")).status_code == 303
    assert now(alice).output_retention_days == 90
    assert client.post(path(alice), filled(client, alice, outputs="0")).status_code == 200
    assert now(alice).output_retention_days == 90


def test_two_at_once_do_not_undo_each_other(client: Client, alice: Person) -> None:
    first, second = filled(client, alice, name="First"), filled(client, alice, name="Second")
    client.post(path(alice), first)
    assert client.post(path(alice), second, follow=True).status_code == 200
    assert now(alice).name == "First"
    client.post(path(alice), second)
    assert "changed these settings meanwhile" in page(client, alice)
    client.post(path(alice), first)
    assert "Saved." in page(client, alice)
    for seen in ("", "x", "\0", "x" * 10_000):
        assert client.post(path(alice), second | {"seen": seen}).status_code in {200, 303}
    assert now(alice).name == "First"


def test_a_suspended_account_changes_nothing(client: Client, alice: Person) -> None:
    sent = filled(client, alice, name="New")
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    assert "nothing can be changed" in page(client, alice)
    assert client.post(path(alice), sent).status_code == 403
    assert now(alice).name == "alice"


def test_others_have_no_such_page(alice: Person, bob: Person) -> None:
    sent = filled(browser(alice.user), alice, name="Bob's")
    client = browser(bob.user)
    assert client.get(path(alice)).status_code == 404
    assert client.post(path(alice), sent).status_code == 404
    assert now(alice).name == "alice"


def test_what_it_costs(client: Client, alice: Person) -> None:
    page(client, alice)
    with CaptureQueriesContext(connection) as asked:
        page(client, alice)
    assert len(asked) <= 12
    assert client.head(path(alice)).status_code == 200
