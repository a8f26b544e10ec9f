"""The operators' pages about money: every change is one entry, however often a form is sent."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from credits import export, ledger
from credits.models import LedgerEntry, Wallet
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_staff
from tests.support.racing import race

ENTRIES = "/admin/credits/ledgerentry/"


@pytest.fixture
def operator() -> Client:
    return inside(make_staff())


def page_of(person: Person, verb: str) -> str:
    return f"/admin/accounts/account/{person.account.pk}/{verb}/"


def filled(operator: Client, path: str, amount: int, **more: str) -> dict[str, str]:
    """The form as a browser would send it."""
    name = re.search(r'name="form" value="([0-9a-f-]{36})"', operator.get(path).text)
    assert name is not None
    values = {"amount": str(amount), "description": "Sorry!", "reason": "ticket 7"}
    return values | {"form": name[1]} | more


def test_pages_open_and_nothing_can_be_changed(operator: Client, alice: Person):
    entry = LedgerEntry.objects.get()
    for path in (
        f"{ENTRIES}?q={alice.account.pk}",
        f"{ENTRIES}?wallet__exact={alice.account.pk}&kind__exact=grant&days=7",
        f"{ENTRIES}{entry.pk}/change/",
    ):
        assert operator.get(path).status_code == 200, path
    for path in (f"{ENTRIES}add/", f"{ENTRIES}{entry.pk}/delete/"):
        assert operator.get(path).status_code == 403, path
    assert operator.post(f"{ENTRIES}{entry.pk}/change/", {"amount": 5}).status_code == 403


def test_a_grant_is_given_once_however_often_it_is_sent(operator: Client, alice: Person):
    path = page_of(alice, "grant")
    sent = filled(operator, path, 250)
    answers = race([lambda: operator.post(path, sent).status_code for _ in range(5)], 5)
    assert answers == [302] * 5
    assert alice.balance == 1250
    entry = alice.entries[-1]
    assert (entry.kind, entry.amount, entry.description) == ("grant", 250, "Sorry!")
    assert entry.created_by is not None
    assert entry.created_by.username == "superuser"
    noted = AuditEntry.objects.get()
    assert (noted.action, noted.reason) == ("grant_credits", "ticket 7")
    assert noted.account_id == alice.account.pk
    assert noted.changes == {
        "amount": 250,
        "balance": [1000, 1250],
        "description": "Sorry!",
        "ledger_entry": str(entry.pk),
    }
    assert operator.post(path, filled(operator, path, 250)).status_code == 302
    assert alice.balance == 1500


@pytest.mark.parametrize(
    ("verb", "amount", "more"),
    [
        ("grant", 0, {}),
        ("grant", -5, {}),
        ("grant", 1_000_001, {"confirmed": "on"}),
        ("grant", 10_001, {}),
        ("grant", 5, {"reason": ""}),
        ("grant", 5, {"form": "x"}),
        ("adjust", 0, {}),
        ("adjust", -1001, {}),
        ("adjust", -5, {"description": " "}),
    ],
)
def test_what_is_refused(
    verb: str, amount: int, more: dict[str, str], operator: Client, alice: Person
):
    path = page_of(alice, verb)
    answer = operator.post(path, filled(operator, path, amount, **more))
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert (alice.balance, len(alice.entries)) == (1000, 1)
    assert not AuditEntry.objects.exists()


def test_a_lot_is_asked_about_and_a_correction_goes_down(operator: Client, alice: Person):
    path = page_of(alice, "grant")
    sent = filled(operator, path, 20_000)
    assert "20,000 credits" in operator.post(path, sent).text
    assert operator.post(path, sent | {"confirmed": "on"}).status_code == 302
    path = page_of(alice, "adjust")
    assert operator.post(path, filled(operator, path, -20_500, confirmed="on")).status_code == 302
    assert [entry.amount for entry in alice.entries] == [1000, 20_000, -20_500]
    assert alice.balance == 500


def test_a_debt_is_forgiven_by_a_grant_and_not_by_an_adjustment(operator: Client, alice: Person):
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    account = operator.get(f"/admin/accounts/account/{alice.account.pk}/change/")
    assert "-760 (1,760 taken back)" in account.text
    assert "-760 (1,760 taken back)" in operator.get("/admin/accounts/account/").text
    path = page_of(alice, "adjust")
    assert f"{alice.account.name} has -760 credits" in operator.get(path).text
    answer = operator.post(path, filled(operator, path, 759))
    assert "The balance would end below 0" in answer.text
    path = page_of(alice, "grant")
    assert operator.post(path, filled(operator, path, 500)).status_code == 302
    assert alice.balance == -260
    assert AuditEntry.objects.get().changes["balance"] == [-760, -260]


def test_what_was_taken_back_is_listed_and_exported(operator: Client, alice: Person):
    taken = uuid.uuid4()
    ledger.reverse(alice.account.pk, 1760, reversal_id=taken, description="Payment disputed")
    ledger.reinstate(alice.account.pk, 1760, reversal_id=taken, description="Payment reinstated")
    page = operator.get(f"{ENTRIES}?kind__exact=reversal&days=7")
    assert page.context["cl"].result_count == 1
    assert "Payment disputed" in page.text
    assert operator.get(f"{ENTRIES}?q=reversal:{taken}").context["cl"].result_count == 2
    rows = exported(operator, "?kind__exact=reversal")
    rows += exported(operator, "?kind__exact=reinstated")
    assert [(row["kind"], row["amount"], row["balance_after"]) for row in rows] == [
        ("reversal", "-1760", "-760"),
        ("reinstated", "1760", "1000"),
    ]
    assert {row["reference"] for row in rows} == {f"reversal:{taken}"}


def exported(operator: Client, query: str = "") -> list[dict[str, str]]:
    answer = operator.get(f"{ENTRIES}export/{query}")
    assert answer.streaming
    text = answer.getvalue().decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_is_complete_and_runs_no_formula(
    operator: Client, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "PAGE", 3)
    Account.objects.filter(pk=alice.account.pk).update(name='=HYPERLINK("http://x")')
    for number in range(7):
        ledger.grant(alice.account.pk, 5, description=f"-{number}", reference=f"@{number}")
    rows = exported(operator)
    assert len(rows) == 9
    assert {row["account"] for row in rows} == {str(alice.account.pk), str(bob.account.pk)}
    mine = exported(operator, f"?wallet__exact={alice.account.pk}")
    assert [int(row["sequence"]) for row in mine] == list(range(1, 9))
    assert int(mine[-1]["balance_after"]) == alice.balance
    assert mine[-1]["description"] == "'-6"
    assert mine[-1]["reference"] == "'@6"
    assert mine[-1]["account_name"] == '\'=HYPERLINK("http://x")'
    assert mine[-1]["amount"] == "5"
    assert exported(operator, f"?q={uuid.uuid4()}") == []
    assert len(exported(operator, "?kind__exact=grant&days=1")) == 9
    assert AuditEntry.objects.filter(action="export_ledger").count() == 4


def test_the_export_reads_a_page_at_a_time(alice: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "PAGE", 2)
    for _ in range(6):
        ledger.grant(alice.account.pk, 5, description="x")
    lines = export.lines(LedgerEntry.objects.all())
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert "created_at" in next(lines)
        assert asked.captured_queries == []
        next(lines)
        assert len(asked) == 1
        assert not connection.in_atomic_block
    assert len(list(lines)) == 3


def test_the_balance_of_a_wallet_is_on_the_accounts_page(operator: Client, alice: Person):
    assert Wallet.objects.get().balance == 1000
    assert "1,000" in operator.get(f"/admin/accounts/account/{alice.account.pk}/change/").text
