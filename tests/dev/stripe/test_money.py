"""What a purchase costs and leaves behind: promotions, tax, invoices, the portal."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.support.stripe_works import StripeEmulator


def promote(seller: StripeEmulator, code: str, **coupon: Any) -> Any:
    params: Any = {"name": "Spring", **coupon}
    made = seller.sdk.v1.coupons.create(params)
    return seller.sdk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": made.id}, "code": code}
    )


def test_a_promotion_code_lowers_the_total_alone(seller: StripeEmulator) -> None:
    code = promote(seller, "SPRING20", percent_off=20)
    session = seller.order("p1", allow_promotion_codes=True)
    assert ">Apply</button>" in seller.http.get(session.url).text
    page = seller.press(session.url, "apply", code="spring20").text
    assert "-5.00 USD" in page
    assert "20.00 USD" in page
    seller.pay(session)
    found = seller.fetch(session)
    assert (found.amount_subtotal, found.amount_total) == (2500, 2000)
    assert found.total_details.amount_discount == 500
    assert found.discounts[0].promotion_code == code.id
    assert found.payment_intent.amount_received == 2000
    assert seller.sdk.v1.promotion_codes.retrieve(code.id).times_redeemed == 1
    assert seller.payment("p1")["taken"] == 2000


@pytest.mark.parametrize("typed", ["", "nothing", "OFF", "USED"])
def test_another_code_is_invalid(seller: StripeEmulator, typed: str) -> None:
    off = promote(seller, "OFF", percent_off=20)
    seller.sdk.v1.promotion_codes.update(off.id, {"active": False})
    used = promote(seller, "USED", percent_off=20, max_redemptions=1)
    assert used.active
    session = seller.order("p1", allow_promotion_codes=True)
    if typed == "USED":
        other = seller.order("p0", discounts=[{"promotion_code": used.id}])
        seller.pay(other)
        seller.sdk.v1.promotion_codes.update(used.id, {"active": False})
    assert "This code is invalid." in seller.press(session.url, "apply", code=typed).text
    assert seller.fetch(session).amount_total == 2500


def test_no_code_where_none_is_allowed(seller: StripeEmulator) -> None:
    promote(seller, "SPRING20", percent_off=20)
    session = seller.order("p1")
    seller.press(session.url, "apply", code="SPRING20")
    assert seller.fetch(session).amount_total == 2500


def test_the_whole_price_off_needs_no_card(seller: StripeEmulator) -> None:
    promote(seller, "FREE", percent_off=100)
    session = seller.order("p1", allow_promotion_codes=True)
    page = seller.press(session.url, "apply", code="FREE").text
    assert "Card number" not in page
    seller.press(session.url)
    found = seller.fetch(session)
    assert (found.status, found.payment_status) == ("complete", "no_payment_required")
    assert (found.amount_total, found.payment_intent) == (0, None)
    assert seller.payment("p1")["taken"] == 0


def test_an_amount_off_is_no_more_than_the_price(seller: StripeEmulator) -> None:
    coupon = seller.sdk.v1.coupons.create({"amount_off": 9000, "currency": "usd"})
    session = seller.order("p1", discounts=[{"coupon": coupon.id}])
    assert (session.amount_total, session.discounts[0].coupon) == (0, coupon.id)


def test_tax_comes_on_top_of_what_is_left(seller: StripeEmulator) -> None:
    coupon = seller.sdk.v1.coupons.create({"percent_off": 20})
    session = seller.order(
        "p1",
        automatic_tax={"enabled": True},
        tax_id_collection={"enabled": True},
        billing_address_collection="required",
        customer_update={"address": "auto", "name": "auto"},
        discounts=[{"coupon": coupon.id}],
    )
    assert "3.80 USD" in seller.http.get(session.url).text
    seller.pay(session)
    found = seller.fetch(session)
    assert (found.amount_subtotal, found.amount_total) == (2500, 2380)
    assert (found.total_details.amount_tax, found.total_details.amount_discount) == (380, 500)
    assert found.automatic_tax.status == "complete"


def test_shares_of_a_discount_add_up(seller: StripeEmulator) -> None:
    prices = [
        {"currency": "usd", "unit_amount": n, "product_data": {"name": "n"}} for n in (3, 3, 4)
    ]
    coupon = seller.sdk.v1.coupons.create({"percent_off": 50})
    session = seller.order(
        "p1",
        line_items=[{"price_data": each, "quantity": 1} for each in prices],
        discounts=[{"coupon": coupon.id}],
    )
    items = seller.sdk.v1.checkout.sessions.line_items.list(session.id).data
    assert sum(each.amount_discount for each in items) == 5
    assert sum(each.amount_total for each in items) == session.amount_total == 5


def test_an_invoice_and_its_pdf(seller: StripeEmulator) -> None:
    session = seller.order("p1", invoice_creation={"enabled": True})
    seller.pay(session)
    invoice = seller.fetch(session).invoice
    assert (invoice.status, invoice.total, invoice.currency) == ("paid", 2500, "usd")
    assert invoice.lines.data[0].description == "2,500 credits"
    assert "2,500 credits" in seller.http.get(invoice.hosted_invoice_url).text
    answer = seller.http.get(invoice.invoice_pdf)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    assert b"(Total: 25.00 USD)" in answer.content
    start = int(answer.content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert answer.content[start:].startswith(b"xref\n0 6\n")
    (listed,) = seller.sdk.v1.invoices.list({"customer": session.customer}).data
    assert listed.id == invoice.id


def test_the_portal_lists_invoices_and_leads_back(seller: StripeEmulator) -> None:
    session = seller.order("p1", invoice_creation={"enabled": True})
    other = seller.order("p2", invoice_creation={"enabled": True})
    for each in (session, other):
        seller.pay(each)
    portal = seller.sdk.v1.billing_portal.sessions.create(
        {"customer": session.customer, "return_url": "http://127.0.0.1:9/billing"}
    )
    page = seller.http.get(portal.url).text
    assert seller.fetch(session).invoice.number in page
    assert seller.fetch(other).invoice.number not in page
    assert 'href="http://127.0.0.1:9/billing"' in page
    with pytest.raises(stripe.InvalidRequestError):
        seller.sdk.v1.billing_portal.sessions.create({"customer": "cus_none"})


def test_a_receipt_shows_what_was_given_back(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    charge = seller.fetch(session).payment_intent.latest_charge
    assert "25.00 USD" in seller.http.get(charge.receipt_url).text
    seller.sdk.v1.refunds.create({"charge": charge.id, "amount": 100})
    assert "-1.00 USD" in seller.http.get(charge.receipt_url).text


def test_the_balance_shows_what_moved(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    charge = seller.fetch(session).payment_intent.latest_charge
    moved = seller.sdk.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (moved.amount, moved.fee, moved.net) == (2500, 102, 2398)
    refund = seller.sdk.v1.refunds.create({"charge": charge.id, "expand": ["balance_transaction"]})
    assert isinstance(refund.balance_transaction, stripe.BalanceTransaction)
    assert refund.balance_transaction.amount == -2500
