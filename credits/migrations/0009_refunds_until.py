"""How many orders of an account went undelivered lately: a clock in its wallet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0008_given_by_time")]
    operations = [
        migrations.AddField(
            model_name="wallet",
            name="refunds_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        )
    ]
