"""What Django's constraints cannot say, and the models that are sold from the start.

Whose charge, refund, grant and adjustment they are; that the end is the end.
"""

from django.db import migrations

FORWARD = """
-- The charge and the refund are this account's, for this generation, and for its whole price.
ALTER TABLE generation_generation
    ADD CONSTRAINT generation_charge_is_its_own
        FOREIGN KEY (charge_id, account_id, id, charge_kind, charge_amount)
        REFERENCES credits_ledgerentry (id, wallet_id, generation_id, kind, amount),
    ADD CONSTRAINT generation_refund_is_its_own
        FOREIGN KEY (refund_id, account_id, id, refund_kind, refund_amount)
        REFERENCES credits_ledgerentry (id, wallet_id, generation_id, kind, amount);

-- One definition of what is left of a request's parameters: retention writes it, the trigger below
-- compares with it. The number of source images stays, since the public form shows it.
CREATE FUNCTION generation_without_urls(parameters jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(parameters->'source_image_urls') = 'array'
                THEN jsonb_set(parameters, '{source_image_urls}', (
                    SELECT COALESCE(jsonb_agg(''::text), '[]'::jsonb)
                      FROM jsonb_array_elements(parameters->'source_image_urls')))
                ELSE parameters END
$$;

-- Only retention may touch what is over: it erases the file's key and the prompt. With the prompt go
-- the addresses of the source images, and nothing else of the parameters.
CREATE FUNCTION generation_terminal_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
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
            END IF;
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
CREATE TRIGGER generation_terminal_is_final BEFORE UPDATE ON generation_generation
    FOR EACH ROW WHEN (OLD.state IN ('completed', 'failed', 'canceled'))
    EXECUTE FUNCTION generation_terminal_is_final();
CREATE TRIGGER generation_is_never_deleted BEFORE DELETE ON generation_generation
    FOR EACH ROW EXECUTE FUNCTION generation_terminal_is_final();

-- For rows that have a grant; others do not call it.
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

CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_is_append_only: % on an event', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'event_is_append_only';
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON generation_generationevent
    FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
CREATE TRIGGER event_is_not_truncated BEFORE TRUNCATE ON generation_generationevent
    FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only();
"""
BACKWARD = """
DROP TRIGGER event_is_not_truncated ON generation_generationevent;
DROP TRIGGER event_is_append_only ON generation_generationevent;
DROP FUNCTION event_is_append_only();
DROP TRIGGER generation_adjustment_is_its_own ON generation_generation;
DROP FUNCTION generation_adjustment_is_its_own();
DROP TRIGGER generation_grant_is_its_own ON generation_generation;
DROP FUNCTION generation_grant_is_its_own();
DROP TRIGGER generation_is_never_deleted ON generation_generation;
DROP TRIGGER generation_terminal_is_final ON generation_generation;
DROP FUNCTION generation_terminal_is_final();
DROP FUNCTION generation_without_urls(jsonb);
ALTER TABLE generation_generation
    DROP CONSTRAINT generation_refund_is_its_own,
    DROP CONSTRAINT generation_charge_is_its_own;
"""
MODELS = [
    {
        "name": "veo3_fast",
        "kind": "video",
        "quality": "standard",
        "price": 240,
        "shapes": ["16:9", "9:16"],
        "estimated_time": "45-60 seconds",
        "estimated_time_with_images": "45-60 seconds",
        "message": "Video generation started successfully",
        "message_with_images": "Image-to-video generation started successfully",
        "expected_seconds": 60,
        "first_poll_seconds": 25,
        "position": 1,
    },
    {
        "name": "veo3",
        "kind": "video",
        "quality": "premium",
        "price": 500,
        "shapes": ["16:9", "9:16"],
        "estimated_time": "60-90 seconds",
        "estimated_time_with_images": "90-120 seconds",
        "message": "Premium video generation started successfully",
        "message_with_images": "Premium image-to-video generation started successfully",
        "expected_seconds": 90,
        "first_poll_seconds": 25,
        "position": 2,
    },
    {
        "name": "image",
        "kind": "image",
        "quality": "standard",
        "price": 24,
        "shapes": ["1:1", "3:2", "2:3"],
        "estimated_time": "15-30 seconds",
        "message": "Image generation started successfully",
        "expected_seconds": 30,
        "submits_per_minute": 200,
        "position": 3,
    },
]


def sell(apps, schema_editor):
    CatalogModel = apps.get_model("generation", "CatalogModel")
    CatalogModel.objects.bulk_create(CatalogModel(**row) for row in MODELS)


def take_away(apps, schema_editor):
    CatalogModel = apps.get_model("generation", "CatalogModel")
    CatalogModel.objects.filter(name__in=[row["name"] for row in MODELS]).delete()


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial"), ("credits", "0002_guards")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(sell, take_away),
    ]
