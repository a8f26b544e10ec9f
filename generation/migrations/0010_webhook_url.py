"""Where an order wants its end to be sent, until retention takes the prompt."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

TERMINAL_IS_FINAL = """
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
            allowed.prompt := NEW.prompt;
            IF NEW.parameters = generation_without_urls(OLD.parameters) THEN
                allowed.parameters := NEW.parameters;
            END IF;{webhook_url}
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
END $$;
"""
# Retention erases it, and nobody names another one.
FORWARD = TERMINAL_IS_FINAL.replace(
    "{webhook_url}",
    """
            IF NEW.webhook_url IS NULL THEN
                allowed.webhook_url := NULL;
            END IF;""",
)
BACKWARD = TERMINAL_IS_FINAL.replace("{webhook_url}", "")


class Migration(migrations.Migration):
    dependencies = [("generation", "0009_model_ids")]

    operations = [
        migrations.AddField(
            model_name="generation",
            name="webhook_url",
            field=models.CharField(
                db_comment=(
                    "its end goes there; erased with the prompt, for path and query may be secrets"
                ),
                max_length=2048,
                null=True,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        AddConstraintNotValid(
            "generation",
            models.CheckConstraint(
                condition=~Q(prompt="") | Q(webhook_url__isnull=True),
                name="generation_webhook_url_goes_with_the_prompt",
            ),
        ),
    ]
