"""The secrets that sign deliveries, to an endpoint or to the ``webhook_url`` of an order."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from common import sealing
from common.times import with_z
from events.models import DefaultSecret
from events.models.endpoint import Signer
from webhooks import signing
from webhooks.refusals import RotationInProgress

HINT = 4  # characters
KEEP_HOURS, MOST_HOURS = 24, 168  # how long the old secret signs, too, after a rotation
TIMED = {"now": Now()}  # as a keyword, mypy would take it for a second field of that name
COLUMNS = ("secret", "secret_hint", "previous_secret", "previous_secret_expires_at")


@dataclass(frozen=True, slots=True)
class Made:
    """A new secret, as it is shown once, as it is stored, and its last characters."""

    secret: str
    sealed: str
    hint: str


def make() -> Made:
    secret = signing.new_secret()
    return Made(secret, sealing.seal(secret), secret[-HINT:])


def valid_secrets(signer: Signer, now: datetime) -> list[str]:
    """The secrets that sign at ``now``, the newest first.

    Raises DoesNotOpenError even if only one of two does not open: a receiver that knows just that
    one would refuse the delivery.
    """
    valid = [signer.secret]
    if signer.previous_secret is not None and two_are_valid(signer, now):
        valid.append(signer.previous_secret)
    return [sealing.open_sealed(each) for each in valid]


def two_are_valid(signer: Signer, now: datetime) -> bool:
    """Whether the predecessor still signs at ``now``."""
    return previous_ends_at(signer, now) is not None


def previous_ends_at(signer: Signer, now: datetime) -> datetime | None:
    """When the predecessor ends; None if there is none or it has ended."""
    ends = signer.previous_secret_expires_at
    return ends if ends is not None and ends > now else None


def rotate(signer: Signer, now: datetime, keep_hours: int = KEEP_HOURS, force: bool = False) -> str:
    """Give ``signer`` a new secret and return it. The caller locks the row, and saves its COLUMNS.

    The old one signs, too, for ``keep_hours``. While two are valid, raises RotationInProgress; with
    ``force`` the older one ends at once instead.
    """
    ends = previous_ends_at(signer, now)
    if ends is not None and not force:
        raise RotationInProgress(extra={"previous_secret_expires_at": with_z(ends)})
    signer.previous_secret = signer.previous_secret_expires_at = None
    if keep_hours and _opens(signer.secret):
        signer.previous_secret = signer.secret
        signer.previous_secret_expires_at = now + timedelta(hours=keep_hours)
    made = make()
    signer.secret, signer.secret_hint = made.sealed, made.hint
    return made.secret


def default_of(account_id: uuid.UUID) -> DefaultSecret:
    """The account's default secret, with the database's time as ``now``.

    It is made when it is first needed. Two calls at once get the same one.
    """
    rows = DefaultSecret.objects.annotate(**TIMED)
    found = rows.filter(pk=account_id).first()
    if found is None:
        made = make()
        new = DefaultSecret(account_id=account_id, secret=made.sealed, secret_hint=made.hint)
        DefaultSecret.objects.bulk_create([new], ignore_conflicts=True)
        found = rows.get(pk=account_id)
    return found


def rotate_default(
    account_id: uuid.UUID, keep_hours: int = KEEP_HOURS, force: bool = False
) -> tuple[DefaultSecret, str]:
    """Give the account a new default secret; return row and secret. Raises RotationInProgress."""
    default_of(account_id)
    with transaction.atomic():
        rows = DefaultSecret.objects.select_for_update(no_key=True)
        row = rows.annotate(**TIMED).get(pk=account_id)
        secret = rotate(row, row.now, keep_hours, force)
        row.save(update_fields=COLUMNS)
    return row, secret


def _opens(sealed: str) -> bool:
    """Whether a key of ours opens it. A secret that none opens would make every attempt fail."""
    try:
        sealing.open_sealed(sealed)
    except sealing.DoesNotOpenError:
        return False
    return True
