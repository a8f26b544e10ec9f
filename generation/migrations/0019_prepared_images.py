"""Source images are prepared by a stage of its own, before the provider's gate.

Rows that were queued by the release before have no ``images_until``: the submit stage finds no
prepared images for them and has them prepared.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("generation", "0018_tokens_may_go")]
    operations = [
        migrations.AddField(
            "generation",
            "images_until",
            models.DateTimeField(
                null=True,
                db_comment="when its source images have to be prepared; null = nothing awaited",
            ),
        ),
        migrations.CreateModel(
            name="PreparedImages",
            fields=[
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="generation.generation",
                    ),
                ),
                (
                    "made_at",
                    models.DateTimeField(db_default=Now(), default=django.utils.timezone.now),
                ),
                (
                    "next_look_at",
                    models.DateTimeField(
                        db_comment="when the end of the generation is looked for; while claimed, "
                        "the lease's end",
                        db_default=Now(),
                        default=django.utils.timezone.now,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["next_look_at"], name="prepared_images_due")]
            },
        ),
    ]
