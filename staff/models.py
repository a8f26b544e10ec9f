"""The audit log. A trigger refuses UPDATE, DELETE and TRUNCATE."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class AuditEntry(models.Model):
    """Who did what to which thing, and why. Only ``staff/audit.py`` writes here.

    The target is a type and an id, not a foreign key: an entry may outlive what it is about.
    """

    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    # NULL at the command line, and for a refused log-in with an unknown name
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    action = models.CharField(max_length=60, db_comment="a verb: suspend_account, log_in, ...")
    target_type = models.CharField(max_length=60, blank=True, db_comment="app.model")
    target_id = models.CharField(max_length=64, blank=True)
    account_id = models.UUIDField(null=True, db_comment="whose it is, where it is an account's")
    reason = models.CharField(max_length=500, blank=True)
    changes = models.JSONField(
        default=dict, encoder=DjangoJSONEncoder, db_comment="field: [before, after], or a fact"
    )
    request_id = models.CharField(max_length=100, blank=True, db_comment="as in the log")

    class Meta:
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)
        indexes = [
            # one index for each filter of the page, in the order of its list
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["account_id", "-id"], name="audit_by_account"),
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.action} {self.target_id}".rstrip()
