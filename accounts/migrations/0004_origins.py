"""How a user came to be: by registering, by a command, or by one of the staff."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_retention")]
    operations = [
        migrations.AddField(
            "user", "email_verified_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "user",
            "origin",
            models.CharField(
                choices=[
                    ("registered", "Registered"),
                    ("create_account", "Create Account"),
                    ("create_staff", "Create Staff"),
                    ("add_user", "Add User"),
                ],
                db_default="registered",
                default="registered",
                editable=False,
                max_length=20,
            ),
        ),
        migrations.AddField(
            "user",
            "made_by",
            models.ForeignKey(
                db_comment="who of the staff added this user",
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddConstraintNotValid(
            "user",
            models.CheckConstraint(
                condition=Q(
                    origin__in=["registered", "create_account", "create_staff", "add_user"]
                ),
                name="user_origin_is_known",
            ),
        ),
    ]
