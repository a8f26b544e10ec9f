"""API keys and login tokens."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least, Now
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.user import User

TOKEN_LIFETIME = timedelta(days=30)  # from the last use, contract section 1
TOKEN_AGE = timedelta(days=90)  # from the log-in, however often it is used
LAST_USED_STEP = timedelta(minutes=5)  # how exact last_used_at is: at most 12 writes an hour a key


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None).filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        )

    def keys(self) -> ApiKeyQuerySet:
        """The API keys, which customers make and see; no login tokens."""
        return self.filter(kind=ApiKey.Kind.KEY)

    def tokens(self) -> ApiKeyQuerySet:
        """The login tokens, which log-ins gave."""
        return self.filter(kind=ApiKey.Kind.TOKEN)


class ApiKey(models.Model):
    """A secret: an API key (made by the customer, shown once) or a login token."""

    class Kind(models.TextChoices):
        KEY = "key"
        TOKEN = "token"  # noqa: S105 - a kind of secret, not a secret

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.KEY)
    name = models.CharField(max_length=100, blank=True)
    digest = models.BinaryField(max_length=32, db_comment="SHA-256 of the secret, never the secret")
    preview = models.CharField(max_length=16)
    scopes = models.JSONField(default=list, blank=True, db_comment="empty = all")
    spend_limit = models.PositiveBigIntegerField(null=True, blank=True, db_comment="credits")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[ApiKey]] = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="api_key_digest_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=["key", "token"]), name="api_key_kind_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "kind", "created_at"], name="api_key_by_account"),
            # both are read by the operators' pages
            models.Index(fields=["-created_at", "-id"], name="api_key_newest"),
            models.Index(
                fields=["preview"], opclasses=["varchar_pattern_ops"], name="api_key_by_preview"
            ),
            # read by what deletes those that ended
            models.Index(
                fields=["expires_at"], condition=Q(kind="token"), name="api_key_token_by_end"
            ),
        ]
        verbose_name = "API key"
        permissions = [("revoke_apikey", "Can revoke an API key or a login token")]

    def __str__(self) -> str:
        return self.preview

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired, by this machine's clock."""
        if self.revoked_at is not None:
            return False
        return self.expires_at is None or self.expires_at > timezone.now()

    def mark_used(self, now: datetime) -> None:
        """Remember the use, at most once in LAST_USED_STEP.

        A login token lives on from here, but no longer than TOKEN_AGE in all.
        """
        if self.last_used_at is not None and now - self.last_used_at < LAST_USED_STEP:
            return
        fields: dict[str, Any] = {"last_used_at": now}
        if self.kind == self.Kind.TOKEN:
            fields["expires_at"] = Least(now + TOKEN_LIFETIME, F("created_at") + TOKEN_AGE)
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP), pk=self.pk
        ).update(**fields)
