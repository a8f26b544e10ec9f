"""Retention: what is yet to be deleted, how what is due is found, and what may be erased.

The two indexes are built concurrently, so that nobody waits for them on a table of millions. Outside
a transaction every step is committed by itself: if one is interrupted, run the migration again.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

# One definition of what is left of a request's parameters: retention writes it, the trigger
# compares with it. The number of source images stays, since the public form shows it.
WITHOUT_URLS = """
CREATE OR REPLACE FUNCTION generation_without_urls(parameters jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(parameters->'source_image_urls') = 'array'
                THEN jsonb_set(parameters, '{source_image_urls}', (
                    SELECT COALESCE(jsonb_agg(''::text), '[]'::jsonb)
                      FROM jsonb_array_elements(parameters->'source_image_urls')))
                ELSE parameters END
$$
"""
FINAL = """
CREATE OR REPLACE FUNCTION generation_terminal_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed generation_generation := OLD;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.output_key = '' AND NEW.output_deleted_at IS NOT NULL THEN
            allowed.output_key := NEW.output_key;
            allowed.output_deleted_at := NEW.output_deleted_at;
        END IF;
        IF NEW.prompt = '' THEN
            allowed.prompt := NEW.prompt;{parameters}
        END IF;
        allowed.version := NEW.version;
        allowed.updated_at := NEW.updated_at;
        -- generated columns are not computed yet when a BEFORE trigger runs
        allowed.charge_kind := NEW.charge_kind;
        allowed.charge_amount := NEW.charge_amount;
        allowed.refund_kind := NEW.refund_kind;
        allowed.refund_amount := NEW.refund_amount;
        IF NEW IS NOT DISTINCT FROM allowed THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'generation_terminal_is_final: % of %', TG_OP, OLD.id
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'generation_terminal_is_final';
END $$
"""
# With the prompt go the addresses of the source images, and nothing else of the parameters.
ERASED = """
            IF NEW.parameters = generation_without_urls(OLD.parameters) THEN
                allowed.parameters := NEW.parameters;
            END IF;"""
FORWARD = f"{WITHOUT_URLS}; {FINAL.replace('{parameters}', ERASED)}"
BACKWARD = f"{FINAL.replace('{parameters}', '')}; DROP FUNCTION generation_without_urls(jsonb)"
INDEXES = {
    "generation_with_output": "NOT output_key = ''",
    "generation_with_prompt": "NOT prompt = '' AND finished_at IS NOT NULL",
}


def index(name, condition):
    """The statements that build it, also over one that was left invalid; and the reverse."""
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
    build = (
        f"CREATE INDEX CONCURRENTLY {name} ON generation_generation (account_id, finished_at)"
        f" WHERE {condition}"
    )
    return migrations.RunSQL((drop, build), drop)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0010_operators_pages"), ("accounts", "0003_retention")]
    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="generation.generation",
                    ),
                ),
                ("key", models.CharField(db_comment="in our storage", max_length=200)),
                (
                    "made_at",
                    models.DateTimeField(db_default=Now(), default=django.utils.timezone.now),
                ),
                (
                    "next_try_at",
                    models.DateTimeField(
                        db_comment="while claimed, the lease's end",
                        db_default=Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("last_error", models.TextField(blank=True, db_default="")),
            ],
            options={"indexes": [models.Index(fields=["next_try_at"], name="erasure_due")]},
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[index(*each) for each in INDEXES.items()],
            state_operations=[
                migrations.AddIndex(
                    "generation",
                    models.Index(
                        fields=["account", "finished_at"],
                        condition=~Q(output_key=""),
                        name="generation_with_output",
                    ),
                ),
                migrations.AddIndex(
                    "generation",
                    models.Index(
                        fields=["account", "finished_at"],
                        condition=~Q(prompt="") & Q(finished_at__isnull=False),
                        name="generation_with_prompt",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
