"""Who an account is at Stripe."""

from __future__ import annotations

from django.db import models

from accounts.models import Account


class BillingProfile(models.Model):
    """Stripe's customer of an account, one in each mode."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="billing_profiles", db_index=False
    )
    livemode = models.BooleanField()
    customer_id = models.CharField(max_length=100, null=True, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "livemode"], name="billing_profile_once_a_mode"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} of {self.account_id}"
