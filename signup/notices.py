"""Mails that tell somebody of a change, each in the transaction of the change itself."""

from __future__ import annotations

from django.utils.functional import Promise

from accounts.models import User
from mail import outbox
from mail.kinds import Kind


def password_changed(person: User, *, keys_stay: bool = True) -> None:
    said = {"keys_stay": "yes"} if keys_stay else {}
    outbox.queue(Kind.PASSWORD_CHANGED, person.email, said, user=person)


def email_changed(person: User, old: str) -> None:
    """To the ``old`` address; ``person`` has the new one already."""
    outbox.queue(Kind.EMAIL_CHANGED, old, {"new_email": person.email}, user=person)


def second_factor_changed(person: User, change: Promise) -> None:
    outbox.queue(Kind.SECOND_FACTOR_CHANGED, person.email, {"change": str(change)}, user=person)
