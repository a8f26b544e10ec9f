"""What customers can buy."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class CreditPack(models.Model):
    """So many credits at one price. A change of the row never changes what was sold before."""

    name = models.SlugField(primary_key=True, max_length=50)
    credits = models.PositiveIntegerField()
    amount_minor = models.PositiveIntegerField(db_comment="in the currency's minor unit: cents")
    currency = models.CharField(max_length=3, default="usd", db_default="usd")
    enabled = models.BooleanField(default=True, db_default=True)
    position = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ("position", "name")
        constraints = [
            models.CheckConstraint(
                condition=Q(credits__gt=0) & Q(amount_minor__gt=0), name="pack_sells_for_something"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[a-z]{3}$"), name="pack_currency_is_a_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name
