"""Six digits: how long they live, how often they may be tried, how often there are new ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from accounts.models import User
from common.errors import RateLimited
from signup import codes
from signup.models import EmailCode
from tests.support.people import Person
from tests.support.racing import race

VERIFY, CHANGE = EmailCode.Purpose.VERIFY, EmailCode.Purpose.CHANGE


def make(person: Person, purpose: EmailCode.Purpose = VERIFY) -> str:
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        return codes.make(user, purpose, user.email)


def compare(person: Person, code: str) -> int | None:
    row = codes.live(person.user, VERIFY)
    assert row is not None
    return codes.compare(row, code)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def age(**passed: float) -> None:
    """Let time pass for all codes there are."""
    by = timedelta(**passed)
    EmailCode.objects.update(created_at=F("created_at") - by, expires_at=F("expires_at") - by)


def test_a_code_is_used_once(alice: Person) -> None:
    code = make(alice)
    assert re.fullmatch(r"[0-9]{6}", code)
    row = codes.live(alice.user, VERIFY)
    assert row is not None
    assert row.expires_at - row.created_at == timedelta(minutes=15)
    assert codes.compare(row, code) is None
    assert codes.live(alice.user, VERIFY) is None
    assert codes.compare(row, code) == 0


def test_a_digest_is_of_its_row_alone(alice: Person, bob: Person) -> None:
    """One that is put into another row fits nothing there."""
    code = make(alice)
    make(bob)
    (hers,) = EmailCode.objects.filter(user=alice.user)
    assert len(hers.digest) == 32
    EmailCode.objects.filter(user=bob.user).update(digest=hers.digest)
    assert compare(bob, code) == 4


def test_five_tries_and_no_more(alice: Person) -> None:
    code = make(alice)
    assert [compare(alice, another(code)) for _ in range(6)] == [4, 3, 2, 1, 0, 0]
    assert compare(alice, code) == 0
    assert EmailCode.objects.get().tries == 5


def test_five_tries_when_twenty_race(alice: Person) -> None:
    code = make(alice)
    row = codes.live(alice.user, VERIFY)
    assert row is not None
    left = race([lambda: codes.compare(row, another(code))] * 20)
    assert Counter(left) == {0: 16, 1: 1, 2: 1, 3: 1, 4: 1}
    assert EmailCode.objects.get().tries == 5


def test_a_right_code_in_a_race_is_used_once(alice: Person) -> None:
    code = make(alice)
    row = codes.live(alice.user, VERIFY)
    assert row is not None
    assert race([lambda: codes.compare(row, code)] * 4, at_once=4).count(None) == 1
    assert EmailCode.objects.get().used_at is not None
    assert EmailCode.objects.get().tries == 1


@pytest.mark.parametrize(("minutes", "left"), [(14.9, None), (15.1, 0)])
def test_fifteen_minutes(minutes: float, left: int | None, alice: Person) -> None:
    code = make(alice)
    age(minutes=minutes)
    assert compare(alice, code) == left
    assert EmailCode.objects.get().tries == (1 if left is None else 0)


def test_a_new_code_ends_the_one_before(alice: Person) -> None:
    first = make(alice)
    row = codes.live(alice.user, VERIFY)
    assert row is not None
    age(seconds=31)
    second = make(alice)
    assert codes.compare(row, first) == 0
    assert compare(alice, second) is None


def test_purposes_do_not_meet(alice: Person, bob: Person) -> None:
    code = make(alice)
    make(alice, CHANGE)
    make(bob)
    assert compare(alice, code) is None
    assert EmailCode.objects.filter(used_at=None).count() == 2


def test_a_key_may_be_rotated_while_a_code_is_on_its_way(alice: Person, settings) -> None:
    code = make(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" + "y" * 50
    assert compare(alice, code) is None


def test_a_code_of_a_key_that_is_gone_is_wrong(alice: Person, settings) -> None:
    code = make(alice)
    settings.SECRET_KEY = "another-key-" + "y" * 50
    assert compare(alice, code) == 4


def refused(call: Callable[[], object]) -> int:
    """The seconds after which one may ask again."""
    with pytest.raises(RateLimited) as caught:
        call()
    return int(caught.value.headers["Retry-After"])


def test_one_in_thirty_seconds(alice: Person) -> None:
    make(alice)
    assert 28 <= refused(lambda: make(alice)) <= 30
    age(seconds=29)
    assert refused(lambda: make(alice)) == 1
    age(seconds=1.1)
    make(alice)


def test_five_an_hour(alice: Person) -> None:
    for _ in range(5):
        make(alice)
        age(seconds=60)
    assert 3600 - 301 <= refused(lambda: make(alice)) <= 3600 - 299
    make(alice, CHANGE)
    age(seconds=3300)
    make(alice)
    assert 20 <= refused(lambda: make(alice)) <= 60


def test_what_a_racing_crowd_gets_is_one_code(alice: Person) -> None:
    made = race([lambda: make(alice)] * 20)
    assert len([code for code in made if isinstance(code, str)]) == 1
    assert EmailCode.objects.count() == 1


def test_how_long_to_wait_is_told_in_words(alice: Person) -> None:
    make(alice)
    with pytest.raises(RateLimited, match=r"^A code was sent already, try again in \d+ seconds$"):
        make(alice)
    for _ in range(4):
        age(seconds=60)
        make(alice)
    with pytest.raises(RateLimited, match=r"^A code was sent already, try again in 56 minutes$"):
        make(alice)


def test_old_codes_go(alice: Person, bob: Person) -> None:
    make(alice)
    make(bob)
    age(days=1, seconds=1)
    make(alice)
    assert EmailCode.objects.filter(user=alice.user).count() == 1
    assert EmailCode.objects.filter(user=bob.user).count() == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("123\u00a0456\n", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345a", None),
        ("", None),
        ("12345\0", None),
        ("１２３４５６", None),
        ("٠١٢٣٤٥", None),
        ("1" * 5_000_000, None),
    ],
)
def test_what_is_typed(text: str, code: str | None) -> None:
    assert codes.typed(text) == code
