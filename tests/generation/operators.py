"""Staff in a browser, with exactly the permissions that a test is about."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client

from accounts.models import User

SEE = ("view_generation", "view_orphan")
ACT = ("retry_generation", "fail_generation", "cancel_generation")


def make_operator(*permissions: str, name: str = "olga") -> User:
    """A member of staff with these permissions and no other."""
    user = User.objects.create_user(name, f"{name}@staff.example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    return user


def browser_of(user: User) -> Client:
    """A browser in which ``user`` is all the way in, with a second factor if one is asked for."""
    client = Client()
    client.force_login(user)
    if apps.is_installed("django_otp.plugins.otp_totp"):
        device = apps.all_models["otp_totp"]["totpdevice"]._default_manager.create(
            user=user, name="test"
        )
        session = client.session
        session["otp_device_id"] = device.persistent_id
        session.save()
    cache.clear()  # figures of another test
    return client


def operator(*more: str) -> Client:
    """The browser of somebody who may see and do everything with generations, and ``more``."""
    return browser_of(make_operator(*SEE, *ACT, *more))
