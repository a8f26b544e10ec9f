"""Every rule that the table of mails holds, broken on purpose, by its name."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from mail.models import Mail
from tests.support.provoke import Breach


def inserted(changes: dict[str, str]) -> str:
    """INSERT one mail, whole and queued but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "kind": "'verify'",
        '"to"': "'alice@example.com'",
        "subject": "'Your code'",
        "text": "'123456'",
        "html": "''",
        "state": "'queued'",
        "expires_at": "now()",
        "next_attempt_at": "now()",
    } | changes
    return f"INSERT INTO mail_mail ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"


OVER = {"text": "''", "next_attempt_at": "NULL"}
SENT = OVER | {"state": "'sent'", "sent_at": "now()"}
FAILED = OVER | {"state": "'failed'", "last_error": "'refused'"}
WHOLE = [{}, SENT, FAILED, SENT | {"emulated": "true", "text": "'123456'"}]
BROKEN = {
    "mail_state_is_known": [SENT | {"state": "'lost'", "sent_at": "NULL"}],
    "mail_queued_iff_scheduled": [
        {"next_attempt_at": "NULL"},
        SENT | {"next_attempt_at": "now()"},
        FAILED | {"next_attempt_at": "now()"},
    ],
    "mail_sent_iff_it_says_when": [
        SENT | {"sent_at": "NULL"},
        FAILED | {"sent_at": "now()"},
        {"sent_at": "now()"},
    ],
    "mail_failed_says_why": [FAILED | {"last_error": "''"}],
    "mail_ended_holds_no_text": [
        SENT | {"text": "'123456'"},
        SENT | {"html": "'123456'"},
        FAILED | {"text": "'123456'"},
    ],
    "mail_emulated_has_ended": [{"emulated": "true"}, FAILED | {"emulated": "true"}],
    "mail_mail_strikes_check": [{"strikes": "-1"}],
    "mail_mail_tries_check": [{"tries": "-1"}],
}
BREACHES = [Breach(rule, inserted(each)) for rule, all_ in BROKEN.items() for each in all_]


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.rule)
def test_a_rule_is_held(breach: Breach, admin_connection: psycopg.Connection) -> None:
    assert breach.provoke({}, admin_connection) == breach.rule


@pytest.mark.parametrize("changes", WHOLE)
def test_what_breaks_no_rule_is_taken(changes: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(inserted(changes))
    assert Mail.objects.count() == 1
