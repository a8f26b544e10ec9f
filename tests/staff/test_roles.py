"""Every page and every action of the operators' site, by every role: allowed, or 403."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from unfold.admin import ModelAdmin

from accounts.models import ApiKey
from credits.models import LedgerEntry
from events.models import WebhookDelivery, WebhookEndpoint
from generation.models import Attempt, CatalogModel, Generation, Orphan
from generation.models.states import State
from mail import outbox
from mail.kinds import Kind
from payments.models import CreditPack, Payment, Reversal
from staff import audit, roles
from staff.models import AuditEntry
from tests.support.bring_to import reached
from tests.support.people import Person, inside, make_staff
from tests.support.purchases import a_payment, a_reversal
from tests.support.webhook_rows import a_delivery, an_endpoint

ANYBODY = ""  # of the staff
NOBODY = "nobody"
SUPERUSERS = "superusers"

# url name: what its GET needs. A new page or button has to be here.
PAGES = {
    "index": ANYBODY,
    "search": ANYBODY,
    "jsi18n": ANYBODY,
    "password_change": ANYBODY,
    "password_change_done": ANYBODY,
    "recovery_codes": ANYBODY,
    "accounts_account_changelist": "accounts.view_account",
    "accounts_account_change": "accounts.view_account",
    "accounts_account_history": "accounts.view_account",
    "accounts_account_grant": "credits.grant_credits",
    "accounts_account_adjust": "credits.adjust_credits",
    "accounts_account_limit": "accounts.limit_account",
    "accounts_account_suspend": "accounts.suspend_account",
    "accounts_account_resume": "accounts.suspend_account",
    "accounts_account_release": "payments.release_payment_hold",
    "accounts_account_verify_email": "accounts.verify_email",
    "accounts_account_unverify_email": "accounts.verify_email",
    "accounts_apikey_changelist": "accounts.view_apikey",
    "accounts_apikey_change": "accounts.view_apikey",
    "accounts_apikey_history": "accounts.view_apikey",
    "accounts_apikey_revoke": "accounts.revoke_apikey",
    "credits_ledgerentry_changelist": "credits.view_ledgerentry",
    "credits_ledgerentry_change": "credits.view_ledgerentry",
    "credits_ledgerentry_history": "credits.view_ledgerentry",
    "credits_ledgerentry_export_csv": "credits.export_ledger",
    "generation_catalogmodel_changelist": "generation.view_catalogmodel",
    "generation_catalogmodel_change": "generation.view_catalogmodel",
    "generation_catalogmodel_history": "generation.view_catalogmodel",
    "generation_generation_changelist": "generation.view_generation",
    "generation_generation_change": "generation.view_generation",
    "generation_generation_history": "generation.view_generation",
    "generation_generation_retry": "generation.retry_generation",
    "generation_generation_fail": "generation.fail_generation",
    "generation_generation_cancel": "generation.cancel_generation",
    "generation_orphan_changelist": "generation.view_orphan",
    "generation_orphan_change": "generation.view_orphan",
    "generation_orphan_history": "generation.view_orphan",
    "payments_payment_changelist": "payments.view_payment",
    "payments_payment_change": "payments.view_payment",
    "payments_payment_history": "payments.view_payment",
    "payments_payment_ask": "payments.ask_stripe",
    "payments_payment_refund": "payments.refund_payment",
    "payments_payment_credit": "payments.credit_payment",
    "payments_payment_refund_mismatch": "payments.refund_payment",
    "payments_reversal_changelist": "payments.view_reversal",
    "payments_reversal_change": "payments.view_reversal",
    "payments_reversal_history": "payments.view_reversal",
    "payments_creditpack_changelist": "payments.view_creditpack",
    "payments_creditpack_change": "payments.view_creditpack",
    "payments_creditpack_history": "payments.view_creditpack",
    "payments_creditpack_add": "payments.add_creditpack",
    "mail_mail_changelist": "mail.view_mail",
    "mail_mail_change": "mail.view_mail",
    "mail_mail_history": "mail.view_mail",
    "events_webhookendpoint_changelist": "events.view_webhookendpoint",
    "events_webhookendpoint_change": "events.view_webhookendpoint",
    "events_webhookendpoint_history": "events.view_webhookendpoint",
    "events_webhookendpoint_switch_off": "events.switch_webhookendpoint",
    "events_webhookendpoint_switch_on": "events.switch_webhookendpoint",
    "events_webhookendpoint_recover": "events.send_webhookdelivery",
    "events_webhookdelivery_changelist": "events.view_webhookdelivery",
    "events_webhookdelivery_change": "events.view_webhookdelivery",
    "events_webhookdelivery_history": "events.view_webhookdelivery",
    "events_webhookdelivery_send_again": "events.send_webhookdelivery",
    "staff_auditentry_changelist": "staff.view_auditentry",
    "staff_auditentry_change": "staff.view_auditentry",
    "staff_auditentry_history": "staff.view_auditentry",
    "accounts_user_changelist": SUPERUSERS,
    "accounts_user_add": SUPERUSERS,
    "accounts_user_change": SUPERUSERS,
    "accounts_user_history": SUPERUSERS,
    "auth_user_password_change": SUPERUSERS,
    # what the site offers to nobody
    **{
        f"{model}_{verb}": NOBODY
        for model in (
            *("accounts_account", "accounts_apikey", "credits_ledgerentry"),
            *("generation_catalogmodel", "generation_generation", "generation_orphan"),
            *("payments_payment", "payments_reversal", "staff_auditentry", "mail_mail"),
            *("events_webhookendpoint", "events_webhookdelivery"),
        )
        for verb in ("add", "delete")
    },
    "payments_creditpack_delete": NOBODY,
    "accounts_user_delete": NOBODY,
}
# Pages whose answer does not depend on who asks: the way in and out, and Django's own helpers.
APART = {
    *("login", "logout", "leave", "enroll", "second_factor"),
    *("autocomplete", "app_list"),
}
# POST: what the form's button needs, and the form. The same for every role, so none may succeed
# because of what another one did.
WRITES: dict[str, tuple[str, dict[str, str]]] = {
    "accounts_account_grant": (
        "credits.grant_credits",
        {"amount": "5", "description": "x", "reason": "y"},
    ),
    "accounts_account_adjust": (
        "credits.adjust_credits",
        {"amount": "-5", "description": "x", "reason": "y"},
    ),
    "accounts_account_limit": ("accounts.limit_account", {"reads_per_minute": "9", "reason": "y"}),
    "accounts_account_suspend": ("accounts.suspend_account", {"reason": "y"}),
    "accounts_account_resume": ("accounts.suspend_account", {"reason": "y"}),
    "accounts_account_verify_email": (
        "accounts.verify_email",
        {"email": "alice@example.com", "reason": "y"},
    ),
    "accounts_account_unverify_email": (
        "accounts.verify_email",
        {"email": "alice@example.com", "reason": "y"},
    ),
    "accounts_apikey_revoke": ("accounts.revoke_apikey", {"reason": "y"}),
    "accounts_account_change": (NOBODY, {"name": "x"}),
    "accounts_apikey_change": (NOBODY, {"name": "x"}),
    "credits_ledgerentry_change": (NOBODY, {"amount": "7"}),
    "staff_auditentry_change": (NOBODY, {"reason": "x"}),
    # what they do in each state: tests/staff/pages/test_payment_verbs.py
    "payments_payment_ask": ("payments.ask_stripe", {}),
    "payments_payment_refund": ("payments.refund_payment", {}),
    "payments_payment_credit": ("payments.credit_payment", {}),
    "payments_payment_refund_mismatch": ("payments.refund_payment", {}),
    "accounts_account_release": ("payments.release_payment_hold", {}),
    "payments_payment_change": (NOBODY, {"state": "paid"}),
    "mail_mail_change": (NOBODY, {"state": "sent"}),
    "payments_reversal_change": (NOBODY, {"status": "lost"}),
    "payments_creditpack_change": ("payments.change_creditpack", {}),
    "payments_creditpack_add": ("payments.add_creditpack", {}),
    "generation_generation_change": (NOBODY, {"state": "completed"}),
    "generation_catalogmodel_change": ("generation.change_catalogmodel", {}),
    # what their forms do in each state: tests/staff/pages/test_generation_verbs.py
    "generation_generation_retry": ("generation.retry_generation", {}),
    # a retry that the house pays for gives credits; what is behind the "?" is sent with the form
    "generation_generation_retry?paid_by=grant": (
        "generation.retry_generation credits.grant_credits",
        {},
    ),
    "generation_generation_fail": ("generation.fail_generation", {}),
    "generation_generation_cancel": ("generation.cancel_generation", {}),
    # what they do in each state: tests/staff/pages/test_webhook_verbs.py
    "events_webhookendpoint_switch_off": ("events.switch_webhookendpoint", {}),
    "events_webhookendpoint_switch_on": ("events.switch_webhookendpoint", {}),
    "events_webhookendpoint_recover": ("events.send_webhookdelivery", {}),
    "events_webhookdelivery_send_again": ("events.send_webhookdelivery", {}),
    "events_webhookendpoint_change": (NOBODY, {"enabled": ""}),
    "events_webhookdelivery_change": (NOBODY, {"state": "succeeded"}),
    "accounts_user_change": (SUPERUSERS, {}),
    "accounts_user_add": (SUPERUSERS, {}),
    "auth_user_password_change": (SUPERUSERS, {}),
}


@dataclass
class Things:
    """One of each, by the name of its model."""

    ids: dict[str, Any]

    def path(self, name: str) -> str:
        name = name.partition("?")[0]
        model = "_".join(name.split("_")[:2])
        takes = _patterns()[name]
        return reverse(f"admin:{name}", args=[self.ids[model]] if takes else [])


@pytest.fixture
def things(alice: Person) -> Things:
    generation = reached(alice, State.COMPLETED)
    attempt = Attempt.objects.get(generation=generation)
    orphan = Orphan.objects.create(attempt=attempt, uri="gs://bucket/1.mp4")
    payment = a_payment(alice)
    colleague = make_staff("support", "colleague")
    audit_entry = AuditEntry.objects.create(action="test")
    endpoint = an_endpoint(alice)
    return Things(
        {
            "accounts_account": alice.account.pk,
            "accounts_apikey": ApiKey.objects.get().pk,
            "accounts_user": colleague.pk,
            "auth_user": colleague.pk,
            "credits_ledgerentry": LedgerEntry.objects.first().pk,  # type: ignore[union-attr]
            "generation_catalogmodel": CatalogModel.objects.get(pk="veo3").pk,
            "generation_generation": generation.pk,
            "generation_orphan": orphan.pk,
            "mail_mail": outbox.queue(Kind.PASSWORD_CHANGED, "alice@example.com", {}).pk,
            "payments_creditpack": CreditPack.objects.get(pk="credits_500").pk,
            "payments_payment": payment.pk,
            "payments_reversal": a_reversal(payment, 500, 500).pk,
            "events_webhookendpoint": endpoint.pk,
            "events_webhookdelivery": a_delivery(endpoint).pk,
            "staff_auditentry": audit_entry.pk,
        }
    )


def _patterns() -> dict[str, bool]:
    """Every named route of the site, and whether it takes an object's id."""
    found: dict[str, bool] = {}

    def walk(patterns: list[Any], takes: bool) -> None:
        for pattern in patterns:
            here = takes or "<" in str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, here)
            elif isinstance(pattern, URLPattern) and pattern.name:
                found[pattern.name] = here

    site = next(
        pattern
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "admin/"
    )
    walk(site.url_patterns, False)
    return found


