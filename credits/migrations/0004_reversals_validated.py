"""The rows of before keep the rules of ``0003_reversals``, too; nobody waits while they are read."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credits", "0003_reversals")]

    operations = [
        ValidateConstraint("wallet", "wallet_negative_only_after_a_reversal"),
        ValidateConstraint("ledgerentry", "ledger_kind_is_known"),
        ValidateConstraint("ledgerentry", "ledger_sign_follows_kind"),
        ValidateConstraint("ledgerentry", "ledger_only_a_reversal_overdraws"),
    ]
