"""A name and a password for a login token; guessing is slowed down."""

from __future__ import annotations

import functools
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.dispatch import Signal

from accounts import guesses, keys
from accounts.keys import Issued
from accounts.models import Account, ApiKey, User
from common.errors import AccountSuspended, ApiError, InvalidCredentials

MAX_IDENTITY = 254  # characters: an e-mail's, RFC 5321 with the erratum 1690 of RFC 3696
MAX_FOLDED = 600  # characters

REFUSED_LOG_IN = "refuse_log_in"
REFUSED_OWN_PASSWORD = "refuse_own_password"  # noqa: S105 - an action
# Sent for each guess that was looked at and refused, by whatever door: ``action`` (one of the two
# above), ``user`` (None for a name that is nobody's), ``door``, ``reason`` and ``address``.
refused = Signal()


class NoAccount(ApiError):
    """403: an operator without an account has nothing to call the API for."""

    status_code = 403
    default_code = "permission_denied"
    default_detail = "This user belongs to no account"


@dataclass(frozen=True, slots=True)
class Door:
    """A way in by name and password: its name for the audit log, and whom it is for.

    A user whom it does not admit gets the same answer for a right password as for a wrong one.
    """

    name: str
    admits: Callable[[User], bool]
    otherwise: str  # why the right password of a user whom it does not admit is refused


API = Door("api", lambda user: user.memberships.exists(), "belongs to no account")


def log_in(identity: str, password: str, address: str) -> Issued:
    """Issue a token to the owner of ``identity`` (a user name or an e-mail) and ``password``.

    Raises InvalidCredentials, RateLimited or AccountSuspended.
    """
    user = check(API, identity, password, address)
    account = account_of(user)
    with transaction.atomic():
        hold(user, user.password)
        return keys.issue_token(account, user)


def change_password(
    token: ApiKey, current: str, new: str, address: str, notify: Callable[[User], object]
) -> Issued:
    """Give the token's user a ``new`` password, end all their tokens and issue a fresh one.

    ``new`` is validated and canonical; ``notify`` is called in the change's transaction. Raises
    InvalidCredentials or RateLimited, as a log-in does.
    """
    user = User.objects.get(pk=token.created_by_id)
    check_again(API.name, user, current, address)
    before = user.password
    user.set_password(new)  # slow on purpose, therefore outside the transaction
    with transaction.atomic():
        hold(user, before)
        user.save(update_fields=["password"])
        notify(user)
        return keys.issue_token(token.account, user)


def hold(user: User, password: str) -> None:
    """Lock the user's row if it still has this hash; else raises InvalidCredentials.

    Without the lock a racing log-in would leave a token that the change does not end. A second
    change with the old password would undo the first.
    """
    rows = User.objects.select_for_update(no_key=True)
    if rows.filter(pk=user.pk, password=password, is_active=True).first() is None:
        raise InvalidCredentials


def check(door: Door, identity: str, password: str, address: str) -> User:
    """The user of ``identity`` and ``password``. Raises InvalidCredentials or RateLimited.

    Each failure costs the same, for whatever reason: time, places and an entry of the audit log.
    """
    guesses.refuse_crowd(guesses.PASSWORDS, address)
    user = find_user(identity)
    person = str(user.pk) if user is not None else fold(identity).lower()
    guesses.take_place(guesses.PASSWORDS, person, address)
    admitted = user is not None and door.admits(user)
    if not _fits(user, password) or user is None:
        reason = "wrong name or password"
    elif not admitted:
        reason = door.otherwise
    else:
        guesses.succeeded(guesses.PASSWORDS, person, address)
        return user
    _tell(REFUSED_LOG_IN, user, door.name, reason, address)
    guesses.failed(guesses.PASSWORDS, person, address)
    raise InvalidCredentials


def check_again(door: str, user: User, password: str, address: str) -> None:
    """Check the password of a user who is logged in already, as before it is changed.

    Limits and entries are those of a log-in. Raises InvalidCredentials or RateLimited.
    """
    guesses.refuse_crowd(guesses.PASSWORDS, address)
    guesses.take_place(guesses.PASSWORDS, str(user.pk), address)
    if user.check_password(password):
        guesses.succeeded(guesses.PASSWORDS, str(user.pk), address)
        return
    _tell(REFUSED_OWN_PASSWORD, user, door, "wrong password", address)
    guesses.failed(guesses.PASSWORDS, str(user.pk), address)
    raise InvalidCredentials


def account_of(user: User) -> Account:
    """The user's first account. Raises NoAccount or AccountSuspended."""
    membership = user.memberships.select_related("account").order_by("pk").first()
    if membership is None:
        raise NoAccount
    if membership.account.suspended_at is not None:
        raise AccountSuspended
    return membership.account


def find_user(identity: str) -> User | None:
    """The user of this name, or of this e-mail if there is an ``@`` in it, in whatever case."""
    if len(identity) > MAX_IDENTITY:
        return None
    field = "email" if "@" in identity else "username"
    wanted = Lower(Value(fold(identity) if field == "username" else identity))
    return User.objects.alias(folded=Lower(field)).filter(folded=wanted).first()


def fold(username: str) -> str:
    """The one spelling of a name that can be typed in several (NFKC, as Django stores names).

    Raises ValueError for more than MAX_FOLDED characters, before anything is done with them:
    CPython orders a run of combining marks in the square of its length.
    """
    if len(username) > MAX_FOLDED:
        raise ValueError(f"A name of more than {MAX_FOLDED} characters is not folded")
    return unicodedata.normalize("NFKC", username)


def _tell(action: str, user: User | None, door: str, reason: str, address: str) -> None:
    refused.send(Door, action=action, user=user, door=door, reason=reason, address=address)


def _fits(user: User | None, password: str) -> bool:
    """Whether the password fits. Without a user it takes as long, so that time tells nothing."""
    known = user if user is not None and user.has_usable_password() else _stand_in()
    return known.check_password(password) and known.is_active


@functools.cache
def _stand_in() -> User:
    """A user with a password that nobody knows."""
    return User(password=make_password(secrets.token_urlsafe()), is_active=False)
