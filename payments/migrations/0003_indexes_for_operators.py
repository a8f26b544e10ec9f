from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

TO_ANSWER = ("needs_response", "warning_needs_response", "appeal_needs_response")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("payments", "0002_guards")]

    operations = [
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                condition=Q(state="mismatch"),
                fields=["-created_at", "-id"],
                name="payment_mismatched",
            ),
        ),
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                condition=Q(livemode=False),
                fields=["-created_at", "-id"],
                name="payment_of_test_mode",
            ),
        ),
        AddIndexConcurrently(
            model_name="reversal",
            index=models.Index(fields=["-created_at", "-id"], name="reversal_newest"),
        ),
        AddIndexConcurrently(
            model_name="reversal",
            index=models.Index(
                condition=Q(kind="dispute"),
                fields=["-created_at", "-id"],
                name="reversal_disputes",
            ),
        ),
        AddIndexConcurrently(
            model_name="reversal",
            index=models.Index(
                condition=Q(kind="dispute", status__in=TO_ANSWER),
                fields=["due_by"],
                name="dispute_to_answer",
            ),
        ),
    ]