def may(role: str, need: str) -> bool:
    if need in (ANYBODY, NOBODY):
        return need == ANYBODY
    return role == roles.SUPERUSER or roles.ROLES[role].issuperset(need.split())


def test_no_page_and_no_action_is_forgotten() -> None:
    assert set(_patterns()) == set(PAGES) | APART
    for model, pages in admin.site._registry.items():
        assert not pages.actions, f"{model}: a list's action needs a line in WRITES"
    buttons = {
        action.action_name
        for pages in admin.site._registry.values()
        if isinstance(pages, ModelAdmin)
        for action in (
            *pages._get_base_actions_detail(),
            *pages._get_base_actions_row(),
            *pages._get_base_actions_submit_line(),
        )
    }
    assert buttons <= set(WRITES)
    named = {need for need in PAGES.values() if "." in need}
    named |= {part for need, _ in WRITES.values() for part in need.split()}
    table = frozenset().union(*roles.ROLES.values())
    assert named - {NOBODY, SUPERUSERS} <= table


@pytest.mark.parametrize("role", roles.NAMES)
def test_who_may_see_what(role: str, things: Things) -> None:
    client = inside(make_staff(role))
    for name, need in PAGES.items():
        answer = client.get(things.path(name))
        allowed = may(role, need)
        assert answer.status_code == (200 if allowed else 403), (role, name)


