"""Proving that an e-mail address is one's own, by a code that was sent there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from common.errors import InvalidRequest, ServiceUnavailable
from mail import mode, outbox
from mail.kinds import Kind
from signup import codes, trial
from signup.models import EmailCode
from signup.trial import Outcome, WhyNot

VERIFY = EmailCode.Purpose.VERIFY


class CodeRefused(InvalidRequest):
    """400: what was typed is not the code, or the code is over."""

    def __init__(self, message: str) -> None:
        super().__init__(message, details={"code": message})


class NoMail(ServiceUnavailable):
    """503: there is no way to send mail, so no code can be sent."""

    default_detail = "No e-mail can be sent from here at the moment"


@dataclass(frozen=True, slots=True)
class Verified:
    """The address is proven; ``trial`` says what came of the trial credits."""

    trial: Outcome


def ask(user: User) -> bool:
    """Mail a fresh code to the user's address; the former one ends.

    False when the address is verified already. Raises RateLimited (one in 30 seconds, five an
    hour) or NoMail.
    """
    if not mode.can_send():
        raise NoMail
    with transaction.atomic():
        row = _locked(user)
        if row.email_verified_at is not None:
            return False
        code = codes.make(row, VERIFY, row.email)
        outbox.queue(Kind.VERIFY, row.email, {"code": code}, user=row, lives=codes.LIVES)
    return True


def is_on_its_way(user: User) -> bool:
    """Whether the person has a code that may still be typed."""
    return codes.works(codes.live(user, VERIFY))


def verify(user: User, code: str, address: str) -> Verified:
    """Take ``code`` as proof of the user's address, and give them their trial credits.

    ``address`` is the client's. A verified address stays verified, whatever is typed.
    Raises CodeRefused. A wrong code counts as one of five tries.
    """
    typed = codes.typed(code)
    with transaction.atomic():
        row = _locked(user)
        if row.email_verified_at is not None:
            return Verified(Outcome(why_not=WhyNot.VERIFIED_BEFORE))
        if typed is None:
            raise CodeRefused(_("Type the 6 digits of the e-mail"))
        sent = codes.live(row, VERIFY)
        if sent is None or sent.address != row.email:
            raise CodeRefused(_over())
        left = codes.compare(sent, typed)
        if left is None:
            return Verified(_proven(row, address))
    raise CodeRefused(_left(left))  # outside: the try is committed


def _proven(row: User, client: str) -> Outcome:
    row.email_verified_at = timezone.now()
    row.save(update_fields=["email_verified_at"])
    return trial.give(row, client)


def _locked(user: User) -> User:
    """The user's row, locked. Everybody locks it before its codes."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _left(left: int) -> str:
    if not left:
        return _over()
    sentence = ngettext(
        "This code is wrong, %(left)d try is left",
        "This code is wrong, %(left)d tries are left",
        left,
    )
    return sentence % {"left": left}


def _over() -> str:
    return _("This code does not work any more, send a new one")
