"""Buying can be put on hold for an account, after a dispute."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="payment_hold_at",
            field=models.DateTimeField(
                blank=True,
                db_comment="from then on it may buy no credits",
                editable=False,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="payment_hold_reason",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=200),
        ),
    ]