@pytest.mark.parametrize("role", roles.NAMES)
def test_who_may_do_what(role: str, things: Things, alice: Person) -> None:
    client = inside(make_staff(role))
    for name, (need, form) in WRITES.items():
        before = _everything()
        sent = form | {"form": str(uuid.uuid4())} | dict(parse_qsl(name.partition("?")[2]))
        answer = client.post(things.path(name), sent)
        if may(role, need):
            assert answer.status_code in (200, 302), (role, name)
            assert (answer.status_code == 302) == bool(form), (role, name)
        else:
            assert answer.status_code == 403, (role, name)
            assert _everything() == before, (role, name)


def _everything() -> tuple[Any, ...]:
    return (
        list(LedgerEntry.objects.order_by("pk").values()),
        list(ApiKey.objects.order_by("pk").values()),
        list(Generation.objects.order_by("pk").values()),
        list(CatalogModel.objects.order_by("pk").values()),
        list(CreditPack.objects.order_by("pk").values()),
        list(Payment.objects.order_by("pk").values()),
        list(Reversal.objects.order_by("pk").values()),
        list(WebhookEndpoint.objects.order_by("pk").values()),
        list(WebhookDelivery.objects.order_by("pk").values()),
        AuditEntry.objects.count(),
    )


def test_whoever_is_not_all_the_way_in_sees_nothing(things: Things, client: Client) -> None:
    half = Client()
    half.force_login(make_staff("superuser"))
    for name in PAGES:
        if name == "jsi18n":  # words for scripts, and nothing of ours
            continue
        for visitor in (client, half):
            answer = visitor.get(things.path(name))
            assert answer.status_code == 302, name
            assert answer.headers["Location"].startswith("/admin/login/"), name


def test_the_groups_are_the_table(things: Things) -> None:
    for role, wanted in roles.ROLES.items():
        held = Group.objects.get(name=role).permissions.select_related("content_type")
        names = {f"{one.content_type.app_label}.{one.codename}" for one in held}
        missing = wanted - names
        assert names <= wanted
        assert all(name.startswith("generation.") for name in missing), missing


def test_the_audit_log_cannot_be_opened_for_writing(things: Things) -> None:
    assert not hasattr(audit, "delete")
    assert inside(make_staff()).post(things.path("staff_auditentry_delete")).status_code == 403
