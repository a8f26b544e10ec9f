"""When each check of the books runs next by itself. A check's row is made by its first claim."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0009_refunds_until"),
    ]

    operations = [
        migrations.CreateModel(
            name="NightlyCheck",
            fields=[
                ("command", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
            ],
        ),
    ]
