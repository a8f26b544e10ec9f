"""Staff in a browser, with exactly the permissions that a test is about."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from common.fresh import Fresh
from tests.support.people import inside

SEE = ("view_generation", "view_orphan")
ACT = ("retry_generation", "fail_generation", "cancel_generation")
GRANT = "grant_credits"  # for a retry that the house pays for


def make_operator(*permissions: str, name: str = "olga") -> User:
    """A member of staff with these permissions and no other."""
    user = User.objects.create_user(name, f"{name}@staff.example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    return user


def browser_of(user: User) -> Client:
    """A browser in which ``user`` is all the way in; no figures of another test are kept."""
    Fresh.clear_all()
    return inside(user)


def operator(*more: str) -> Client:
    """The browser of somebody who may see and do everything with generations, and ``more``."""
    return browser_of(make_operator(*SEE, *ACT, *more))
