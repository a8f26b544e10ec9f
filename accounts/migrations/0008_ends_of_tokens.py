"""Login tokens that ended are deleted after a while: where they are found."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0007_ages_of_tokens")]
    operations = [
        AddIndexConcurrently(
            "apikey",
            models.Index(
                condition=models.Q(("kind", "token")),
                fields=["expires_at"],
                name="api_key_token_by_end",
            ),
        ),
    ]
