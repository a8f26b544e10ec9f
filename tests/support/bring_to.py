"""Bringing a generation into a state through the verbs alone, without a provider."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.caller import Caller
from accounts.models import ApiKey
from generation import lifecycle
from generation.creation import create
from generation.models import Attempt, CatalogModel, Generation
from generation.models.states import OPEN, State
from generation.offer.parameters import NAMES, Parameters
from generation.order import CreateResult, Order
from generation.provider.route import Route
from tests.support.people import Person
from tests.support.works import make_due
from work import due


def _place(generation: str, number: int) -> str:
    return f"gs://{settings.OUTPUT_BUCKET}/generations/{generation}/{number}/"


ROUTE = Route("vertex", "project", "here", "veo", _place)

PATH = "/api/v1/generate/video/"
FILM = b"0123456789" * 100  # what a file's bytes are is of no interest to links and ranges


def order(person: Person, key: str | None = None, **changes: Any) -> Order:
    """What the view would make of a request for a video."""
    prompt = changes.pop("prompt", "a red fox")
    model = CatalogModel.objects.get(pk=changes.pop("model", "veo3_fast"))
    asked = {name: changes.pop(name) for name in NAMES if name in changes}
    return Order(
        caller=Caller.with_key(ApiKey.objects.get(account=person.account, kind="key")),
        model=model,
        prompt=prompt,
        parameters=Parameters.filled(model, asked),
        idempotency_key=key,
        path=PATH,
        body={"prompt": prompt},
        **changes,
    )


def created(person: Person, key: str | None = None, **changes: Any) -> Generation:
    """A queued generation of the person's."""
    answer: CreateResult = create(order(person, key, **changes))
    return Generation.objects.get(pk=answer.generation_id)


def claimed(generation: Generation) -> Generation:
    """The row as a worker that has just claimed it holds it."""
    make_due(str(generation.pk))
    rows = due.claim(Generation, OPEN, 100, settings.LEASE)
    return next(row for row in rows if row.pk == generation.pk)


def attempt_of(generation: Generation) -> Attempt:
    """Its newest attempt."""
    return generation.attempts.order_by("-number")[0]


def reached(person: Person, state: State, key: str | None = None, **changes: Any) -> Generation:
    """A new generation in ``state``; a worker holds it when it is an open one."""
    generation = claimed(created(person, key, **changes))
    if state == State.QUEUED:
        return generation
    if state == State.CANCELED:
        assert lifecycle.cancel(generation.pk)
        return Generation.objects.get(pk=generation.pk)
    if state == State.FAILED:
        assert lifecycle.fail(generation, "timeout", "Too late", retryable=True)
        return Generation.objects.get(pk=generation.pk)
    attempt = lifecycle.begin_attempt(generation, ROUTE)
    assert attempt is not None
    if state == State.SUBMITTING:
        return claimed(generation)
    if state == State.SUBMIT_UNKNOWN:
        assert lifecycle.doubt(generation, attempt, "no answer", settings.UNKNOWN_WINDOW)
        return claimed(generation)
    assert lifecycle.accept(generation, attempt, f"operations/{uuid.uuid4()}", 25)
    generation = claimed(generation)
    if state == State.RUNNING:
        return generation
    assert lifecycle.adopt(generation, f"{attempt.prefix}sample_0.mp4", number=attempt.number)
    generation = claimed(generation)
    if state == State.STORING:
        return generation
    assert lifecycle.complete(generation, **kept(generation))
    return Generation.objects.get(pk=generation.pk)


def kept(generation: Generation) -> dict[str, Any]:
    """Save bytes where the generation's output belongs; the columns of it."""
    suffix, content_type = (
        ("mp4", "video/mp4") if generation.kind == "video" else ("png", "image/png")
    )
    key = default_storage.save(f"outputs/{generation.pk}.{suffix}", ContentFile(FILM))
    return {
        "output_key": key,
        "output_type": content_type,
        "output_size": len(FILM),
        "output_sha256": "0" * 64,
        "output_facts": {"duration_seconds": 8.0},
    }
