"""Drop indexes that every create kept up for nobody: the unique ones beside them begin alike."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop(index: str, back: str) -> migrations.RunSQL:
    """Without holding up who writes; ``back`` is what the index was on."""
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {back}",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("credits", "0002_guards")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                drop(
                    "credits_ledgerentry_created_by_id_17e49c6b",
                    "credits_ledgerentry (created_by_id)",
                ),
                drop("credits_ledgerentry_wallet_id_99805673", "credits_ledgerentry (wallet_id)"),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="ledgerentry",
                    name="created_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
