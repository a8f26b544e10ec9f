"""The user that an e-mail address names, for commands that give something.

Anybody may register with anybody's address. So an address alone finds only users that one of us
made. A user who registered has to be named by an id as well, after a look at who it is.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from accounts import keys, login, second_factor
from accounts.login import find_user
from accounts.models import Account, ApiKey, Membership, User
from accounts.passwords import canonical
from common import ids
from common.errors import AccountSuspended, NotFound
from events import takeover
from staff import audit

PASSWORD_BYTES = 15  # 20 characters
CREATED = User.Origin.CREATE_ACCOUNT
ANYBODY = "Anybody can register any address, so the address alone proves nothing."


class Refused(Exception):
    """Nothing was given. The message is for the person who typed the command."""


def account_of(email: str, account_id: str | None) -> tuple[Account, User] | None:
    """The account that ``email`` means, and its user; None for an unknown address.

    ``account_id`` names one of that user's accounts. Raises Refused for any other id, and for an
    account that was registered and not named by id. Raises NoAccount or AccountSuspended.
    """
    user = find_user(email) if "@" in email else None
    if user is None:
        if account_id is not None:
            raise Refused(f"Nobody has the e-mail {email}, so {account_id} is not their account")
        return None
    mine = Membership.objects.filter(user=user).select_related("account").order_by("pk")
    if account_id is not None:
        named = mine.filter(account_id=_parsed(account_id)).first()
        if named is None:
            raise Refused(f"{account_id} is no account of {email}. {who_is(user)}")
        if named.account.suspended_at is not None:
            raise AccountSuspended
        return named.account, user
    first = mine.first()
    if first is not None and _somebody_registered(first.account):
        raise Refused(
            f"{who_is(user)} {ANYBODY} If it is who you mean, say so with --account"
            f" {first.account_id}"
        )
    return login.account_of(user), user


def staff_of(email: str, user_id: str | None) -> User | None:
    """The member of staff that ``email`` means; None for an unknown address.

    A user who is not on the staff yet, or who has an account, has to be named by ``user_id``.
    Raises Refused if it is missing or another user's.
    """
    user = find_user(email)
    if user_id is not None:
        if user is None or user.pk != _parsed(user_id):
            whose = who_is(user) if user is not None else "Nobody has that address."
            raise Refused(f"{user_id} is not the user of {email}. {whose}")
        return user
    if user is not None and (not user.is_staff or user.memberships.exists()):
        raise Refused(f"{who_is(user)} {ANYBODY} {how_to_take_over(user)}")
    return user


def who_is(user: User) -> str:
    """The user of an address, and how they came to be, in a sentence."""
    accounts = [str(pk) for pk in user.memberships.order_by("pk").values_list("account", flat=True)]
    return (
        f"{user.email} belongs to {user.username} (user {user.pk}, account"
        f" {', '.join(accounts) or 'none'}), {came(user)}."
    )


def came(user: User) -> str:
    """How and when the user came to be, and whether the e-mail is known to be theirs."""
    when = _shown(user.date_joined)
    verified = user.email_verified_at
    known = "never verified" if verified is None else f"verified on {_shown(verified)}"
    if user.origin == User.Origin.REGISTERED:
        return f"registered by themselves on {when}, e-mail {known}"
    if user.origin == User.Origin.ADD_USER:
        by = user.made_by.username if user.made_by is not None else "a superuser"
        return f"added by {by} on {when}"
    doubt = ", e-mail never verified" if user.origin == CREATED and verified is None else ""
    return f"made by manage.py {user.origin} on {when}{doubt}"


def members(account: Account) -> str:
    """All members of an account, each with ``came()``."""
    found = account.memberships.select_related("user__made_by").order_by("pk")
    return "; ".join(f"{one.user.email}, {came(one.user)}" for one in found) or "nobody"


def how_to_take_over(user: User) -> str:
    """The sentence for an operator who wants this very user on the staff."""
    return (
        f"If it is who you mean, manage.py create_staff with --existing-user {user.pk} takes the"
        " user over: a new password, and the end of all keys, webhooks, log-ins and second factors."
        " Otherwise use another address."
    )


def take_over(command: str, user: User, password: str = "") -> str:
    """End everything by which somebody could act as this user; the new password.

    It is random, unless one is given. Raises ValidationError for one that is too easy to guess. The
    accounts are locked, and keys are made under that lock, so that none can slip through.
    """
    with transaction.atomic():
        list(
            Account.objects.select_for_update(no_key=True, of=("self",))
            .filter(memberships__user=user)
            .order_by("pk")
        )
        fresh = set_password(user, password)
        ended = keys.revoke(ApiKey.objects.filter(created_by=user))  # save() would end the tokens
        user.save(update_fields=["password"])
        changes = {
            "by": command,
            "was": came(user),
            "password": None,
            "secrets_ended": ended,
            "endpoints_ended": takeover.end_all_of(user),
            "devices": second_factor.reset(user),
        }
        audit.record_bare(
            None,
            "take_over_user",
            target_type=user._meta.label_lower,
            target_id=str(user.pk),
            changes=changes,
        )
    return fresh


def set_password(user: User, password: str = "") -> str:
    """Give the user this password or a random one; the password. The caller saves.

    Raises ValidationError for one that is too easy to guess, and ValueError for one too long.
    """
    fresh = canonical(password) or secrets.token_urlsafe(PASSWORD_BYTES)
    validate_password(fresh, user)
    user.set_password(fresh)
    return fresh


def _somebody_registered(account: Account) -> bool:
    return account.memberships.filter(user__origin=User.Origin.REGISTERED).exists()


def _parsed(text: str) -> uuid.UUID:
    try:
        return ids.parse(text)
    except NotFound as error:
        raise Refused(f"{text} is not an id") from error


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
