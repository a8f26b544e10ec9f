"""What Django's constraints cannot say, and the packs that are sold from the start."""

from django.db import migrations

FORWARD = """
-- What was agreed never changes, and what is over stays over: money that arrives after all is the
-- one thing that opens a payment's end once more. Only a person leaves a mismatch.
CREATE FUNCTION payment_only_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed text[] := CASE OLD.state
        WHEN 'created' THEN ARRAY['open', 'processing', 'paid', 'expired', 'failed', 'mismatch']
        WHEN 'open' THEN ARRAY['processing', 'paid', 'expired', 'failed', 'mismatch']
        WHEN 'processing' THEN ARRAY['paid', 'expired', 'failed', 'mismatch']
        WHEN 'expired' THEN ARRAY['paid', 'mismatch']
        WHEN 'failed' THEN ARRAY['paid', 'mismatch']
        WHEN 'mismatch' THEN ARRAY['paid', 'failed']
        ELSE ARRAY[]::text[] END;
BEGIN
    IF (NEW.id, NEW.account_id, NEW.created_by_id, NEW.kind, NEW.pack_id, NEW.credits,
        NEW.amount_minor, NEW.currency, NEW.livemode, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.account_id, OLD.created_by_id, OLD.kind, OLD.pack_id, OLD.credits,
        OLD.amount_minor, OLD.currency, OLD.livemode, OLD.created_at)
       OR (NEW.idempotency_key, NEW.request_sha256)
          IS DISTINCT FROM (OLD.idempotency_key, OLD.request_sha256)
       -- what failed before it had a link may give its key back, for another try
       AND NOT (OLD.state = 'failed' AND OLD.session_id IS NULL
                AND NEW.idempotency_key IS NULL AND NEW.request_sha256 IS NULL) THEN
        RAISE EXCEPTION 'payment_terms_are_frozen: %', OLD.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'payment_terms_are_frozen';
    END IF;
    IF NEW.state <> OLD.state AND NOT NEW.state = ANY(allowed) THEN
        RAISE EXCEPTION 'payment_only_goes_forward: % from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'payment_only_goes_forward';
    END IF;
    IF OLD.purchase_id IS NOT NULL AND NEW.purchase_id IS DISTINCT FROM OLD.purchase_id THEN
        RAISE EXCEPTION 'payment_only_goes_forward: % has its purchase', OLD.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'payment_only_goes_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_only_goes_forward BEFORE UPDATE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payment_only_goes_forward();

-- The entry credits this account, for this payment, with what was sold. A foreign key would need a
-- wider unique index on the whole ledger, which every create would pay for.
CREATE FUNCTION payment_is_credited_as_sold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.purchase_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM credits_ledgerentry
         WHERE id = NEW.purchase_id AND wallet_id = NEW.account_id AND kind = 'purchase'
           AND amount = NEW.credits AND reference = 'stripe:' || NEW.id) THEN
        RAISE EXCEPTION 'payment_is_credited_as_sold: %', NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'payment_is_credited_as_sold';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_is_credited_as_sold BEFORE INSERT OR UPDATE OF purchase_id
    ON payments_payment FOR EACH ROW EXECUTE FUNCTION payment_is_credited_as_sold();

-- A reversal's entries are of its payment's account, and name it.
CREATE FUNCTION reversal_entries_are_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ARRAY[NEW.entry_id, NEW.reinstated_id], ARRAY['reversal', 'reinstated'])
                    AS claimed(entry_id, kind)
         WHERE claimed.entry_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM credits_ledgerentry entry
              JOIN payments_payment payment ON payment.account_id = entry.wallet_id
             WHERE entry.id = claimed.entry_id AND entry.kind = claimed.kind
               AND entry.reference = 'reversal:' || NEW.id AND payment.id = NEW.payment_id)) THEN
        RAISE EXCEPTION 'reversal_entries_are_its_own: %', NEW.id
            USING ERRCODE = 'integrity_constraint_violation',
                  CONSTRAINT = 'reversal_entries_are_its_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reversal_entries_are_its_own BEFORE INSERT OR UPDATE OF entry_id, reinstated_id
    ON payments_reversal FOR EACH ROW EXECUTE FUNCTION reversal_entries_are_its_own();
"""
BACKWARD = """
DROP TRIGGER reversal_entries_are_its_own ON payments_reversal;
DROP FUNCTION reversal_entries_are_its_own();
DROP TRIGGER payment_is_credited_as_sold ON payments_payment;
DROP FUNCTION payment_is_credited_as_sold();
DROP TRIGGER payment_only_goes_forward ON payments_payment;
DROP FUNCTION payment_only_goes_forward();
"""
# credits and cents: 1 credit is US$0.01, with 5 % and 10 % off the two large ones
PACKS = (
    ("credits_500", 500, 500),
    ("credits_2500", 2500, 2500),
    ("credits_10000", 10_000, 9500),
    ("credits_50000", 50_000, 45_000),
)


def fill(apps, schema_editor):
    CreditPack = apps.get_model("payments", "CreditPack")
    for position, (name, amount, amount_minor) in enumerate(PACKS, start=1):
        CreditPack.objects.create(
            name=name, credits=amount, amount_minor=amount_minor, position=position
        )


def empty(apps, schema_editor):
    apps.get_model("payments", "CreditPack").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD), migrations.RunPython(fill, empty)]
