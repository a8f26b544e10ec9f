"""The outbox: every mail that is to go out or went."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils import timezone

from accounts.models import User
from common import ids
from mail.kinds import Kind


class State(models.TextChoices):
    """What became of a mail."""

    QUEUED = "queued"
    SENT = "sent"  # a mail server took it, or the mailbox of emulated mode
    FAILED = "failed"  # refused, given up, or of no use any more


class Mail(models.Model):
    """One mail, written in the transaction of its cause and sent by a worker.

    Its id is the mail's ``Message-ID``. Text and HTML hold codes and links, so they go when it
    ends. In emulated mode no server gets the mail: it ends as ``emulated``, and its text stays
    until that mode is left.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    emulated = models.BooleanField(
        default=False, db_default=False, db_comment="ended in the mailbox, given to no server"
    )
    expires_at = models.DateTimeField(db_comment="of no use later, and not sent")

    next_attempt_at = models.DateTimeField(
        null=True, db_comment="when due; while claimed, when the lease ends"
    )
    lease_token = models.UUIDField(null=True)
    strikes = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="claims without a write-back"
    )
    tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="how often the server did not take it"
    )
    last_error = models.TextField(blank=True, db_default="", db_comment="for operators")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    sent_at = models.DateTimeField(null=True)

    claimed_at: datetime  # no column: a claim adds it, the database's time

    class Meta:
        indexes = [
            # read by work/due.py: tiny, since hardly any mail is due
            models.Index(
                fields=["state", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="mail_due",
            ),
            # read by the operators' page, the mailbox and the pruning
            models.Index(fields=["-created_at", "-id"], name="mail_newest"),
            # read by the operators' search
            models.Index(Lower("to"), name="mail_by_address"),
            # read when emulated mode was left: of a real service there are none
            models.Index(
                fields=["created_at"],
                condition=Q(emulated=True) & ~Q(text=""),
                name="mail_readable",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sent", "failed"]), name="mail_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="queued", next_attempt_at__isnull=False)
                | (~Q(state="queued") & Q(next_attempt_at__isnull=True)),
                name="mail_queued_iff_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="mail_sent_iff_it_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(last_error=""), name="mail_failed_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state="queued") | Q(emulated=True) | Q(text="", html=""),
                name="mail_ended_holds_no_text",
            ),
            models.CheckConstraint(
                condition=Q(emulated=False) | Q(state="sent"), name="mail_emulated_has_ended"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.id} ({self.state})"
