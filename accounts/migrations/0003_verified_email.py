"""Nobody has shown that a changed e-mail address is theirs; staff may say that one is."""

from django.db import migrations

# The statement that changes the address takes the mark away, or sets it anew for the new one.
FORWARD = """
CREATE FUNCTION user_changed_email_is_unverified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'user_changed_email_is_unverified: %', NEW.id
        USING ERRCODE = 'integrity_constraint_violation',
              CONSTRAINT = 'user_changed_email_is_unverified';
END $$;
CREATE TRIGGER user_changed_email_is_unverified BEFORE UPDATE OF email ON accounts_user
    FOR EACH ROW
    WHEN (lower(NEW.email) <> lower(OLD.email) AND NEW.email_verified_at IS NOT NULL
          AND NEW.email_verified_at IS NOT DISTINCT FROM OLD.email_verified_at)
    EXECUTE FUNCTION user_changed_email_is_unverified();
"""
BACKWARD = """
DROP TRIGGER user_changed_email_is_unverified ON accounts_user;
DROP FUNCTION user_changed_email_is_unverified();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_payment_hold")]

    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "permissions": [
                    ("suspend_account", "Can suspend and resume an account"),
                    ("limit_account", "Can change the limits of an account"),
                    ("verify_email", "Can mark an e-mail address as verified"),
                ]
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
