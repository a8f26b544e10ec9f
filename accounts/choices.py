"""What members choose for their account: its name, and how long its files are kept."""

from __future__ import annotations

import hashlib
import math
from dataclasses import astuple, dataclass

from django.conf import settings
from django.db import transaction

from accounts.models import MAX_RETENTION_DAYS, Account


class ChangedMeanwhile(Exception):
    """Somebody else chose first, and the form shows the choices before that."""


class KeptTooLong(Exception):
    """More days than the account may have."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one thing of an account is kept. 0 days = for ever, no days = the ``default``."""

    own: int | None
    default: int

    @property
    def days(self) -> int:
        """The days in force, at most a century of them."""
        return min(self.default if self.own is None else self.own, MAX_RETENTION_DAYS)

    @property
    def longest(self) -> int:
        """The most days that may be chosen: what the house offers, since files cost it money."""
        return min(self.default, MAX_RETENTION_DAYS) or MAX_RETENTION_DAYS

    def may_become(self, own: int | None) -> bool:
        """Whether it may be chosen. What an operator gave may stay, even if it is longer."""
        if own is None or own == self.own:
            return True
        return own == self.default if own == 0 else 0 < own <= self.longest

    def is_shortened_by(self, own: int | None) -> bool:
        """Whether something would end earlier than it does now."""
        then = Retention(own, self.default)
        return (then.days or math.inf) < (self.days or math.inf)


@dataclass(frozen=True, slots=True)
class Choices:
    """An account's choices, as in its row: no days = the setting."""

    name: str
    output_retention_days: int | None
    prompt_retention_days: int | None

    @classmethod
    def of(cls, account: Account) -> Choices:
        return cls(account.name, account.output_retention_days, account.prompt_retention_days)

    @property
    def fingerprint(self) -> str:
        """The text by which a form says which choices it showed."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:16]


def outputs(account: Account) -> Retention:
    return Retention(account.output_retention_days, settings.OUTPUT_RETENTION_DAYS)


def prompts(account: Account) -> Retention:
    return Retention(account.prompt_retention_days, settings.PROMPT_RETENTION_DAYS)


def choose(account: Account, wanted: Choices, seen: str) -> None:
    """Write ``wanted`` if the account's choices still have the fingerprint ``seen``.

    The same choice twice is no mistake. Raises ChangedMeanwhile and KeptTooLong.
    """
    with transaction.atomic():
        row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        now = Choices.of(row)
        if wanted == now:
            return
        if seen != now.fingerprint:
            raise ChangedMeanwhile
        if not (
            outputs(row).may_become(wanted.output_retention_days)
            and prompts(row).may_become(wanted.prompt_retention_days)
        ):
            raise KeptTooLong
        row.name = wanted.name
        row.output_retention_days = wanted.output_retention_days
        row.prompt_retention_days = wanted.prompt_retention_days
        row.save(update_fields=["name", "output_retention_days", "prompt_retention_days"])
