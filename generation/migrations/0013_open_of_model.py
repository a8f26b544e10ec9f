"""The index of open rows once more, each version of a row with an entry of its own.

Built concurrently, before the old one goes. If a step is interrupted, run the migration again.
"""

from django.contrib.postgres.indexes import BTreeIndex
from django.db import migrations
from django.db.models import Q

COLUMNS = "(model_id, state, account_id, created_at)"
OPEN = "WHERE next_attempt_at IS NOT NULL"


def index(name: str, options: str) -> tuple[str, str]:
    """Statements that drop what may be left of it, and build it."""
    return (
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE INDEX CONCURRENTLY {name} ON generation_generation {COLUMNS} {options} {OPEN}",
    )


OLD, NEW = "generation_open_by_model", "generation_open_of_model"
DROP_OLD, BUILD_OLD = index(OLD, "")
DROP_NEW, BUILD_NEW = index(NEW, "WITH (deduplicate_items = off)")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0012_uuid7")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL((DROP_NEW, BUILD_NEW), DROP_NEW),
                migrations.RunSQL(DROP_OLD, (DROP_OLD, BUILD_OLD)),
            ],
            state_operations=[
                migrations.AddIndex(
                    "generation",
                    BTreeIndex(
                        fields=["model", "state", "account", "created_at"],
                        condition=Q(next_attempt_at__isnull=False),
                        deduplicate_items=False,
                        name=NEW,
                    ),
                ),
                migrations.RemoveIndex("generation", OLD),
            ],
        )
    ]
