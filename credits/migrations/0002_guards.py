"""What Django's constraints cannot say: entries never change, a refund reverses a whole charge."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger_is_append_only: % on a ledger entry', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ledger_is_append_only';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON credits_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_is_not_truncated BEFORE TRUNCATE ON credits_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

-- The two computed columns are NULL for everything but a refund, and a key with a NULL in it is not
-- checked: so only refunds point at a charge of the same wallet, generation and amount.
ALTER TABLE credits_ledgerentry
    ADD CONSTRAINT ledger_entry_as_a_whole UNIQUE (id, wallet_id, generation_id, kind, amount),
    ADD CONSTRAINT ledger_refund_is_of_a_whole_charge
        FOREIGN KEY (reverses, wallet_id, generation_id, reversed_kind, reversed_amount)
        REFERENCES credits_ledgerentry (id, wallet_id, generation_id, kind, amount);
"""
BACKWARD = """
ALTER TABLE credits_ledgerentry
    DROP CONSTRAINT ledger_refund_is_of_a_whole_charge,
    DROP CONSTRAINT ledger_entry_as_a_whole;
DROP TRIGGER ledger_is_not_truncated ON credits_ledgerentry;
DROP TRIGGER ledger_is_append_only ON credits_ledgerentry;
DROP FUNCTION ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
