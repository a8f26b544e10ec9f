"""A generation outlives the login token that ordered it: its id stays, the token is deleted.

As a constraint it would have no index to look by, and read all generations for each token.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_ends_of_tokens"),
        ("generation", "0017_refusals"),
    ]
    operations = [
        migrations.AlterField(
            "generation",
            "api_key",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.apikey",
            ),
        ),
    ]
