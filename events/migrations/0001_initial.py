"""The log of ends, and how many events each account has had."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_console_sessions"),
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
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("generation.completed", "Completed"),
                            ("generation.failed", "Failed"),
                            ("generation.canceled", "Canceled"),
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
            options={
                "indexes": [
                    models.Index(fields=["account", "type", "sequence"], name="event_of_type")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "sequence"), name="event_sequence_unique_in_account"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("generation_id__isnull", False)),
                        fields=("generation_id",),
                        name="event_once_a_generation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "generation.completed",
                                    "generation.failed",
                                    "generation.canceled",
                                ],
                            )
                        ),
                        name="event_type_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("generation_id__isnull", False),
                            models.Q(("type__startswith", "generation."), _negated=True),
                            _connector="OR",
                        ),
                        name="event_names_its_generation",
                    ),
                ],
            },
        ),
    ]
