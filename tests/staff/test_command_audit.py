"""Every command that changes something leaves its entry in the audit log."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from accounts.models import User
from credits.models import LedgerEntry
from staff import audit
from staff.models import AuditEntry
from tests.staff.test_recipients import commands
from tests.support.people import PASSWORD, Person, make_staff

ACCOUNT = "an account"  # stands for the id of Alice's
# Each command of ours that changes something: how it is called, and the entries it leaves.
WRITES: dict[str, list[tuple[list[str], list[str]]]] = {
    "create_account": [
        (["dora@example.com"], ["create_account"]),
        (["dora@example.com", "--credits", "5"], ["grant_credits", "create_account"]),
        (["dora@example.com", "--staff"], ["assign_role", "create_account"]),
        (["dora@example.com", "--password", PASSWORD], ["create_account"]),
        (["alice@example.com", "--account", ACCOUNT], ["create_account"]),
        (
            ["alice@example.com", "--account", ACCOUNT, "--top-up", "--credits", "5"],
            ["grant_credits", "create_account"],
        ),
        (
            ["alice@example.com", "--account", ACCOUNT, "--staff"],
            ["take_over_user", "assign_role", "create_account"],
        ),
    ],
    "grant_credits": [
        (
            [*("alice@example.com", "--account", ACCOUNT), *("--credits", "5", "--reason", "x")],
            ["grant_credits"],
        )
    ],
    "create_staff": [(["ops@example.com", "--role", "support"], ["assign_role"])],
    "reset_second_factor": [
        (["superuser@staff.example.com", "--reason", "x"], ["reset_second_factor"])
    ],
    "catalog": [
        (["omni", "--enable", "--reason", "x"], ["change_catalogmodel"]),
        (["veo3", "--price", "4k:audio=800", "--reason", "x"], ["change_catalogmodel"]),
        (["veo3", "--submits-per-minute", "7", "--reason", "x"], ["change_catalogmodel"]),
    ],
    "after_restore": [([], ["after_restore"])],
    "reseal_secrets": [([], ["reseal_secrets"])],
}
# They keep what they found in a table of their own, or print it.
CHANGES_NOTHING = {
    *("check_ledger", "check_generations", "check_payments", "check_models", "list_orphans")
}
# Libraries' commands that let somebody in: manage.py names ours instead.
REFUSED = {"addstatictoken", "changepassword", "createsuperuser"}
# What is left are tools of developers and of a deployment, which write no user, key or credit.
TOOLS = {
    *("check", "clearsessions", "collectstatic", "compilemessages", "createcachetable", "dbshell"),
    *("diffsettings", "dumpdata", "findstatic", "flush", "generateschema", "inspectdb", "loaddata"),
    *("makemessages", "makemigrations", "migrate", "optimizemigration", "runserver", "shell"),
    *("remove_stale_contenttypes", "sendtestemail", "showmigrations", "spectacular", "sqlflush"),
    *("sqlmigrate", "sqlsequencereset", "squashmigrations", "startapp", "startproject", "test"),
    "testserver",
}

CASES = [
    pytest.param(name, arguments, entries, id=f"{name} {' '.join(arguments)}")
    for name, cases in WRITES.items()
    for arguments, entries in cases
]


def run(name: str, arguments: list[str], person: Person) -> str:
    out = io.StringIO()
    given = [str(person.account.pk) if each == ACCOUNT else each for each in arguments]
    call_command(name, *given, stdout=out, stderr=out)
    return out.getvalue()


def test_no_command_is_forgotten() -> None:
    assert set(commands()) == set(WRITES) | CHANGES_NOTHING
    assert set(get_commands()) - set(commands()) <= REFUSED | TOOLS


@pytest.mark.parametrize(("name", "arguments", "entries"), CASES)
def test_each_leaves_its_entries(
    name: str, arguments: list[str], entries: list[str], alice: Person
) -> None:
    make_staff()
    run(name, arguments, alice)
    noted = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in noted] == entries
    assert set(entries) <= set(audit.ACTIONS)
    for entry in noted:
        assert entry.actor is None
        assert entry.changes["by"] == f"manage.py {name}"
    assert PASSWORD not in str([entry.changes for entry in noted])


def test_an_entry_of_credits_says_which(alice: Person) -> None:
    name, arguments = "grant_credits", WRITES["grant_credits"][0][0]
    run(name, arguments, alice)
    entry = AuditEntry.objects.get()
    assert (entry.account_id, entry.reason) == (alice.account.pk, "x")
    assert (entry.changes["amount"], entry.changes["balance"]) == (5, [1000, 1005])
    assert entry.changes["ledger_entry"] == str(LedgerEntry.objects.latest("sequence").pk)


def test_what_was_refused_leaves_neither_change_nor_entry(alice: Person) -> None:
    grant = ["alice@example.com", "--account", ACCOUNT, "--credits", "5", "--reason", "x"]
    run("grant_credits", [*grant, "--reference", "r"], alice)
    with pytest.raises(CommandError, match="granted before"):
        run("grant_credits", [*grant, "--reference", "r"], alice)
    assert alice.balance == 1005
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_libraries_commands_are_not_for_this(name: str) -> None:
    root = Path(settings.BASE_DIR)
    done: Any = subprocess.run(
        [sys.executable, "manage.py", name, "alice"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "is not used here" in done.stderr
    assert not User.objects.exists()
