"""What it costs: one wallet an account, and the entries that explain its balance."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from common import ids


class Wallet(models.Model):
    """An account's credits. Only ``credits/ledger.py`` writes here.

    A table of its own, so that no ``account.save()`` can put back a stale balance.
    ``open_charges`` counts the charges whose work is neither delivered nor refunded: it is decided
    under the same row lock as the balance, which a count over other rows could not be.
    """

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="wallet"
    )
    balance = models.BigIntegerField(default=0, db_default=0)
    reversed = models.BigIntegerField(
        default=0, db_default=0, db_comment="credits ever taken back by reversals; only grows"
    )
    sequence = models.BigIntegerField(default=0, db_default=0, db_comment="of the newest entry")
    open_charges = models.IntegerField(default=0, db_default=0)
    # A clock (GCRA) that each refund puts on by its share of a day, MAX_UNDELIVERED_PER_DAY: in the
    # row that every refund and charge writes anyway, so that the bound costs neither of them.
    refunds_until = models.DateTimeField(null=True, blank=True, editable=False)
    # null = the setting MAX_OPEN_GENERATIONS
    max_open_charges = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance__gte=0) | Q(reversed__gt=0),
                name="wallet_negative_only_after_a_reversal",
            ),
            models.CheckConstraint(
                condition=Q(open_charges__gte=0), name="wallet_open_charges_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.balance} credits of {self.account_id}"


class LedgerEntry(models.Model):
    """One change of a balance, for ever: a trigger refuses UPDATE, DELETE and TRUNCATE.

    ``sequence`` is handed out by the UPDATE that changes the balance, because the order of commits
    is not the order of clocks. ``generation_id`` is for reading; the generation points here.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase"
        GRANT = "grant"
        CHARGE = "charge"
        REFUND = "refund"
        ADJUSTMENT = "adjustment"
        REVERSAL = "reversal"
        REINSTATED = "reinstated"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    # found by `ledger_sequence_unique_in_wallet`; an index more would cost every create
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount = models.BigIntegerField(db_comment="credits, signed")
    balance_after = models.BigIntegerField()
    generation_id = models.UUIDField(null=True, blank=True)
    reverses = models.UUIDField(null=True, blank=True, db_comment="the charge that a refund undoes")
    reference = models.CharField(max_length=200, null=True, blank=True)
    description = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        verbose_name_plural = "ledger entries"
        permissions = [
            ("grant_credits", "Can give credits"),
            ("adjust_credits", "Can correct a balance"),
            ("export_ledger", "Can export the ledger"),
        ]
        indexes = [
            # read by the operators' page and export: the newest of all accounts, and periods
            models.Index(fields=["created_at"], name="ledger_by_time"),
            # the few of a kind among millions of charges, whom this costs nothing
            models.Index(
                fields=["kind", "created_at"],
                condition=Q(kind="purchase")
                | Q(kind="grant")
                | Q(kind="adjustment")
                | Q(kind="reversal")
                | Q(kind="reinstated"),
                name="ledger_given_by_time",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "sequence"], name="ledger_sequence_unique_in_wallet"
            ),
            # of the few that have one; a charge, of which there are most, is in neither index
            models.UniqueConstraint(
                fields=["kind", "reference"],
                condition=Q(reference__isnull=False),
                name="ledger_reference_credits_once",
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="ledger_charge_refunded_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("purchase", "grant", "charge", "refund", "adjustment"),
                        *("reversal", "reinstated"),
                    ]
                ),
                name="ledger_kind_is_known",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind__in=["purchase", "grant", "refund", "reinstated"], amount__gt=0)
                    | Q(kind__in=["charge", "reversal"], amount__lt=0)
                    | (Q(kind="adjustment") & ~Q(amount=0))
                ),
                name="ledger_sign_follows_kind",
            ),
            # An adjustment that names a generation takes its grant back, behind the refund: both
            # leave the balance where it was, and a reversal may have left that below 0.
            models.CheckConstraint(
                condition=Q(balance_after__gte=0)
                | ~Q(kind__in=["charge", "adjustment"])
                | Q(kind="adjustment", generation_id__isnull=False),
                name="ledger_only_a_reversal_overdraws",
            ),
            models.CheckConstraint(
                condition=Q(kind="refund", reverses__isnull=False)
                | (~Q(kind="refund") & Q(reverses__isnull=True)),
                name="ledger_refund_reverses_a_charge",
            ),
            models.CheckConstraint(
                condition=~Q(kind="adjustment")
                | (Q(created_by__isnull=False) & ~Q(description="")),
                name="ledger_adjustment_has_author_and_reason",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["charge", "refund"]) | Q(generation_id__isnull=False),
                name="ledger_charge_names_its_generation",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence} {self.kind} {self.amount:+}"


class NightlyCheck(models.Model):
    """When a check of the books runs next by itself; while one runs, when its lease ends."""

    command = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.command} is due at {self.due_at}"


class BooksCheck(models.Model):
    """One run of ``check_ledger`` or ``check_generations``, as /metrics and operators read it."""

    command = models.CharField(max_length=40)
    checked_at = models.DateTimeField(default=timezone.now, db_default=Now())
    seconds = models.FloatField()
    looked_at = models.JSONField(db_comment="how many rows of what were compared")
    differences = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["command", "-checked_at"], name="books_check_newest")]

    def __str__(self) -> str:
        return f"{self.command} at {self.checked_at}: {self.differences} differences"
