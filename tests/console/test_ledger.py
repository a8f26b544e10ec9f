"""The ledger's page and file: the same entries and sums as Home and the API show."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.fresh import Fresh
from console.pages import ledger as page_of_ledger
from credits import download, ledger, spending
from credits.models import LedgerEntry
from generation.models.states import State
from tests.credits.api.test_endpoints import BALANCE, all_pages, cursor
from tests.credits.api.test_endpoints import LEDGER as API
from tests.credits.test_constraints import charge
from tests.support.bring_to import reached
from tests.support.console import browser
from tests.support.ledgers import fill
from tests.support.people import Person, make_person
from tests.support.purchases import a_payment, a_reversal
from tests.support.works import Works

Api = Callable[..., httpx.Client]


def home(person: Person) -> str:
    return f"/c/{person.account.pk}/"


def page(person: Person) -> str:
    return f"{home(person)}ledger/"


def file(person: Person) -> str:
    return f"{home(person)}ledger.csv"


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def pages_of(client: Client, path: str | None) -> list[list[dict[str, Any]]]:
    found = []
    while path:
        context = client.get(path).context
        found.append(context["entries"])
        path = context["page"].earlier
    return found


def as_text(entry: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in entry.items()}


@pytest.fixture
def busy(alice: Person, settings: Any, works: Works) -> Person:
    """A thousand charges; some are refunded, some payments and grants came and went."""
    settings.MAX_UNDELIVERED_PER_DAY = 100_000
    ledger.grant(alice.account.pk, 1_000_000, description="A grant")
    for state in (State.COMPLETED, State.FAILED, State.CANCELED, State.QUEUED, State.RUNNING):
        reached(alice, state)
    for number in range(995):
        made = charge(alice, number % 7 * 100 + 1)
        if number % 5 == 0:
            ledger.refund(made["charge"], "veo3_fast generation failed")
        else:
            ledger.settle(alice.account.pk)
    a_reversal(a_payment(alice), 2500, 2500)
    a_payment(alice)
    ledger.adjust(alice.account.pk, -7, description="A mistake", created_by=alice.user.pk)
    return alice


def test_home_ledger_file_and_api_agree(busy: Person, api: Api) -> None:
    client, program = browser(busy.user), api(busy.key)
    listed = [entry for page in all_pages(program, f"{API}?limit=100") for entry in page]
    assert len(listed) > 1200
    assert rows_of(client.get(file(busy))) == [as_text(entry) for entry in listed]
    shown = [entry for each in pages_of(client, f"{page(busy)}?limit=100") for entry in each]
    assert [{name: entry[name] for name in listed[0]} for entry in shown] == listed
    total = -sum(entry["amount"] for entry in listed if entry["kind"] in ("charge", "refund"))
    balance = program.get(BALANCE).json()["credits_balance"]
    assert balance == listed[0]["balance_after"] == busy.balance
    for path in (home(busy), page(busy)):
        answer = client.get(path)
        assert answer.context["spending"].spent == total
        assert f"{total:,} credits" in element("spent", answer.text)
        assert [day.spent for _, day in answer.context["days"]] == [0] * 13 + [total]
        assert f"{balance:,} credits" in answer.text
    assert f"{balance:,} credits" in element("balance", client.get(home(busy)).text)


def element(name: str, text: str) -> str:
    found = re.search(rf'id="{name}"[^>]*>([^<]*)<', text)
    assert found is not None, name
    return found[1]


def test_pages_join_while_entries_arrive(alice: Person) -> None:
    for _ in range(45):
        ledger.refund(charge(alice)["charge"], "back")
    client = browser(alice.user)
    path: str | None = f"{page(alice)}?limit=7"
    numbers: list[int] = []
    pages = 0
    while path:
        context = client.get(path).context
        numbers += [entry["sequence"] for entry in context["entries"]]
        assert (context["page"].later is None) == (pages == 0)
        path, pages = context["page"].earlier, pages + 1
        assert path is None or path.startswith("/c/")
        ledger.grant(alice.account.pk, 1, description="meanwhile")
    assert pages == 13
    assert numbers == list(range(91, 0, -1))
    assert client.get(page(alice)).context["entries"][0]["sequence"] == 104


def test_an_entry_in_words(alice: Person, works: Works) -> None:
    made = reached(alice, State.FAILED)
    taken = uuid.uuid4()
    ledger.reverse(alice.account.pk, 2000, reversal_id=taken, description="Payment refunded")
    ledger.reinstate(alice.account.pk, 2000, reversal_id=taken, description="Payment reinstated")
    text = browser(alice.user).get(page(alice)).text
    for shown in (
        *("Given", "Spent", "Given back", "Payment taken back", "Payment given again"),
        *("+1,000", "−240", "+240", "−2,000", "−1,000", "Payment refunded"),
        f'href="{home(alice)}gallery/{made.pk}/"',
    ):
        assert shown in text, shown
    assert "style=" not in text


def test_every_kind_has_a_word() -> None:
    assert set(page_of_ledger.KINDS) == set(LedgerEntry.Kind.values)


def test_what_staff_wrote_is_not_shown_but_its_description(alice: Person) -> None:
    ledger.grant(
        alice.account.pk,
        5,
        description="<b>Sorry</b>",
        created_by=make_person("helper").user.pk,
        reference="ticket-7",
    )
    client = browser(alice.user)
    for path in (page(alice), file(alice)):
        text = client.get(path).text
        assert "Sorry" in text
        assert "helper" not in text
        assert "ticket-7" not in text
    assert "&lt;b&gt;Sorry" in client.get(page(alice)).text


def test_an_account_without_entries_has_an_axis_and_an_empty_file() -> None:
    nobody = make_person("nobody", balance=0)
    client = browser(nobody.user)
    text = client.get(page(nobody)).text
    assert "<line " in text
    assert "<rect" not in text
    assert "Nothing was spent in these days." in text
    assert "Days in UTC" in text
    assert "Nothing yet" in text
    assert text.count("<tr><td>") == spending.DAYS
    answer = client.get(file(nobody))
    assert answer.status_code == 200
    assert answer.text.count("\r\n") == 1


def test_a_file_is_whole_before_it_is_sent(alice: Person) -> None:
    """Such an answer is sent at its reader's pace, and no thread waits for that.

    How long it may be: ``tests/credits/test_download.py``; what the server does with clients that
    do not read: ``tests/common/web/test_worker.py``.
    """
    answer = browser(alice.user).get(file(alice))
    assert not answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="ledger-')
    assert "no-store" in answer["Cache-Control"]
    ledger.grant(alice.account.pk, 5, description='=HYPERLINK("http://x")')
    assert rows_of(browser(alice.user).get(file(alice)))[0]["description"].startswith("'=")


def test_a_long_ledger_has_a_link_for_each_file(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST", 4)
    monkeypatch.setattr(page_of_ledger, "PARTS_SHOWN", 2)
    client = browser(alice.user)
    assert "?last=" not in client.get(page(alice)).text
    for _ in range(9):
        ledger.grant(alice.account.pk, 5, description="g")
    text = client.get(page(alice)).text
    links = re.findall(r'href="([^"]+\?last=\d+)"', text)
    assert links == [f"{file(alice)}?last=10", f"{file(alice)}?last=6"]
    assert "write the number of the last entry" in text
    numbers = [int(row["sequence"]) for link in links for row in rows_of(client.get(link))]
    assert numbers == list(range(10, 2, -1))


@pytest.mark.parametrize("last", ["", "-1", "x", "1.5", "٣", "9" * 19, "1 ", "1\0"])
def test_a_wrong_number_of_the_last_entry(alice: Person, last: str) -> None:
    answer = browser(alice.user).get(file(alice), {"last": last})
    assert answer.status_code == 400
    assert "text/html" in answer["Content-Type"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cursor": cursor(False, 2)}, 200),
        ({"cursor": cursor(True, 10**18)}, 200),
        ({"cursor": cursor(False, 10**40)}, 200),
        ({"cursor": cursor(False, "two")}, 400),
        ({"cursor": "\0"}, 400),
        ({"cursor": "x" * 5000}, 400),
        ({"limit": "0"}, 400),
        ({"limit": "101"}, 400),
        ({"offset": "10001"}, 400),
    ],
)
def test_wrong_cursors(alice: Person, query: dict[str, str], status: int) -> None:
    answer = browser(alice.user).get(page(alice), query)
    assert answer.status_code == status
    assert "text/html" in answer["Content-Type"]


def test_files_are_not_made_without_end(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_ledger, "FILES_PER_MINUTE", 2)
    client = browser(alice.user)
    assert [client.get(file(alice)).status_code for _ in range(3)] == [200, 200, 429]
    assert int(client.get(file(alice))["Retry-After"]) > 0


@pytest.mark.parametrize("path", [home, page, file])
def test_nobody_elses(alice: Person, bob: Person, path: Callable[[Person], str]) -> None:
    hers = charge(alice)
    assert browser(bob.user).get(path(alice)).status_code == 404
    assert Client().get(path(alice))["Location"].startswith("/log-in/?next=")
    assert browser(alice.user).post(path(alice)).status_code == 405
    text = browser(bob.user).get(path(bob)).text
    assert str(hers["generation"]) not in text
    assert str(alice.account.pk) not in text


def test_a_cursor_of_somebody_else_shows_only_ones_own(alice: Person, bob: Person) -> None:
    charge(bob)
    charge(bob)
    link = browser(bob.user).get(f"{page(bob)}?limit=1").context["page"].earlier
    answer = browser(alice.user).get(link.replace(str(bob.account.pk), str(alice.account.pk)))
    assert [entry["amount"] for entry in answer.context["entries"]] == [1000]


def test_a_day_that_is_not_whole_is_said(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "NEWEST", 2)
    for _ in range(3):
        charge(alice)
    for path in (home(alice), page(alice)):
        text = browser(alice.user).get(path).text
        assert "Only the newest 2 entries are counted here" in text
        assert "and more that is not counted" in text
    assert "(not whole)" in text


def test_what_it_costs_does_not_grow_with_the_ledger(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    client = browser(alice.user)
    few = {path: statements(client, path) for path in (home(alice), page(alice), file(alice))}
    fill(admin_connection, alice, 30_000, 20)
    many = {path: statements(client, path) for path in few}
    for path, asked in many.items():
        assert len(asked) == len(few[path]) <= 12, asked
        for sql in asked:
            assert "COUNT(" not in sql or "LIMIT 10001" in sql, sql


def statements(client: Client, path: str) -> list[str]:
    Fresh.clear_all()
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def test_the_days_are_those_of_the_database(alice: Person) -> None:
    charge(alice)
    answer = browser(alice.user).get(page(alice))
    today = timezone.now().date()
    assert answer.context["days"][-1][1].day == today
    assert f"{today.day} {today:%b %Y}: 240 credits spent" in answer.text
