"""What is unique among few entries gets an index of those few.

A charge has neither a reference nor anything that it reverses, and there are hardly any other
entries: both indexes held all of them as NULL. And on a ledger without statistics PostgreSQL took
the first of them, by the kind alone, for the check that a charge exists, and read every charge.

Built concurrently, before the old ones go. If a step is interrupted, run the migration again.
"""

from django.db import migrations, models
from django.db.models import Q

from common.partial_unique import swap

TABLE = "credits_ledgerentry"
REFERENCE, REVERSES = "ledger_reference_credits_once", "ledger_charge_refunded_once"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0006_uuid7")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                swap(TABLE, REFERENCE, "kind, reference", "reference"),
                swap(TABLE, REVERSES, "reverses", "reverses"),
            ],
            state_operations=[
                migrations.RemoveConstraint("ledgerentry", REFERENCE),
                migrations.RemoveConstraint("ledgerentry", REVERSES),
                migrations.AddConstraint(
                    "ledgerentry",
                    models.UniqueConstraint(
                        fields=["kind", "reference"],
                        condition=Q(reference__isnull=False),
                        name=REFERENCE,
                    ),
                ),
                migrations.AddConstraint(
                    "ledgerentry",
                    models.UniqueConstraint(
                        fields=["reverses"], condition=Q(reverses__isnull=False), name=REVERSES
                    ),
                ),
            ],
        )
    ]
