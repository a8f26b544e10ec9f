"""What Stripe is asked to make for one payment: a customer, then a Checkout Session.

For a payment the words and the keys are always the same. So Stripe answers a repetition with what
it did the first time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from stripe import StripeClient

from accounts.models import Membership
from payments.models import BillingProfile, Payment

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams
    from stripe.params.checkout import SessionCreateParams


@dataclass(frozen=True, slots=True)
class Order:
    """All that the calls need to know, so that they need no database."""

    payment: Payment
    customer_id: str | None
    email: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Stripe's customer of an account."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """A Checkout Session, and where it is paid."""

    session_id: str
    url: str


def order_of(payment: Payment) -> Order:
    """Read the buyer: the account's customer at Stripe, and the e-mail of its first owner."""
    profile = BillingProfile.objects.filter(
        account_id=payment.account_id, livemode=payment.livemode
    ).first()
    owner = (
        Membership.objects.filter(account_id=payment.account_id, role=Membership.Role.OWNER)
        .order_by("created_at", "id")
        .select_related("user")
        .first()
    )
    customer_id = profile.customer_id if profile else None
    return Order(payment, customer_id, owner.user.email if owner else "")


def keep_customer(payment: Payment, customer_id: str) -> str:
    """Keep the id, unless another request kept one first; return the account's."""
    profile, _ = BillingProfile.objects.get_or_create(
        account_id=payment.account_id,
        livemode=payment.livemode,
        defaults={"customer_id": customer_id},
    )
    if profile.customer_id is None:
        profile.customer_id = customer_id
        profile.save(update_fields=["customer_id"])
    return profile.customer_id


def drop_customer(payment: Payment) -> None:
    """Forget an id that Stripe does not know any more: the next payment asks for a new one."""
    profiles = BillingProfile.objects.filter(account_id=payment.account_id)
    profiles.filter(livemode=payment.livemode).update(customer_id=None)


def make_customer(client: StripeClient, order: Order) -> Customer:
    made = client.v1.customers.create(_customer(order), {"idempotency_key": _customer_key(order)})
    return Customer(made.id)


async def make_customer_async(client: StripeClient, order: Order) -> Customer:
    made = await client.v1.customers.create_async(
        _customer(order), {"idempotency_key": _customer_key(order)}
    )
    return Customer(made.id)


def make_link(client: StripeClient, payment: Payment, customer_id: str) -> Link:
    made = client.v1.checkout.sessions.create(
        _session(payment, customer_id), {"idempotency_key": f"checkout-{payment.pk}"}
    )
    return Link(made.id, made.url or "")


async def make_link_async(client: StripeClient, payment: Payment, customer_id: str) -> Link:
    made = await client.v1.checkout.sessions.create_async(
        _session(payment, customer_id), {"idempotency_key": f"checkout-{payment.pk}"}
    )
    return Link(made.id, made.url or "")


def _customer_key(order: Order) -> str:
    mode = "live" if order.payment.livemode else "test"
    return f"customer-{order.payment.account_id}-{mode}"


def _customer(order: Order) -> CustomerCreateParams:
    params: CustomerCreateParams = {"metadata": {"account": str(order.payment.account_id)}}
    if order.email:
        params["email"] = order.email
    return params


def _session(payment: Payment, customer_id: str) -> SessionCreateParams:
    metadata = {"payment": str(payment.pk), "account": str(payment.account_id)}
    page = return_page(payment.account_id, payment.pk)
    params: SessionCreateParams = {
        "mode": "payment",
        "customer": customer_id,
        "client_reference_id": str(payment.pk),
        "metadata": metadata,
        # a charge, a refund and a dispute show only the intent's metadata
        "payment_intent_data": {"metadata": metadata},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": payment.currency,
                    "unit_amount": payment.amount_minor,
                    "product_data": {"name": f"{payment.credits:,} credits"},
                },
            }
        ],
        "expires_at": int(payment.expires_at.timestamp()),
        "success_url": page,
        "cancel_url": page,
        "allow_promotion_codes": settings.STRIPE_PROMOTIONS,
        "invoice_creation": {"enabled": True},
    }
    if settings.STRIPE_TAX:
        params["automatic_tax"] = {"enabled": True}
        params["tax_id_collection"] = {"enabled": True}
        params["billing_address_collection"] = "required"
        params["customer_update"] = {"address": "auto", "name": "auto"}
    return params


def return_page(account_id: uuid.UUID, payment_id: uuid.UUID) -> str:
    """The address that Stripe's page leads back to, paid or not."""
    return f"{settings.PUBLIC_BASE_URL}/c/{account_id}/billing/payments/{payment_id}/"
