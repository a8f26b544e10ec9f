"""Every rule that the tables of generations hold, broken on purpose, by its name."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from credits import ledger
from generation import interventions
from generation.models import Generation, GenerationEvent, Orphan, ProviderGate, Upload
from generation.models.states import State
from tests.credits import test_constraints as money
from tests.support.bring_to import attempt_of, created, reached
from tests.support.people import Person
from tests.support.provoke import Breach, violated

ROW = "UPDATE generation_generation SET {} WHERE id = %(" + "{}" + ")s"
END = "next_attempt_at = NULL, lease_token = NULL, finished_at = now()"
FAIL = f"state = 'failed', error_code = 'timeout', {END}"
CATALOG = "UPDATE generation_catalogmodel SET {} WHERE name = 'veo3'"
ATTEMPT = "UPDATE generation_attempt SET {} WHERE generation_id = %(running)s"
GATE_ROW = "UPDATE generation_providergate SET {}"
EVENT = (
    "INSERT INTO generation_generationevent (generation_id, sequence, state, is_terminal, data)"
    " VALUES (%({})s, {}, '{}', {}, '{{}}')"
)
STORED = "generation_completed_iff_stored"
ERROR = "generation_failed_iff_error"
FINISHED = "generation_finished_iff_terminal"
REFUNDED = "generation_refunded_iff_not_delivered"
CHARGE = "generation_charge_is_its_own"
FINAL = "generation_terminal_is_final"
BACK = "generation_grant_goes_back_iff_refunded"
GRANTED, ADJUSTED = "generation_grant_is_its_own", "generation_adjustment_is_its_own"


def row(rule: str, which: str, sets: str, **how: Any) -> Breach:
    """UPDATE of the generation in that state."""
    return Breach(rule, ROW.format(sets, which), **how)


GENERATION = [
    row(
        "generation_idempotency_key_unique",
        "queued",
        "idempotency_key = 'key-1', request_sha256 = '\\x00'",
    ),
    row("generation_operation_unique", "queued", "operation_name = %(operation)s"),
    row(
        "generation_state_is_known",
        "queued",
        "state = 'paused'",
        without=("generation_open_iff_scheduled", FINISHED),
    ),
    row("generation_open_iff_scheduled", "queued", "next_attempt_at = NULL"),
    row(
        "generation_open_iff_scheduled",
        "storing",
        "state = 'completed', output_key = 'x', lease_token = NULL, finished_at = now()",
    ),
    row(REFUNDED, "queued", "refund_id = %(refund)s"),
    row(REFUNDED, "queued", FAIL),
    row(REFUNDED, "queued", f"state = 'canceled', {END}"),
    row(
        REFUNDED, "storing", f"state = 'completed', output_key = 'x', refund_id = %(refund)s, {END}"
    ),
    row(STORED, "queued", "output_key = 'x'"),
    row(STORED, "queued", "output_deleted_at = now()"),
    row(STORED, "storing", f"state = 'completed', {END}"),
    row(ERROR, "queued", "error_code = 'timeout'"),
    row(ERROR, "queued", f"state = 'failed', error_code = 'gremlins', {END}"),
    row(ERROR, "queued", f"state = 'failed', {END}"),
    row(FINISHED, "queued", "finished_at = now()"),
    row(FINISHED, "queued", "state = 'failed', error_code = 'timeout', next_attempt_at = NULL"),
    row(
        FINISHED,
        "queued",
        f"{FAIL.replace('lease_token = NULL', 'lease_token = gen_random_uuid()')}",
    ),
    row("generation_running_has_an_operation", "queued", "state = 'running'"),
    row("generation_storing_has_an_output", "queued", "state = 'storing'"),
    row("generation_unknown_has_a_window", "queued", "state = 'submit_unknown'"),
    row("generation_key_has_its_request", "queued", "idempotency_key = 'x'"),
    row("generation_key_has_its_request", "queued", "request_sha256 = '\\x00'"),
    row(
        "generation_webhook_url_goes_with_the_prompt",
        "queued",
        "prompt = '', webhook_url = 'https://example.com/'",
    ),
    row("generation_generation_charge_id_key", "queued", "charge_id = %(used_charge)s"),
    row("generation_refund_unique", "queued", f"{FAIL}, refund_id = %(refund)s"),
    row(CHARGE, "queued", "charge_id = %(loose)s"),
    row(CHARGE, "queued", "charge_id = %(grant)s"),
    row(CHARGE, "queued", "charge_id = gen_random_uuid()"),
    row(CHARGE, "queued", "price = 1"),
    row(CHARGE, "queued", "account_id = %(bob)s"),
    row("generation_refund_is_its_own", "queued", f"{FAIL}, refund_id = %(loose_refund)s"),
    row("generation_refund_is_its_own", "queued", f"{FAIL}, refund_id = %(grant)s"),
    row(BACK, "granted", f"{FAIL}, refund_id = %(its_refund)s"),
    row(BACK, "granted", "adjustment_id = %(its_adjustment)s"),
    row(GRANTED, "queued", "grant_id = %(grant)s"),
    row(GRANTED, "queued", "grant_id = %(its_grant)s"),
    row(GRANTED, "queued", "grant_id = gen_random_uuid()"),
    row(GRANTED, "granted", "grant_id = %(refund)s"),
    row(GRANTED, "granted", "idempotency_key = 'another'"),
    row(ADJUSTED, "queued", "adjustment_id = %(its_adjustment)s"),
    row(ADJUSTED, "granted", "adjustment_id = %(refund)s"),
    row(ADJUSTED, "granted", "adjustment_id = gen_random_uuid()"),
    row("generation_generation_price_check", "queued", "price = -1"),
    row("generation_generation_retries_check", "queued", "retries = -1"),
    row("generation_generation_strikes_check", "queued", "strikes = -1"),
    row("generation_generation_unknown_attempts_check", "queued", "unknown_attempts = -1"),
    row("generation_generation_version_check", "queued", "version = -1"),
    Breach(
        "generation_is_never_deleted",
        "DELETE FROM generation_generation WHERE id = %(queued)s",
        raised=FINAL,
    ),
    Breach(
        "generation_is_never_deleted",
        "DELETE FROM generation_generation WHERE id = %(completed)s",
        raised=FINAL,
    ),
]
# what is over stays as it is, whatever anybody tries
TERMINAL = [
    row(FINAL, "failed", "state = 'queued', finished_at = NULL, next_attempt_at = now()"),
    row(FINAL, "failed", "state = 'canceled', error_code = ''"),
    row(FINAL, "failed", "error_message = 'never mind'"),
    row(FINAL, "failed", "refund_id = NULL"),
    row(FINAL, "canceled", "state = 'completed', output_key = 'x', refund_id = NULL"),
    row(FINAL, "completed", "state = 'failed', error_code = 'timeout', refund_id = %(refund)s"),
    row(FINAL, "completed", "output_key = 'another'"),
    row(FINAL, "completed", "output_key = ''"),
    row(FINAL, "completed", "output_deleted_at = now()"),
    row(FINAL, "completed", "prompt = 'another'"),
    row(FINAL, "completed", "webhook_url = 'https://example.com/'"),
    row(FINAL, "completed", "price = 1"),
    row(FINAL, "completed", "finished_at = now() + interval '1 day'"),
    row(FINAL, "completed", "created_at = now()"),
    row(FINAL, "completed", "idempotency_key = 'late', request_sha256 = '\\x00'"),
    row(FINAL, "completed", "output_key = '', output_deleted_at = now(), account_id = %(bob)s"),
    row(FINAL, "completed", "parameters = generation_without_urls(parameters) || '{\"n\": 1}'"),
    row(FINAL, "completed", "prompt = '', parameters = '{}'"),
    row(
        FINAL, "completed", "prompt = '', parameters = parameters || '{\"aspect_ratio\": \"9:16\"}'"
    ),
]
REST = [
    Breach(
        "attempt_number_unique_in_generation",
        "INSERT INTO generation_attempt (generation_id, number, prefix, provider_model, outcome,"
        " operation_name, detail) VALUES (%(running)s, 1, 'gs://x/', '', 'asked', '', '')",
    ),
    Breach(
        "attempt_place_is_its_own",
        "INSERT INTO generation_attempt (generation_id, number, prefix, provider_model, outcome,"
        " operation_name, detail) VALUES (%(running)s, 2, %(prefix)s, '', 'asked', '', '')",
    ),
    Breach("attempt_outcome_is_known", ATTEMPT.format("outcome = 'maybe'")),
    Breach("generation_attempt_number_check", ATTEMPT.format("number = -1")),
    Breach("event_sequence_unique_in_generation", EVENT.format("queued", 1, "queued", "false")),
    Breach("event_terminal_once_a_generation", EVENT.format("failed", 99, "canceled", "true")),
    Breach("event_terminal_iff_state_is", EVENT.format("queued", 99, "failed", "false")),
    Breach("event_terminal_iff_state_is", EVENT.format("queued", 99, "queued", "true")),
    Breach("event_terminal_iff_state_is", EVENT.format("queued", 99, "paused", "false")),
    Breach(
        "generation_generationevent_sequence_check", EVENT.format("queued", -1, "queued", "false")
    ),
    Breach("event_is_append_only", "UPDATE generation_generationevent SET sequence = 99"),
    Breach("event_is_append_only", "DELETE FROM generation_generationevent"),
    Breach(
        "event_is_not_truncated",
        "TRUNCATE generation_generationevent",
        raised="event_is_append_only",
        as_owner=True,
    ),
    Breach(
        "generation_orphan_attempt_id_key",
        "INSERT INTO generation_orphan (attempt_id, uri, note) VALUES (%(attempt)s, 'gs://y', '')",
    ),
    Breach("catalog_price_is_positive", CATALOG.format("price = 0")),
    Breach("catalog_kind_is_known", CATALOG.format("kind = 'smell'")),
    Breach("catalog_says_how_long_it_takes", CATALOG.format("estimated_time = ''")),
    *(
        Breach("catalog_row_is_whole", CATALOG.format(sets))
        for sets in (
            "abilities = '{}'",
            "prices = '{}'",
            "prices = prices #- '{4k,silent}'",
            """prices = jsonb_set(prices, '{4k,audio}', '0')""",
            """prices = jsonb_set(prices, '{4k,audio}', '"many"')""",
            """prices = jsonb_set(prices, '{4k,audio}', '7.5')""",
            """abilities = jsonb_set(abilities, '{resolutions}', '["720p", "8k"]')""",
            """abilities = jsonb_set(abilities, '{resolutions}', '[]')""",
            """abilities = jsonb_set(abilities, '{default_duration}', '5')""",
            """abilities = jsonb_set(abilities, '{durations}', '[]')""",
            """abilities = jsonb_set(abilities, '{durations}', '[4, "six", 8]')""",
            """abilities = jsonb_set(abilities, '{durations_by_images,3}', '[]')""",
            """abilities = jsonb_set(abilities, '{audio}', '"sometimes"')""",
            """abilities = jsonb_set(abilities, '{max_images}', '4')""",
            """abilities = abilities - 'negative_prompt'""",
        )
    ),
    Breach("catalog_says_how_long_it_takes", CATALOG.format("expected_seconds = 0")),
    Breach(
        "generation_catalogmodel_price_check",
        CATALOG.format("price = -1"),
        without=("catalog_price_is_positive",),
    ),
    *(
        Breach(f"generation_catalogmodel_{column}_check", CATALOG.format(f"{column} = -1"))
        for column in (
            *("expected_seconds", "first_poll_seconds", "position"),
            *("submits_per_minute", "max_open_operations"),
        )
    ),
]
GATE = [
    Breach("gate_failures_are_calls", GATE_ROW.format("failures = 1")),
    *(
        Breach(f"generation_providergate_{column}_check", GATE_ROW.format(f"{column} = -1"))
        for column in ("quota_errors", "trips", "gone", "pauses", "first_gone")
    ),
    *(
        Breach(
            f"generation_providergate_{column}_check",
            GATE_ROW.format(f"{column} = -1"),
            without=("gate_failures_are_calls",),
        )
        for column in ("calls", "failures")
    ),
]
UPLOAD_ROW = """
    INSERT INTO generation_upload (id, account_id, received, {}) VALUES (
        gen_random_uuid(), %(bob)s, 1, {})"""
USED = "INSERT INTO generation_uploaduse (upload_id, generation_id) VALUES (%(upload)s, %(queued)s)"
STORED_UPLOAD = "upload_that_can_be_used_is_stored"
UPLOADS = [
    Breach(STORED_UPLOAD, UPLOAD_ROW.format("expires_at", "now()")),
    Breach(STORED_UPLOAD, "UPDATE generation_upload SET key = '' WHERE id = %(upload)s"),
    Breach("upload_used_once_a_generation", f"{USED}, (%(upload)s, %(queued)s)"),
    *(
        Breach(f"generation_upload_{column}_check", UPLOAD_ROW.format(column, "-1"))
        for column in ("width", "height")
    ),
]
BREACHES = GENERATION + TERMINAL + REST + GATE + UPLOADS


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """One generation of Alice's in every state that matters, and entries that belong to none."""
    ledger.grant(alice.account.pk, 10_000, description="for many")
    queued = created(alice)
    keyed = created(alice, "key-1")
    found = {
        state: reached(alice, state)
        for state in (
            State.RUNNING,
            State.STORING,
            State.COMPLETED,
            State.FAILED,
            State.CANCELED,
        )
    }
    running = Generation.objects.get(pk=found[State.RUNNING].pk)
    attempt = attempt_of(running)
    Orphan.objects.create(attempt=attempt, uri="gs://x")
    moment = timezone.now()
    ProviderGate.objects.create(model_id="veo3", next_submit_at=moment, window_ends_at=moment)
    loose = money.charge(alice)
    again: dict[str, Any] = {"actor": bob.user, "reason": "sorry", "token": uuid.uuid4()}
    answer = interventions.order_again(found[State.CANCELED], paid_by="grant", **again)
    granted = Generation.objects.get(pk=answer.generation_id)
    assert granted.grant_id is not None
    upload = Upload.objects.create(
        account=alice.account,
        received=1,
        key="k",
        width=1,
        height=1,
        size=1,
        sha256="0" * 64,
        content_type="image/png",
        expires_at=moment,
    )
    return {
        "upload": upload.pk,
        "granted": granted.pk,
        "its_grant": granted.grant_id,
        "its_refund": ledger.refund(granted.charge_id, "never mind"),
        "its_adjustment": ledger.take_back(granted.grant_id, granted.pk, "never mind"),
        **{str(state): generation.pk for state, generation in found.items()},
        "queued": queued.pk,
        "bob": bob.account.pk,
        "operation": running.operation_name,
        "attempt": attempt.pk,
        "prefix": attempt.prefix,
        "refund": found[State.FAILED].refund_id,
        "used_charge": keyed.charge_id,
        "grant": alice.entries[0].pk,
        "loose": loose["charge"],
        "loose_refund": ledger.refund(money.charge(alice)["charge"], "never mind"),
    }


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    """One test for all of them, since a refused statement leaves everything as it was."""
    for breach in BREACHES:
        refused_by = breach.provoke(values, admin_connection)
        assert refused_by == (breach.raised or breach.rule), breach


def test_an_event_after_the_end_is_refused(values: dict[str, Any]) -> None:
    assert GenerationEvent.objects.filter(generation_id=values["failed"], is_terminal=True).exists()
    sql = EVENT.format("failed", 98, "failed", "true")
    assert violated(sql, values) == "event_terminal_once_a_generation"
