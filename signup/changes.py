"""What people change about their way in: password, e-mail address, second factor.

Each change writes a mail to its owner in the same transaction. Operators are refused here: their
own pages ask for the second factor and write the audit log.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import login, second_factor
from accounts.login import find_user
from accounts.models import User
from common import ids
from common.errors import ApiError, InvalidCredentials, InvalidRequest, NotFound
from common.web import rate_limit
from mail import outbox
from mail.kinds import Kind
from signup import notices, step_up, trial
from signup.links import LIVES, LinkOver
from signup.registration import EMAIL_TAKEN

HOUR = 3600  # seconds
PER_PERSON, PER_NEW_ADDRESS = 5, 5  # changes of an address that may be asked for in an hour
SALT = "signup.changes.email"
UNIQUE = "user_email_unique_whatever_the_case"
MOST_ENROLMENTS = 5  # keys that a person was shown and has not confirmed

# What the mail says.
TURNED_ON = gettext_lazy("It was turned on: the next log-in asks for a code.")
TURNED_OFF = gettext_lazy("It was turned off: a password is enough to log in.")
NEW_CODES = gettext_lazy("New recovery codes were made. The old ones do not work any more.")


class AtTheOperators(ApiError):
    """403: one of the staff, whose way in is changed elsewhere."""

    status_code = 403
    default_code = "permission_denied"
    default_detail = "Operators change their way in on the operators' pages"


def change_password(user: User, current: str, new: str, address: str) -> User:
    """Give the person a ``new`` password, which is validated and canonical; return the new row.

    All sessions and login tokens end; API keys go on. Raises InvalidCredentials and RateLimited,
    as a log-in does, and AtTheOperators.
    """
    person = _person(user)
    login.check_again(step_up.DOOR, person, current, address)
    before = person.password
    person.set_password(new)  # slow on purpose, therefore outside the transaction
    with transaction.atomic():
        login.hold(person, before)
        person.save(update_fields=["password"])
        notices.password_changed(person)
    return person


def ask_for_email(user: User, new: str, link: Callable[[str], str]) -> None:
    """Send a link to the ``new`` address, which is valid. Nothing changes before the link is used.

    ``link`` turns a token into the link's text. Raises RateLimited, AtTheOperators, and
    InvalidRequest for an address that somebody has already.
    """
    person = _person(user)
    for name, limit, key in (
        ("email-changes", PER_PERSON, str(person.pk)),
        ("email-changes-to", PER_NEW_ADDRESS, new.lower()),
    ):
        decision = rate_limit.hit(name, limit, HOUR, key)
        if not decision.allowed:
            raise rate_limit.too_many(decision)
    if find_user(new) is not None:
        raise _taken()
    token = signing.dumps({"user": str(person.pk), "new": new, "of": _state(person)}, salt=SALT)
    with transaction.atomic():
        outbox.queue(Kind.EMAIL_CONFIRM, new, {"link": link(token)}, user=person, lives=LIVES)


def new_email_of(token: str) -> str:
    """The address that a link would set. Raises LinkOver."""
    user_id, new, state = _read(token)
    person = User.objects.filter(pk=user_id).first()
    if person is None or not _fits(person, state):
        raise LinkOver
    return new


def confirm_email(token: str, address: str) -> User:
    """Give the link's person the new address, and tell the old one. The link proves the new one.

    Of two uses at once the later one raises LinkOver. Raises InvalidRequest if somebody else has
    taken the address meanwhile: the constraint decides.
    """
    user_id, new, state = _read(token)
    try:
        with transaction.atomic():
            person = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
            if person is None or not _fits(person, state):
                raise LinkOver
            old, first = person.email, person.email_verified_at is None
            person.email, person.email_verified_at = new, timezone.now()
            person.save(update_fields=["email", "email_verified_at"])
            notices.email_changed(person, old)
            if first:
                trial.give(person, address)
    except IntegrityError as error:
        if UNIQUE not in str(error):
            raise
        raise _taken() from error
    return person


def begin_second_factor(user: User, shown: object) -> TOTPDevice:
    """The unconfirmed key that this browser was ``shown``, if it still exists; else a new one."""
    person = _person(user)
    waiting = TOTPDevice.objects.filter(user=person, confirmed=False)
    device = waiting.filter(pk=shown).first() if isinstance(shown, int) else None
    if device is None:
        device = second_factor.begin_enrolment(person)
        kept = waiting.order_by("-pk").values("pk")[:MOST_ENROLMENTS]
        waiting.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return device


def turn_on_second_factor(user: User, device: TOTPDevice, code: str, address: str) -> None:
    """Make the app the person's second factor.

    Raises InvalidCredentials for a wrong ``code``, RateLimited or AtTheOperators.
    """
    person = _person(user)

    def confirm() -> list[str] | None:
        with transaction.atomic():
            codes = second_factor.confirm(person, device, code)
            if codes is not None:
                notices.second_factor_changed(person, TURNED_ON)
        return codes

    if step_up.guess_code(person, address, confirm) is None:
        raise InvalidCredentials


def turn_off_second_factor(user: User) -> None:
    """From the next log-in on the password is enough. Raises AtTheOperators."""
    person = _person(user)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        had_one = second_factor.has_one(person)
        second_factor.reset(person)
        if had_one:
            notices.second_factor_changed(person, TURNED_OFF)


def new_recovery_codes(user: User, *, tell: bool = True) -> list[str]:
    """Ten codes in place of older ones; ``tell`` is whether a mail says so.

    Raises AtTheOperators, and NotFound without an app.
    """
    person = _person(user)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if not second_factor.has_one(person):
            raise NotFound
        codes = second_factor.new_recovery_codes(person)
        if tell:
            notices.second_factor_changed(person, NEW_CODES)
    return codes


def rename(user: User, name: str) -> None:
    """Change what the person is called. The name to log in with stays as it is."""
    User.objects.filter(pk=user.pk).update(first_name=name)


def refuse_operators(user: User) -> None:
    """Raises AtTheOperators for staff, before a page is shown that they cannot use."""
    if user.is_staff:
        raise AtTheOperators


def _person(user: User) -> User:
    """The row as it is now. Raises AtTheOperators for one of the staff."""
    person = User.objects.get(pk=user.pk)
    refuse_operators(person)
    return person


def _taken() -> InvalidRequest:
    return InvalidRequest(EMAIL_TAKEN, details={"email": EMAIL_TAKEN})


def _read(token: str) -> tuple[uuid.UUID, str, str]:
    """The person's id, the new address, and the state at the time. Raises LinkOver."""
    try:
        said = signing.loads(token, salt=SALT, max_age=LIVES)
        return ids.parse(said["user"]), said["new"], said["of"]
    except signing.BadSignature as error:
        raise LinkOver from error


def _fits(person: User, state: str) -> bool:
    return person.is_active and not person.is_staff and _state(person) == state


def _state(person: User) -> str:
    """A digest that differs after each change of address or password: it ends all earlier links.

    It also differs after a return to an old address, whose proof then has another time.
    """
    proven: datetime | None = person.email_verified_at
    facts = (str(person.pk), person.password, person.email, proven.isoformat() if proven else "")
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32]
