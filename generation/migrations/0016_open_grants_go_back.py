"""What an operator had granted and is still open goes back with its refund, too.

Such a grant has the generation's key for its reference. What is over stays as it is: its credits
are the customer's, and a row that has ended never changes.
"""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

OPEN_GRANTS = """
UPDATE generation_generation AS row SET grant_id = entry.id
  FROM credits_ledgerentry entry
 WHERE row.next_attempt_at IS NOT NULL AND row.grant_id IS NULL
   AND row.idempotency_key LIKE 'staff-retry-%'
   AND entry.kind = 'grant' AND entry.reference = row.idempotency_key
   AND entry.wallet_id = row.account_id AND entry.amount = row.price
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0015_whoever_paid")]
    operations = [
        migrations.RunSQL(OPEN_GRANTS, migrations.RunSQL.noop),
        ValidateConstraint("generation", "generation_grant_goes_back_iff_refunded"),
    ]
