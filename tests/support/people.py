"""Who the tests are about: Alice owns, Bob must see nothing of hers."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import keys, secrets
from accounts.models import Account, ApiKey, Membership, User
from credits import ledger
from credits.models import LedgerEntry, Wallet
from staff import roles

PASSWORD = "correct-horse-7-battery"


@dataclass
class Person:
    user: User
    account: Account
    key: str

    @property
    def balance(self) -> int:
        return Wallet.objects.get(account=self.account).balance

    @property
    def entries(self) -> list[LedgerEntry]:
        return list(LedgerEntry.objects.filter(wallet_id=self.account.pk).order_by("sequence"))


def make_person(name: str, balance: int = 1000) -> Person:
    """A user with an account of their own, a key and ``balance`` credits."""
    user = User(username=name, email=f"{name}@example.com")
    user.set_password(PASSWORD)
    user.save()
    account = Account.objects.create(name=name)
    Membership.objects.create(user=user, account=account)
    ledger.open_wallet(account.pk)
    if balance:
        ledger.grant(account.pk, balance, description="for the test")
    return Person(user=user, account=account, key=make_key(user, account))


def make_key(user: User, account: Account) -> str:
    """A fresh API key's secret."""
    secret = secrets.generate(secrets.KEY_PREFIX)
    ApiKey.objects.create(
        account=account,
        created_by=user,
        name="test",
        digest=secrets.digest(secret),
        preview=secrets.preview(secret),
    )
    return secret


def make_token(person: Person) -> str:
    """A fresh login token's secret."""
    with transaction.atomic():
        return keys.issue_token(person.account, person.user).secret


def make_staff(role: str = roles.SUPERUSER, name: str = "") -> User:
    """Somebody of the staff, who has no account."""
    user = User(username=name or role, email=f"{name or role}@staff.example.com")
    user.set_password(PASSWORD)
    user.save()
    roles.assign(user, role)
    return user


def inside(user: User) -> Client:
    """A browser in which ``user`` has logged in with a second factor."""
    client = Client()
    client.force_login(user)
    device = TOTPDevice.objects.create(user=user, name="test")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client
