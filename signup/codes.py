"""Six digits by mail: made, kept as a keyed digest, compared five times at most."""

from __future__ import annotations

import math
import re
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from common.errors import RateLimited
from signup.models import MOST_TRIES, EmailCode

LIVES = timedelta(minutes=15)
BETWEEN = timedelta(seconds=30)  # two codes for the same purpose
HOUR = timedelta(hours=1)
MOST_AN_HOUR = 5
KEPT = timedelta(days=1)
SOON = 90  # seconds; a longer wait is told in minutes
DIGITS = re.compile(r"[0-9]{6}")
SALT = "signup.codes"
# One statement counts the try and compares, so that of many at once only five are compared.
TRY = """
    UPDATE signup_emailcode
       SET tries = tries + 1, used_at = CASE WHEN digest = ANY(%(digests)s) THEN now() END
     WHERE id = %(id)s AND used_at IS NULL AND replaced_at IS NULL
       AND tries < %(most)s AND expires_at > now()
    RETURNING used_at IS NOT NULL, tries
"""


def make(user: User, purpose: EmailCode.Purpose, address: str) -> str:
    """Make a new code for the purpose, and end the former one. Raises RateLimited.

    The caller's transaction has locked the user's row, so that the limits are exact.
    """
    theirs = EmailCode.objects.filter(user=user, purpose=purpose)
    wait = _wait(theirs.filter(created_at__gt=Now() - HOUR))
    if wait > timedelta():
        raise _too_soon(wait)
    theirs.filter(created_at__lt=Now() - KEPT).delete()
    theirs.filter(used_at=None, replaced_at=None).update(replaced_at=Now())
    code = f"{secrets.randbelow(10**6):06}"
    row = EmailCode(user=user, purpose=purpose, address=address, expires_at=Now() + LIVES)
    row.digest = _digest(row, code, settings.SECRET_KEY)
    row.save(force_insert=True)
    return code


def live(user: User, purpose: EmailCode.Purpose) -> EmailCode | None:
    """The newest code, unless it was used; it may have expired."""
    rows = EmailCode.objects.filter(user=user, purpose=purpose, used_at=None, replaced_at=None)
    return rows.first()


def works(row: EmailCode | None) -> bool:
    """Whether it may still be typed."""
    return row is not None and row.tries < MOST_TRIES and row.expires_at > timezone.now()


def compare(row: EmailCode, code: str) -> int | None:
    """Use one try. None: the code is right, and used up. Else how many tries are left.

    0 are left of a code that has expired or was tried too often. The try counts once the
    transaction is committed.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = [_digest(row, code, key) for key in keys]
    values: dict[str, Any] = {"digests": digests, "id": row.pk, "most": MOST_TRIES}
    with connection.cursor() as cursor:
        cursor.execute(TRY, values)
        found = cursor.fetchone()
    if found is None:
        return 0
    fits, tries = found
    return None if fits else MOST_TRIES - int(tries)


def typed(text: str) -> str | None:
    """The six digits of what somebody typed or pasted; None for anything else."""
    code = "".join(text[:100].split()).replace("-", "")
    return code if DIGITS.fullmatch(code) else None


def _digest(row: EmailCode, code: str, key: str) -> bytes:
    return salted_hmac(SALT, f"{row.pk}:{code}", secret=key, algorithm="sha256").digest()


def _wait(rows: QuerySet[EmailCode]) -> timedelta:
    """How long until one more may be sent. ``rows`` are those of the last hour.

    An age may be below 0: another request may have made a row after our transaction began.
    """
    age = ExpressionWrapper(Now() - F("created_at"), DurationField())
    ages = list(rows.annotate(age=age).order_by("age").values_list("age", flat=True)[:MOST_AN_HOUR])
    waits = [BETWEEN - ages[0]] if ages else []
    if len(ages) == MOST_AN_HOUR:
        waits.append(HOUR - ages[-1])
    return max(waits, default=timedelta())


def _too_soon(wait: timedelta) -> RateLimited:
    seconds = math.ceil(wait.total_seconds())
    minutes = math.ceil(seconds / 60)
    if seconds <= SOON:
        sentence = ngettext(
            "A code was sent already, try again in %(count)d second",
            "A code was sent already, try again in %(count)d seconds",
            seconds,
        ) % {"count": seconds}
    else:
        sentence = _("A code was sent already, try again in %(count)d minutes") % {"count": minutes}
    return RateLimited(sentence, headers={"Retry-After": str(seconds)})
