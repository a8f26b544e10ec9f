"""Django's admin module of the app: it imports all pages, and removes those that nobody needs."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from staff.pages import (
    accounts,
    audit_log,
    catalog,
    generations,
    keys,
    ledger,
    mails,
    orphans,
    packs,
    payments,
    reversals,
    users,
    webhook_deliveries,
    webhook_endpoints,
)

__all__ = [
    "accounts",
    "audit_log",
    "catalog",
    "generations",
    "keys",
    "ledger",
    "mails",
    "orphans",
    "packs",
    "payments",
    "reversals",
    "users",
    "webhook_deliveries",
    "webhook_endpoints",
]

# Roles are code (staff/roles.py), and nobody may see the keys of second factors.
for model in (Group, TOTPDevice, StaticDevice):
    admin.site.unregister(model)
