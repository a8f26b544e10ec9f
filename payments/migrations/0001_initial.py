"""Packs, payments, what is taken back of them, and what Stripe told us."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_payment_hold"),
        ("credits", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StripeEvent",
            fields=[
                ("event_id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=100)),
                ("livemode", models.BooleanField()),
                ("object_id", models.CharField(db_index=True, max_length=100)),
                (
                    "received_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        db_index=True,
                        default=django.utils.timezone.now,
                    ),
                ),
                ("deliveries", models.PositiveIntegerField(db_default=1, default=1)),
            ],
        ),
        migrations.CreateModel(
            name="CreditPack",
            fields=[
                ("name", models.SlugField(primary_key=True, serialize=False)),
                ("credits", models.PositiveIntegerField()),
                (
                    "amount_minor",
                    models.PositiveIntegerField(db_comment="in the currency's minor unit: cents"),
                ),
                ("currency", models.CharField(db_default="usd", default="usd", max_length=3)),
                ("enabled", models.BooleanField(db_default=True, default=True)),
                ("position", models.PositiveSmallIntegerField(db_default=0, default=0)),
            ],
            options={
                "ordering": ("position", "name"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("credits__gt", 0), ("amount_minor__gt", 0)),
                        name="pack_sells_for_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[a-z]{3}$")),
                        name="pack_currency_is_a_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("checkout", "Checkout"), ("auto", "Auto")],
                        default="checkout",
                        max_length=8,
                    ),
                ),
                ("credits", models.PositiveIntegerField()),
                (
                    "amount_minor",
                    models.PositiveIntegerField(db_comment="the pack's price, before tax"),
                ),
                ("currency", models.CharField(max_length=3)),
                ("livemode", models.BooleanField(db_comment="whether it is real money")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("open", "Open"),
                            ("processing", "Processing"),
                            ("paid", "Paid"),
                            ("expired", "Expired"),
                            ("failed", "Failed"),
                            ("mismatch", "Mismatch"),
                        ],
                        default="created",
                        max_length=10,
                    ),
                ),
                (
                    "session_id",
                    models.CharField(
                        db_comment="Stripe's Checkout Session: cs_…",
                        max_length=100,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "intent_id",
                    models.CharField(
                        db_comment="Stripe's payment intent: pi_…",
                        max_length=100,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "charge_id",
                    models.CharField(
                        db_comment="Stripe's charge: ch_…", max_length=100, null=True, unique=True
                    ),
                ),
                ("url", models.TextField(blank=True, db_comment="where it is paid", db_default="")),
                ("idempotency_key", models.CharField(max_length=255, null=True)),
                ("request_sha256", models.BinaryField(null=True)),
                (
                    "expires_at",
                    models.DateTimeField(db_comment="of the link; one of the order's parameters"),
                ),
                (
                    "paid_minor",
                    models.PositiveIntegerField(db_comment="tax and discount included", null=True),
                ),
                ("tax_minor", models.PositiveIntegerField(null=True)),
                ("discount_minor", models.PositiveIntegerField(null=True)),
                ("invoice_id", models.CharField(blank=True, db_default="", max_length=100)),
                ("reversed_credits", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(
                        db_comment="when due; while claimed, when the lease ends", null=True
                    ),
                ),
                ("lease_token", models.UUIDField(null=True)),
                (
                    "strikes",
                    models.PositiveSmallIntegerField(
                        db_comment="claims without a write-back", db_default=0, default=0
                    ),
                ),
                (
                    "last_error",
                    models.TextField(
                        blank=True,
                        db_comment="for operators; never shown to customers",
                        db_default="",
                    ),
                ),
                (
                    "facts",
                    models.JSONField(
                        db_comment="what Stripe said last, for operators",
                        db_default={},
                        default=dict,
                    ),
                ),
                ("fetched_at", models.DateTimeField(db_comment="when Stripe said it", null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="accounts.account",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "pack",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payments.creditpack",
                    ),
                ),
                (
                    "purchase",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.ledgerentry",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("ask_stripe", "Can have Stripe asked about a payment again"),
                    ("refund_payment", "Can refund a payment"),
                    ("credit_payment", "Can credit a payment whose facts differ"),
                    ("release_payment_hold", "Can let an account buy again after a dispute"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reversal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(
                        db_comment="re_… or du_…", max_length=100, null=True, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("refund", "Refund"), ("dispute", "Dispute")], max_length=7
                    ),
                ),
                ("amount_minor", models.PositiveIntegerField()),
                ("status", models.CharField(db_comment="Stripe's word", max_length=40)),
                (
                    "due_by",
                    models.DateTimeField(
                        db_comment="until when a dispute can be answered", null=True
                    ),
                ),
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
                        db_comment="who refunded it with us; null = seen at Stripe",
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.ledgerentry",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="payments.payment",
                    ),
                ),
                (
                    "reinstated",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="credits.ledgerentry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StripeMark",
            fields=[
                ("object", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("seen_until", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("object__in", ["refunds", "disputes"])),
                        name="stripe_mark_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("livemode", models.BooleanField()),
                ("customer_id", models.CharField(max_length=100, null=True, unique=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billing_profiles",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "livemode"), name="billing_profile_once_a_mode"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)),
                fields=["state", "next_attempt_at"],
                name="payment_due",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["account", "-created_at", "-id"], name="payment_history"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["-created_at", "-id"], name="payment_newest"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["created", "open", "processing", "paid", "expired", "failed", "mismatch"],
                    )
                ),
                name="payment_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["checkout", "auto"])), name="payment_kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gt", 0), ("amount_minor__gt", 0)),
                name="payment_sells_for_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purchase__isnull", False), ("state", "paid")),
                    models.Q(
                        models.Q(("state", "paid"), _negated=True), ("purchase__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="payment_paid_iff_credited",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_minor__isnull", False), ("state", "paid")),
                    models.Q(("state", "paid"), _negated=True),
                    _connector="OR",
                ),
                name="payment_paid_says_how_much",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["created", "open", "processing"]), _negated=True),
                    ("next_attempt_at__isnull", False),
                    _connector="OR",
                ),
                name="payment_open_is_scheduled",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("finished_at__isnull", True),
                        ("state__in", ["created", "open", "processing"]),
                    ),
                    models.Q(
                        models.Q(("state__in", ["created", "open", "processing"]), _negated=True),
                        ("finished_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="payment_finished_iff_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("session_id__isnull", False),
                        ("state", "open"),
                        models.Q(("url", ""), _negated=True),
                    ),
                    models.Q(("state", "open"), _negated=True),
                    _connector="OR",
                ),
                name="payment_open_has_its_link",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("reversed_credits__lte", models.F("credits"))),
                name="payment_reversed_at_most_its_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("idempotency_key__isnull", True),
                    ("request_sha256__isnull", False),
                    _connector="OR",
                ),
                name="payment_key_has_its_request",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("account", "idempotency_key"),
                name="payment_idempotency_key_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "auto"), ("state__in", ["created", "open", "processing"])
                ),
                fields=("account",),
                name="auto_top_up_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="reversal",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["refund", "dispute"])),
                name="reversal_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reversal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reinstated__isnull", True), ("entry__isnull", False), _connector="OR"
                ),
                name="reversal_reinstates_what_it_took",
            ),
        ),
    ]
