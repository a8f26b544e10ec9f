"""A payment can be taken back, and only that may leave a balance below 0.

``0004_reversals_validated`` compares the rows that are there with the rules that change here.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import CheckConstraint, Q

KINDS = [
    ("purchase", "Purchase"),
    ("grant", "Grant"),
    ("charge", "Charge"),
    ("refund", "Refund"),
    ("adjustment", "Adjustment"),
    ("reversal", "Reversal"),
    ("reinstated", "Reinstated"),
]
# the rule that goes, the one that comes
WALLET = [
    (
        "wallet_balance_not_negative",
        CheckConstraint(
            condition=Q(balance__gte=0) | Q(reversed__gt=0),
            name="wallet_negative_only_after_a_reversal",
        ),
    )
]
ENTRY = [
    (
        "ledger_kind_is_known",
        CheckConstraint(
            condition=Q(kind__in=[kind for kind, _ in KINDS]), name="ledger_kind_is_known"
        ),
    ),
    (
        "ledger_sign_follows_kind",
        CheckConstraint(
            condition=(
                Q(kind__in=["purchase", "grant", "refund", "reinstated"], amount__gt=0)
                | Q(kind__in=["charge", "reversal"], amount__lt=0)
                | (Q(kind="adjustment") & ~Q(amount=0))
            ),
            name="ledger_sign_follows_kind",
        ),
    ),
    (
        "ledger_balance_after_not_negative",
        CheckConstraint(
            condition=Q(balance_after__gte=0)
            | ~Q(kind__in=["charge", "adjustment"])
            | Q(kind="adjustment", generation_id__isnull=False),
            name="ledger_only_a_reversal_overdraws",
        ),
    ),
]


def replaced(model_name, rules):
    return [
        operation
        for old, new in rules
        for operation in (
            migrations.RemoveConstraint(model_name, old),
            AddConstraintNotValid(model_name, new),
        )
    ]


class Migration(migrations.Migration):
    dependencies = [("credits", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="wallet",
            name="reversed",
            field=models.BigIntegerField(
                db_comment="credits ever taken back by reversals; only grows",
                db_default=0,
                default=0,
            ),
        ),
        *replaced("wallet", WALLET),
        migrations.AlterField(
            model_name="ledgerentry",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=10),
        ),
        *replaced("ledgerentry", ENTRY),
    ]
