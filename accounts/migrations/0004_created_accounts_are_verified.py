"""Whoever ran ``manage.py create_account`` typed the address. All others have shown nothing yet.

One UPDATE: these accounts were made one at a time, by hand.
"""

from django.db import migrations

FORWARD = """
UPDATE accounts_user SET email_verified_at = date_joined
 WHERE origin = 'create_account' AND email_verified_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_verified_email")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
