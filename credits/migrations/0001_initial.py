"""The tables of the money: wallets, the ledger, and what checks it every night.

The database finds columns of the ledger itself: `0002_guards` compares a refund with its charge by
them. They are no fields of the model, since nobody writes or reads them.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids

# NULL for everything but a refund, and a key with a NULL in it is not checked.
COMPUTED = """
ALTER TABLE credits_ledgerentry
    ADD COLUMN reversed_kind varchar(10)
        GENERATED ALWAYS AS (CASE WHEN kind = 'refund' THEN 'charge' END) STORED,
    ADD COLUMN reversed_amount bigint
        GENERATED ALWAYS AS (CASE WHEN kind = 'refund' THEN -amount END) STORED
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Wallet",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="wallet",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("balance", models.BigIntegerField(db_default=0, default=0)),
                (
                    "sequence",
                    models.BigIntegerField(
                        db_comment="of the newest entry", db_default=0, default=0
                    ),
                ),
                ("open_charges", models.IntegerField(db_default=0, default=0)),
                ("max_open_charges", models.PositiveIntegerField(blank=True, null=True)),
                ("refunds_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("balance__gte", 0)), name="wallet_balance_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("open_charges__gte", 0)),
                        name="wallet_open_charges_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("purchase", "Purchase"),
                            ("grant", "Grant"),
                            ("charge", "Charge"),
                            ("refund", "Refund"),
                            ("adjustment", "Adjustment"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.BigIntegerField(db_comment="credits, signed")),
                ("balance_after", models.BigIntegerField()),
                ("generation_id", models.UUIDField(blank=True, null=True)),
                (
                    "reverses",
                    models.UUIDField(
                        blank=True, db_comment="the charge that a refund undoes", null=True
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200, null=True)),
                ("description", models.CharField(max_length=200)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="credits.wallet",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("wallet", "sequence"), name="ledger_sequence_unique_in_wallet"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["purchase", "grant", "charge", "refund", "adjustment"])
                        ),
                        name="ledger_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount__gt", 0), ("kind__in", ["purchase", "grant", "refund"])
                            ),
                            models.Q(("amount__lt", 0), ("kind", "charge")),
                            models.Q(
                                ("kind", "adjustment"), models.Q(("amount", 0), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="ledger_sign_follows_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("balance_after__gte", 0)),
                        name="ledger_balance_after_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "refund"), ("reverses__isnull", False)),
                            models.Q(
                                models.Q(("kind", "refund"), _negated=True),
                                ("reverses__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_refund_reverses_a_charge",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "adjustment"), _negated=True),
                            models.Q(
                                ("created_by__isnull", False),
                                models.Q(("description", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_adjustment_has_author_and_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["charge", "refund"]), _negated=True),
                            ("generation_id__isnull", False),
                            _connector="OR",
                        ),
                        name="ledger_charge_names_its_generation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reference__isnull", False)),
                        fields=("kind", "reference"),
                        name="ledger_reference_credits_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=("reverses",),
                        name="ledger_charge_refunded_once",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["created_at"], name="ledger_by_time"),
                    models.Index(
                        condition=models.Q(
                            ("kind", "purchase"),
                            ("kind", "grant"),
                            ("kind", "adjustment"),
                            _connector="OR",
                        ),
                        fields=["kind", "created_at"],
                        name="ledger_given_by_time",
                    ),
                ],
                "permissions": [
                    ("grant_credits", "Can give credits"),
                    ("adjust_credits", "Can correct a balance"),
                    ("export_ledger", "Can export the ledger"),
                ],
            },
        ),
        # backwards there is nothing to do: the columns go with their table
        migrations.RunSQL(COMPUTED, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="BooksCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("command", models.CharField(max_length=40)),
                (
                    "checked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("seconds", models.FloatField()),
                ("looked_at", models.JSONField(db_comment="how many rows of what were compared")),
                ("differences", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["command", "-checked_at"], name="books_check_newest")
                ],
            },
        ),
        migrations.CreateModel(
            name="NightlyCheck",
            fields=[
                ("command", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
            ],
        ),
    ]
