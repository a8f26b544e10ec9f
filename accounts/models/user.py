"""People."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone


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
    # known to be theirs; trigger `user_changed_email_is_unverified`
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # the default is the origin that is trusted least
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
        """Django's check; a hash that it makes anew never replaces another password's."""

        def renew(password: str) -> None:
            fresh = make_password(password)
            rows = User.objects.filter(pk=self.pk, password=self.password)
            if rows.update(password=fresh):
                self.password = fresh

        return check_password(raw_password, self.password, renew)

    def set_unusable_password(self) -> None:
        """End log-ins by a password. The tokens end, too, as with a new password."""
        super().set_unusable_password()
        self._lost_password = True

    def save(self, *args: Any, **named: Any) -> None:
        """A new password ends all login tokens and console sessions, wherever it is set.

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
                theirs = self.api_keys.filter(kind="token")
                theirs.filter(revoked_at=None).update(revoked_at=timezone.now())
                self.console_sessions.all().delete()

    def _fields_read(self) -> set[str]:
        columns = {field.attname for field in self._meta.concrete_fields if not field.primary_key}
        return columns - self.get_deferred_fields()
