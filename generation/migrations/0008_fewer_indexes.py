"""Drop indexes that every create kept up for nobody: the unique ones beside them begin alike."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def drop(index: str, back: str) -> migrations.RunSQL:
    """Without holding up who writes; ``back`` is what the index was on."""
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {back}",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("credits", "0003_fewer_indexes"), ("generation", "0007_held_gate")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                drop(
                    "generation_generation_account_id_787027e0",
                    "generation_generation (account_id)",
                ),
                drop(
                    "generation_generation_api_key_id_68e24023",
                    "generation_generation (api_key_id)",
                ),
                drop(
                    "generation_generation_created_by_id_d0a3b19c",
                    "generation_generation (created_by_id)",
                ),
                drop("generation_generation_model_id_01e6fb5a", "generation_generation (model_id)"),
                drop(
                    "generation_generation_model_id_01e6fb5a_like",
                    "generation_generation (model_id varchar_pattern_ops)",
                ),
                drop(
                    "generation_generation_retry_of_id_2f5a535c",
                    "generation_generation (retry_of_id)",
                ),
                drop(
                    "generation_generationevent_generation_id_da402841",
                    "generation_generationevent (generation_id)",
                ),
                drop(
                    "generation_attempt_generation_id_06c75cee",
                    "generation_attempt (generation_id)",
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="generation",
                    name="account",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="generations",
                        to="accounts.account",
                    ),
                ),
                migrations.AlterField(
                    model_name="generation",
                    name="api_key",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
                migrations.AlterField(
                    model_name="generation",
                    name="created_by",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="generation",
                    name="model",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.catalogmodel",
                    ),
                ),
                migrations.AlterField(
                    model_name="generation",
                    name="retry_of",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retried_by",
                        to="generation.generation",
                    ),
                ),
                migrations.AlterField(
                    model_name="generationevent",
                    name="generation",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="generation.generation",
                    ),
                ),
                migrations.AlterField(
                    model_name="attempt",
                    name="generation",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="generation.generation",
                    ),
                ),
            ],
        ),
        AddIndexConcurrently(
            model_name="generation",
            index=models.Index(
                condition=models.Q(("retry_of__isnull", False)),
                fields=["retry_of"],
                name="generation_retried_by",
            ),
        ),
    ]
