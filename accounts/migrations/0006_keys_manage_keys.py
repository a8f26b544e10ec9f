"""Whether an account's keys may make and delete keys."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_origins_of_before")]
    operations = [
        migrations.AddField(
            "account", "keys_manage_keys", models.BooleanField(db_default=False, default=False)
        ),
    ]
