"""Who calls: people (User), tenants (Account), who belongs where (Membership), secrets (ApiKey)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Least, Lower, Now
from django.utils import timezone

TOKEN_LIFETIME = timedelta(days=30)  # from the last use, contract section 1
TOKEN_AGE = timedelta(days=90)  # from the log-in, however often it is used
MAX_RETENTION_DAYS = 36_500
LAST_USED_STEP = timedelta(minutes=5)  # how exact last_used_at is: at most 12 writes an hour a key


class User(AbstractUser):
    """A person. E-mail and user name are unique whatever their case.

    ``origin`` says how the row came to be. Anybody can register any e-mail address, so nothing is
    given to a user that registered because of the address alone (``staff/recipients.py``).
    """

    class Origin(models.TextChoices):
        REGISTERED = "registered"  # by themselves, through the API
        CREATE_ACCOUNT = "create_account"  # manage.py create_account
        CREATE_STAFF = "create_staff"  # manage.py create_staff
        ADD_USER = "add_user"  # a superuser, on the operators' page

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail", max_length=254)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # whoever forgets to say it makes the user that is trusted least
    origin = models.CharField(
        max_length=20,
        choices=Origin.choices,
        default=Origin.REGISTERED,
        db_default=Origin.REGISTERED,
        editable=False,
    )
    made_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_comment="who of the staff added this user",
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    origin__in=["registered", "create_account", "create_staff", "add_user"]
                ),
                name="user_origin_is_known",
            ),
            models.UniqueConstraint(Lower("email"), name="user_email_unique_whatever_the_case"),
            models.UniqueConstraint(Lower("username"), name="user_name_unique_whatever_the_case"),
        ]
        indexes = [
            # read by the operators' page of users, which are few among the customers
            models.Index(fields=["username"], condition=Q(is_staff=True), name="user_of_staff")
        ]

    _lost_password = False

    def check_password(self, raw_password: str | None) -> bool:
        """Django's; a hash that it makes anew never takes the place of another password's."""

        def renew(password: str) -> None:
            fresh = make_password(password)
            rows = User.objects.filter(pk=self.pk, password=self.password)
            if rows.update(password=fresh):
                self.password = fresh

        return check_password(raw_password, self.password, renew)

    def set_unusable_password(self) -> None:
        """Nobody logs in by a password any more; as with a new one, the tokens end."""
        super().set_unusable_password()
        self._lost_password = True

    def save(self, *args: Any, **named: Any) -> None:
        """A new password ends the login tokens of before, whoever sets it and wherever.

        Without a new one the password's hash is not written: it may have changed since it was read.
        """
        new = self._password is not None or self._lost_password  # type: ignore[attr-defined]  # not in the stubs
        known = not self._state.adding
        if known and not new and named.get("update_fields") is None:
            named["update_fields"] = self._fields_read() - {"password"}
        with transaction.atomic():
            super().save(*args, **named)
            if new and known:
                self._lost_password = False
                theirs = ApiKey.objects.filter(created_by=self, kind=ApiKey.Kind.TOKEN)
                theirs.filter(revoked_at=None).update(revoked_at=timezone.now())

    def _fields_read(self) -> set[str]:
        columns = {field.attname for field in self._meta.concrete_fields if not field.primary_key}
        return columns - self.get_deferred_fields()


class Account(models.Model):
    """The tenant: owns keys, the wallet and the generations. Never deleted, only suspended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=200, blank=True)
    # null = the setting RATE_LIMIT_…, so that a change of the setting reaches everybody else
    creates_per_minute = models.PositiveIntegerField(null=True, blank=True)
    reads_per_minute = models.PositiveIntegerField(null=True, blank=True)
    # likewise …_RETENTION_DAYS, counted from a generation's end; 0 = kept for ever
    output_retention_days = models.PositiveIntegerField(null=True, blank=True)
    prompt_retention_days = models.PositiveIntegerField(null=True, blank=True)
    # a key that makes and deletes keys: whoever steals one makes others without an end
    keys_manage_keys = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    members = models.ManyToManyField(User, through="Membership", related_name="accounts")

    class Meta:
        permissions = [
            ("suspend_account", "Can suspend and resume an account"),
            ("limit_account", "Can change the limits of an account"),
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


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None).filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        )

    def keys(self) -> ApiKeyQuerySet:
        """Those a customer made and sees, not login tokens."""
        return self.filter(kind=ApiKey.Kind.KEY)

    def tokens(self) -> ApiKeyQuerySet:
        """Those that a log-in gave."""
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
