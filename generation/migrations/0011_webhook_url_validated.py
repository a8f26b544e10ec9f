"""The new rule holds for old rows, too: looked at without locking anybody out."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("generation", "0010_webhook_url")]

    operations = [
        ValidateConstraint("generation", "generation_webhook_url_goes_with_the_prompt"),
    ]
