"""Trial credits: given when an address is verified for the first time, once for each mailbox."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.models import Membership, User
from common.web.client_address import networks
from credits import ledger
from credits.models import LedgerEntry
from signup import mailboxes
from signup.models import Trial

GIVEN_TO_AN_ADDRESS = 3  # a client address and UTC day; each wider IPv6 network twice as many
DESCRIPTION = "Trial credits"
# Registrations gave these before verifications did; old ledgers have them.
WELCOME = "Welcome credits"
ONCE = "ledger_reference_credits_once"

# Two gifts at once wait for each other's row lock, so the later one sees what the earlier one left.
# The day is the database's.
TAKE_FROM_DAY = """
    INSERT INTO signup_trialday AS today (day, granted)
    SELECT (now() AT TIME ZONE 'UTC')::date, %(amount)s WHERE %(amount)s <= %(limit)s
    ON CONFLICT (day) DO UPDATE SET granted = today.granted + excluded.granted
     WHERE today.granted + excluded.granted <= %(limit)s
    RETURNING day
"""
GIVEN_TO_NETWORK = """
    SELECT count(*) FROM signup_trial WHERE day = %(day)s AND address <<= %(network)s::inet
"""


class WhyNot(enum.Enum):
    """Why somebody got no trial credits."""

    NOT_OFFERED = "not offered"  # SIGNUP_CREDITS is 0
    VERIFIED_BEFORE = "verified before"
    NO_ACCOUNT = "no account"
    HAD_THEIRS = "had theirs"
    MAILBOX = "mailbox"  # its owner had theirs, by another address
    DISPOSABLE = "disposable"
    DAY = "day"  # all credits of the day are given
    ADDRESS = "address"  # several people of the client's address had theirs today


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many ``credits`` were given; if 0, ``why_not`` says why."""

    credits: int = 0
    why_not: WhyNot | None = None


class _NotGivenError(Exception):
    """Raised so that the transaction takes back what was counted for the day."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__(why.value)
        self.why = why


def give(user: User, client: str) -> Outcome:
    """Give trial credits to a person whose address was proven just now, if they may have them.

    ``client`` is a ``client_address``. Called in the transaction of the verification, which
    succeeds with or without credits.
    """
    amount: int = settings.SIGNUP_CREDITS
    if not amount:
        return Outcome(why_not=WhyNot.NOT_OFFERED)
    owned = Membership.objects.filter(user=user, role=Membership.Role.OWNER).order_by("pk").first()
    if owned is None:
        return Outcome(why_not=WhyNot.NO_ACCOUNT)
    account_id = owned.account_id
    if Trial.objects.filter(user=user).exists() or _was_welcomed(owned):
        return Outcome(why_not=WhyNot.HAD_THEIRS)
    if mailboxes.is_disposable(user.email):
        return Outcome(why_not=WhyNot.DISPOSABLE)
    reference = f"trial:{mailboxes.digest(user.email)}"
    if LedgerEntry.objects.filter(kind=LedgerEntry.Kind.GRANT, reference=reference).exists():
        return Outcome(why_not=WhyNot.MAILBOX)
    try:
        with transaction.atomic():
            _take_place(user, client, amount)
            ledger.grant(account_id, amount, description=DESCRIPTION, reference=reference)
    except _NotGivenError as error:
        return Outcome(why_not=error.why)
    except IntegrityError as error:  # another address of the mailbox was faster
        if ONCE not in str(error):
            raise
        return Outcome(why_not=WhyNot.MAILBOX)
    return Outcome(credits=amount)


def _take_place(user: User, client: str, amount: int) -> None:
    """Count the gift for the day, the client and the person. Raises _NotGivenError."""
    with connection.cursor() as cursor:
        limit: int = settings.TRIAL_CREDITS_PER_DAY
        cursor.execute(TAKE_FROM_DAY, {"amount": amount, "limit": limit})
        row = cursor.fetchone()
    if row is None:
        raise _NotGivenError(WhyNot.DAY)
    day: date = row[0]
    known = networks(client) if client != "unknown" else []
    for step, network in enumerate(known):
        if _given_to(day, network) >= GIVEN_TO_AN_ADDRESS << step:
            raise _NotGivenError(WhyNot.ADDRESS)
    if not known and _given_to_unknown(day) >= GIVEN_TO_AN_ADDRESS:
        raise _NotGivenError(WhyNot.ADDRESS)
    address = known[0].partition("/")[0] if known else None
    Trial.objects.create(user=user, day=day, address=address)


def _given_to(day: date, network: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(GIVEN_TO_NETWORK, {"day": day, "network": network})
        (given,) = cursor.fetchone()
    return int(given)


def _given_to_unknown(day: date) -> int:
    return Trial.objects.filter(day=day, address=None).count()


def _was_welcomed(owned: Membership) -> bool:
    """Whether the account got credits at its registration: its ledger begins with them."""
    first = LedgerEntry.objects.filter(wallet_id=owned.account_id, sequence=1)
    return first.filter(
        kind=LedgerEntry.Kind.GRANT, description=WELCOME, reference=None, created_by=None
    ).exists()
