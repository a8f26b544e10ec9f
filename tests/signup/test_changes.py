"""A new password, a new address, a second factor: who may, what ends, and who is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import ApiKey, User
from common.errors import InvalidCredentials, InvalidRequest, NotFound, RateLimited
from mail.models import Mail
from signup import changes, registration
from signup.links import LinkOver
from tests.support.people import PASSWORD, Person, make_person, make_token
from tests.support.racing import race
from tests.support.second_factors import code_of, enrol, forgive

ADDRESS = "192.0.2.7"
NEW = "a-new-one-9-battery"
NEW_EMAIL = "Alice@example.net"
LINK = re.compile(r"https://x\.example/(\S+)/")


@pytest.fixture(autouse=True)
def _a_way_to_send(settings: Any) -> None:
    settings.ALLOW_EMULATOR = True
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def mails() -> list[tuple[str, str]]:
    return list(Mail.objects.order_by("created_at").values_list("kind", "to"))


def ask(person: Person, new: str = NEW_EMAIL) -> str:
    """The token of the link that was mailed."""
    changes.ask_for_email(person.user, new, "https://x.example/{}/".format)
    found = LINK.search(Mail.objects.filter(kind="email_confirm").latest("created_at").text)
    assert found is not None
    return found[1]


def now(person: Person) -> User:
    return User.objects.get(pk=person.user.pk)


def test_a_new_password_ends_tokens_and_no_key(alice: Person) -> None:
    make_token(alice)
    fresh = changes.change_password(alice.user, PASSWORD, NEW, ADDRESS)
    assert now(alice).check_password(NEW)
    assert fresh.password == now(alice).password
    assert not ApiKey.objects.tokens().live().exists()
    assert ApiKey.objects.keys().live().count() == 1
    assert mails() == [("password_changed", "alice@example.com")]


def test_a_wrong_password_changes_nothing(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 2
    for error in (InvalidCredentials, InvalidCredentials, RateLimited):
        with pytest.raises(error):
            changes.change_password(alice.user, "wrong", NEW, ADDRESS)
    assert now(alice).check_password(PASSWORD)
    assert mails() == []


def test_of_two_changes_with_one_password_one_counts(alice: Person) -> None:
    tries = [
        partial(changes.change_password, alice.user, PASSWORD, f"{NEW}-{turn}", ADDRESS)
        for turn in range(4)
    ]
    answers = race(tries, at_once=4)
    assert sum(isinstance(answer, User) for answer in answers) == 1, answers
    assert len(mails()) == 1


def test_an_address_changes_once_it_is_confirmed(alice: Person) -> None:
    token = ask(alice)
    assert now(alice).email == "alice@example.com"
    assert changes.new_email_of(token) == NEW_EMAIL
    assert now(alice).email == "alice@example.com"
    changes.confirm_email(token, ADDRESS)
    fresh = now(alice)
    assert fresh.email == NEW_EMAIL
    assert fresh.email_verified_at is not None
    assert fresh.check_password(PASSWORD)
    assert mails() == [("email_confirm", NEW_EMAIL), ("email_changed", "alice@example.com")]
    assert NEW_EMAIL in Mail.objects.get(kind="email_changed").text
    with pytest.raises(LinkOver):
        changes.confirm_email(token, ADDRESS)


def test_going_back_makes_no_old_link_work(alice: Person) -> None:
    first = ask(alice)
    changes.confirm_email(first, ADDRESS)
    changes.confirm_email(ask(alice, "alice@example.com"), ADDRESS)
    assert now(alice).email == "alice@example.com"
    with pytest.raises(LinkOver):
        changes.confirm_email(first, ADDRESS)


def new_password(person: Person) -> None:
    person.user.set_password(NEW)
    person.user.save(update_fields=["password"])


def update(**columns: Any) -> Callable[[Person], None]:
    def happen(person: Person) -> None:
        User.objects.filter(pk=person.user.pk).update(**columns)

    return happen


@pytest.mark.parametrize(
    "happens",
    [
        new_password,
        update(is_active=False),
        update(is_staff=True),
        update(email="third@example.com"),
        update(email_verified_at=timezone.now()),
    ],
)
def test_what_ends_a_link(alice: Person, happens: Callable[[Person], None]) -> None:
    token = ask(alice)
    happens(alice)
    before = now(alice).email
    for use in (changes.new_email_of, partial(changes.confirm_email, address=ADDRESS)):
        with pytest.raises(LinkOver):
            use(token)
    assert now(alice).email == before


def test_a_link_lives_for_an_hour(alice: Person) -> None:
    begun = timezone.now()
    token = ask(alice)
    with time_machine.travel(begun + timedelta(minutes=59)):
        changes.new_email_of(token)
    with time_machine.travel(begun + timedelta(minutes=61)), pytest.raises(LinkOver):
        changes.new_email_of(token)


@pytest.mark.parametrize("token", ["", "x", ":", "a:b:c", "\0", "x" * 5000, "é"])
def test_what_is_no_link(token: str) -> None:
    with pytest.raises(LinkOver):
        changes.new_email_of(token)


def test_a_link_of_another_kind_is_none(alice: Person) -> None:
    said = {"user": str(alice.user.pk), "new": "x@example.com", "of": "x"}
    for salt in ("django.core.signing", "x"):
        with pytest.raises(LinkOver):
            changes.confirm_email(signing.dumps(said, salt=salt), ADDRESS)


def test_somebody_elses_address_is_refused(alice: Person, bob: Person) -> None:
    with pytest.raises(InvalidRequest, match="already registered"):
        ask(alice, "BOB@example.com")
    assert mails() == []


def test_who_registers_an_address_first_has_it(alice: Person) -> None:
    token = ask(alice, "carol@example.com")
    make_person("carol")
    with pytest.raises(InvalidRequest, match="already registered"):
        changes.confirm_email(token, ADDRESS)
    assert now(alice).email == "alice@example.com"
    assert ("email_changed", "alice@example.com") not in mails()


def test_at_the_same_time_the_constraint_decides(alice: Person) -> None:
    for turn in range(5):
        email = f"new{turn}@example.com"
        token = ask(make_person(f"x{turn}"), email)
        calls: list[Callable[[], object]] = [
            partial(changes.confirm_email, token, ADDRESS),
            partial(registration.register, f"y{turn}", email.upper(), PASSWORD),
        ]
        answers = race(calls, at_once=2)
        assert sum(isinstance(answer, InvalidRequest) for answer in answers) == 1, answers
        assert User.objects.filter(email__iexact=email).count() == 1


def test_one_link_used_by_many_at_once_changes_once(alice: Person) -> None:
    token = ask(alice)
    answers = race([partial(changes.confirm_email, token, ADDRESS)] * 6, at_once=6)
    assert sum(isinstance(answer, LinkOver) for answer in answers) == 5, answers
    assert mails().count(("email_changed", "alice@example.com")) == 1


def test_how_often_an_address_may_be_asked_for(alice: Person) -> None:
    for turn in range(5):
        ask(alice, f"x{turn}@example.com")
    with pytest.raises(RateLimited):
        ask(alice, "y@example.com")
    for turn in range(4):
        ask(make_person(f"p{turn}"), "X0@example.com")
    with pytest.raises(RateLimited):
        ask(make_person("p9"), "x0@example.com")


def test_a_second_factor_is_turned_on_and_off(alice: Person) -> None:
    device = changes.begin_second_factor(alice.user, None)
    assert changes.begin_second_factor(alice.user, device.pk) == device
    with pytest.raises(InvalidCredentials):
        changes.turn_on_second_factor(alice.user, device, "000000", ADDRESS)
    assert not second_factor.has_one(alice.user)
    assert mails() == []
    forgive(alice.user)
    changes.turn_on_second_factor(alice.user, device, code_of(alice.user), ADDRESS)
    assert second_factor.has_one(alice.user)
    codes = changes.new_recovery_codes(alice.user, tell=False)
    assert len(set(codes)) == 10
    assert changes.new_recovery_codes(alice.user) != codes
    changes.turn_off_second_factor(alice.user)
    changes.turn_off_second_factor(alice.user)
    assert not second_factor.has_one(alice.user)
    assert mails() == [("second_factor_changed", "alice@example.com")] * 3
    text = "".join(Mail.objects.values_list("text", flat=True))
    assert not any(secret in text for secret in (device.key, *codes))


def test_recovery_codes_are_for_who_has_an_app(alice: Person) -> None:
    with pytest.raises(NotFound):
        changes.new_recovery_codes(alice.user)


def test_nobody_confirms_somebody_elses_key(alice: Person, bob: Person) -> None:
    device = changes.begin_second_factor(alice.user, None)
    assert changes.begin_second_factor(bob.user, device.pk) != device
    for shown in (None, "1", True, -1, 2**70, [device.pk]):
        assert changes.begin_second_factor(bob.user, shown).user == bob.user
    with pytest.raises(InvalidCredentials):
        changes.turn_on_second_factor(bob.user, device, code_of(alice.user), ADDRESS)


def test_few_keys_wait_for_their_confirmation(alice: Person) -> None:
    shown = [changes.begin_second_factor(alice.user, None) for _ in range(9)]
    left = TOTPDevice.objects.filter(user=alice.user)
    assert set(left) == set(shown[-changes.MOST_ENROLMENTS :])


def test_operators_change_theirs_elsewhere(alice: Person) -> None:
    token = ask(alice)
    enrol(alice.user)
    Mail.objects.all().delete()
    User.objects.filter(pk=alice.user.pk).update(is_staff=True)
    user = alice.user
    device = TOTPDevice.objects.get()
    refused: list[Callable[[], object]] = [
        lambda: changes.change_password(user, PASSWORD, NEW, ADDRESS),
        lambda: ask(alice),
        lambda: changes.begin_second_factor(user, None),
        lambda: changes.turn_on_second_factor(user, device, code_of(user), ADDRESS),
        lambda: changes.turn_off_second_factor(user),
        lambda: changes.new_recovery_codes(user),
    ]
    for change in refused:
        with pytest.raises(changes.AtTheOperators):
            change()
    with pytest.raises(LinkOver):
        changes.confirm_email(token, ADDRESS)
    assert second_factor.has_one(user)
    assert now(alice).check_password(PASSWORD)
    assert mails() == []
