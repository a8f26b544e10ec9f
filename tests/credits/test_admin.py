"""The operator's pages about money: they open, and change one column at most."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from credits import ledger
from credits.models import LedgerEntry, Wallet
from tests.people import Person

WALLETS = "/admin/credits/wallet/"
ENTRIES = "/admin/credits/ledgerentry/"


@pytest.fixture
def operator() -> Client:
    return inside(make_staff())


def test_pages_open_and_nothing_can_be_added(operator: Client, alice: Person):
    entry = LedgerEntry.objects.get()
    for path in (
        f"{WALLETS}?q=alice",
        f"{WALLETS}{alice.account.pk}/change/",
        f"{ENTRIES}?q={alice.account.pk}",
        f"{ENTRIES}{entry.pk}/change/",
    ):
        assert operator.get(path).status_code == 200, path
    for path in (
        f"{WALLETS}add/",
        f"{WALLETS}{alice.account.pk}/delete/",
        f"{ENTRIES}add/",
        f"{ENTRIES}{entry.pk}/delete/",
    ):
        assert operator.get(path).status_code == 403, path
    assert operator.post(f"{ENTRIES}{entry.pk}/change/", {"amount": 5}).status_code == 403


def test_the_limit_is_the_only_thing_that_is_saved(operator: Client, alice: Person):
    path = f"{WALLETS}{alice.account.pk}/change/"
    ledger.grant(alice.account.pk, 5, description="while the page is open")
    answer = operator.post(path, {"max_open_charges": "7", "balance": "999999"})
    assert answer.status_code == 302
    wallet = Wallet.objects.get(pk=alice.account.pk)
    assert (wallet.max_open_charges, wallet.balance, wallet.sequence) == (7, 1005, 2)
