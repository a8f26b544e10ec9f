"""Pause, fallback and probe of a model whose id the provider may not know any more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0008_places"),
    ]

    operations = [
        migrations.AddField(
            model_name="providergate",
            name="fallback_until",
            field=models.DateTimeField(
                db_comment="until then the fallback is asked at once; then one order asks first",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="first_gone",
            field=models.PositiveSmallIntegerField(
                db_comment="times in a row that the fallback took over", db_default=0, default=0
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="gone",
            field=models.PositiveSmallIntegerField(
                db_comment="orders in a row that failed since the provider does not know the model's ids",
                db_default=0,
                default=0,
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="known",
            field=models.JSONField(
                db_comment="what the last probe told of each id: true, false, or null if it could not",
                db_default={},
                default=dict,
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="known_at",
            field=models.DateTimeField(db_comment="when that was", null=True),
        ),
        migrations.AddField(
            model_name="providergate",
            name="paused_until",
            field=models.DateTimeField(
                db_comment="until then the model is not sold, and nothing is asked for", null=True
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="pauses",
            field=models.PositiveSmallIntegerField(
                db_comment="in a row, without a success", db_default=0, default=0
            ),
        ),
        migrations.AddField(
            model_name="providergate",
            name="probe_until",
            field=models.DateTimeField(
                db_comment="after a pause, until when the one call that probes may take", null=True
            ),
        ),
    ]
