"""Six digits prove an address; trial credits come with the first proof."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import F

from accounts.models import User
from accounts.verification import has_verified_owner
from common.errors import RateLimited
from credits.models import LedgerEntry
from mail.models import Mail
from signup import verification
from signup.models import EmailCode, TrialDay
from signup.trial import Outcome, WhyNot
from signup.verification import CodeRefused, NoMail
from tests.support.people import Person, make_person
from tests.support.racing import race

GIFT = 300
CLIENT = "203.0.113.7"


@pytest.fixture(autouse=True)
def _offered(settings) -> None:
    settings.SIGNUP_CREDITS = GIFT


def ask(person: Person) -> str:
    """The code that came by mail."""
    assert verification.ask(person.user)
    mail = Mail.objects.filter(to=person.user.email).latest("created_at")
    (code,) = re.findall(r"\b[0-9]{6}\b", mail.text)
    return str(code)


def verify(person: Person, code: str, client: str = CLIENT) -> Outcome:
    return verification.verify(person.user, code, client).trial


def is_verified(person: Person) -> bool:
    return User.objects.get(pk=person.user.pk).email_verified_at is not None


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def said(person: Person, code: str) -> str:
    with pytest.raises(CodeRefused) as refused:
        verify(person, code)
    return refused.value.details["code"]


def age(**passed: float) -> None:
    by = timedelta(**passed)
    EmailCode.objects.update(created_at=F("created_at") - by, expires_at=F("expires_at") - by)


@pytest.fixture
def ada() -> Person:
    return make_person("ada", balance=0)


def test_the_code_verifies_and_brings_trial_credits(ada: Person) -> None:
    code = ask(ada)
    assert not is_verified(ada)
    assert verify(ada, code) == Outcome(credits=GIFT)
    assert is_verified(ada)
    assert has_verified_owner(ada.account.pk)
    assert ada.balance == GIFT
    assert EmailCode.objects.get().used_at is not None


def test_a_mail_goes_to_the_address_with_a_code_that_no_table_keeps(ada: Person) -> None:
    code = ask(ada)
    mail = Mail.objects.get()
    assert (mail.to, mail.kind, mail.user_id) == ("ada@example.com", "verify", ada.user.pk)
    assert code not in mail.subject
    row = EmailCode.objects.get()
    assert row.address == "ada@example.com"
    assert abs(mail.expires_at - row.expires_at) < timedelta(seconds=2)


def test_pasted_codes_are_read(ada: Person) -> None:
    code = ask(ada)
    assert verify(ada, f" {code[:3]} {code[3:]}\n").credits == GIFT


@pytest.mark.parametrize(
    "typed", ["", "12345", "abcdef", "1\0234567", "9" * 100_000, "１２３４５６"]
)
def test_what_is_no_code_is_no_try(typed: str, ada: Person) -> None:
    ask(ada)
    assert said(ada, typed) == "Type the 6 digits of the e-mail"
    assert EmailCode.objects.get().tries == 0


def test_five_wrong_ones_and_the_code_is_dead(ada: Person) -> None:
    code = ask(ada)
    told = [said(ada, wrong(code)) for _ in range(5)]
    assert told[:2] == [
        "This code is wrong, 4 tries are left",
        "This code is wrong, 3 tries are left",
    ]
    assert told[3] == "This code is wrong, 1 try is left"
    assert told[4] == "This code does not work any more, send a new one"
    assert said(ada, code) == told[4]
    assert not is_verified(ada)
    assert ada.entries == []


def test_wrong_ones_that_race_are_five_tries_too(ada: Person) -> None:
    code = ask(ada)
    told = race([partial(verify, ada, wrong(code))] * 20)
    assert all(isinstance(each, CodeRefused) for each in told)
    assert EmailCode.objects.get().tries == 5
    assert said(ada, code) == "This code does not work any more, send a new one"


def test_a_code_of_a_quarter_of_an_hour_ago_is_dead(ada: Person) -> None:
    code = ask(ada)
    age(minutes=15, seconds=1)
    assert said(ada, code) == "This code does not work any more, send a new one"
    assert not is_verified(ada)
    assert verify(ada, ask(ada)).credits == GIFT


def test_a_new_code_ends_the_one_before(ada: Person) -> None:
    first = ask(ada)
    age(seconds=31)
    second = ask(ada)
    if first != second:
        assert said(ada, first).startswith("This code is wrong")
    assert verify(ada, second).credits == GIFT


def test_nothing_was_sent_yet(ada: Person) -> None:
    assert said(ada, "123456") == "This code does not work any more, send a new one"


def test_another_persons_code_is_wrong(ada: Person, bob: Person) -> None:
    code, bobs = ask(ada), ask(bob)
    if code != bobs:
        assert said(bob, code) == "This code is wrong, 4 tries are left"
    assert not is_verified(ada)


def test_two_at_once_with_one_code(ada: Person) -> None:
    code = ask(ada)
    outcomes = race([partial(verify, ada, code)] * 2, at_once=2)
    assert Counter(outcomes) == {
        Outcome(credits=GIFT): 1,
        Outcome(why_not=WhyNot.VERIFIED_BEFORE): 1,
    }
    assert ada.balance == GIFT


def test_who_is_verified_gets_no_code_and_no_second_gift(ada: Person) -> None:
    code = ask(ada)
    verify(ada, code)
    age(seconds=31)
    assert verification.ask(ada.user) is False
    assert Mail.objects.count() == 1
    assert verify(ada, code) == verify(ada, "?") == Outcome(why_not=WhyNot.VERIFIED_BEFORE)
    assert ada.balance == GIFT


def test_a_code_for_an_address_that_changed_since_proves_nothing(ada: Person) -> None:
    code = ask(ada)
    User.objects.filter(pk=ada.user.pk).update(email="new@example.com")
    assert said(ada, code) == "This code does not work any more, send a new one"
    assert not is_verified(ada)


def test_a_second_mailbox_of_one_person_is_no_second_gift(ada: Person) -> None:
    """Even where an operator took the mark away in between."""
    verify(ada, ask(ada))
    User.objects.filter(pk=ada.user.pk).update(email="new@example.com", email_verified_at=None)
    ada.user.refresh_from_db()
    age(seconds=31)
    assert verify(ada, ask(ada)) == Outcome(why_not=WhyNot.HAD_THEIRS)
    assert is_verified(ada)
    assert ada.balance == GIFT


def test_two_addresses_of_one_mailbox_are_verified_and_one_is_given(settings) -> None:
    people = [make_person(f"a{n}", balance=0) for n in (1, 2)]
    for n, person in enumerate(people):
        person.user.email = f"a+{n}@example.com"
        person.user.save(update_fields=["email"])
    assert [verify(person, ask(person)) for person in people] == [
        Outcome(credits=GIFT),
        Outcome(why_not=WhyNot.MAILBOX),
    ]
    assert all(map(is_verified, people))
    assert LedgerEntry.objects.count() == 1


def test_thirty_racing_with_room_for_ten(settings) -> None:
    settings.TRIAL_CREDITS_PER_DAY = 10 * GIFT + GIFT - 1
    people = [make_person(f"p{n}", balance=0) for n in range(30)]
    codes = [ask(person) for person in people]
    calls = [
        partial(verify, person, code, f"203.0.113.{n}")
        for n, (person, code) in enumerate(zip(people, codes, strict=True))
    ]
    outcomes = race(calls, at_once=30)
    assert Counter(outcomes) == {Outcome(credits=GIFT): 10, Outcome(why_not=WhyNot.DAY): 20}
    assert User.objects.filter(email_verified_at__isnull=False).count() == 30
    assert LedgerEntry.objects.filter(kind="grant", amount=GIFT).count() == 10
    assert sum(person.balance for person in people) == 10 * GIFT
    assert TrialDay.objects.get().granted == 10 * GIFT


def test_the_resend_is_limited(ada: Person) -> None:
    ask(ada)
    with pytest.raises(RateLimited):
        verification.ask(ada.user)
    assert Mail.objects.count() == 1


def test_a_crowd_that_asks_gets_one_mail(ada: Person) -> None:
    asked = race([partial(verification.ask, ada.user)] * 10, at_once=10)
    assert asked.count(True) == 1
    assert sum(isinstance(each, RateLimited) for each in asked) == 9
    assert Mail.objects.count() == EmailCode.objects.count() == 1


def test_without_mail_nothing_is_promised(ada: Person, settings) -> None:
    settings.ALLOW_EMULATOR = False
    with pytest.raises(NoMail):
        verification.ask(ada.user)
    assert not EmailCode.objects.exists()
    assert not Mail.objects.exists()


def test_a_rotated_key_still_reads_the_code(ada: Person, settings) -> None:
    code = ask(ada)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" + "y" * 50
    assert verify(ada, code).credits == GIFT
