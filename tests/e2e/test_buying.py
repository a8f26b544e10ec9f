"""Buying credits on real processes: order, hosted page, webhook, worker, ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from dev.embedded.processes import wait_until
from dev.embedded.run import described, greeting
from dev.embedded.stack import Stack
from tests.e2e.customer import Customer

SECONDS = 5  # from the payment to the credits, as promised to customers
CARD = "4242 4242 4242 4242"


@pytest.fixture
def buyer(stack: Stack) -> Iterator[Callable[[str], Customer]]:
    """``buyer(address)`` is a new customer without credits, whose address is verified."""
    made: list[Customer] = []

    def make(address: str) -> Customer:
        answer = stack.manage("create_account", address, "--skip-checks")
        made.append(Customer(stack, json.loads(answer)["key"]))
        return made[-1]

    yield make
    for customer in made:
        customer.http.close()


def order(customer: Customer) -> dict[str, Any]:
    answer = customer.http.post("/api/v1/credits/checkout/", json={"pack": "credits_500"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def pay(ordered: dict[str, Any], address: str, card: str = CARD) -> httpx.Response:
    """What a browser sends from Stripe's page."""
    assert ordered["url"], ordered
    page = httpx.get(ordered["url"]).text
    assert "EMULATED, no money is charged" in page
    assert f'value="{address}"' in page
    form = {"email": address, "method": "card", "card": card, "action": "pay"}
    return httpx.post(ordered["url"], data=form, timeout=20)


def payment(customer: Customer, ordered: dict[str, Any]) -> dict[str, Any]:
    answer = customer.http.get(f"/api/v1/credits/payments/{ordered['payment_id']}/")
    return dict(answer.json())


def test_a_pack_is_bought(stack: Stack, buyer: Callable[[str], Customer]) -> None:
    alice = buyer("alice@example.com")
    ordered = order(alice)
    assert (ordered["status"], ordered["amount_minor"]) == ("open", 500)
    answer = pay(ordered, "alice@example.com")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{stack.base_url}/")
    assert ordered["payment_id"] in answer.headers["Location"]
    assert httpx.get(answer.headers["Location"], follow_redirects=True).status_code == 200
    assert wait_until(lambda: alice.balance() == 500, SECONDS)
    assert payment(alice, ordered)["status"] == "paid"
    assert [(entry["kind"], entry["amount"]) for entry in alice.ledger()] == [("purchase", 500)]
    stats = httpx.get(f"{stack.stripe_url}/emulator/stats").json()
    assert stats["payments"][ordered["payment_id"]]["taken"] == 500
    assert stats["deliveries"]["taken"] >= 1


def test_a_pack_is_bought_although_no_webhook_comes(buyer: Callable[[str], Customer]) -> None:
    address = "bob+lost@example.com"
    bob = buyer(address)
    ordered = order(bob)
    assert pay(ordered, address).status_code == 303
    assert wait_until(lambda: bob.balance() == 500, 30)  # 10 minutes, scaled, and some patience


def test_what_is_given_back_is_taken_back(stack: Stack, buyer: Callable[[str], Customer]) -> None:
    carol = buyer("carol@example.com")
    ordered = order(carol)
    pay(ordered, "carol@example.com")
    assert wait_until(lambda: carol.balance() == 500, SECONDS)
    asked = {"scenario": "partial-refund=200", "payment": ordered["payment_id"]}
    assert httpx.post(f"{stack.stripe_url}/emulator/control", json=asked).status_code == 200
    assert wait_until(lambda: carol.balance() == 300, SECONDS)
    assert [entry["kind"] for entry in carol.ledger()] == ["reversal", "purchase"]


def test_a_refused_card_buys_nothing(buyer: Callable[[str], Customer]) -> None:
    dave = buyer("dave@example.com")
    ordered = order(dave)
    assert "Your card was declined." in pay(ordered, "dave@example.com", "4000000000000002").text
    assert payment(dave, ordered)["status"] == "open"
    assert dave.balance() == 0


def test_the_banner_says_that_nothing_is_charged(stack: Stack) -> None:
    banner = greeting(stack, "a-key")
    assert f"Payments are EMULATED: {stack.stripe_url} stands in for Stripe" in banner
    assert "no money is charged" in banner
    assert (
        f"Mails are EMULATED: read them, with their codes, at {stack.base_url}/mailbox/" in banner
    )
    (line,) = re.findall(r"^  curl .*/credits/checkout/.*$", banner, re.MULTILINE)
    assert '{"pack": "credits_500"}' in line
    assert f"Webhooks may go to {stack.receiver_url}/hooks/NAME" in banner
    environment = described(stack, "a-key")["environment"]
    assert isinstance(environment, dict)
    assert environment["WEBHOOK_ALLOWED_ORIGINS"] == stack.receiver_url
    assert environment["STRIPE_BASE_URL"] == stack.stripe_url
    assert stack.manage("check_payments")
