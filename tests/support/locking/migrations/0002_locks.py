"""As Django writes it: inserts of the release before fail, and then wait for the index."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("locking", "0001_initial")]
    operations = [
        migrations.AddField("row", "position", models.IntegerField(default=0)),
        migrations.AddIndex("row", models.Index(fields=["position"], name="row_by_position")),
    ]
