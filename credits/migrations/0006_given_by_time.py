"""The index of ``0005_taken_by_time`` takes the place and the name of the one of before."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("credits", "0005_taken_by_time")]

    operations = [
        RemoveIndexConcurrently("ledgerentry", "ledger_given_by_time"),
        migrations.RenameIndex(
            "ledgerentry", new_name="ledger_given_by_time", old_name="ledger_given_or_taken_by_time"
        ),
    ]
