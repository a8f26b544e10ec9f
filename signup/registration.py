"""A new customer: user, account, membership, wallet and first token, all of them or none."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts import keys
from accounts.keys import Issued
from accounts.login import find_user
from accounts.models import Account, Membership, User
from common.errors import ApiError, InvalidRequest, ServiceUnavailable
from common.web import rate_limit
from credits import ledger
from mail import mode
from signup import names, verification

NAME_TAKEN = "This username is already taken"
EMAIL_TAKEN = "This e-mail address is already registered"
HOUR = 3600  # seconds


class RegistrationClosed(ApiError):
    """403: the operator has switched registration off."""

    status_code = 403
    default_code = "registration_closed"
    default_detail = "Registration is closed"


def register(username: str, email: str, password: str) -> Issued:
    """Make a customer from validated values and log them in.

    Raises RegistrationClosed, or InvalidRequest when the name or the e-mail is taken. Unique
    constraints decide that, so that only one of two at once gets it.
    """
    if not settings.REGISTRATION_OPEN:
        raise RegistrationClosed
    user = User(username=username, email=email)
    user.set_password(password)  # slow on purpose, therefore outside the transaction
    try:
        with transaction.atomic():
            account = open_account(user)
            return keys.issue_token(account, user)
    except IntegrityError as error:
        details = taken(username, email)
        if not details:
            raise
        raise InvalidRequest(next(iter(details.values())), details=details) from error


def is_open_here() -> bool:
    """Whether one can sign up on the console's pages, where a mail verifies the address."""
    return bool(settings.REGISTRATION_OPEN) and mode.can_send()


def register_by_email(email: str, password: str, address: str) -> User:
    """Make a customer from validated values, and mail them a code that verifies the address.

    The user name is made from the e-mail. ``address`` is the client's: its registrations of an hour
    are limited, here and by the API together. Raises RegistrationClosed, RateLimited, or
    InvalidRequest when the e-mail is taken.
    """
    if not is_open_here():
        raise RegistrationClosed
    count(address)
    hashed = make_password(password)  # slow on purpose, therefore outside the transaction
    for username in names.of_email(email):
        try:
            with transaction.atomic():
                user = User(username=username, email=email, password=hashed)
                open_account(user)
                verification.ask(user)
                return user
        except IntegrityError as error:
            details = taken(username, email)
            if "email" in details:
                raise InvalidRequest(EMAIL_TAKEN, details={"email": EMAIL_TAKEN}) from error
            if not details:
                raise
    raise ServiceUnavailable


def count(address: str) -> None:
    """Count one registration of the client's ``address``. Raises RateLimited."""
    limit: int = settings.RATE_LIMIT_REGISTRATIONS
    decision = rate_limit.hit("registrations", limit, HOUR, address)
    if not decision.allowed:
        raise rate_limit.too_many(decision)


def open_account(user: User) -> Account:
    """Store a new user with an account and an empty wallet. Belongs into a transaction."""
    user.save(force_insert=True)
    account = Account.objects.create(name=user.username)
    Membership.objects.create(user=user, account=account)
    ledger.open_wallet(account.pk)
    return account


def taken(username: str, email: str) -> dict[str, str]:
    """The faults, by field, of a name or an e-mail that somebody has, in whatever case."""
    details = {}
    if find_user(username) is not None:
        details["username"] = NAME_TAKEN
    if find_user(email) is not None:
        details["email"] = EMAIL_TAKEN
    return details
