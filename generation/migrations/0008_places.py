from django.db import migrations, models
from django.db.models import Q

# One that was cut off is there, and holds nothing: it is built anew.
OWN = [
    "DROP INDEX CONCURRENTLY IF EXISTS attempt_place_is_its_own",
    (
        "CREATE UNIQUE INDEX CONCURRENTLY attempt_place_is_its_own"
        " ON generation_attempt (prefix) WHERE NOT (prefix = '')"
    ),
]
# The one of the release before: gone without a look at the table.
OLD = [
    "ALTER TABLE generation_attempt DROP CONSTRAINT IF EXISTS generation_attempt_prefix_key",
    "DROP INDEX CONCURRENTLY IF EXISTS generation_attempt_prefix_b66800eb_like",
    (
        "COMMENT ON COLUMN generation_attempt.prefix IS"
        " 'the place, as its backend calls it; may be empty'"
    ),
]


class Migration(migrations.Migration):
    """A place may be empty; one that is not stays an attempt's own, at every moment."""

    atomic = False
    dependencies = [("generation", "0007_attempt_to_forget")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(OWN, "DROP INDEX CONCURRENTLY IF EXISTS attempt_place_is_its_own")
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="attempt",
                    constraint=models.UniqueConstraint(
                        condition=~Q(prefix=""),
                        fields=["prefix"],
                        name="attempt_place_is_its_own",
                    ),
                )
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(OLD, migrations.RunSQL.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="prefix",
                    field=models.CharField(
                        blank=True,
                        db_comment="the place, as its backend calls it; may be empty",
                        max_length=300,
                    ),
                )
            ],
        ),
    ]
