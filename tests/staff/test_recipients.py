"""An e-mail address gives nothing to whoever registered it: commands, their options, and pages."""

from __future__ import annotations

import io
import json
import uuid
from argparse import _StoreTrueAction
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import (
    BaseCommand,
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Account, ApiKey, Membership, User
from credits.models import LedgerEntry, Wallet
from events.models import WebhookEndpoint
from mail.models import Mail
from staff import roles
from staff.models import AuditEntry
from tests.support.packages import packages
from tests.support.people import PASSWORD, Person, inside, make_person, make_staff

Api = Callable[..., httpx.Client]

# Each command that finds somebody by an e-mail and gives something: what it cannot do without, and
# the option that names the one who is meant.
GIVES = {
    "create_account": ([], "--account"),
    "create_staff": (["--role", "superuser"], "--existing-user"),
    "grant_credits": (["--credits", "7", "--reason", "sorry"], "--account"),
}
TAKES_AWAY = {"reset_second_factor"}
# A value for each option that has one.
VALUES = {
    "--credits": "5",
    "--username": "another",
    "--password": "operators-choice-77",
    "--description": "a gift",
    "--role": "superuser",
    "--reason": "sorry",
    "--reference": "r-1",
}
EMAIL = "ops@company.example"
SHOUTED = "OPS@Company.Example"


def commands() -> dict[str, BaseCommand]:
    """Every command of ours."""
    ours = {app.name for app in apps.get_app_configs() if app.name in OURS}
    return {
        name: load_command_class(app, name) for name, app in get_commands().items() if app in ours
    }


OURS = set(packages())
DJANGOS = {action.dest for action in BaseCommand().create_parser("manage.py", "x")._actions}


def options(name: str) -> list[list[str]]:
    """Each of the command's own options, with a value, but for the one that names an id."""
    command = commands()[name]
    found = []
    for action in command.create_parser("manage.py", name)._actions:
        if not action.option_strings or action.dest in DJANGOS:
            continue
        option = action.option_strings[0]
        if option != GIVES[name][1]:
            value = [] if isinstance(action, _StoreTrueAction) else [VALUES[option]]
            found.append([option, *value])
    return found


CASES = [
    pytest.param(name, option, id=f"{name} {' '.join(option)}")
    for name in GIVES
    for option in [[], *options(name)]
]


def run(name: str, *arguments: str) -> Any:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return json.loads(out.getvalue())


def everything() -> list[Any]:
    """What any of the commands could have written."""
    models: tuple[Any, ...] = (
        *(User, Account, Membership, ApiKey, Wallet, LedgerEntry, AuditEntry, TOTPDevice),
        User.groups.through,
    )
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def squatter(api: Api) -> User:
    """A stranger who registered the operator's address."""
    body = {"username": "mallory", "email": EMAIL, "password": PASSWORD}
    answer = api().post("/api/register/", json=body)
    assert answer.status_code == 201, answer.text
    return User.objects.get(username="mallory")


def the_id(name: str, user: User) -> str:
    return str(user.pk if name == "create_staff" else user.memberships.get().account_id)


def test_no_command_that_takes_an_email_is_forgotten() -> None:
    with_email = {
        name
        for name, command in commands().items()
        if any(action.dest == "email" for action in command.create_parser("m", name)._actions)
    }
    assert with_email == set(GIVES) | TAKES_AWAY


@pytest.mark.parametrize("email", [EMAIL, SHOUTED])
@pytest.mark.parametrize(("name", "option"), CASES)
def test_a_stranger_gets_nothing_by_the_address(
    name: str, option: list[str], email: str, squatter: User
) -> None:
    before = everything()
    with pytest.raises(CommandError) as refused:
        run(name, email, *GIVES[name][0], *option)
    assert everything() == before
    said = str(refused.value)
    assert "mallory" in said
    assert "registered by themselves on" in said
    assert "never verified" in said
    assert f"{GIVES[name][1]} {the_id(name, squatter)}" in said, "and how to go on"


@pytest.mark.parametrize(("name", "option"), CASES)
def test_another_ones_id_does_not_help(
    name: str, option: list[str], squatter: User, alice: Person
) -> None:
    foreign = str(alice.user.pk if name == "create_staff" else alice.account.pk)
    before = everything()
    for wrong in (foreign, str(uuid.uuid4()), "1", "nonsense"):
        with pytest.raises(CommandError, match=r"is no|is not"):
            run(name, EMAIL, *GIVES[name][0], *option, GIVES[name][1], wrong)
    for unknown in ("nobody@company.example", "nobody@company.example".upper()):
        with pytest.raises(CommandError, match=r"Nobody|is not"):
            run(name, unknown, *GIVES[name][0], *option, GIVES[name][1], foreign)
    assert everything() == before


@pytest.mark.parametrize(("name", "option"), CASES)
def test_the_right_id_goes(name: str, option: list[str], squatter: User) -> None:
    run(name, SHOUTED, *GIVES[name][0], *option, GIVES[name][1], the_id(name, squatter))
    assert User.objects.count() == 1
    assert AuditEntry.objects.exists()
    if name == "grant_credits":
        assert LedgerEntry.objects.get().kind == "grant"
    if name == "create_account":
        assert ApiKey.objects.live().keys().count() == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_staff", ["--role", "support", "--existing-user"]),
        ("create_account", ["--staff", "--account"]),
    ],
)
def test_who_is_taken_over_keeps_nothing(
    name: str, arguments: list[str], api: Api, squatter: User
) -> None:
    login = {"username": "mallory", "password": PASSWORD}
    token = api().post("/api/login/", json=login).json()["token"]
    key = api(token).post("/api/api-keys/", json={"name": "a"}).json()["key"]
    hook = {"url": "https://mallory.example/"}
    assert api(key).post("/api/v1/webhook-endpoints/", json=hook).status_code == 201
    TOTPDevice.objects.create(user=squatter, name="theirs")
    made = run(name, EMAIL, *arguments, the_id(name, squatter))
    for secret in (token, key):
        assert api(secret).get("/api/v1/credits/").status_code == 401
    assert api().post("/api/login/", json=login).status_code == 401
    page = Client().post("/admin/login/", login)
    assert page.status_code == 200, "the way in shows its form again"
    assert not TOTPDevice.objects.filter(user=squatter).exists()
    squatter.refresh_from_db()
    assert squatter.is_staff
    assert squatter.check_password(made["password"])
    noted = AuditEntry.objects.get(action="take_over_user")
    assert noted.target_id == str(squatter.pk)
    assert (noted.changes["secrets_ended"], noted.changes["devices"]) == (3, 1)
    assert noted.changes["endpoints_ended"] == 1
    assert not WebhookEndpoint.objects.filter(deleted_at__isnull=True).exists()
    assert made["password"] not in json.dumps(list(AuditEntry.objects.values("changes")))


