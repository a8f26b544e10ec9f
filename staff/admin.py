"""What Django looks for: all operators' pages, and what has none."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.pages import accounts, audit_log, catalog, generations, keys, ledger, orphans, users

__all__ = [
    "accounts",
    "audit_log",
    "catalog",
    "generations",
    "keys",
    "ledger",
    "orphans",
    "users",
]

# Roles are code (staff/roles.py), and the second factors' keys are nobody's to see.
for model in (Group, TOTPDevice, StaticDevice):
    admin.site.unregister(model)
