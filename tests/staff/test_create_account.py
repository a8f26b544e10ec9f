"""``create_account`` and ``grant_credits``."""

from __future__ import annotations

import json
import threading
import uuid
from importlib import import_module
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from accounts.verification import has_verified_owner
from credits.models import LedgerEntry, Wallet
from tests.support.people import Person
from tests.support.racing import wait_until_blocked

pytestmark = pytest.mark.urls("tests.support.probe")


def run(*arguments: str):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return json.loads(out.getvalue())


def test_a_new_account(api):
    made = run("create_account", "dora@example.com", "--credits", "500", "--description", "Trial")
    user = User.objects.get()
    account = Account.objects.get()
    assert made == {
        "account": str(account.pk),
        "user": str(user.pk),
        "username": "dora",
        "email": "dora@example.com",
        "key": made["key"],
        "credits_balance": 500,
    }
    assert api(made["key"]).get("/api/probe/").json() == {"account": str(account.pk)}
    assert LedgerEntry.objects.get().description == "Trial"
    assert not user.is_staff
    assert not user.has_usable_password()


def test_whoever_types_an_address_vouches_for_it(alice: Person):
    """Of a new account: who registered an address before has shown nothing by that."""
    made = run("create_account", "dora@example.com")
    assert has_verified_owner(uuid.UUID(made["account"]))
    run("create_account", "alice@example.com", "--account", str(alice.account.pk))
    assert not has_verified_owner(alice.account.pk)


def test_accounts_of_before_are_verified_if_the_command_made_them(alice: Person):
    made = run("create_account", "dora@example.com")
    User.objects.update(email_verified_at=None)
    migration = import_module("accounts.migrations.0004_created_accounts_are_verified")
    with connection.cursor() as cursor:
        cursor.execute(migration.FORWARD)
    assert has_verified_owner(uuid.UUID(made["account"]))
    assert not has_verified_owner(alice.account.pk)


def test_again_gives_a_fresh_key_and_no_credits(api):
    first = run("create_account", "dora@example.com", "--credits", "500")
    again = run("create_account", "DORA@example.com", "--credits", "500")
    assert again == first | {"key": again["key"]}
    assert again["key"] != first["key"]
    assert api(first["key"]).get("/api/probe/").status_code == 200
    topped = run("create_account", "dora@example.com", "--credits", "500", "--top-up")
    assert topped["credits_balance"] == 1000


def test_the_25th_run_still_works(api, alice):
    named = ("--account", str(alice.account.pk))
    keys = [run("create_account", "alice@example.com", *named)["key"] for _ in range(25)]
    assert ApiKey.objects.live().count() == 20
    assert api(keys[-1]).get("/api/probe/").status_code == 200
    assert api(keys[0]).get("/api/probe/").status_code == 401
    assert api(alice.key).get("/api/probe/").status_code == 200  # not one of the command's


def test_options(api):
    extra = ["--username", "boss", "--password", "a-long-sentence-7", "--staff"]
    made = run("create_account", "dora@example.com", *extra)
    assert made["username"] == "boss"
    user = User.objects.get()
    assert user.is_staff
    assert user.is_superuser
    body = {"username": "boss", "password": "a-long-sentence-7"}
    assert api().post("/api/login/", json=body).status_code == 200


def test_a_user_of_ours_becomes_staff_and_keeps_the_password(alice):
    User.objects.update(origin=User.Origin.CREATE_ACCOUNT)
    run("create_account", "alice@example.com", "--staff")
    user = User.objects.get()
    assert user.is_staff
    assert user.check_password("correct-horse-7-battery")


@pytest.mark.parametrize(
    ("email", "username"),
    [("alice@other.example", "alice-2"), ("a@b.example", "a__"), ("o'neil@b.example", "oneil")],
)
def test_names_are_made_from_the_mail(alice, email, username):
    assert run("create_account", email)["username"] == username


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "valid email"),
        (["dora@example.com", "--credits", "-5"], "not be negative"),
        (["dora@example.com", "--username", "ALICE"], "already taken"),
    ],
)
def test_refusals(alice, arguments, says):
    with pytest.raises(CommandError, match=says):
        run("create_account", *arguments)
    assert User.objects.count() == 1


def test_a_suspended_account_gets_no_key(alice):
    Account.objects.update(suspended_at=timezone.now())
    with pytest.raises(CommandError, match="suspended"):
        run("create_account", "alice@example.com", "--account", str(alice.account.pk))


def test_grant(alice):
    arguments = ["alice@example.com", "--credits", "40", "--reason", "Sorry", "--reference", "r-1"]
    arguments += ["--account", str(alice.account.pk)]
    assert run("grant_credits", *arguments) == {
        "account": str(alice.account.pk),
        "credits_granted": 40,
        "credits_balance": 1040,
    }
    assert alice.entries[-1].description == "Sorry"
    with pytest.raises(CommandError, match="r-1 has been granted before"):
        run("grant_credits", *arguments)
    assert alice.balance == 1040


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dora@example.com", "--credits", "1"], "Nobody is registered"),
        (["alice", "--credits", "1"], "Nobody is registered"),
        (["alice@example.com", "--credits", "0"], "at least 1"),
    ],
)
def test_grant_refusals(alice, arguments, says):
    with pytest.raises(CommandError, match=says):
        run("grant_credits", *arguments, "--reason", "x")
    assert alice.balance == 1000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create_account", "--username", "e" + "\u0301" * 700], "600 characters"),
        (["create_account", "--password", "x" * 4097], "at most 4096"),
        (["create_staff", "--role", "support", "--username", "e" + "\u0301" * 700], "600 char"),
        (["create_staff", "--role", "support", "--password", "x" * 4097], "at most 4096"),
        (["reset_second_factor", "--reason", "x"], "Nobody"),
    ],
)
def test_what_is_too_long_is_refused_before_it_is_looked_at(arguments, says):
    name, *rest = arguments
    mail = "dora@example.com" if name != "reset_second_factor" else "\u0301" * 100_000
    with pytest.raises(CommandError, match=says):
        call_command(name, mail, *rest)
    assert not User.objects.exists()


def test_a_name_is_stored_in_its_one_spelling(alice):
    assert (
        run("create_account", "x@example.com", "--username", "\uff58avier")["username"] == "xavier"
    )
    with pytest.raises(CommandError, match="already taken"):
        run("create_account", "y@example.com", "--username", "\uff41lice")


def test_an_account_that_orders_meanwhile_and_the_command_do_not_wait_for_each_other(
    admin_connection: psycopg.Connection,
):
    """A charge holds the wallet, and then looks at the account under a lock."""
    run("create_account", "dora@example.com")
    more = (
        "--credits",
        "5",
        "--top-up",
        "--keys-manage-keys",
        "--staff",
        "--password",
        "a-new-7-77",
    )

    def equip() -> None:
        try:
            run("create_account", "dora@example.com", *more)
        finally:
            connection.close()

    command = threading.Thread(target=equip)
    with transaction.atomic():
        Wallet.objects.select_for_update().get()
        command.start()
        wait_until_blocked(admin_connection, "credits_wallet")
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM accounts_account FOR SHARE NOWAIT")
    command.join()
    assert Wallet.objects.get().balance == 5
    assert Account.objects.get().keys_manage_keys
