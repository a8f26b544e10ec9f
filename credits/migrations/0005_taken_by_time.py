"""Reversals and reinstatements are found by time like what was given.

The index is built beside the one that is there, which goes in ``0006_given_by_time``.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0004_reversals_validated")]

    operations = [
        AddIndexConcurrently(
            model_name="ledgerentry",
            index=models.Index(
                condition=Q(kind="purchase")
                | Q(kind="grant")
                | Q(kind="adjustment")
                | Q(kind="reversal")
                | Q(kind="reinstated"),
                fields=["kind", "created_at"],
                name="ledger_given_or_taken_by_time",
            ),
        ),
    ]
