"""Each run of check_ledger and check_generations is kept, for /metrics and operators."""

import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0003_fewer_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="BooksCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("command", models.CharField(max_length=40)),
                (
                    "checked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
                ("seconds", models.FloatField()),
                ("looked_at", models.JSONField(db_comment="how many rows of what were compared")),
                ("differences", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["command", "-checked_at"], name="books_check_newest")
                ],
            },
        ),
    ]
