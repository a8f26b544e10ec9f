"""Everything about one payment, for the operators' page, in a dozen statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse

from common import ids
from credits.models import LedgerEntry
from payments.models import Payment, Reversal, StripeEvent
from payments.models.states import State
from staff.models import AuditEntry
from staff.pages.amounts import money

MOST = 200  # events, entries of the audit log, or facts on one page
LONGEST = 500  # characters of one fact

Row = tuple[str, Any, str]  # name, value, and the address of its page or ""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened; ``page`` is its own page's address, or empty."""

    at: datetime
    what: str
    told: str = ""
    page: str = ""


def history_of(payment: Payment, now: datetime) -> dict[str, Any]:
    """The variables of the template ``admin/payment_history.html``."""
    reversals = list(
        payment.reversals.select_related("entry", "reinstated", "created_by").order_by(
            "created_at", "id"
        )[:MOST]
    )
    return {
        "payment": payment,
        "agreed": _agreed(payment),
        "stripe": _at_stripe(payment),
        "work": _work(payment, now),
        "timeline": sorted(_moments(payment, reversals), key=lambda moment: moment.at),
        "reversals": [_shown(payment, each) for each in reversals],
        "facts": list(_flat(payment.facts, ""))[:MOST],
    }


def arrived(payment: Payment) -> str:
    """What Stripe took by its own last word; it may be another currency than was agreed."""
    told = payment.facts
    return money(told.get("amount_total"), str(told.get("currency") or payment.currency))


def _agreed(payment: Payment) -> list[Row]:
    """Rows about what was sold, and what came of it."""
    person, currency = payment.created_by, payment.currency
    return [
        ("Payment", payment.pk, ""),
        ("Account", payment.account.name, _page(payment.account)),
        ("Ordered by", person.username if person else "–", ""),
        ("Idempotency key", payment.idempotency_key or "–", ""),
        ("Pack", payment.pack_id or "–", _page(payment.pack) if payment.pack else ""),
        ("Credits", f"{payment.credits:,}", ""),
        ("Price", money(payment.amount_minor, currency), ""),
        *([("Stripe took", arrived(payment), "")] if payment.state == State.MISMATCH else []),
        ("Paid", money(payment.paid_minor, currency), ""),
        ("Of that tax", money(payment.tax_minor, currency), ""),
        ("Discount", money(payment.discount_minor, currency), ""),
        ("Credits taken back", f"{payment.reversed_credits:,}", ""),
        ("Money", "real" if payment.livemode else "none: test mode", ""),
    ]


def _at_stripe(payment: Payment) -> list[Row]:
    """Rows by which it is found in Stripe's dashboard."""
    return [
        ("Checkout Session", payment.session_id or "–", ""),
        ("Payment intent", payment.intent_id or "–", ""),
        ("Charge", payment.charge_id or "–", ""),
        ("Invoice", payment.invoice_id or "–", ""),
    ]


def _work(payment: Payment, now: datetime) -> list[Row]:
    """Rows about the work on it: when Stripe is asked next, and what went wrong."""
    rows: list[Row] = [
        ("Stripe was asked", payment.fetched_at or "not yet", ""),
        ("Link expires", payment.expires_at, ""),
        ("Claims without an answer", payment.strikes, ""),
        ("Last error", payment.last_error or "–", ""),
    ]
    if payment.next_attempt_at:
        due = round((payment.next_attempt_at - now).total_seconds())
        name = "Leased until" if payment.lease_token else "Stripe is asked next"
        rows.append((name, f"in {due} s" if due >= 0 else f"due since {-due} s", ""))
    return rows


def _moments(payment: Payment, reversals: list[Reversal]) -> Iterator[Moment]:
    yield Moment(payment.created_at, "Ordered")
    if payment.fetched_at:
        yield Moment(payment.fetched_at, "Stripe was asked last", "what it said is below")
    if payment.finished_at:
        yield Moment(payment.finished_at, f"Ended as {payment.state}")
    if payment.purchase:
        yield _posted(payment.purchase)
    for each in reversals:
        sum_of = money(each.amount_minor, payment.currency)
        yield Moment(
            each.created_at,
            f"{each.get_kind_display()} of {sum_of}",
            f"{each.provider_id or 'not at Stripe yet'}, {each.status}",
            _page(each),
        )
        yield from (_posted(entry) for entry in (each.entry, each.reinstated) if entry)
    for event in _events(payment, reversals):
        told = f"{event.event_id} about {event.object_id}, delivered {event.deliveries} ×"
        yield Moment(event.received_at, f"Stripe sent {event.type}", told)
    for done in _staff_did(payment):
        who = done.actor.username if done.actor else "a command"
        yield Moment(done.created_at, f"{who}: {done.action}", done.reason, _page(done))


def _posted(entry: LedgerEntry) -> Moment:
    told = f"entry {entry.sequence}, balance {entry.balance_after:,}, {entry.description}"
    return Moment(entry.created_at, f"{entry.kind} {entry.amount:+,} credits", told, _page(entry))


def _events(payment: Payment, reversals: list[Reversal]) -> list[StripeEvent]:
    """What Stripe sent about the payment, its charge, or what was taken back of it."""
    named = [payment.session_id, payment.intent_id, payment.charge_id, payment.invoice_id]
    objects = [each for each in (*named, *(one.provider_id for one in reversals)) if each]
    found = StripeEvent.objects.filter(object_id__in=objects)
    return list(found.order_by("-received_at")[:MOST])


def _staff_did(payment: Payment) -> list[AuditEntry]:
    done = AuditEntry.objects.filter(
        target_type=payment._meta.label_lower, target_id=str(payment.pk)
    )
    return list(done.select_related("actor").order_by("-id")[:MOST])


def _shown(payment: Payment, reversal: Reversal) -> dict[str, Any]:
    """A line of the table of what was taken back."""
    taken, given = reversal.entry, reversal.reinstated
    return {
        "page": _page(reversal),
        "name": reversal.provider_id or ids.short(reversal.pk),
        "kind": reversal.kind,
        "amount": money(reversal.amount_minor, payment.currency),
        "status": reversal.status,
        "credits": f"{taken.amount:+,}" if taken else "–",
        "reinstated": f"{given.amount:+,}" if given else "–",
        "by": reversal.created_by.username if reversal.created_by else "Stripe",
        "due_by": reversal.due_by,
    }


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every single fact of what Stripe said, under its path."""
    if isinstance(value, dict):
        parts: Iterator[tuple[Any, Any]] = iter(sorted(value.items()))
    elif isinstance(value, list):
        parts = iter(enumerate(value, start=1))
    else:
        yield name, "–" if value is None else str(value)[:LONGEST]
        return
    for part, inner in parts:
        yield from _flat(inner, f"{name}.{part}" if name else str(part))


def _page(thing: Model) -> str:
    name = f"admin:{thing._meta.label_lower.replace('.', '_')}_change"
    return reverse(name, args=[quote(thing.pk)])  # credits_2500 has what the admin takes for a %
