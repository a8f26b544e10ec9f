"""The log of ends, where customers are told of them, and what came of it."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_console_sessions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("last_sequence", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="DefaultSecret",
            fields=[
                (
                    "secret",
                    models.TextField(db_comment="sealed; empty once its endpoint is deleted"),
                ),
                ("secret_hint", models.CharField(db_comment="its last characters", max_length=4)),
                ("previous_secret", models.TextField(db_comment="sealed", null=True)),
                ("previous_secret_expires_at", models.DateTimeField(null=True)),
                (
                    "is_prompt",
                    models.BooleanField(
                        db_comment="its last attempt succeeded, within seconds: webhooks/due.py",
                        null=True,
                    ),
                ),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("previous_secret__isnull", True),
                                ("previous_secret_expires_at__isnull", True),
                            ),
                            models.Q(
                                ("previous_secret__isnull", False),
                                ("previous_secret_expires_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="previous_default_secret_iff_it_expires",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("secret", ""), _negated=True),
                        name="default_secret_is_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sequence", models.BigIntegerField(null=True)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("generation.completed", "Completed"),
                            ("generation.failed", "Failed"),
                            ("generation.canceled", "Canceled"),
                            ("webhook_endpoint.test", "Test"),
                        ],
                        max_length=32,
                    ),
                ),
                ("generation_id", models.UUIDField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        db_comment="of an order; else the endpoint's", max_length=2048, null=True
                    ),
                ),
                (
                    "target",
                    models.UUIDField(
                        db_comment="the endpoint's id, else the account's: who shares slots"
                    ),
                ),
                (
                    "type",
                    models.CharField(db_comment="the event's, so that lists filter", max_length=32),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                (
                    "failed_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("exhausted", "Exhausted"),
                            ("gone", "Gone"),
                            ("endpoint_disabled", "Endpoint Disabled"),
                            ("endpoint_deleted", "Endpoint Deleted"),
                            ("internal", "Internal"),
                        ],
                        max_length=17,
                    ),
                ),
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
                    "round_attempts",
                    models.PositiveSmallIntegerField(
                        db_comment="since it was made or last sent again by hand",
                        db_default=0,
                        default=0,
                    ),
                ),
                ("attempts_made", models.PositiveIntegerField(db_default=0, default=0)),
                ("last_status_code", models.PositiveSmallIntegerField(null=True)),
                (
                    "last_error",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("timeout", "Timeout"),
                            ("connection", "Connection"),
                            ("tls", "Tls"),
                            ("http_status", "Http Status"),
                            ("redirect", "Redirect"),
                            ("internal", "Internal"),
                        ],
                        max_length=11,
                    ),
                ),
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
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "permissions": [("send_webhookdelivery", "Can send a webhook again")],
            },
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("duration_ms", models.PositiveIntegerField(db_comment="in hundreds")),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                (
                    "error",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("timeout", "Timeout"),
                            ("connection", "Connection"),
                            ("tls", "Tls"),
                            ("http_status", "Http Status"),
                            ("redirect", "Redirect"),
                            ("internal", "Internal"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="events.webhookdelivery",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "secret",
                    models.TextField(db_comment="sealed; empty once its endpoint is deleted"),
                ),
                ("secret_hint", models.CharField(db_comment="its last characters", max_length=4)),
                ("previous_secret", models.TextField(db_comment="sealed", null=True)),
                ("previous_secret_expires_at", models.DateTimeField(null=True)),
                (
                    "is_prompt",
                    models.BooleanField(
                        db_comment="its last attempt succeeded, within seconds: webhooks/due.py",
                        null=True,
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        db_comment="its path and query may be secrets", max_length=2048
                    ),
                ),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32),
                        db_comment="or the one word *",
                        size=None,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("gone", "Gone"),
                            ("failing", "Failing"),
                            ("operator", "Operator"),
                        ],
                        max_length=8,
                    ),
                ),
                ("disabled_at", models.DateTimeField(null=True)),
                (
                    "enabled_at",
                    models.DateTimeField(
                        db_comment="when it was last switched on",
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("api_version", models.CharField(default="2026-12-01", max_length=10)),
                ("last_success_at", models.DateTimeField(null=True)),
                ("last_attempt_at", models.DateTimeField(null=True)),
                ("last_attempt_succeeded", models.BooleanField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
            ],
            options={
                "permissions": [("switch_webhookendpoint", "Can switch an endpoint on and off")],
            },
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="events.webhookendpoint",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["account", "type", "sequence"], name="event_of_type"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("account", "sequence"), name="event_sequence_unique_in_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                condition=models.Q(("generation_id__isnull", False)),
                fields=("generation_id",),
                name="event_once_a_generation",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        [
                            "generation.completed",
                            "generation.failed",
                            "generation.canceled",
                            "webhook_endpoint.test",
                        ],
                    )
                ),
                name="event_type_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("generation_id__isnull", False),
                    models.Q(("type__startswith", "generation."), _negated=True),
                    _connector="OR",
                ),
                name="event_names_its_generation",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sequence__isnull", True), ("type", "webhook_endpoint.test")),
                    models.Q(
                        models.Q(("type", "webhook_endpoint.test"), _negated=True),
                        ("sequence__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="event_is_numbered_unless_a_test",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookattempt",
            constraint=models.UniqueConstraint(
                fields=("delivery", "number"), name="attempt_number_unique_in_delivery"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "error__in",
                        ["", "timeout", "connection", "tls", "http_status", "redirect", "internal"],
                    )
                ),
                name="attempt_error_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["account", "-created_at", "-id"],
                name="endpoint_of_account",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(fields=["-created_at", "-id"], name="endpoint_newest"),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                fields=["account", "-created_at", "-id"], name="endpoint_ever_of_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("previous_secret__isnull", True),
                        ("previous_secret_expires_at__isnull", True),
                    ),
                    models.Q(
                        ("previous_secret__isnull", False),
                        ("previous_secret_expires_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="previous_secret_iff_it_expires",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    models.Q(("enabled", False), ("previous_secret__isnull", True), ("secret", "")),
                    _connector="OR",
                ),
                name="endpoint_deleted_has_no_secret",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("disabled_at__isnull", True), ("disabled_reason", ""), ("enabled", True)
                    ),
                    models.Q(("disabled_at__isnull", False), ("enabled", False)),
                    _connector="OR",
                ),
                name="endpoint_disabled_since_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("disabled_reason__in", ["", "gone", "failing", "operator"])),
                name="endpoint_disabled_reason_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("event_types__len__gt", 0)), name="endpoint_wants_some_type"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)),
                fields=["target", "next_attempt_at"],
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["target", "-created_at", "-id"], name="delivery_of_target"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["target", "state", "type", "-created_at", "-id"],
                name="delivery_of_target_filtered",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["-created_at", "-id"], name="delivery_newest"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("event", "endpoint"), name="delivery_once_an_event_and_endpoint"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("endpoint__isnull", True)),
                fields=("event",),
                name="delivery_once_an_event_and_url",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("endpoint__isnull", False), ("url__isnull", True)),
                    models.Q(("endpoint__isnull", True), ("url__isnull", False)),
                    _connector="OR",
                ),
                name="delivery_has_one_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("state", "pending")),
                    models.Q(
                        ("next_attempt_at__isnull", True), ("state__in", ["succeeded", "failed"])
                    ),
                    _connector="OR",
                ),
                name="delivery_pending_iff_scheduled",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "failed_reason__in",
                            [
                                "exhausted",
                                "gone",
                                "endpoint_disabled",
                                "endpoint_deleted",
                                "internal",
                            ],
                        ),
                        ("state", "failed"),
                    ),
                    models.Q(models.Q(("state", "failed"), _negated=True), ("failed_reason", "")),
                    _connector="OR",
                ),
                name="delivery_failed_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at__isnull", True), ("state", "pending")),
                    models.Q(
                        models.Q(("state", "pending"), _negated=True),
                        ("finished_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="delivery_finished_iff_not_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "last_error__in",
                        ["", "timeout", "connection", "tls", "http_status", "redirect", "internal"],
                    )
                ),
                name="delivery_error_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "type__in",
                        [
                            "generation.completed",
                            "generation.failed",
                            "generation.canceled",
                            "webhook_endpoint.test",
                        ],
                    )
                ),
                name="delivery_type_is_known",
            ),
        ),
    ]
