"""What the operators' page of the ledger needs, without stopping a ledger of millions."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("credits", "0004_books_check"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ledgerentry",
            options={
                "permissions": [
                    ("grant_credits", "Can give credits"),
                    ("adjust_credits", "Can correct a balance"),
                    ("export_ledger", "Can export the ledger"),
                ],
                "verbose_name_plural": "ledger entries",
            },
        ),
        AddIndexConcurrently(
            model_name="ledgerentry",
            index=models.Index(fields=["created_at"], name="ledger_by_time"),
        ),
    ]
