from django.db import migrations, models


class Migration(migrations.Migration):
    """Who made it, and whose output was delivered; rows of the release before are Vertex's."""

    dependencies = [("generation", "0005_catalog_is_data")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="backend",
            field=models.CharField(db_default="vertex", default="vertex", max_length=50),
        ),
        migrations.AddField(
            model_name="attempt",
            name="project",
            field=models.CharField(blank=True, db_default="", max_length=100),
        ),
        migrations.AddField(
            model_name="attempt",
            name="location",
            field=models.CharField(blank=True, db_default="", max_length=50),
        ),
        migrations.AddField(
            model_name="attempt",
            name="forget_at",
            field=models.DateTimeField(
                db_comment="when the provider is told to forget it; while claimed, the lease's end",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="forgotten_at",
            field=models.DateTimeField(db_comment="as the provider confirmed", null=True),
        ),
        migrations.AddField(
            model_name="generation",
            name="backend",
            field=models.CharField(db_default="vertex", default="vertex", max_length=50),
        ),
        migrations.AddField(
            model_name="generation",
            name="output_attempt",
            field=models.SmallIntegerField(
                db_comment="the number of the attempt whose output it is; null in old rows",
                null=True,
            ),
        ),
    ]
