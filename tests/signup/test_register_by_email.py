"""Joining by an e-mail address and a password, as the page does it."""

from __future__ import annotations

import re
from functools import partial

import pytest

from accounts.models import Account, Membership, User
from common.errors import InvalidRequest, RateLimited
from credits.models import LedgerEntry, Wallet
from mail.models import Mail
from signup import registration
from signup.models import EmailCode
from signup.registration import RegistrationClosed
from tests.support.people import Person
from tests.support.racing import race

PASSWORD = "a-long-sentence-7"
CLIENT = "203.0.113.7"
NAME = re.compile(r"\A[\w.+-]{3,150}\Z")


def join(email: str = "ada@example.com", client: str = CLIENT) -> User:
    return registration.register_by_email(email, PASSWORD, client)


def nothing_was_made(but: int = 0) -> bool:
    models = (User, Account, Membership, Wallet, EmailCode, Mail)
    return [model.objects.count() for model in models] == [but] * len(models)


def test_a_customer_is_made_and_a_code_is_on_its_way(settings) -> None:
    settings.SIGNUP_CREDITS = 300
    user = User.objects.get(pk=join().pk)
    assert (user.username, user.email, user.origin) == ("ada", "ada@example.com", "registered")
    assert user.email_verified_at is None
    assert user.check_password(PASSWORD)
    assert Wallet.objects.get(account__members=user).balance == 0
    assert Membership.objects.get().role == Membership.Role.OWNER
    assert not LedgerEntry.objects.exists()
    assert (Mail.objects.get().to, Mail.objects.get().kind) == ("ada@example.com", "verify")
    assert EmailCode.objects.get().user == user


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("ada@example.com", "ada"),
        ("ada.l+shop@example.com", "ada.l+shop"),
        ("a@example.com", "a__"),
        ("o'neill!#$@example.com", "oneill"),
        ('"two words"@example.com', "twowords"),
        ('"@@"@example.com', "___"),
        ("?@example.com", "___"),
        (f"{'x' * 240}@example.com", "x" * 140),
        ("\u212aim@example.com", "Kim"),  # the Kelvin sign
    ],
)
def test_the_user_name_is_made_of_the_address(email: str, name: str) -> None:
    user = join(email)
    assert user.username == name
    assert NAME.match(user.username)
    assert user.email == email


def test_a_name_that_is_taken_gets_some_digits(alice: Person) -> None:
    user = join("ALICE@elsewhere.example")
    assert re.fullmatch(r"ALICE-[0-9a-f]{8}", user.username)
    longest = [join(f"{'x' * 200}@{n}.example", f"203.0.113.{n}") for n in range(2)]
    assert all(NAME.match(each.username) for each in longest)


def test_many_with_one_name_at_once() -> None:
    calls = [partial(join, f"info@{n}.example", f"203.0.113.{n}") for n in range(20)]
    users = race(calls)
    assert all(isinstance(user, User) for user in users), users
    assert User.objects.filter(username__startswith="info").count() == 20
    assert nothing_was_made(but=20)


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@Example.COM"])
def test_an_address_that_is_taken(email: str, alice: Person) -> None:
    with pytest.raises(InvalidRequest) as refused:
        join(email)
    assert refused.value.details == {"email": "This e-mail address is already registered"}
    assert User.objects.count() == 1
    assert not Mail.objects.exists()


def test_racing_for_one_address_has_one_winner() -> None:
    emails = ["ada@example.com", "ADA@example.com"] * 4
    made = race([partial(join, email) for email in emails], at_once=8)
    assert sum(isinstance(each, User) for each in made) == 1
    assert sum(isinstance(each, InvalidRequest) for each in made) == 7
    assert nothing_was_made(but=1)


def test_closed_for_all(settings) -> None:
    settings.REGISTRATION_OPEN = False
    with pytest.raises(RegistrationClosed):
        join()
    assert nothing_was_made()


def test_closed_here_alone_without_mail(settings, api) -> None:
    settings.ALLOW_EMULATOR = False
    assert not registration.is_open_here()
    with pytest.raises(RegistrationClosed):
        join()
    assert nothing_was_made()
    body = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    assert api().post("/api/register/", json=body).status_code == 201
    assert not Mail.objects.exists()


def test_the_limit_is_shared_with_the_api(settings, api) -> None:
    settings.RATE_LIMIT_REGISTRATIONS = 3
    body = {"username": "first", "email": "first@example.com", "password": PASSWORD}
    assert api().post("/api/register/", json=body).status_code == 201
    join("second@example.com", "127.0.0.1")
    with pytest.raises(InvalidRequest):  # learning that it is taken counts, too
        join("second@example.com", "127.0.0.1")
    with pytest.raises(RateLimited):
        join("third@example.com", "127.0.0.1")
    assert api().post("/api/register/", json=body).status_code in {400, 429}
    assert User.objects.count() == 2
    join("third@example.com", CLIENT)
