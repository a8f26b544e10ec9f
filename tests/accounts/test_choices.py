"""What members choose for their account."""

from __future__ import annotations

import dataclasses

import pytest

from accounts import choices
from accounts.choices import ChangedMeanwhile, Choices, KeptTooLong, Retention
from accounts.models import MAX_RETENTION_DAYS, Account
from tests.support.racing import race

FOR_EVER = 0


def seen(account: Account) -> Choices:
    return Choices.of(Account.objects.get(pk=account.pk))


@pytest.mark.parametrize(
    ("own", "default", "wanted", "allowed"),
    [
        (None, 90, None, True),
        (None, 90, 1, True),
        (None, 90, 90, True),
        (None, 90, 91, False),
        (None, 90, FOR_EVER, False),
        (None, 90, -1, False),
        (7, 90, None, True),
        (7, 90, 90, True),
        # what an operator gave may stay, but nobody comes back to it
        (365, 90, 365, True),
        (365, 90, 364, False),
        (365, 90, 30, True),
        (FOR_EVER, 90, FOR_EVER, True),
        (FOR_EVER, 90, 91, False),
        # a service that keeps for ever
        (None, FOR_EVER, FOR_EVER, True),
        (None, FOR_EVER, MAX_RETENTION_DAYS, True),
        (None, FOR_EVER, MAX_RETENTION_DAYS + 1, False),
        (None, FOR_EVER, -1, False),
        (None, 99_999, MAX_RETENTION_DAYS + 1, False),
    ],
)
def test_what_may_be_chosen(own, default, wanted, allowed):
    assert Retention(own, default).may_become(wanted) is allowed


@pytest.mark.parametrize(
    ("own", "default", "wanted", "shorter"),
    [
        (None, 90, 89, True),
        (None, 90, 90, False),
        (None, 90, None, False),
        (30, 90, None, False),
        (30, 90, 29, True),
        (FOR_EVER, 90, None, True),
        (FOR_EVER, 90, 90, True),
        (None, FOR_EVER, 1, True),
        (30, FOR_EVER, None, False),
        (99_999, 90, MAX_RETENTION_DAYS, False),
    ],
)
def test_what_is_shorter(own, default, wanted, shorter):
    assert Retention(own, default).is_shortened_by(wanted) is shorter


def test_choosing(alice, bob):
    others, before = seen(bob.account), seen(alice.account)
    wanted = Choices("Alice & <Sons>", 3, None)
    choices.choose(alice.account, wanted, before.fingerprint)
    assert seen(alice.account) == wanted
    assert seen(bob.account) == others
    # the same form again, which has seen what was before
    choices.choose(alice.account, wanted, before.fingerprint)
    assert seen(alice.account) == wanted


def test_nobody_overwrites_what_they_have_not_seen(alice):
    before = seen(alice.account)
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=7)
    with pytest.raises(ChangedMeanwhile):
        choices.choose(alice.account, Choices("New", None, None), before.fingerprint)
    assert seen(alice.account) == dataclasses.replace(before, output_retention_days=7)


@pytest.mark.parametrize("days", [(91, None), (None, 366), (0, None), (-1, None)])
def test_not_longer_than_the_service_keeps_it(alice, days):
    before = seen(alice.account)
    with pytest.raises(KeptTooLong):
        choices.choose(alice.account, Choices("New", *days), before.fingerprint)
    assert seen(alice.account) == before


def test_two_who_saw_the_same_and_want_something_else(alice):
    before = seen(alice.account)

    def choose(days: int):
        wanted = dataclasses.replace(before, output_retention_days=days)
        return lambda: choices.choose(alice.account, wanted, before.fingerprint)

    answers = race([choose(days) for days in range(1, 11)], at_once=10)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, ChangedMeanwhile) for answer in answers) == 9


def test_every_field_is_in_the_fingerprint():
    plain = Choices("a", 1, 2)
    others = [
        Choices("b", 1, 2),
        Choices("a", None, 2),
        Choices("a", 1, None),
        Choices("a", 2, 1),
        Choices("a", 11, 2),
    ]
    marks = {each.fingerprint for each in [plain, *others]}
    assert len(marks) == 1 + len(others)
