"""What is unique among few entries gets an index of those few.

A charge has neither a reference nor anything that it reverses, and there are hardly any other
entries: both indexes held all of them as NULL. And on a ledger without statistics PostgreSQL took
the first of them, by the kind alone, for the check that a charge exists, and read every charge.

Built concurrently, before the old ones go. If a step is interrupted, run the migration again.
"""

from django.db import migrations, models
from django.db.models import Q

TABLE = "credits_ledgerentry"


# One statement, so that there is no moment without one of the two: what these refuse is a payment
# that counts twice. It does nothing when it is run again.
FORWARD = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}') THEN
        ALTER TABLE {table} DROP CONSTRAINT {name};
        ALTER INDEX {new} RENAME TO {name};
    END IF;
END $$
"""
BACKWARD = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}') THEN
        DROP INDEX {name};
        ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {new};
    END IF;
END $$
"""


def swap(name: str, columns: str, column: str) -> migrations.RunSQL:
    """Build the new index under another name, and let it take the constraint's place and name."""
    new = f"{name}_new"
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {new}"
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {new} ON {TABLE} ({columns})"
    names = {"name": name, "new": new, "table": TABLE}
    return migrations.RunSQL(
        (drop, f"{build} WHERE {column} IS NOT NULL", FORWARD.format(**names), drop),
        (drop, build, BACKWARD.format(**names), drop),
    )


REFERENCE, REVERSES = "ledger_reference_credits_once", "ledger_charge_refunded_once"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0006_uuid7")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                swap(REFERENCE, "kind, reference", "reference"),
                swap(REVERSES, "reverses", "reverses"),
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
