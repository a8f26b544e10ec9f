"""When an attempt is looked at again, without stopping a service that has millions of them.

The column comes without a default and gets one afterwards, so that the table is not rewritten and
the settled attempts of years are not all due at once; the index is built concurrently; then what
may have left an output that nobody got is made due, a range of ids at a time. Outside a transaction
every step is committed by itself: if one is interrupted, the migration may simply be run again.
"""

from django.db import migrations, models
from django.db.models.functions import Now

BATCH = 10_000  # ids; the rows are locked for some milliseconds
COLUMN = (
    "ALTER TABLE generation_attempt ADD COLUMN IF NOT EXISTS next_look_at timestamptz",
    "ALTER TABLE generation_attempt ALTER COLUMN next_look_at SET DEFAULT statement_timestamp()",
    (
        "COMMENT ON COLUMN generation_attempt.next_look_at IS"
        " 'for what nobody got; while claimed, the lease''s end'"
    ),
)
INDEX = (
    "DROP INDEX CONCURRENTLY IF EXISTS attempt_to_look_at",
    (
        "CREATE INDEX CONCURRENTLY attempt_to_look_at ON generation_attempt (next_look_at)"
        " WHERE next_look_at IS NOT NULL"
    ),
)
MAKE_DUE = """
UPDATE generation_attempt AS attempt SET next_look_at = now()
  FROM generation_generation generation
 WHERE attempt.id > %(after)s AND attempt.id <= %(last)s
   AND generation.id = attempt.generation_id AND attempt.next_look_at IS NULL
   AND attempt.outcome NOT IN ('not_accepted', 'rejected')
   AND NOT (generation.state = 'completed'
            AND starts_with(generation.output_uri, attempt.prefix))
   AND NOT EXISTS (SELECT FROM generation_orphan WHERE attempt_id = attempt.id)
"""


def make_due(apps, schema_editor):
    """Give those that were made before the column a look."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM generation_attempt")
        last = cursor.fetchone()[0] or 0
        for after in range(0, last, BATCH):
            cursor.execute(MAKE_DUE, {"after": after, "last": after + BATCH})


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0004_gate")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    COLUMN, "ALTER TABLE generation_attempt DROP COLUMN IF EXISTS next_look_at"
                ),
                migrations.RunSQL(INDEX, "DROP INDEX CONCURRENTLY IF EXISTS attempt_to_look_at"),
                migrations.RunPython(make_due, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.AddField(
                    "attempt",
                    "next_look_at",
                    models.DateTimeField(
                        db_comment="for what nobody got; while claimed, the lease's end",
                        db_default=Now(),
                        null=True,
                    ),
                ),
                migrations.AddIndex(
                    "attempt",
                    models.Index(
                        fields=["next_look_at"],
                        condition=models.Q(next_look_at__isnull=False),
                        name="attempt_to_look_at",
                    ),
                ),
            ],
        )
    ]
