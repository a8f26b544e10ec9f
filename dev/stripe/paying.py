"""How money moves: a try to pay, its success and failure, the bank's answer after days."""

from __future__ import annotations

from dataclasses import dataclass

from dev.stripe import aftermath
from dev.stripe.cards import AUTHENTICATE, BANK, GENERIC, Means, Refusal
from dev.stripe.objects.money import make_charge, make_transaction
from dev.stripe.objects.payment import payment_error
from dev.stripe.options import BANK_SECONDS
from dev.stripe.scenarios import Scenario
from dev.stripe.wire.store import Obj
from dev.stripe.world import World


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a try: ``done``, ``asks`` for 3-D Secure, or it was refused."""

    done: bool = False
    asks: bool = False
    refusal: Refusal | None = None


def fee_of(amount: int) -> int:
    """What Stripe keeps: 2.9 % and 30, unverified."""
    return amount * 29 // 1000 + 30


def confirm(
    world: World,
    intent: Obj,
    method: Obj,
    *,
    authenticated: bool = False,
    off_session: bool = False,
) -> Tried:
    """Try to take the intent's amount by a payment method."""
    purchase = world.purchases.of(intent)
    scenario = purchase.scenario if purchase else Scenario()
    means = world.means_of(method)
    intent["payment_method"] = method["id"]
    intent["last_payment_error"] = intent["next_action"] = None
    refusal = _refusal(means, scenario, off_session)
    if refusal is not None:
        return refuse(world, intent, method, refusal)
    if (means.asks or "3ds" in scenario) and not authenticated and means.kind == "card":
        if off_session:
            return refuse(world, intent, method, AUTHENTICATE)
        return _ask(world, intent)
    charge = make_charge(intent, method, means, world.url)
    world.add(charge, purchase)
    intent["latest_charge"] = charge["id"]
    if charge["status"] == "pending":
        _wait_for_bank(world, intent, charge, means, scenario)
        return Tried(done=True)
    if intent["capture_method"] == "manual":
        charge |= {"captured": False, "amount_captured": 0, "receipt_url": None}
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        world.emit("charge.succeeded", charge)
        world.emit("payment_intent.amount_capturable_updated", intent)
        return Tried(done=True)
    succeed(world, intent, charge)
    return Tried(done=True)


def _refusal(means: Means, scenario: Scenario, off_session: bool) -> Refusal | None:
    if "auth-required" in scenario and off_session:
        return AUTHENTICATE
    if "declined" in scenario or means.refused_later:
        return GENERIC
    return means.refusal


def refuse(world: World, intent: Obj, method: Obj, refusal: Refusal, charged: bool = True) -> Tried:
    """The try failed; another one may follow."""
    purchase = world.purchases.of(intent)
    if charged:
        charge = make_charge(intent, method, world.means_of(method), world.url, refusal)
        world.add(charge, purchase)
        intent["latest_charge"] = charge["id"]
        world.emit("charge.failed", charge)
    intent["last_payment_error"] = payment_error(
        refusal, method, intent["latest_charge"] if charged else None
    )
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    world.emit("payment_intent.payment_failed", intent)
    return Tried(refusal=refusal)


def _ask(world: World, intent: Obj) -> Tried:
    intent["status"] = "requires_action"
    url = f"{world.url}/c/3ds/{intent['id']}"
    redirect = {"return_url": f"{world.url}/", "url": url}
    intent["next_action"] = {"redirect_to_url": redirect, "type": "redirect_to_url"}
    world.emit("payment_intent.requires_action", intent)
    return Tried(asks=True)


def succeed(world: World, intent: Obj, charge: Obj) -> None:
    """The money is there: both objects say so, and the account's balance."""
    _book(world, intent, charge, charge["amount"])
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    aftermath.plan(world, charge)


def _book(world: World, intent: Obj, charge: Obj, amount: int) -> None:
    transaction = world.add(make_transaction(charge, amount, "charge", fee_of(amount)))
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": transaction["id"],
        "receipt_url": f"{world.url}/receipts/{charge['id']}",
    }
    intent |= {"status": "succeeded", "amount_received": amount, "processing": None}


def capture(world: World, intent: Obj, charge: Obj, amount: int) -> None:
    """Take what was reserved; the rest is given free."""
    intent["amount_capturable"] = 0
    _book(world, intent, charge, amount)
    world.emit("charge.captured", charge)
    world.emit("payment_intent.succeeded", intent)
    aftermath.plan(world, charge)


def _wait_for_bank(
    world: World, intent: Obj, charge: Obj, means: Means, scenario: Scenario
) -> None:
    intent["status"] = "processing"
    world.emit("charge.pending", charge)
    world.emit("payment_intent.processing", intent)
    fails = "sepa-fails" in scenario or (means.fails_later and "sepa-ok" not in scenario)

    def answer() -> None:
        purchase = world.purchases.of(intent)
        session = world.purchases.session(purchase) if purchase else None
        if fails:
            _bank_refuses(world, intent, charge)
        else:
            succeed(world, intent, charge)
        if session is None:
            return
        if not fails:
            session["payment_status"] = "paid"
        ending = "failed" if fails else "succeeded"
        world.emit(f"checkout.session.async_payment_{ending}", session)

    world.later(BANK_SECONDS, answer)


def _bank_refuses(world: World, intent: Obj, charge: Obj) -> None:
    charge |= {
        "status": "failed",
        "captured": False,
        "failure_code": BANK.code,
        "failure_message": BANK.message,
    }
    method = world.store.find(intent["payment_method"])
    intent["last_payment_error"] = payment_error(BANK, method, charge["id"])
    intent |= {"status": "requires_payment_method", "payment_method": None}
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
