"""The outbox of mails."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
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
                        choices=[
                            ("verify", "Code"),
                            ("reset", "Link for a new password"),
                            ("password_changed", "Password changed"),
                            ("email_confirm", "Link for a new address"),
                            ("email_changed", "Address changed"),
                            ("second_factor_changed", "Second factor changed"),
                        ],
                        max_length=24,
                    ),
                ),
                ("to", models.CharField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                ("html", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("sent", "Sent"), ("failed", "Failed")],
                        default="queued",
                        max_length=6,
                    ),
                ),
                (
                    "emulated",
                    models.BooleanField(
                        db_comment="ended in the mailbox, given to no server",
                        db_default=False,
                        default=False,
                    ),
                ),
                ("expires_at", models.DateTimeField(db_comment="of no use later, and not sent")),
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
                    "tries",
                    models.PositiveSmallIntegerField(
                        db_comment="how often the server did not take it", db_default=0, default=0
                    ),
                ),
                (
                    "last_error",
                    models.TextField(blank=True, db_comment="for operators", db_default=""),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "user",
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["state", "next_attempt_at"],
                        name="mail_due",
                    ),
                    models.Index(fields=["-created_at", "-id"], name="mail_newest"),
                    models.Index(
                        django.db.models.functions.text.Lower("to"), name="mail_by_address"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("emulated", True), models.Q(("text", ""), _negated=True)
                        ),
                        fields=["created_at"],
                        name="mail_readable",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "sent", "failed"])),
                        name="mail_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_attempt_at__isnull", False), ("state", "queued")),
                            models.Q(
                                models.Q(("state", "queued"), _negated=True),
                                ("next_attempt_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="mail_queued_iff_scheduled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(
                                models.Q(("state", "sent"), _negated=True),
                                ("sent_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="mail_sent_iff_it_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "failed"), _negated=True),
                            models.Q(("last_error", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="mail_failed_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "queued"),
                            ("emulated", True),
                            models.Q(("html", ""), ("text", "")),
                            _connector="OR",
                        ),
                        name="mail_ended_holds_no_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("emulated", False), ("state", "sent"), _connector="OR"),
                        name="mail_emulated_has_ended",
                    ),
                ],
            },
        ),
    ]
