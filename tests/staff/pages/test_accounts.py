"""The operators' pages about customers: they open, and the buttons do what they say."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from accounts.models import Account, ApiKey
from credits.models import Wallet
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_staff

pytestmark = pytest.mark.urls("tests.support.probe")

ACCOUNTS = "/admin/accounts/account/"
KEYS = "/admin/accounts/apikey/"
WHY = {"reason": "a chargeback"}


@pytest.fixture
def operator() -> Client:
    return inside(make_staff())


def test_pages_open(operator, alice):
    key = ApiKey.objects.get()
    for path in (
        f"{ACCOUNTS}?q=alice",
        f"{ACCOUNTS}{alice.account.pk}/change/",
        f"{ACCOUNTS}{alice.account.pk}/history/",
        f"{KEYS}?q=alice",
        f"{KEYS}{key.pk}/change/",
    ):
        page = operator.get(path)
        assert page.status_code == 200, path
        assert alice.key not in page.text
    assert operator.get(f"{ACCOUNTS}add/").status_code == 403
    assert operator.get(f"{KEYS}add/").status_code == 403
    assert operator.get(f"{KEYS}{key.pk}/delete/").status_code == 403


def test_an_account_leads_to_what_it_owns(operator, alice):
    text = operator.get(f"{ACCOUNTS}{alice.account.pk}/change/").text
    links = re.findall(rf'href="([^"]*={alice.account.pk})"', text)
    assert len(links) == 6
    for link in links:
        owned = not any(word in link for word in ("generation", "payment", "webhook"))
        assert operator.get(link).context["cl"].result_count == owned


def found(operator: Client, term: str) -> list[str]:
    page = operator.get(ACCOUNTS, {"q": term})
    return [account.name for account in page.context["cl"].result_list]


def test_a_customer_is_found_by_what_they_know(operator, api, alice, bob):
    key = ApiKey.objects.get(account=alice.account)
    answer = api(alice.key).post("/api/v1/generate/video/", json={"prompt": "a red fox"})
    generation = answer.json()["data"]["generation_id"]
    terms = (
        *("alice", "ALICE", "Alice@Example.com", key.preview, key.preview.replace("…", "...")),
        *(key.preview[:8], generation, str(alice.account.pk), f" {generation.upper()} "),
    )
    for term in terms:
        assert found(operator, term) == ["alice"], term
    for term in ("alic", "example.com", "rmk_", str(uuid.uuid4()), key.preview[:8] + "…zzzz"):
        assert "alice" not in found(operator, term) or term == "rmk_"
    assert [
        key.account.name
        for key in operator.get(f"{KEYS}?q={key.preview}").context["cl"].result_list
    ] == ["alice"]


def test_suspend_and_resume(operator, api, alice, bob):
    suspend = f"{ACCOUNTS}{alice.account.pk}/suspend/"
    assert operator.post(suspend, {"reason": " "}).status_code == 200
    assert api(alice.key).get("/api/probe/").status_code == 200
    assert operator.post(suspend, WHY).status_code == 302
    answer = api(alice.key).get("/api/probe/")
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert api(bob.key).get("/api/probe/").status_code == 200
    assert operator.post(suspend, WHY).status_code == 302
    suspended = operator.get(f"{ACCOUNTS}?state=suspended").context["cl"].result_list
    assert [account.name for account in suspended] == ["alice"]
    assert operator.post(f"{ACCOUNTS}{alice.account.pk}/resume/", WHY).status_code == 302
    assert api(alice.key).get("/api/probe/").status_code == 200
    assert Account.objects.filter(suspended_at=None).count() == 2
    noted = list(AuditEntry.objects.order_by("id").values_list("action", "reason", "account_id"))
    assert noted == [
        ("suspend_account", "a chargeback", alice.account.pk),
        ("resume_account", "a chargeback", alice.account.pk),
    ]


def test_limits(operator, api, alice):
    path = f"{ACCOUNTS}{alice.account.pk}/limits/"
    sent = {"creates_per_minute": "", "reads_per_minute": "2", "max_open_charges": "3"} | WHY
    assert operator.post(path, sent | {"reads_per_minute": "-1"}).status_code == 200
    assert operator.post(path, sent).status_code == 302
    codes = [api(alice.key).get("/api/probe/").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert Wallet.objects.get(pk=alice.account.pk).max_open_charges == 3
    assert AuditEntry.objects.get().changes == {
        "reads_per_minute": [None, 2],
        "max_open_charges": [None, 3],
    }


def test_revoke(operator, api, alice):
    key = ApiKey.objects.get()
    path = f"{KEYS}{key.pk}/revoke/"
    assert operator.get(path).status_code == 200
    assert api(alice.key).get("/api/probe/").status_code == 200
    assert operator.post(path, WHY).status_code == 302
    assert api(alice.key).get("/api/probe/").status_code == 401
    assert operator.post(path, WHY).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.account_id) == ("revoke_apikey", alice.account.pk)
    assert "revoke_apikey" in operator.get(f"{ACCOUNTS}{alice.account.pk}/history/").text
    assert "revoke_apikey" in operator.get(f"{KEYS}{key.pk}/history/").text
    assert entry.changes == {"preview": key.preview, "kind": "key"}


def test_customers_stay_out(alice: Person):
    assert inside(alice.user).get(ACCOUNTS).status_code == 302
