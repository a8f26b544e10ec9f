"""How long an account's outputs and prompts are kept, where it is not as the setting says."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_operators_pages")]
    operations = [
        migrations.AddField(
            "account",
            "output_retention_days",
            models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            "account",
            "prompt_retention_days",
            models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(
                condition=Q(output_retention_days__lte=36_500),
                name="account_output_retention_at_most_a_century",
            ),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(
                condition=Q(prompt_retention_days__lte=36_500),
                name="account_prompt_retention_at_most_a_century",
            ),
        ),
    ]
