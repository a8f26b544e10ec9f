"""A code after the password, and either of them once more: counted, noted, never twice."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from common.errors import InvalidCredentials, RateLimited
from signup import step_up
from staff.models import AuditEntry
from tests.support.people import PASSWORD, Person
from tests.support.racing import race
from tests.support.second_factors import code_of, enrol, forgive

ADDRESS = "192.0.2.7"


def test_a_recovery_code_works_once(alice: Person) -> None:
    assert not step_up.needs_code(alice.user)
    codes = enrol(alice.user)
    assert step_up.needs_code(alice.user)
    step_up.check_code(alice.user, codes[0].upper().replace("-", " "), ADDRESS)
    with pytest.raises(InvalidCredentials):
        step_up.check_code(alice.user, codes[0], ADDRESS)


def test_racing_with_one_code_comes_in_once(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 50
    codes = enrol(alice.user)
    for code in (codes[0], code_of(alice.user)):
        forgive(alice.user)
        answers = race([partial(step_up.check_code, alice.user, code, ADDRESS)] * 10, at_once=10)
        assert sum(not isinstance(answer, BaseException) for answer in answers) == 1, answers


def test_wrong_codes_are_noted_and_limited(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 5
    enrol(alice.user)
    answers = race([partial(step_up.check_code, alice.user, "000000", ADDRESS)] * 20)
    assert sum(isinstance(answer, InvalidCredentials) for answer in answers) == 5
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 15
    entries = AuditEntry.objects.all()
    assert {(entry.action, entry.actor) for entry in entries} == {
        ("refuse_second_factor", alice.user)
    }
    assert [entry.changes for entry in entries] == [{"address": ADDRESS, "door": "console"}] * 5
    with pytest.raises(RateLimited):
        step_up.check_code(alice.user, code_of(alice.user), "192.0.2.7")


def test_a_password_or_a_code_confirms(alice: Person) -> None:
    step_up.confirm(alice.user, PASSWORD, "", ADDRESS)
    for password, code in (("wrong", ""), ("", ""), ("", "000000")):
        with pytest.raises(InvalidCredentials):
            step_up.confirm(alice.user, password, code, ADDRESS)
    codes = enrol(alice.user)
    step_up.confirm(alice.user, "", codes[0], ADDRESS)
    with pytest.raises(InvalidCredentials):
        step_up.confirm(alice.user, PASSWORD, codes[0], ADDRESS)


def test_how_often_one_may_confirm(alice: Person, bob: Person) -> None:
    for turn in range(10):
        step_up.confirm(alice.user, PASSWORD, "", f"192.0.2.{turn}")
    with pytest.raises(RateLimited):
        step_up.confirm(alice.user, PASSWORD, "", "192.0.2.99")
    for _ in range(9):
        step_up.confirm(bob.user, PASSWORD, "", "192.0.2.0")
    with pytest.raises(RateLimited):
        step_up.confirm(bob.user, PASSWORD, "", "192.0.2.0")
