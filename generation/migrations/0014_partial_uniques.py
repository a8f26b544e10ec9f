"""What is unique among the generations that have it gets an index of those.

What is open has no refund, and before it was accepted no operation: two of the eight indexes that
each of its versions was written to held nothing but NULL.

Built concurrently, before the old ones go. If a step is interrupted, run the migration again.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from common.partial_unique import swap

TABLE = "generation_generation"
OPERATION, REFUND = "generation_operation_unique", "generation_refund_unique"
OLD_REFUND = "generation_generation_refund_id_key"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0008_given_by_time"), ("generation", "0013_open_of_model")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                swap(TABLE, OPERATION, "operation_name", "operation_name"),
                swap(TABLE, OLD_REFUND, "refund_id", "refund_id", REFUND),
            ],
            state_operations=[
                migrations.RemoveConstraint("generation", OPERATION),
                migrations.AlterField(
                    "generation",
                    "refund",
                    models.ForeignKey(
                        "credits.ledgerentry",
                        on_delete=django.db.models.deletion.PROTECT,
                        null=True,
                        related_name="+",
                        db_index=False,
                    ),
                ),
                migrations.AddConstraint(
                    "generation",
                    models.UniqueConstraint(
                        fields=["operation_name"],
                        condition=Q(operation_name__isnull=False),
                        name=OPERATION,
                    ),
                ),
                migrations.AddConstraint(
                    "generation",
                    models.UniqueConstraint(
                        fields=["refund"], condition=Q(refund__isnull=False), name=REFUND
                    ),
                ),
            ],
        )
    ]
