"""What Django's constraints cannot say: whose charge it is, and that the end is the end."""

from django.db import migrations

FORWARD = """
-- The charge and the refund are this account's, for this generation, and for its whole price.
ALTER TABLE generation_generation
    ADD COLUMN charge_kind varchar(10) GENERATED ALWAYS AS ('charge') STORED,
    ADD COLUMN charge_amount bigint GENERATED ALWAYS AS (-price::bigint) STORED,
    ADD COLUMN refund_kind varchar(10)
        GENERATED ALWAYS AS (CASE WHEN refund_id IS NOT NULL THEN 'refund' END) STORED,
    ADD COLUMN refund_amount bigint
        GENERATED ALWAYS AS (CASE WHEN refund_id IS NOT NULL THEN price::bigint END) STORED,
    ADD CONSTRAINT generation_charge_is_its_own
        FOREIGN KEY (charge_id, account_id, id, charge_kind, charge_amount)
        REFERENCES credits_ledgerentry (id, wallet_id, generation_id, kind, amount),
    ADD CONSTRAINT generation_refund_is_its_own
        FOREIGN KEY (refund_id, account_id, id, refund_kind, refund_amount)
        REFERENCES credits_ledgerentry (id, wallet_id, generation_id, kind, amount);

-- Only retention may touch what is over: it erases the file's key and the prompt, nothing else.
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
DROP TRIGGER generation_is_never_deleted ON generation_generation;
DROP TRIGGER generation_terminal_is_final ON generation_generation;
DROP FUNCTION generation_terminal_is_final();
ALTER TABLE generation_generation
    DROP CONSTRAINT generation_refund_is_its_own,
    DROP CONSTRAINT generation_charge_is_its_own,
    DROP COLUMN refund_amount,
    DROP COLUMN refund_kind,
    DROP COLUMN charge_amount,
    DROP COLUMN charge_kind;
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial"), ("credits", "0002_guards")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