def test_a_customer_of_ours_becomes_staff_by_id_alone() -> None:
    made = run("create_account", "dora@example.com")
    with pytest.raises(CommandError, match=r"made by manage\.py create_account"):
        run("create_staff", "dora@example.com", "--role", "support")
    assert not User.objects.get().is_staff
    run("create_staff", "dora@example.com", "--role", "support", "--existing-user", made["user"])
    assert roles.role_of(User.objects.get()) == "support"
    assert not ApiKey.objects.live().exists()


def test_what_our_commands_made_is_found_by_its_address() -> None:
    first = run("create_account", EMAIL)
    run("create_account", SHOUTED, "--credits", "5", "--top-up", "--password", "a-long-one-77")
    granted = run("grant_credits", SHOUTED, "--credits", "7", "--reason", "x")
    assert granted["credits_balance"] == 12
    assert User.objects.get().origin == User.Origin.CREATE_ACCOUNT
    named = ("--account", first["account"])
    assert run("grant_credits", EMAIL, "--credits", "1", "--reason", "x", *named)
    run("create_staff", "boss@company.example", "--role", "support")
    run("create_staff", "Boss@company.example", "--role", "superuser")
    boss = User.objects.get(username="boss")
    assert (boss.is_superuser, boss.origin) == (True, User.Origin.CREATE_STAFF)


def test_one_stranger_in_an_account_of_ours_is_enough(alice: Person) -> None:
    made = run("create_account", "dora@example.com")
    account = Account.objects.get(pk=made["account"])
    Membership.objects.create(user=alice.user, account=account, role="member")
    with pytest.raises(CommandError, match="--account"):
        run("grant_credits", "dora@example.com", "--credits", "1", "--reason", "x")


def test_by_the_address_a_second_factor_is_taken_from_the_staff_alone(squatter: User) -> None:
    TOTPDevice.objects.create(user=squatter, name="theirs")
    before = everything()
    for more in ((), ("--customer", str(squatter.memberships.get().account_id))):
        with pytest.raises(CommandError, match="Nobody of the staff"):
            call_command("reset_second_factor", EMAIL, "--reason", "x", *more)
    assert everything() == before


def test_a_customers_second_factor_is_taken_by_id(squatter: User) -> None:
    TOTPDevice.objects.create(user=squatter, name="theirs")
    call_command("reset_second_factor", EMAIL, "--reason", "x", "--customer", str(squatter.pk))
    assert not TOTPDevice.objects.filter(user=squatter).exists()
    assert AuditEntry.objects.latest("id").action == "reset_second_factor"
    assert Mail.objects.get().kind == "second_factor_changed"
    assert Mail.objects.get().to == squatter.email


def test_the_page_that_adds_staff_says_who_has_the_address(squatter: User) -> None:
    boss = make_staff()
    browser = inside(boss)
    sent = {"username": "ops", "email": SHOUTED, "role": "superuser"}
    sent |= {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    before = everything()
    answer = browser.post("/admin/accounts/user/add/", sent)
    assert everything() == before
    for words in ("mallory", "registered by themselves", f"--existing-user {squatter.pk}"):
        assert words in answer.text
    assert browser.post("/admin/accounts/user/add/", sent | {"email": "o@x.example"}).status_code
    added = User.objects.get(username="ops")
    assert (added.origin, added.made_by) == (User.Origin.ADD_USER, boss)
    page = browser.get(f"/admin/accounts/user/{added.pk}/change/")
    assert f"added by {boss.username}" in page.text


def test_the_pages_that_give_credits_say_who_gets_them(squatter: User) -> None:
    account = squatter.memberships.get().account_id
    browser = inside(make_staff("billing"))
    for page in ("change", "grant"):
        shown = browser.get(f"/admin/accounts/account/{account}/{page}/").text
        assert "registered by themselves on" in shown, page
        assert "never verified" in shown, page


def test_a_release_that_knows_nothing_of_it_makes_registered_users() -> None:
    """Rolling deployment: what the database says of a row without the column."""
    field: Any = User._meta.get_field("origin")
    assert field.db_default == field.default == User.Origin.REGISTERED
    assert make_person("carol").user.origin == User.Origin.REGISTERED
    assert Group.objects.exists()
