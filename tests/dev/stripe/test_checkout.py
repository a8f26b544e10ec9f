"""A purchase from the order to the money, driven by Stripe's own Python SDK."""

from __future__ import annotations

import uuid

import pytest
import stripe

from tests.support.stripe_works import WEBHOOK_SECRET, Shop, StripeEmulator, until


@pytest.fixture
def payment() -> str:
    return str(uuid.uuid4())


def test_an_order_is_open_and_unpaid(seller: StripeEmulator, payment: str) -> None:
    session = seller.order(payment)
    assert session.url.startswith(f"{seller.url}/c/pay/cs_test_")
    found = seller.fetch(session)
    assert session.metadata.to_dict() == {"payment": payment}
    assert (found.status, found.payment_status, found.amount_subtotal) == ("open", "unpaid", 2500)
    assert found.client_reference_id == payment
    assert (found.livemode, found.currency, found.payment_intent) == (False, "usd", None)
    assert seller.payment(payment)["taken"] == 0


def test_a_card_pays(seller: StripeEmulator, told: Shop, payment: str) -> None:
    session = seller.order(payment)
    answer = seller.pay(session)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://127.0.0.1:9/paid")
    found = seller.fetch(session)
    assert (found.status, found.payment_status, found.url) == ("complete", "paid", None)
    intent = found.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata["payment"]) == (
        "succeeded",
        2500,
        payment,
    )
    assert (intent.latest_charge.paid, intent.latest_charge.refunds.data) == (True, [])
    assert seller.payment(payment)["taken"] == 2500
    assert seller.stats()["payments"] == {
        payment: {"taken": 2500, "refunded": 0, "disputed": 0},
    }
    # The shop knew before its customer was back.
    (delivery,) = [
        each for each in told.of(payment) if each.event["type"] == "checkout.session.completed"
    ]
    assert stripe.WebhookSignature.verify_header(
        delivery.raw, delivery.signature, WEBHOOK_SECRET, 300
    )
    event = stripe.Webhook.construct_event(delivery.raw, delivery.signature, WEBHOOK_SECRET)
    assert event.data.object["client_reference_id"] == payment


def test_a_refund_is_seen_in_the_facts(seller: StripeEmulator, told: Shop, payment: str) -> None:
    session = seller.order(payment)
    seller.pay(session)
    intent = seller.fetch(session).payment_intent
    refund = seller.sdk.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 900, "metadata": {"reversal": "r1"}},
        {"idempotency_key": "refund-r1"},
    )
    again = seller.sdk.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 900, "metadata": {"reversal": "r1"}},
        {"idempotency_key": "refund-r1"},
    )
    assert (again.id, refund.status, refund.metadata and refund.metadata.to_dict()) == (
        refund.id,
        "succeeded",
        {"reversal": "r1"},
    )
    charge = seller.fetch(session).payment_intent.latest_charge
    assert [each.id for each in charge.refunds.data] == [refund.id]
    assert (charge.amount_refunded, charge.refunded) == (900, False)
    listed = seller.sdk.v1.refunds.list({"payment_intent": intent.id, "created": {"gte": 1}})
    assert [each.id for each in listed.data] == [refund.id]
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        seller.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1601})
    seller.sdk.v1.refunds.create({"charge": charge.id})
    assert seller.payment(payment)["refunded"] == 2500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        seller.sdk.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    until(lambda: told.kinds(payment).count("charge.refunded") == 2)


def test_a_dispute_is_listed_by_intent(seller: StripeEmulator, payment: str) -> None:
    session = seller.order(payment)
    seller.pay(session, "4000 0000 0000 0259")
    found = seller.fetch(session)
    (dispute,) = seller.sdk.v1.disputes.list({"payment_intent": found.payment_intent.id}).data
    assert (dispute.status, dispute.amount, dispute.reason) == (
        "needs_response",
        2500,
        "fraudulent",
    )
    assert dispute.evidence_details.due_by
    assert seller.payment(payment)["disputed"] == 2500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        seller.sdk.v1.refunds.create({"payment_intent": found.payment_intent.id})
    assert refused.value.code == "charge_disputed"
    seller.sdk.v1.disputes.close(dispute.id)
    assert seller.sdk.v1.disputes.retrieve(dispute.id).status == "lost"
