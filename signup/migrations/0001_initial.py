"""Codes that were sent to an address, and trial credits: a day, and who got them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_created_accounts_are_verified"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="trial",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("day", models.DateField(db_comment="of UTC", db_index=True)),
                (
                    "address",
                    models.GenericIPAddressField(
                        db_comment="the client's; of IPv6 the /64 network", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrialDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("granted", models.BigIntegerField(db_comment="credits")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("granted__gte", 0)),
                        name="trial_day_granted_not_negative",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EmailCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=common.ids.new, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("verify", "Verify"), ("change", "Change")], max_length=6
                    ),
                ),
                ("address", models.EmailField(max_length=254)),
                ("digest", models.BinaryField(max_length=32)),
                ("tries", models.SmallIntegerField(db_default=0, default=0)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "replaced_at",
                    models.DateTimeField(db_comment="when the next one was sent", null=True),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="email_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["verify", "change"])),
                        name="email_code_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tries__gte", 0), ("tries__lte", 5)),
                        name="email_code_at_most_five_tries",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at", None), ("replaced_at", None), _connector="OR"
                        ),
                        name="email_code_used_or_replaced",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="email_code_lives_for_a_while",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None), ("used_at", None)),
                        fields=("user", "purpose"),
                        name="email_code_one_live_a_purpose",
                    ),
                ],
            },
        ),
    ]
