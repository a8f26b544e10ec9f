"""Codes sent to an address, and the trial credits that were given."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from common import ids

MOST_TRIES = 5


class EmailCode(models.Model):
    """Six digits that were mailed to an address. The reader of that mailbox types them.

    ``digest`` is keyed and covers the row's id: a bare hash of six digits is found in a second.
    Rows that are over show how often a person has asked; ``signup/codes.py`` deletes old rows.
    """

    class Purpose(models.TextChoices):
        VERIFY = "verify"  # the address that the person has
        CHANGE = "change"  # another one that the person wants

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="email_codes")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    address = models.EmailField(max_length=254)
    digest = models.BinaryField(max_length=32)
    tries = models.SmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True, db_comment="when the next one was sent")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=["verify", "change"]), name="email_code_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(tries__gte=0, tries__lte=MOST_TRIES),
                name="email_code_at_most_five_tries",
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(replaced_at=None),
                name="email_code_used_or_replaced",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="email_code_lives_for_a_while"
            ),
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=Q(used_at=None, replaced_at=None),
                name="email_code_one_live_a_purpose",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.address}"


class TrialDay(models.Model):
    """How many trial credits a UTC day has given. All gifts of a day queue for its row's lock."""

    day = models.DateField(primary_key=True)
    granted = models.BigIntegerField(db_comment="credits")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(granted__gte=0), name="trial_day_granted_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.granted} credits on {self.day}"


class Trial(models.Model):
    """That a person got trial credits, once. The entry is in the ledger (``trial:…``)."""

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, primary_key=True, related_name="trial"
    )
    day = models.DateField(db_index=True, db_comment="of UTC")
    # null where it cannot be known: behind a nameless socket
    address = models.GenericIPAddressField(
        null=True, db_comment="the client's; of IPv6 the /64 network"
    )

    def __str__(self) -> str:
        return f"{self.user} on {self.day}"
