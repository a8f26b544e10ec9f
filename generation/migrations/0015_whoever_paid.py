"""Whoever paid: the grant that paid for a generation, and the adjustment that takes it back.

A release of before goes on meanwhile: what it orders has no grant. What it would end of those that
have one, the constraint refuses it, and a worker of this release does.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

# For rows that have a grant; others do not call it.
FORWARD = """
CREATE FUNCTION generation_grant_is_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM credits_ledgerentry
         WHERE id = NEW.grant_id AND wallet_id = NEW.account_id AND kind = 'grant'
           AND amount = NEW.price AND reference = NEW.idempotency_key)
    THEN
        RAISE EXCEPTION 'generation_grant_is_its_own: % of %', NEW.grant_id, NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'generation_grant_is_its_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER generation_grant_is_its_own BEFORE INSERT OR UPDATE ON generation_generation
    FOR EACH ROW WHEN (NEW.grant_id IS NOT NULL)
    EXECUTE FUNCTION generation_grant_is_its_own();

CREATE FUNCTION generation_adjustment_is_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM credits_ledgerentry
         WHERE id = NEW.adjustment_id AND wallet_id = NEW.account_id AND kind = 'adjustment'
           AND amount = -NEW.price AND generation_id = NEW.id)
    THEN
        RAISE EXCEPTION 'generation_adjustment_is_its_own: % of %', NEW.adjustment_id, NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'generation_adjustment_is_its_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER generation_adjustment_is_its_own BEFORE INSERT OR UPDATE ON generation_generation
    FOR EACH ROW WHEN (NEW.adjustment_id IS NOT NULL)
    EXECUTE FUNCTION generation_adjustment_is_its_own();
"""
BACKWARD = """
DROP TRIGGER generation_adjustment_is_its_own ON generation_generation;
DROP FUNCTION generation_adjustment_is_its_own();
DROP TRIGGER generation_grant_is_its_own ON generation_generation;
DROP FUNCTION generation_grant_is_its_own();
"""


def entry(comment: str) -> models.ForeignKey:
    return models.ForeignKey(
        "credits.ledgerentry",
        db_comment=comment,
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0014_partial_uniques"),
        ("credits", "0008_given_by_time"),
    ]
    operations = [
        migrations.AddField(
            "generation", "grant", entry("what paid for it, unless the customer did")
        ),
        migrations.AddField(
            "generation", "adjustment", entry("what took the grant back, with the refund")
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        AddConstraintNotValid(
            "generation",
            models.CheckConstraint(
                condition=Q(grant__isnull=True, adjustment__isnull=True)
                | Q(grant__isnull=False, refund__isnull=True, adjustment__isnull=True)
                | Q(grant__isnull=False, refund__isnull=False, adjustment__isnull=False),
                name="generation_grant_goes_back_iff_refunded",
            ),
        ),
    ]
