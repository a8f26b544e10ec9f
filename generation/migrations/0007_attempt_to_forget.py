from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0006_backends")]

    operations = [
        AddIndexConcurrently(
            model_name="attempt",
            index=models.Index(
                condition=Q(forget_at__isnull=False),
                fields=["forget_at"],
                name="attempt_to_forget",
            ),
        ),
    ]
