"""Users of before count as registered, unless the audit log or their first secret says otherwise.

A key's name alone says nothing: customers choose the names of their keys. But whoever registers
gets a login token with the account, while ``create_account`` makes a key of its own name first.
What the release before inserts meanwhile counts as registered, which only costs an operator an id.
"""

from collections.abc import Iterable, Iterator

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

BATCH = 500


def batches(found: Iterable) -> Iterator[list]:
    rows = list(found)
    return (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))


def tell(apps, schema_editor) -> None:
    """Only the few that did not register are written."""
    by_create_account(apps.get_model("accounts", "User"), apps.get_model("accounts", "ApiKey"))
    by_staff(apps.get_model("accounts", "User"), apps.get_model("staff", "AuditEntry"))


def by_create_account(users, secrets) -> None:
    named = secrets.objects.filter(kind="key", name="create_account").order_by("created_by")
    people = named.values_list("created_by", flat=True).distinct()
    for batch in batches(people):
        first: dict = {}
        theirs = secrets.objects.filter(created_by__in=batch).order_by("created_at", "pk")
        for person, kind, name in theirs.values_list("created_by", "kind", "name"):
            first.setdefault(person, (kind, name))
        made = [person for person, what in first.items() if what == ("key", "create_account")]
        users.objects.filter(pk__in=made).update(origin="create_account")


def by_staff(users, entries) -> None:
    about_users = entries.objects.filter(target_type="accounts.user")
    for entry in about_users.filter(action="add_user").iterator():
        users.objects.filter(pk=entry.target_id).update(origin="add_user", made_by=entry.actor_id)
    # The command also gave roles to users that had registered. Those have an account.
    given = about_users.filter(action="assign_role", changes__by="manage.py create_staff")
    for batch in batches(given.values_list("target_id", flat=True).distinct()):
        alone = users.objects.filter(pk__in=batch, origin="registered", memberships=None)
        alone.update(origin="create_staff")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0004_origins"), ("staff", "0001_initial")]
    operations = [
        ValidateConstraint("user", "user_origin_is_known"),
        migrations.RunPython(tell, migrations.RunPython.noop, elidable=True),
    ]
