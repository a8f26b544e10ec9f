"""One generation's page: how far it is, what came of it, and the way out while there is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from console import generation_words
from generation import interventions, lifecycle
from generation.models import Generation
from generation.models.states import ERROR_CODES, OPEN, TERMINAL, State
from generation.outputs import retention
from tests.support.bring_to import ROUTE, claimed, created, reached
from tests.support.console import browser
from tests.support.people import Person
from tests.support.racing import race

STATES = (*OPEN, *TERMINAL)


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def page_of(generation: Generation, more: str = "") -> str:
    return f"/c/{generation.account_id}/gallery/{generation.pk}/{more}"


def text(answer: Any) -> str:
    content: bytes = answer.content
    return content.decode()


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_a_page(client: Client, alice: Person, state: State) -> None:
    row = reached(alice, state, prompt="it's <b>bold</b>")
    answer = client.get(page_of(row))
    page = text(answer)
    assert answer.status_code == 200
    assert "it&#x27;s &lt;b&gt;bold" in page
    assert "Ordered and paid" in page
    assert ('hx-trigger="every 1s"' in page) is (state in OPEN)
    assert ("<progress" in page) is (state in OPEN)
    assert (">Cancel</button>" in page) is (state == State.QUEUED)
    assert (">Try again</a>" in page) is (state in TERMINAL)
    assert (">Refresh</a>" in page) is (state in OPEN)
    title = page.partition("<title>")[2].partition("</title>")[0]
    words = {State.COMPLETED: "✓ Ready", State.FAILED: "✗ Failed", State.CANCELED: "Canceled"}
    assert title == f"{words[state]} | Reelmint" if state in TERMINAL else " %" in title


def test_a_film_plays_is_fetched_and_says_how_long_it_is_kept(
    client: Client, alice: Person
) -> None:
    row = reached(alice, State.COMPLETED)
    page = text(client.get(page_of(row)))
    source = page.partition('<video class="shown"')[2].partition(">")[0]
    assert "autoplay muted" in source
    assert 'src="/media/' in source
    assert f'download="video-{row.pk}.mp4"' in page
    assert "Kept until" in page
    assert f"/api/v1/generate/{row.pk}/download/" in page
    assert "240 credits" in page


def test_an_expired_output_is_still_told(
    client: Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=1)
    row = reached(alice, State.COMPLETED)
    with admin_connection.transaction():
        admin_connection.execute("SET LOCAL session_replication_role = replica")
        admin_connection.execute(
            "UPDATE generation_generation SET finished_at = now() - interval '2 days'"
        )
    assert "autoplay" not in text(client.get(page_of(row)))
    retention.expire_outputs()
    page = text(client.get(page_of(row)))
    assert "<video" not in page
    assert ">Download" not in page
    assert "The file was deleted when its time was over" in page


@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_reason_is_told_in_words(client: Client, alice: Person, code: str) -> None:
    row = claimed(created(alice))
    assert lifecycle.fail(row, code, "The provider's own <words>", retryable=True)
    page = text(client.get(page_of(row)))
    what, advice = generation_words.REASONS[code]
    assert f"<strong>{what}.</strong>".replace("'", "&#x27;") in page
    assert str(advice) in page
    assert "own &lt;words&gt;" in page
    assert "Your 240 credits are back." in page
    assert f"/create/?again={row.pk}" in page
    assert alice.balance == 1000


def test_no_reason_is_without_words() -> None:
    assert set(generation_words.REASONS) == set(ERROR_CODES)
    assert set(generation_words.ENDS) == set(TERMINAL)
    assert {*generation_words.EVENTS, State.FAILED} == set(STATES)


def test_nothing_for_operators_is_shown(client: Client, alice: Person) -> None:
    row = claimed(created(alice))
    lifecycle.fail(row, "provider_error", "It broke", detail="secret detail of ours")
    page = text(client.get(page_of(row)))
    assert "secret detail" not in page
    again = interventions.order_again(
        row, actor=alice.user, reason="private reason", paid_by="grant", token=row.pk
    )
    page = text(client.get(page_of(Generation.objects.get(pk=again.generation_id))))
    assert "Ordered again by our staff" in page
    assert "private reason" not in page
    assert page_of(row) in page


def test_the_live_part_is_quiet_while_nothing_changes(client: Client, alice: Person) -> None:
    row = created(alice)
    page = text(client.get(page_of(row)))
    seen = page.partition("progress/?seen=")[2].partition('"')[0]
    assert client.get(page_of(row, f"progress/?seen={seen}")).status_code == 204
    part = text(client.get(page_of(row, "progress/?seen=0-0-queued")))
    assert "<html" not in part
    assert "<title>" in part
    assert 'id="said"' not in part  # the same stage is not said twice
    lifecycle.begin_attempt(claimed(row), ROUTE)
    part = text(client.get(page_of(row, f"progress/?seen={seen}")))
    assert '<p id="said" hx-swap-oob="innerHTML">Being made</p>' in part
    assert ">Cancel</button>" not in part


def test_the_live_part_ends(client: Client, alice: Person) -> None:
    row = reached(alice, State.COMPLETED)
    part = text(client.get(page_of(row, "progress/?seen=5-19-saving")))
    assert "<title>✓ Ready | Reelmint</title>" in part
    assert "every 1s" not in part
    assert 'hx-select="#facts"' in part
    assert 'tabindex="-1" autofocus' in part
    assert 'id="header-balance"' in part
    assert "760 credits</a>" in part
    assert "<video" in part


def test_it_costs_one_statement_more_than_knowing_who_asks(client: Client, alice: Person) -> None:
    row = created(alice)
    for path, most in ((page_of(row, "progress/"), 4), (page_of(row), 12)):
        with CaptureQueriesContext(connection) as counted:
            assert client.get(path).status_code == 200
        statements = [each["sql"] for each in counted]
        assert len(statements) <= most, statements
    with CaptureQueriesContext(connection) as counted:
        client.get(page_of(row, "progress/"))
    assert sum("generation_generation" in each["sql"] for each in counted) <= 1


def test_canceling_gives_the_credits_back(client: Client, alice: Person) -> None:
    row = created(alice)
    for _ in range(2):
        answer = client.post(page_of(row, "cancel/"))
        assert (answer.status_code, answer["Location"]) == (303, page_of(row))
    page = text(client.get(page_of(row)))
    assert "your 240 credits are back" in page
    assert "Canceled, and paid back" in page
    assert alice.balance == 1000


def test_what_is_under_way_is_not_canceled(client: Client, alice: Person) -> None:
    row = reached(alice, State.RUNNING)
    assert client.post(page_of(row, "cancel/")).status_code == 303
    page = text(client.get(page_of(row)))
    assert "can no longer be canceled" in page
    assert (Generation.objects.get(pk=row.pk).state, alice.balance) == (State.RUNNING, 760)


def test_a_race_for_the_cancel(alice: Person) -> None:
    row = created(alice)
    held = claimed(row)
    cancel: Callable[[], Any] = partial(browser(alice.user).post, page_of(row, "cancel/"))
    begin: Callable[[], Any] = partial(lifecycle.begin_attempt, held, ROUTE)
    results = race([cancel, begin], at_once=2)
    assert not [each for each in results if isinstance(each, BaseException)]
    row.refresh_from_db()
    assert (row.state, alice.balance) in ((State.CANCELED, 1000), (State.SUBMITTING, 760))


@pytest.mark.parametrize("more", ["", "progress/", "cancel/"])
def test_nobody_elses(client: Client, alice: Person, bob: Person, more: str) -> None:
    his = created(bob)
    ask = client.post if more == "cancel/" else client.get
    under_hers = f"/c/{alice.account.pk}/gallery/{his.pk}/{more}"
    for path in (page_of(his, more), under_hers, under_hers.replace(str(his.pk), "x")):
        assert ask(path).status_code == 404
    stranger = Client().post if more == "cancel/" else Client().get
    assert stranger(page_of(his, more)).status_code == 303
    assert (Generation.objects.get(pk=his.pk).state, bob.balance) == (State.QUEUED, 760)


def test_a_suspended_account_reads(client: Client, alice: Person) -> None:
    row = created(alice)
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    page = client.get(page_of(row))
    assert page.status_code == 200
    assert ">Cancel</button>" not in text(page)
    assert client.post(page_of(row, "cancel/")).status_code == 403
    assert Generation.objects.get(pk=row.pk).state == State.QUEUED
