"""Every rule that the tables of joining hold, broken on purpose, by its name."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from signup.models import EmailCode
from tests.support.people import Person
from tests.support.provoke import Breach


def code(**changes: str) -> str:
    """INSERT one live code of Bob's, whole but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "user_id": "%(bob)s",
        "purpose": "'verify'",
        "address": "'bob@example.com'",
        "digest": "'\\x00'",
        "expires_at": "now() + interval '1 minute'",
    } | changes
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO signup_emailcode ({names}) VALUES ({values})"


BREACHES = [
    Breach("email_code_purpose_is_known", code(purpose="'gift'")),
    Breach("email_code_at_most_five_tries", code(tries="6")),
    Breach("email_code_at_most_five_tries", code(tries="-1")),
    Breach("email_code_used_or_replaced", code(used_at="now()", replaced_at="now()")),
    Breach("email_code_lives_for_a_while", code(expires_at="now()")),
    Breach("email_code_one_live_a_purpose", code(user_id="%(alice)s")),
    Breach(
        "trial_day_granted_not_negative", "INSERT INTO signup_trialday VALUES ('2026-11-29', -1)"
    ),
]


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """Alice has a live code, and Bob none."""
    with connection.cursor() as cursor:
        cursor.execute(code(user_id="%(alice)s"), {"alice": alice.user.pk})
    return {"alice": alice.user.pk, "bob": bob.user.pk}


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    for breach in BREACHES:
        assert breach.provoke(values, admin_connection) == breach.rule, breach


def test_what_is_whole_is_not_refused(values: dict[str, Any]) -> None:
    """Codes that are over do not stand in the way of the next one."""
    with connection.cursor() as cursor:
        cursor.execute(code(), values)
        cursor.execute(code(purpose="'change'"), values)
        cursor.execute(code(used_at="now()"), values)
        cursor.execute(code(replaced_at="now()", tries="5"), values)
    assert EmailCode.objects.filter(user=values["bob"]).count() == 4
