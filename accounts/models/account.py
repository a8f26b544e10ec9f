"""Tenants, and the people who belong to them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models.user import User

MAX_RETENTION_DAYS = 36_500


class Account(models.Model):
    """The tenant: owns keys, the wallet and the generations. Never deleted, only suspended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=200, blank=True)
    # after a dispute; a person lifts it
    payment_hold_at = models.DateTimeField(
        null=True, blank=True, editable=False, db_comment="from then on it may buy no credits"
    )
    payment_hold_reason = models.CharField(
        max_length=200, blank=True, db_default="", editable=False
    )
    # null = the setting RATE_LIMIT_…, so that a change of the setting reaches all other accounts
    creates_per_minute = models.PositiveIntegerField(null=True, blank=True)
    reads_per_minute = models.PositiveIntegerField(null=True, blank=True)
    # likewise …_RETENTION_DAYS, counted from a generation's end; 0 = kept for ever
    output_retention_days = models.PositiveIntegerField(null=True, blank=True)
    prompt_retention_days = models.PositiveIntegerField(null=True, blank=True)
    # may keys make and delete keys? A thief of one could make others without an end.
    keys_manage_keys = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        permissions = [
            ("suspend_account", "Can suspend and resume an account"),
            ("limit_account", "Can change the limits of an account"),
            ("verify_email", "Can mark an e-mail address as verified"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(output_retention_days__lte=MAX_RETENTION_DAYS),
                name="account_output_retention_at_most_a_century",
            ),
            models.CheckConstraint(
                condition=Q(prompt_retention_days__lte=MAX_RETENTION_DAYS),
                name="account_prompt_retention_at_most_a_century",
            ),
        ]
        indexes = [
            # both are read by the operators' page
            models.Index(fields=["-created_at", "-id"], name="account_newest"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(suspended_at__isnull=False),
                name="account_suspended",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's place in an account."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="member_once_an_account"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "member"]), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account} as {self.role}"
