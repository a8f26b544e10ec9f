"""Which login tokens ordered nothing, and may be deleted: by an index, and not by all generations.

The foreign key asks the same for each token that goes. Built concurrently; if it is interrupted,
drop the index and run the migration again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0008_ends_of_tokens"),
        ("generation", "0017_refusals"),
    ]
    operations = [
        AddIndexConcurrently(
            "generation", models.Index(fields=["api_key"], name="generation_ordered_with")
        )
    ]
