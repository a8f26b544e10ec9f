"""A forgotten password: a link by mail, and a new password for whoever has the link.

Nobody learns whether an address is known. The same is done for each address, and rolled back where
it is nobody's; every answer takes the same time. Operators get no link (decision 95): a superuser
sets their password.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction

from accounts import keys, second_factor
from accounts.login import find_user
from accounts.models import ApiKey, User
from common import ids
from common.errors import NotFound
from common.web import rate_limit
from events import takeover
from mail import outbox
from mail.kinds import Kind
from signup import notices
from signup.links import LIVES, LinkOver

ANSWERED_AFTER = 0.3  # seconds; looking and writing take a tenth of it
MINUTE, HOUR = 60, 3600  # seconds
PER_ADDRESS, PER_EMAIL = 20, 5  # a minute
STRANGER = "nobody@example.invalid"
MAILS = 10  # an hour an e-mail; more questions get the same answer and no more mails

# Makes a link's full text from the person's id and a token.
MakeLink = Callable[[str, str], str]

_tokens = PasswordResetTokenGenerator()


def ask(email: str, address: str, link: MakeLink) -> None:
    """Send a link to the owner of ``email``, if there is one. Raises RateLimited.

    ``address`` is the client's. The answer says nothing, and takes the same time for each e-mail.
    """
    begun = time.monotonic()
    who = email.lower()
    for name, limit, seconds, key in (
        ("resets-of-address", PER_ADDRESS, MINUTE, address),
        ("resets-of-email", PER_EMAIL, MINUTE, who),
    ):
        decision = rate_limit.hit(name, limit, seconds, key)
        if not decision.allowed:
            raise rate_limit.too_many(decision)
    enough = not rate_limit.hit("reset-mails", MAILS, HOUR, who).allowed
    found = find_user(email) if "@" in email else None
    user = found if found is not None and may_reset(found) else None
    with transaction.atomic():
        _queue(user, link)
        if user is None or enough:
            transaction.set_rollback(True)
    time.sleep(max(0.0, begun + ANSWERED_AFTER - time.monotonic()))


def person_of(uid: str, token: str) -> User:
    """The person whose password the link may set. Raises LinkOver."""
    try:
        user = User.objects.filter(pk=ids.parse(uid)).first()
    except NotFound as error:
        raise LinkOver from error
    if user is None or not _fits(user, token):
        raise LinkOver
    return user


def set_password(uid: str, token: str, password: str) -> User:
    """Give the link's person a new ``password``, which is validated and canonical.

    The link, all sessions and all login tokens end; nobody is logged in. API keys and the second
    factor stay, unless the address was never proven: then a stranger may have signed up with it,
    and may have made them. Raises LinkOver, also for the later of two at once.
    """
    user = person_of(uid, token)
    user.set_password(password)  # slow on purpose, therefore outside the transaction
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not _fits(locked, token):
            raise LinkOver
        user.save(update_fields=["password"])
        if not (proven := locked.email_verified_at is not None):
            keys.revoke(ApiKey.objects.filter(created_by=locked))
            takeover.end_all_of(locked)
            second_factor.reset(locked)
        notices.password_changed(locked, keys_stay=proven)
    return user


def may_reset(user: User) -> bool:
    """Whether a mail is enough for a new password of this user."""
    return user.is_active and user.has_usable_password() and not user.is_staff


def _fits(user: User, token: str) -> bool:
    return may_reset(user) and _tokens.check_token(user, token)


def _queue(user: User | None, link: MakeLink) -> None:
    """Write the mail. For an unknown address it is the same, to a stranger who does not exist."""
    whose = user if user is not None else User(email=STRANGER)
    text = link(str(whose.pk), _tokens.make_token(whose))
    outbox.queue(Kind.RESET, whose.email, {"link": text}, user=user, lives=LIVES)
