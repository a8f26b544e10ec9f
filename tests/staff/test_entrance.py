"""The way in: a password, then a second factor; guesses are counted, everything is noted."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import User
from staff.models import AuditEntry
from tests.support.people import PASSWORD, Person, inside, make_staff
from tests.support.second_factors import code_of

LOG_IN = "/admin/login/"
FACTOR = "/admin/second-factor/"
ENROLL = "/admin/enroll/"


def send_password(client: Client, name: str = "operator", password: str = PASSWORD) -> Any:
    return client.post(LOG_IN, {"username": name, "password": password})


def enrolled(client: Client, user: User) -> list[str]:
    """Log in for the first time; the recovery codes."""
    assert send_password(client).status_code == 302
    page = client.get("/admin/", follow=True)
    assert page.request["PATH_INFO"] == ENROLL
    answer = client.post(ENROLL, {"code": code_of(user)})
    return re.findall(r"<li>([a-z2-7-]{19})</li>", answer.text)


@pytest.fixture
def operator() -> User:
    return make_staff("operator")


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_the_first_log_in_enrols(client: Client, operator: User):
    assert send_password(client, "OPERATOR@staff.example.com").headers["Location"] == "/admin/"
    for path in ("/admin/", "/admin/accounts/account/", "/admin/recovery-codes/"):
        assert client.get(path).status_code == 302, "a password alone opens nothing"
    page = client.get(f"{LOG_IN}?next=/admin/accounts/account/", follow=True)
    assert page.request["PATH_INFO"] == ENROLL
    assert "<svg" in page.text
    device = TOTPDevice.objects.get()
    assert second_factor.typed_key(device) in page.text
    wrong = client.post(ENROLL, {"code": "000000"})
    assert wrong.context["form"].errors
    assert not TOTPDevice.objects.get().confirmed
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    answer = client.post(ENROLL, {"code": code_of(operator), "next": "/admin/accounts/account/"})
    codes = re.findall(r"<li>([a-z2-7-]{19})</li>", answer.text)
    assert len(set(codes)) == 10
    assert 'href="/admin/accounts/account/"' in answer.text
    assert client.get("/admin/").status_code == 200
    assert client.get(ENROLL).status_code == client.get(FACTOR).status_code == 302
    assert actions() == ["refuse_second_factor", "enroll_second_factor", "log_in"]
    assert not StaticToken.objects.filter(token__in=[code.replace("-", "") for code in codes])
    text = str(list(AuditEntry.objects.values()))
    assert not any(secret in text for secret in (device.key, PASSWORD, *codes))


def test_later_ones_ask_for_a_code_and_take_each_once(client: Client, operator: User):
    codes = enrolled(client, operator)
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302
    send_password(client)
    assert client.get(ENROLL).headers["Location"].startswith(FACTOR)
    used = code_of(operator)
    assert (
        client.post(FACTOR, {"code": used, "next": "https://evil.example/"}).headers["Location"]
        == "/admin/"
    )
    other = Client()
    send_password(other)
    assert other.post(FACTOR, {"code": used}).status_code == 200
    assert other.post(FACTOR, {"code": codes[0].upper().replace("-", " ")}).status_code == 302
    assert other.get("/admin/").status_code == 200
    third = Client()
    send_password(third)
    assert third.post(FACTOR, {"code": codes[0]}).status_code == 200
    assert StaticToken.objects.count() == 9
    noted = AuditEntry.objects.filter(action="log_in").order_by("id")
    assert [entry.changes["by"] for entry in noted] == [
        "a new authenticator app",
        "an authenticator app",
        "a recovery code",
    ]
    assert actions().count("refuse_second_factor") == 2
    assert actions().count("log_out") == 1


def test_new_recovery_codes_end_the_old_ones(operator: User):
    client = inside(operator)
    assert client.get("/admin/recovery-codes/").status_code == 200
    first = re.findall(r"<li>([a-z2-7-]{19})</li>", client.post("/admin/recovery-codes/").text)
    second = re.findall(r"<li>([a-z2-7-]{19})</li>", client.post("/admin/recovery-codes/").text)
    assert second_factor.check(operator, second[0]) is not None
    assert second_factor.check(operator, first[0]) is None


def test_a_stolen_password_sees_nobodys_key(operator: User):
    """Each browser enrols a key of its own, and the first one to confirm has won."""
    thief, owner = Client(), Client()
    for client in (thief, owner):
        send_password(client)
    stolen = thief.get(ENROLL).context["key"]
    assert owner.get(ENROLL).context["key"] != stolen
    assert owner.get(ENROLL).context["key"] == owner.get(ENROLL).context["key"]
    assert owner.post(ENROLL, {"code": code_of(operator)}).status_code == 200
    assert owner.get("/admin/").status_code == 200
    assert TOTPDevice.objects.count() == 1
    assert thief.get(ENROLL).headers["Location"].startswith(FACTOR)
    assert thief.get("/admin/").status_code == 302


def test_guesses_are_counted(client: Client, operator: User, settings: Any, alice: Person):
    settings.RATE_LIMIT_LOGINS = 3
    for name, password in (("operator", "x"), ("nobody", PASSWORD), ("alice", PASSWORD)):
        answer = send_password(client, name, password)
        assert answer.status_code == 200
        assert "Please enter the correct" in answer.text
    assert [entry.actor for entry in AuditEntry.objects.order_by("id")] == [
        operator,
        None,
        alice.user,
    ]
    assert set(actions()) == {"refuse_log_in"}
    assert "nobody" not in str(list(AuditEntry.objects.values()))
    codes = [send_password(client, "operator", "x").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = send_password(client)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many requests" in refused.text
    assert AuditEntry.objects.count() == 5, "what was not looked at is not noted"


def test_second_factors_are_counted_too(client: Client, operator: User, settings: Any):
    settings.RATE_LIMIT_LOGINS = 3
    enrolled(client, operator)
    thief = Client()
    send_password(thief)
    codes = [thief.post(FACTOR, {"code": "000000"}).status_code for _ in range(5)]
    assert codes == [200, 200, 429, 429, 429]  # one place was taken by the enrolment
    right = thief.post(FACTOR, {"code": code_of(operator)})
    assert right.status_code == 429
    assert thief.get("/admin/").status_code == 302


def test_a_session_ends_by_idleness_and_by_age(operator: User):
    client = inside(operator)
    begun = timezone.now()
    with time_machine.travel(begun, tick=False) as clock:
        clock.shift(timedelta(minutes=29))
        assert client.get("/admin/").status_code == 200
        clock.shift(timedelta(minutes=29))
        assert client.get("/admin/").status_code == 200, "it lives on by use"
        clock.shift(timedelta(minutes=31))
        assert client.get("/admin/").status_code == 302
    busy = inside(make_staff("support"))
    with time_machine.travel(begun, tick=False) as clock:
        for _ in range(23):
            clock.shift(timedelta(minutes=20))
            assert busy.get("/admin/").status_code == 200
        clock.shift(timedelta(minutes=20, seconds=5))
        assert busy.get("/admin/").status_code == 302, "eight hours are over"


def test_who_lost_everything_enrols_again(client: Client, operator: User):
    enrolled(client, operator)
    with pytest.raises(Exception, match="Nobody"):
        call_command("reset_second_factor", "nobody@example.com", reason="x")
    call_command("reset_second_factor", operator.email, reason="lost the phone")
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == ENROLL
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.reason) == ("reset_second_factor", "lost the phone")
    assert entry.changes["devices"] == 2


def test_who_is_let_go_is_out_at_once(operator: User):
    client = inside(operator)
    assert client.get("/admin/").status_code == 200
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_without_the_second_factor_a_password_is_enough(
    client: Client, operator: User, settings: Any
):
    settings.ADMIN_REQUIRE_2FA = False
    send_password(client)
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.get().changes["by"] == "password alone"


def test_leaving_half_way(client: Client, operator: User):
    send_password(client)
    assert client.get("/admin/leave/").status_code == 302
    assert client.get(ENROLL).status_code == 200
    client.post("/admin/leave/")
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == LOG_IN
