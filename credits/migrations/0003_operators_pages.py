"""What the operators' page of the ledger needs, without stopping a ledger of millions.

The index by time takes the place of one that the unique constraint on (wallet, sequence) made
needless, so that a create writes as many index entries as before.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

OLD = "credits_ledgerentry_wallet_id_99805673"
DROP = f"DROP INDEX CONCURRENTLY IF EXISTS {OLD}"
CREATE = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {OLD} ON credits_ledgerentry (wallet_id)"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("credits", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ledgerentry",
            options={
                "permissions": [
                    ("grant_credits", "Can give credits"),
                    ("adjust_credits", "Can correct a balance"),
                    ("export_ledger", "Can export the ledger"),
                ],
                "verbose_name_plural": "ledger entries",
            },
        ),
        AddIndexConcurrently(
            model_name="ledgerentry",
            index=models.Index(fields=["created_at"], name="ledger_by_time"),
        ),
        # by hand: Django would also make the foreign key anew, and check all rows for that
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP, CREATE)],
            state_operations=[
                migrations.AlterField(
                    model_name="ledgerentry",
                    name="wallet",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="credits.wallet",
                    ),
                ),
            ],
        ),
    ]
