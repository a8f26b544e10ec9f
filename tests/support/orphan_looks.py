"""Looking for orphans in this process, and moving the times that decide when."""

from __future__ import annotations

import httpx
import psycopg
from django.db import connection

from generation import lifecycle
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.outputs.orphans import Look, claim_looks
from generation.stages.sweep import look_for_orphans
from tests.support.bring_to import attempt_of, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works, age, make_due


def make_looks_due() -> None:
    """Let the time of every look come that is still to be; leases count as over."""
    Attempt.objects.filter(next_look_at__isnull=False).update(next_look_at="2026-01-01T00:00Z")


def sweep(works: Works) -> int:
    """One pass over what is due now; how many orphans were found."""
    return look_for_orphans(works.provider, works.engine.loop, 0.0)


def claimed_looks() -> list[Look]:
    """What a sweeper holds that has just claimed everything."""
    make_looks_due()
    return claim_looks()[1]


def end_was(owner: psycopg.Connection, generation: Generation, ago: str) -> None:
    """Move the end of a generation, which nobody else can."""
    owner.execute(
        "SET session_replication_role = replica;"
        f"UPDATE generation_generation SET finished_at = now() - interval '{ago}'"
        f" WHERE id = '{generation.pk}';"
        "SET session_replication_role = DEFAULT"
    )


def seconds_until_look(attempt: Attempt) -> float | None:
    """From the database's now; None when there is none any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_look_at - now())::float8 FROM generation_attempt"
            " WHERE id = %s",
            [attempt.pk],
        )
        seconds: float | None = cursor.fetchone()[0]
    return seconds


def upload(emulator: Emulator, prefix: str, name: str = "1/sample_0.mp4") -> str:
    """Put a file where the provider would have; its address."""
    bucket, _, folder = prefix.removeprefix("gs://").partition("/")
    httpx.post(
        f"{emulator.url}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "media", "name": folder + name},
        headers={"Content-Type": "video/mp4"},
        content=b"film",
    ).raise_for_status()
    return f"{prefix}{name}"


def overdue(generation_id: str) -> None:
    age(generation_id, deadline_at="-1 second")
    make_due(generation_id)


def came_late(person: Person, works: Works, emulator: Emulator) -> Attempt:
    """An attempt whose generation timed out before its output came; due to be looked at."""
    generation = reached(person, State.RUNNING)
    overdue(str(generation.pk))
    works.run("poll")
    attempt = attempt_of(generation)
    upload(emulator, attempt.prefix)
    make_looks_due()
    return attempt


def ended(person: Person, outcome: Attempt.Outcome, state: State = State.FAILED) -> Attempt:
    """The attempt of a generation that ended undelivered while the attempt was as ``outcome``."""
    if state == State.CANCELED:
        generation = reached(person, state)
        number = {"number": 1, "prefix": f"gs://b/{generation.pk}/1/", "provider_model": "veo"}
        return Attempt.objects.create(generation=generation, outcome=outcome, **number)
    generation = reached(person, State.SUBMITTING)
    attempt = attempt_of(generation)
    Attempt.objects.filter(pk=attempt.pk).update(outcome=outcome)
    assert lifecycle.fail(generation, "timeout", "Too late")
    return attempt_of(generation)
