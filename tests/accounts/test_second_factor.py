"""Apps and recovery codes: each code works once; no more guesses are looked at than allowed."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from common.errors import RateLimited
from tests.support.people import Person
from tests.support.racing import race
from tests.support.second_factors import code_of, enrol, forgive

ADDRESS = "192.0.2.7"


def test_a_code_of_the_app_works_once(alice: Person) -> None:
    enrol(alice.user)
    code = code_of(alice.user)
    assert second_factor.check(alice.user, code) is not None
    assert second_factor.check(alice.user, code) is None


def test_of_many_that_send_one_code_at_once_one_is_taken(alice: Person) -> None:
    codes = enrol(alice.user)
    for code in (code_of(alice.user), codes[3]):
        forgive(alice.user)
        found = race([partial(second_factor.check, alice.user, code)] * 10, at_once=10)
        assert sum(one is not None for one in found) == 1, found
    assert StaticToken.objects.count() == 9


def test_somebody_elses_codes_are_wrong(alice: Person, bob: Person) -> None:
    codes = enrol(alice.user)
    enrol(bob.user)
    assert second_factor.check(bob.user, codes[0]) is None
    device = second_factor.begin_enrolment(alice.user)
    assert second_factor.confirm(bob.user, device, code_of(alice.user)) is None


def test_of_two_enrolments_at_once_one_counts(alice: Person) -> None:
    first = second_factor.begin_enrolment(alice.user)
    first_code = code_of(alice.user)
    second = second_factor.begin_enrolment(alice.user)
    calls = [
        lambda: second_factor.confirm(alice.user, first, first_code),
        lambda: second_factor.confirm(alice.user, second, code_of(alice.user)),
    ]
    found = race(calls, at_once=2)
    assert sorted(one is None for one in found) == [False, True], found
    assert TOTPDevice.objects.filter(user=alice.user).count() == 1


@pytest.mark.parametrize("code", ["", "0" * 40, "\0", "１２３４５６", "a" * 40, "-- --", "²²²²²²"])
def test_odd_codes_are_wrong(alice: Person, code: str) -> None:
    enrol(alice.user)
    assert second_factor.check(alice.user, code) is None


def test_racing_guesses_are_counted_exactly(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 5
    enrol(alice.user)
    looked_at: list[int] = []
    told: list[int] = []

    def guess() -> Any:
        return second_factor.guess(
            alice.user, ADDRESS, lambda: looked_at.append(1), lambda: told.append(1)
        )

    answers = race([guess] * 20)
    assert len(looked_at) == len(told) == 5
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 15
