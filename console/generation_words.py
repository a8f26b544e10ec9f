"""States, reasons and events of a generation in words for its customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.models import Generation, GenerationEvent
from generation.models.states import State

Words = str | Promise

# Contract, section 8: what happened, and what to do now.
REASONS: dict[str, tuple[Words, Words]] = {
    "content_filtered": (
        gettext_lazy("The provider's safety filter refused it"),
        gettext_lazy("Say it differently: leave out real people, violence and what is explicit."),
    ),
    "invalid_source_image": (
        gettext_lazy("A source image could not be used"),
        gettext_lazy("Give another address, or upload the image itself."),
    ),
    "provider_rejected": (
        gettext_lazy("The provider did not take this order"),
        gettext_lazy("Change the prompt or the values, or choose another model."),
    ),
    "provider_error": (
        gettext_lazy("Something went wrong while it was made"),
        gettext_lazy("It was not your fault. The same may well work now."),
    ),
    "empty_result": (
        gettext_lazy("The provider made nothing of it"),
        gettext_lazy("Say more exactly what is to be seen."),
    ),
    "timeout": (
        gettext_lazy("It was not ready in time, so it was given up"),
        gettext_lazy("Try the same again later."),
    ),
    "submission_lost": (
        gettext_lazy("The provider never confirmed this order"),
        gettext_lazy("Try the same again."),
    ),
}
UNKNOWN_REASON = REASONS["provider_error"]

STAGES: dict[str, Words] = {
    "queued": gettext_lazy("Waiting for its turn"),
    "generating": gettext_lazy("Being made"),
    "saving": gettext_lazy("Being saved and checked"),
}
FETCHING = gettext_lazy("Fetching your images")
ENDS: dict[str, Words] = {
    State.COMPLETED: gettext_lazy("✓ Ready"),
    State.FAILED: gettext_lazy("✗ Failed"),
    State.CANCELED: gettext_lazy("Canceled"),
}
EVENTS: dict[str, Words] = {
    State.QUEUED: gettext_lazy("Waits for its turn again"),
    State.SUBMITTING: gettext_lazy("Handed to the provider"),
    State.SUBMIT_UNKNOWN: gettext_lazy(
        "The provider did not confirm it: we look whether it has it"
    ),
    State.RUNNING: gettext_lazy("The provider makes it"),
    State.STORING: gettext_lazy("Made: it is saved and checked"),
    State.COMPLETED: gettext_lazy("Ready"),
    State.CANCELED: gettext_lazy("Canceled, and paid back"),
}
ORDERED = gettext_lazy("Ordered and paid")


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the timeline."""

    at: datetime
    words: Words


def state_of(generation: Generation, stage: str | None) -> Words:
    """What is going on with it, or how it ended."""
    if stage is None:
        return ENDS[generation.state]
    if generation.state == State.QUEUED and generation.images_until is not None:
        return FETCHING
    return STAGES[stage]


def reason_of(code: str) -> tuple[Words, Words]:
    """Why it failed, and what the customer can do."""
    return REASONS.get(code, UNKNOWN_REASON)


def timeline(events: Iterable[GenerationEvent]) -> list[Happened]:
    """Every event in a few words, without what is written down for operators."""
    return [Happened(event.created_at, _words(event)) for event in events]


def _words(event: GenerationEvent) -> Words:
    data: dict[str, Any] = event.data
    if event.sequence == 1:
        return _("Ordered again by our staff") if "staff" in data else ORDERED
    if event.state == State.FAILED:
        what = reason_of(str(data.get("code", "")))[0]
        return _("%(reason)s, and paid back") % {"reason": what}
    return EVENTS[event.state]
