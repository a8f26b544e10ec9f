"""Ids of version 7. Nothing changes in the database; the old ids stay what they are."""

from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    dependencies = [("credits", "0005_operators_pages")]
    operations = [
        migrations.AlterField(
            model_name="ledgerentry",
            name="id",
            field=models.UUIDField(
                default=common.ids.new, editable=False, primary_key=True, serialize=False
            ),
        )
    ]
