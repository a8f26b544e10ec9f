"""Staff mark an owner's e-mail address as verified, and take that back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, User
from accounts.verification import has_verified_owner
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_person, make_staff

WHY = "answered our mail"


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("billing"))


def page(person: Person, verb: str = "change") -> str:
    return f"/admin/accounts/account/{person.account.pk}/{verb}/"


def send(browser: Client, person: Person, verb: str, email: str = "", reason: str = WHY) -> Any:
    sent = {"email": email or person.user.email, "reason": reason}
    return browser.post(page(person, verb), sent)


def test_it_is_marked_with_a_reason_and_taken_back(
    browser: Client, alice: Person, bob: Person
) -> None:
    assert "never verified" in browser.get(page(alice)).text
    assert "registered by themselves" in browser.get(page(alice, "verify_email")).text
    assert send(browser, alice, "verify_email").status_code == 302
    assert has_verified_owner(alice.account.pk)
    assert not has_verified_owner(bob.account.pk)
    alice.user.refresh_from_db()
    noted = AuditEntry.objects.get(action="verify_email")
    assert (noted.reason, noted.account_id) == (WHY, alice.account.pk)
    assert (noted.target_id, noted.changes["email"]) == (str(alice.user.pk), alice.user.email)
    assert noted.changes["email_verified_at"][0] is None
    assert "e-mail verified on" in browser.get(page(alice)).text
    assert send(browser, alice, "unverify_email").status_code == 302
    assert not has_verified_owner(alice.account.pk)
    noted = AuditEntry.objects.get(action="unverify_email")
    assert noted.changes["email_verified_at"][1] is None


def test_a_button_is_there_for_what_can_be_done(browser: Client, alice: Person) -> None:
    def buttons() -> list[bool]:
        text = browser.get(page(alice)).text
        return [f"/{verb}/" in text for verb in ("verify_email", "unverify_email")]

    assert buttons() == [True, False]
    send(browser, alice, "verify_email")
    assert buttons() == [False, True]
    first = User.objects.get(pk=alice.user.pk).email_verified_at
    send(browser, alice, "verify_email")
    assert User.objects.get(pk=alice.user.pk).email_verified_at == first
    assert AuditEntry.objects.filter(action="verify_email").count() == 1


def test_who_is_no_owner_is_not_marked(browser: Client, alice: Person, bob: Person) -> None:
    """Somebody else's address, a member's, and one that changed since the page was read."""
    carol = make_person("carol")
    Membership.objects.create(user=carol.user, account=alice.account, role="member")
    for email in (bob.user.email, carol.user.email, "", "x" * 300):
        answer = browser.post(page(alice, "verify_email"), {"email": email, "reason": WHY})
        assert answer.status_code == 200, email
    assert send(browser, alice, "verify_email", reason=" ").status_code == 200
    assert not User.objects.filter(email_verified_at__isnull=False).exists()
    assert not AuditEntry.objects.filter(action="verify_email").exists()


def test_another_owner_is_chosen(browser: Client, alice: Person) -> None:
    dora = make_person("dora")
    Membership.objects.create(user=dora.user, account=alice.account)
    form = browser.get(page(alice, "verify_email")).text
    assert alice.user.email in form
    assert dora.user.email in form
    send(browser, alice, "verify_email", dora.user.email)
    marked = User.objects.filter(email_verified_at__isnull=False)
    assert [user.pk for user in marked] == [dora.user.pk]
    assert has_verified_owner(alice.account.pk)


def test_a_changed_address_is_unverified_again(alice: Person) -> None:
    known = timezone.now()
    User.objects.filter(pk=alice.user.pk).update(email_verified_at=known)
    users = User.objects.filter(pk=alice.user.pk)
    with pytest.raises(IntegrityError, match="user_changed_email_is_unverified"):
        users.update(email="other@example.com")
    users.update(email="Alice@Example.com")  # the same mailbox
    users.update(email="other@example.com", email_verified_at=timezone.now())  # shown at once
    users.update(email="third@example.com", email_verified_at=None)
    assert not has_verified_owner(alice.account.pk)


def test_a_superuser_who_changes_an_address_takes_the_mark_away() -> None:
    boss, colleague = make_staff(), make_staff("support", "colleague")
    users = User.objects.filter(pk=colleague.pk)
    users.update(email_verified_at=timezone.now())
    browser = inside(boss)
    path = f"/admin/accounts/user/{colleague.pk}/change/"
    sent = {"username": "colleague", "role": "support", "is_active": "on"}
    same = browser.post(path, sent | {"email": colleague.email})
    assert (same.status_code, users.get().email_verified_at is None) == (302, False)
    answer = browser.post(path, sent | {"email": "new@staff.example.com"})
    assert answer.status_code == 302
    assert (users.get().email, users.get().email_verified_at) == ("new@staff.example.com", None)
