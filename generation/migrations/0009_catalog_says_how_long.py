"""A model that is sold says how long it takes, also when it is edited by hand."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0008_fewer_indexes"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="catalogmodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expected_seconds", 0), _negated=True),
                    models.Q(("estimated_time", ""), _negated=True),
                ),
                name="catalog_says_how_long_it_takes",
            ),
        ),
    ]
