"""Operators look for grants, purchases and adjustments of some months; few of all entries are any.

Built concurrently. If it is interrupted, run the migration again.
"""

from django.db import migrations, models
from django.db.models import Q

NAME = "ledger_given_by_time"
DROP = f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}"
BUILD = (
    f"CREATE INDEX CONCURRENTLY {NAME} ON credits_ledgerentry (kind, created_at)"
    " WHERE kind = 'purchase' OR kind = 'grant' OR kind = 'adjustment'"
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0007_partial_uniques")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL((DROP, BUILD), DROP)],
            state_operations=[
                migrations.AddIndex(
                    "ledgerentry",
                    models.Index(
                        fields=["kind", "created_at"],
                        condition=Q(kind="purchase") | Q(kind="grant") | Q(kind="adjustment"),
                        name=NAME,
                    ),
                )
            ],
        )
    ]
