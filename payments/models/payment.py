"""One purchase of one pack, from the order to the ledger."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from common import ids
from credits.models import LedgerEntry
from payments.models.pack import CreditPack
from payments.models.states import UNFINISHED, State

WORDS = [str(state) for state in State]
OPEN_WORDS = [str(state) for state in UNFINISHED]


class Payment(models.Model):
    """What was agreed never changes; what Stripe says moves ``state`` forward.

    Stripe gets the id as idempotency key, ``client_reference_id`` and metadata. So all that Stripe
    has leads back to this row, which was committed before Stripe was asked.
    """

    class Kind(models.TextChoices):
        CHECKOUT = "checkout"
        AUTO = "auto"  # topping up by itself, later

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CHECKOUT)
    pack = models.ForeignKey(CreditPack, on_delete=models.PROTECT, null=True, related_name="+")
    credits = models.PositiveIntegerField()
    amount_minor = models.PositiveIntegerField(db_comment="the pack's price, before tax")
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField(db_comment="whether it is real money")

    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    session_id = models.CharField(
        max_length=100, null=True, unique=True, db_comment="Stripe's Checkout Session: cs_…"
    )
    intent_id = models.CharField(
        max_length=100, null=True, unique=True, db_comment="Stripe's payment intent: pi_…"
    )
    charge_id = models.CharField(
        max_length=100, null=True, unique=True, db_comment="Stripe's charge: ch_…"
    )
    url = models.TextField(blank=True, db_default="", db_comment="where it is paid")
    idempotency_key = models.CharField(max_length=255, null=True)
    request_sha256 = models.BinaryField(null=True)
    expires_at = models.DateTimeField(db_comment="of the link; one of the order's parameters")

    paid_minor = models.PositiveIntegerField(null=True, db_comment="tax and discount included")
    tax_minor = models.PositiveIntegerField(null=True)
    discount_minor = models.PositiveIntegerField(null=True)
    invoice_id = models.CharField(max_length=100, blank=True, db_default="")
    purchase = models.OneToOneField(
        LedgerEntry, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reversed_credits = models.PositiveIntegerField(default=0, db_default=0)

    next_attempt_at = models.DateTimeField(
        null=True, db_comment="when due; while claimed, when the lease ends"
    )
    lease_token = models.UUIDField(null=True)
    strikes = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="claims without a write-back"
    )
    last_error = models.TextField(
        blank=True, db_default="", db_comment="for operators; never shown to customers"
    )
    facts = models.JSONField(
        default=dict, db_default={}, db_comment="what Stripe said last, for operators"
    )
    fetched_at = models.DateTimeField(null=True, db_comment="when Stripe said it")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    finished_at = models.DateTimeField(null=True)

    claimed_at: datetime  # no column: a claim adds it, the database's time

    class Meta:
        permissions = [
            ("ask_stripe", "Can have Stripe asked about a payment again"),
            ("refund_payment", "Can refund a payment"),
            ("credit_payment", "Can credit a payment whose facts differ"),
            ("release_payment_hold", "Can let an account buy again after a dispute"),
        ]
        indexes = [
            # read by work/due.py: tiny, since hardly any payment is due
            models.Index(
                fields=["state", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="payment_due",
            ),
            # read by the list, and by the limits on what an account buys in a day
            models.Index(fields=["account", "-created_at", "-id"], name="payment_history"),
            # read by the operators' page and by check_payments
            models.Index(fields=["-created_at", "-id"], name="payment_newest"),
            # read by the filters of the operators' page: few rows each, in the list's order
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(state="mismatch"),
                name="payment_mismatched",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(livemode=False),
                name="payment_of_test_mode",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=WORDS), name="payment_state_is_known"),
            models.CheckConstraint(
                condition=Q(kind__in=["checkout", "auto"]), name="payment_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(credits__gt=0) & Q(amount_minor__gt=0),
                name="payment_sells_for_something",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", purchase__isnull=False)
                | (~Q(state="paid") & Q(purchase__isnull=True)),
                name="payment_paid_iff_credited",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", paid_minor__isnull=False) | ~Q(state="paid"),
                name="payment_paid_says_how_much",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=OPEN_WORDS) | Q(next_attempt_at__isnull=False),
                name="payment_open_is_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_WORDS, finished_at__isnull=True)
                | (~Q(state__in=OPEN_WORDS) & Q(finished_at__isnull=False)),
                name="payment_finished_iff_over",
            ),
            models.CheckConstraint(
                condition=Q(state="open", session_id__isnull=False) & ~Q(url="") | ~Q(state="open"),
                name="payment_open_has_its_link",
            ),
            models.CheckConstraint(
                condition=Q(reversed_credits__lte=F("credits")),
                name="payment_reversed_at_most_its_credits",
            ),
            models.CheckConstraint(
                condition=Q(idempotency_key__isnull=True) | Q(request_sha256__isnull=False),
                name="payment_key_has_its_request",
            ),
            models.UniqueConstraint(
                fields=["account", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="payment_idempotency_key_unique",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(kind="auto", state__in=OPEN_WORDS),
                name="auto_top_up_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credits} credits, {self.id} ({self.state})"
