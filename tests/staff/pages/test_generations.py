"""The operators' pages of generations: what they show, find and cost."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.caller import Caller
from generation import creation, interventions, lifecycle, public
from generation.backends.google import safety
from generation.models import Attempt, Generation, Orphan
from generation.models.states import OPEN, TERMINAL, State
from generation.stages.base import reject
from staff.pages import generation_lists
from staff.pages.base import COUNT_CAP
from tests.support.bring_to import FILM, attempt_of, created, order, reached
from tests.support.operators import GRANT, SEE, browser_of, make_operator, operator
from tests.support.people import Person, make_person

GENERATIONS = "/admin/generation/generation/"
ORPHANS = "/admin/generation/orphan/"
ALL = (*OPEN, *TERMINAL)


@pytest.fixture
def browser() -> Client:
    return operator(GRANT)


@pytest.fixture
def rich() -> Person:
    return make_person("rich", 100_000)


def page_of(generation: Generation) -> str:
    return f"{GENERATIONS}{generation.pk}/change/"


def listed(browser: Client, **query: str) -> set[str]:
    """The ids that the list shows."""
    answer = browser.get(GENERATIONS, query)
    assert answer.status_code == 200
    return {str(row.pk) for row in answer.context["cl"].result_list}


def orphan_of(generation: Generation) -> Orphan:
    return Orphan.objects.create(
        attempt=attempt_of(generation), uri=f"gs://b/{generation.pk}.mp4", note="refunded before"
    )


@pytest.mark.parametrize("state", ALL)
def test_the_list_is_filtered_by_state(browser: Client, rich: Person, state: State) -> None:
    rows = {each: str(reached(rich, each).pk) for each in ALL}
    assert listed(browser) == set(rows.values())
    assert listed(browser, state=state) == {rows[state]}
    assert listed(browser, state="open") == {rows[each] for each in OPEN}


def test_the_list_is_filtered_by_model_and_error(browser: Client, rich: Person) -> None:
    failed, other = reached(rich, State.FAILED), created(rich, model="veo3")
    assert listed(browser, error="timeout") == {str(failed.pk)}
    assert listed(browser, error="empty_result") == set()
    assert listed(browser, model="veo3") == {str(other.pk)}
    assert listed(browser, state="failed", model="veo3") == set()


def test_only_the_newest_ends_are_listed_but_all_are_found(
    browser: Client, rich: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_lists, "NEWEST", 2)
    rows = [str(reached(rich, State.FAILED).pk) for _ in range(4)]
    still = str(created(rich).pk)
    assert listed(browser, state="failed") == set(rows[2:])
    assert listed(browser) == {*rows[2:], still}
    assert listed(browser, q=rows[0]) == {rows[0]}
    assert listed(browser, q=str(rich.account.pk), state="failed") == set(rows)


def test_a_search_is_exact(browser: Client, rich: Person, bob: Person) -> None:
    one, other = reached(rich, State.RUNNING, key="order-7"), created(rich)
    bobs = created(bob, key="order-7")
    both = {str(one.pk), str(other.pk)}
    assert listed(browser, q=str(one.pk)) == {str(one.pk)}
    assert listed(browser, q=f" {str(one.pk).upper()} ") == {str(one.pk)}
    assert listed(browser, q=str(rich.account.pk)) == both
    assert listed(browser, q="RICH@example.com") == both
    assert listed(browser, q="rich") == both
    assert listed(browser, q=str(one.operation_name)) == {str(one.pk)}
    assert listed(browser, q="order-7") == {str(one.pk), str(bobs.pk)}
    for term in ("order", str(one.pk)[:8], "nobody@example.com", "%"):
        assert listed(browser, q=term) == set(), term


@pytest.mark.parametrize("state", ALL)
def test_a_page_has_all_there_is_to_know(browser: Client, rich: Person, state: State) -> None:
    generation = reached(rich, state, key="order-7", prompt="a red <fox>")
    row = Generation.objects.get(pk=generation.pk)
    text = browser.get(page_of(row)).text
    assert "a red &lt;fox&gt;" in text
    for attempt in row.attempts.all():
        assert attempt.prefix in text
        assert f"{attempt.provider_model} at {attempt.backend}, {attempt.location}" in text
        assert f"#{attempt.number} {attempt.outcome}" in text
    for event in row.events.all():
        assert f"{event.sequence}. {event.state}" in text
    assert "order-7" in text
    assert "rmk_" in text
    assert "charge -240" in text
    assert ("refund +240" in text) == (state in ("failed", "canceled"))
    assert (row.error_code in text) or not row.error_code
    assert ("<video" in text) == (state == State.COMPLETED)


def test_a_video_plays_by_its_signed_link(browser: Client, rich: Person) -> None:
    row = reached(rich, State.COMPLETED)
    link = browser.get(page_of(row)).context["output"]
    assert link.startswith("/media/outputs/")
    answer = Client().get(link)
    assert answer.getvalue() == FILM
    answer.close()
    image = created(rich, model="image")
    assert "<img" not in browser.get(page_of(image)).text


def test_a_members_order_is_told_from_one_of_the_staff(browser: Client, rich: Person) -> None:
    caller = Caller.by_member(rich.account.pk, rich.user.pk)
    data = {"via": "console"}
    made = creation.create(replace(order(rich), caller=caller, event_data=data))
    row = Generation.objects.get(pk=made.generation_id)
    page = browser.get(page_of(row)).content.decode()
    assert "none: on the console" in page
    assert "via: console" in page
    lifecycle.cancel(row.pk)
    again = interventions.order_again(
        row, actor=rich.user, reason="why", paid_by="charge", token=uuid.uuid4()
    )
    page = browser.get(page_of(Generation.objects.get(pk=again.generation_id))).content.decode()
    assert "none: by staff" in page


def test_a_retry_and_an_orphan_are_linked(browser: Client, rich: Person, alice: Person) -> None:
    lost = reached(rich, State.SUBMITTING)
    interventions.fail_and_refund(lost, actor=alice.user, reason="was stuck")
    orphan = orphan_of(lost)
    browser.post(
        f"{GENERATIONS}{lost.pk}/retry/",
        {"paid_by": "grant", "reason": "sorry", "token": "3" * 32},
    )
    new = Generation.objects.get(retry_of=lost)
    text = browser.get(page_of(lost)).text
    assert page_of(new) in text
    assert f"{ORPHANS}{orphan.pk}/change/" in text
    assert "was stuck" in text
    assert "retry_generation" in text  # what staff did
    assert page_of(lost) in browser.get(page_of(new)).text
    text = browser.get(ORPHANS).text
    assert page_of(lost) in text
    assert orphan.uri in text
    assert browser.get(ORPHANS, {"q": "nobody@example.com"}).context["cl"].result_count == 0
    assert browser.get(ORPHANS, {"q": "rich@example.com"}).context["cl"].result_count == 1
    assert browser.get(f"{ORPHANS}{orphan.pk}/change/").status_code == 200


@pytest.mark.parametrize("state", [State.SUBMITTING, State.RUNNING])
def test_why_the_provider_said_no_is_shown(browser: Client, rich: Person, state: State) -> None:
    """Its codes and its words, which no customer sees."""
    row = reached(rich, state)
    error = safety.filtered("video", ["Blocked. Support codes: 61493863, 90789179"])
    attempt = attempt_of(row) if state == State.SUBMITTING else None
    reject(row, error, attempt)
    assert attempt_of(row).outcome == ("rejected" if attempt else "accepted")
    text = browser.get(page_of(row)).text
    assert "Refused: violence, support codes 61493863, 90789179" in text
    assert "Blocked. Support codes" in text
    shown = public.to_dict(Generation.objects.get(pk=row.pk), timezone.now(), "http://here")
    assert shown["error"] is not None
    assert shown["error"]["code"] == "content_filtered"
    assert "61493863" not in str(shown)


def test_nothing_is_written_by_hand(browser: Client, rich: Person) -> None:
    row = created(rich)
    orphan = orphan_of(reached(rich, State.SUBMITTING))
    superuser = browser_of(make_operator(name="root"))
    for client in (browser, superuser):
        for path in (f"{GENERATIONS}add/", f"{GENERATIONS}{row.pk}/delete/", f"{ORPHANS}add/"):
            assert client.get(path).status_code == 403, path
        assert client.post(page_of(row), {"state": "completed"}).status_code == 403
        answer = client.post(f"{ORPHANS}{orphan.pk}/change/", {"uri": "gs://other"})
        assert answer.status_code == 403
    assert Generation.objects.get(pk=row.pk).version == 1


def test_pages_are_for_those_who_may_see_them(rich: Person) -> None:
    row = created(rich)
    browser = browser_of(make_operator("retry_generation", "fail_generation"))
    for path in (GENERATIONS, page_of(row), f"{GENERATIONS}{row.pk}/fail/", ORPHANS):
        assert browser.get(path).status_code == 403, path
    seer = browser_of(make_operator(*SEE, name="seer"))
    assert seer.get(page_of(row)).context["actions"] == []
    assert seer.get(f"{GENERATIONS}{rich.account.pk}/change/").status_code == 404


EVERY_PAGE = 8  # session, user, second factor; permissions; BEGIN, the session, COMMIT
# path: statements beside those of every page
PAGES = {
    GENERATIONS: 3,
    f"{GENERATIONS}?state=open": 3,
    f"{GENERATIONS}?state=failed&error=timeout": 3,
    f"{GENERATIONS}?q=rich@example.com": 7,
    f"{GENERATIONS}?q=order-7": 4,  # nothing found: nothing to count
    ORPHANS: 2,
}


def statements(browser: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(path).status_code == 200, path
    return [query["sql"] for query in asked.captured_queries]


def fill(person: Person, number: int) -> Generation:
    for _ in range(number):
        row = reached(person, State.FAILED)
        Attempt.objects.create(
            generation=row, number=1, prefix=f"gs://b/{row.pk}/1/", provider_model="veo"
        )
        orphan_of(row)
        created(person)
    return row


def test_no_page_costs_more_with_more_rows(browser: Client, rich: Person) -> None:
    fill(rich, 2)
    for path in PAGES:  # the first request of a process reads content types and the like
        statements(browser, path)
    few = {path: len(statements(browser, path)) - EVERY_PAGE for path in PAGES}
    fill(rich, 10)
    many = {path: len(statements(browser, path)) - EVERY_PAGE for path in PAGES}
    assert many == few == PAGES
    for path in PAGES:
        for sql in statements(browser, path):
            assert "COUNT(" not in sql or f"LIMIT {COUNT_CAP}" in sql, (path, sql)


def test_a_generation_s_page_costs_the_same_whatever_happened(
    browser: Client, rich: Person
) -> None:
    short, long = created(rich), fill(rich, 1)
    statements(browser, page_of(short))
    for number in range(2, 12):
        Attempt.objects.create(
            generation=long, number=number, prefix=f"gs://b/{number}/", provider_model="veo"
        )
    few, many = statements(browser, page_of(short)), statements(browser, page_of(long))
    assert len(many) <= len(few) + 1, many  # the refund
