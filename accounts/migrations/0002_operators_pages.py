"""What the operators' pages need: permissions for their verbs, and indexes to find people by."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "permissions": [
                    ("suspend_account", "Can suspend and resume an account"),
                    ("limit_account", "Can change the limits of an account"),
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="apikey",
            options={
                "permissions": [("revoke_apikey", "Can revoke an API key or a login token")],
                "verbose_name": "API key",
            },
        ),
        AddIndexConcurrently(
            model_name="account",
            index=models.Index(fields=["-created_at", "-id"], name="account_newest"),
        ),
        AddIndexConcurrently(
            model_name="account",
            index=models.Index(
                condition=models.Q(("suspended_at__isnull", False)),
                fields=["-created_at", "-id"],
                name="account_suspended",
            ),
        ),
        AddIndexConcurrently(
            model_name="apikey",
            index=models.Index(fields=["-created_at", "-id"], name="api_key_newest"),
        ),
        AddIndexConcurrently(
            model_name="apikey",
            index=models.Index(
                fields=["preview"], name="api_key_by_preview", opclasses=["varchar_pattern_ops"]
            ),
        ),
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_staff", True)), fields=["username"], name="user_of_staff"
            ),
        ),
    ]
