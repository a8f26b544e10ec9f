"""The end of a Checkout Session: paid, under way at a bank, expired."""

from __future__ import annotations

from dev.stripe.cards import CARDS, Means
from dev.stripe.objects.customer import make_customer
from dev.stripe.objects.invoice import make_invoice
from dev.stripe.objects.payment import (
    billing_details,
    make_intent,
    make_method,
    make_setup_intent,
)
from dev.stripe.objects.session import customer_details
from dev.stripe.paying import Tried, confirm
from dev.stripe.wire.errors import StripeError
from dev.stripe.wire.fields import merged
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

AFTER_EXPIRY = 60.0  # seconds until the money that comes too late, scaled


def pay(world: World, session: Obj, means: Means | None, email: str) -> Tried:
    """Try to pay a session; ``means`` is None where nothing is to be paid."""
    _note_payer(world, session, email)
    if session["mode"] == "setup":
        return _save(world, session, means or CARDS["4242424242424242"])
    if not session["amount_total"]:
        session["payment_status"] = "no_payment_required"
        complete(world, session)
        return Tried(done=True)
    if means is None:
        raise StripeError("A payment method is needed.", param="payment_method")
    intent = _intent(world, session)
    return finish(world, session, confirm(world, intent, _method(world, session, means)))


def finish(world: World, session: Obj, tried: Tried) -> Tried:
    """End the session if the try to pay it succeeded; a bank may still be asked."""
    if tried.done:
        intent = world.store.get("payment_intent", session["payment_intent"])
        session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
        complete(world, session)
    return tried


def complete(world: World, session: Obj) -> None:
    """The customer is through, and the shop is told."""
    session |= {"status": "complete", "url": None}
    for each in session["discounts"]:
        _count_use(world, each)
    if (session["invoice_creation"] or {}).get("enabled"):
        number = f"EMULATED-{len(world.store.every('invoice')) + 1:04d}"
        invoice = make_invoice(session, world.items[session["id"]], number, world.url)
        world.add(invoice, world.purchases.of(session))
        session["invoice"] = invoice["id"]
        world.emit("invoice.paid", invoice)
    world.emit("checkout.session.completed", session)


def expire(world: World, session: Obj) -> Obj:
    """An open session can no longer be paid. Raises a 400 StripeError."""
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`."
        )
    session |= {"status": "expired", "url": None}
    world.emit("checkout.session.expired", session)
    purchase = world.purchases.of(session)
    if purchase and "pays-after-expiry" in purchase.scenario:
        given = purchase.scenario.number("pays-after-expiry", 0)
        world.later(given or AFTER_EXPIRY, lambda: _pay_late(world, session), scaled=not given)
    return session


def end(world: World, session: Obj) -> None:
    """The session's time is over."""
    if session["status"] == "open":
        expire(world, session)


def _pay_late(world: World, session: Obj) -> None:
    # It was under way when the time ended: Stripe has it complete after all.
    if session["status"] == "expired":
        email = (session["customer_details"] or {}).get("email") or "late@example.com"
        pay(world, session, CARDS["4242424242424242"], email)


def _note_payer(world: World, session: Obj, email: str) -> None:
    session["customer_details"] = customer_details(email)
    if session["customer"] is None and session["customer_creation"] == "always":
        customer = world.add(make_customer(email=email))
        session["customer"] = customer["id"]
        world.emit("customer.created", customer)


def _intent(world: World, session: Obj) -> Obj:
    """The session's payment intent: made by the first try to pay."""
    if session["payment_intent"] is not None:
        return world.store.get("payment_intent", session["payment_intent"])
    asked = world.orders[session["id"]].get("payment_intent_data", {})
    fields = ("description", "receipt_email", "setup_future_usage", "shipping")
    more = {name: asked[name] for name in fields if name in asked}
    intent = make_intent(
        session["amount_total"],
        session["currency"],
        customer=session["customer"],
        metadata=merged({}, asked.get("metadata")),
        payment_method_types=session["payment_method_types"],
        **more,
    )
    world.add(intent, world.purchases.of(session))
    session["payment_intent"] = intent["id"]
    world.emit("payment_intent.created", intent)
    return intent


def _method(world: World, session: Obj, means: Means) -> Obj:
    method = make_method(means, billing_details(session["customer_details"]["email"]))
    world.means[method["id"]] = means
    world.add(method)
    asked = world.orders[session["id"]].get("payment_intent_data", {})
    saved = asked.get("setup_future_usage") or session["mode"] == "setup"
    if saved and session["customer"]:
        method["customer"] = session["customer"]
        world.emit("payment_method.attached", method)
    return method


def _save(world: World, session: Obj, means: Means) -> Tried:
    method = _method(world, session, means)
    intent = make_setup_intent(
        customer=session["customer"], payment_method=method["id"], status="succeeded"
    )
    world.add(intent, world.purchases.of(session))
    session["setup_intent"] = intent["id"]
    world.emit("setup_intent.succeeded", intent)
    complete(world, session)
    return Tried(done=True)


def _count_use(world: World, used: Obj) -> None:
    code = world.store.find(used["promotion_code"])
    coupon = world.store.find(code["promotion"]["coupon"] if code else used["coupon"])
    for each in (code, coupon):
        if each is not None:
            each["times_redeemed"] += 1
