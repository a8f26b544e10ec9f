"""What happens to money that was taken: refunds, disputes, and what scenarios make of them."""

from __future__ import annotations

import time

from dev.stripe.objects.money import (
    DISPUTE_FEE,
    EVIDENCE_DAYS,
    make_dispute,
    make_refund,
    make_transaction,
)
from dev.stripe.options import AFTERWARDS_SECONDS
from dev.stripe.scenarios import Scenario
from dev.stripe.wire.errors import StripeError
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

AFTERWARDS = ("refund", "partial-refund", "refund-fails", "disorder", "dispute", "dispute-won")


def plan(world: World, charge: Obj) -> None:
    """After a success: what the card or the scenario does with the money afterwards."""
    purchase = world.purchases.of(charge)
    scenario = purchase.scenario if purchase else Scenario()
    later = world.means_of({"id": charge["payment_method"]}).later
    seconds = 0.0 if "disorder" in scenario else AFTERWARDS_SECONDS
    if any(each in scenario for each in AFTERWARDS):
        world.later(seconds, lambda: play(world, charge, scenario))
    # A program that pays by such a card looks for the dispute at once.
    if later == "dispute":
        open_dispute(world, charge, "needs_response")
    elif later == "inquiry":
        open_dispute(world, charge, "warning_needs_response")


def play(world: World, charge: Obj, scenario: Scenario) -> None:
    """Give back or dispute what was paid, as the words of ``scenario`` say."""
    rest = charge["amount"] - charge["amount_refunded"]
    part = min(int(scenario.number("partial-refund", 0)), rest)
    gives_back = any(each in scenario for each in ("refund", "refund-fails", "disorder"))
    amount = part or (rest if gives_back else 0)
    if amount and not charge["disputed"]:
        refund = give_back(world, charge, amount)
        if "refund-fails" in scenario:
            fail_later(world, refund)
    if "dispute" in scenario or "dispute-won" in scenario:
        dispute = open_dispute(world, charge, "needs_response")
        if "dispute-won" in scenario:
            world.later(AFTERWARDS_SECONDS, lambda: close(world, dispute, "won"))


def give_back(world: World, charge: Obj, amount: int, **more: object) -> Obj:
    """A refund of a part of a charge. Raises a 400 StripeError where there is not so much left."""
    rest = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise StripeError("This charge did not succeed.", code="charge_not_refundable")
    if charge["disputed"] and not _is_inquiry(world, charge):
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if rest == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(message, code="charge_already_refunded")
    if not 0 < amount <= rest:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({rest})"
            if amount > rest
            else "Invalid positive integer",
            param="amount",
        )
    refund = make_refund(charge, amount, **more)
    world.add(refund, world.purchases.of(charge))
    transaction = world.add(make_transaction(refund, -amount, "refund"))
    refund["balance_transaction"] = transaction["id"]
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge, before)
    return refund


def fail_later(world: World, refund: Obj) -> None:
    """The customer's bank sends the money of a refund back."""

    def fail() -> None:
        charge = world.store.get("charge", refund["charge"])
        transaction = world.add(make_transaction(refund, refund["amount"], "refund_failure"))
        refund.update(
            status="failed",
            failure_reason="expired_or_canceled_card",
            failure_balance_transaction=transaction["id"],
        )
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        world.emit("refund.updated", refund, {"status": "succeeded"})
        world.emit("charge.refund.updated", refund, {"status": "succeeded"})
        world.emit("refund.failed", refund)

    world.later(AFTERWARDS_SECONDS, fail)


def open_dispute(world: World, charge: Obj, status: str) -> Obj:
    """The customer's bank asks (``warning_*``) or takes the money back."""
    due_by = int(time.time() + EVIDENCE_DAYS * 86400 * world.options.time_scale)
    dispute = world.add(make_dispute(charge, status, due_by), world.purchases.of(charge))
    charge["disputed"] = True
    world.emit("charge.dispute.created", dispute)
    if not status.startswith("warning_"):
        moved = make_transaction(dispute, -dispute["amount"], "adjustment", DISPUTE_FEE)
        dispute["balance_transactions"].append(world.add(moved))
        world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(world: World, dispute: Obj, status: str) -> Obj:
    """End a dispute: ``won``, ``lost``, or ``warning_closed`` for an inquiry."""
    before = {"status": dispute["status"]}
    if dispute["status"].startswith("warning_"):
        status = "warning_closed"
    dispute |= {"status": status, "is_charge_refundable": status == "warning_closed"}
    world.emit("charge.dispute.closed", dispute, before)
    if status == "won":
        moved = make_transaction(dispute, dispute["amount"], "adjustment")
        dispute["balance_transactions"].append(world.add(moved))
        world.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def _is_inquiry(world: World, charge: Obj) -> bool:
    disputes = [each for each in world.store.every("dispute") if each["charge"] == charge["id"]]
    return all(each["status"].startswith("warning_") for each in disputes)
