"""Everything about one generation, for the operators' page, in a dozen statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model
from django.urls import reverse

from credits.models import LedgerEntry
from events.models import WebhookDelivery
from generation.inputs.images import SCHEME
from generation.models import Generation, GenerationEvent, Upload
from generation.models.states import State
from generation.outputs import links
from staff.models import AuditEntry
from staff.pages.webhook_words import line_of, with_receivers

MOST = 200  # events, or entries of the audit log, on one page

Row = tuple[str, Any, str]  # name, value, and the address of its page or ""


def history_of(generation: Generation, now: datetime) -> dict[str, Any]:
    """The variables of the template ``admin/generation_history.html``."""
    events = list(generation.events.order_by("sequence")[:MOST])
    return {
        "generation": generation,
        "facts": _facts(generation),
        "work": _work(generation, now),
        "money": _money(generation),
        "tries": list(generation.retried_by.order_by("created_at")),
        "attempts": list(generation.attempts.select_related("orphan")),
        "events": _with_waits(generation, events),
        "deliveries": _deliveries(generation, now),
        "output": _output(generation, now),
        "staff_did": list(
            AuditEntry.objects.filter(
                target_type=generation._meta.label_lower, target_id=str(generation.pk)
            )
            .select_related("actor")
            .order_by("-id")[:MOST]
        ),
    }


def _facts(generation: Generation) -> list[Row]:
    """Rows about the order: who ordered what, and when."""
    key, person, retried = generation.api_key, generation.created_by, generation.retry_of_id
    return [
        ("Generation", generation.pk, ""),
        ("Account", generation.account.name, _page(generation.account)),
        ("Ordered by", person.username if person else "–", ""),
        (
            "With the key",
            key.preview if key else _without_key(generation),
            _page(key) if key else "",
        ),
        ("Idempotency key", generation.idempotency_key or "–", ""),
        ("Model", generation.model_id, ""),
        ("Prompt", generation.prompt or "erased", ""),
        *((name.replace("_", " "), value, "") for name, value in generation.parameters.items()),
        *_uploads(generation),
        ("Told to the customer", generation.estimated_time, ""),
        ("Ordered", generation.created_at, ""),
        ("Accepted by the provider", generation.accepted_at or "–", ""),
        ("Ended", generation.finished_at or "–", ""),
        ("Took", _seconds(generation.finished_at, generation.created_at), ""),
        *([("Tries again", retried, _generation_page(retried))] if retried else []),
    ]


def _without_key(generation: Generation) -> str:
    """Staff only order again; whoever else has no key came by the console."""
    return "none: by staff" if generation.retry_of_id else "none: on the console"


def _work(generation: Generation, now: datetime) -> list[Row]:
    """Rows about the work: where it stands, and what went wrong."""
    rows: list[Row] = [
        ("Error", generation.error_code or "–", ""),
        ("Message to the customer", generation.error_message or "–", ""),
        ("Last error", generation.last_error or "–", ""),
        ("Failed tries of this state", generation.retries, ""),
        ("Claims without an answer", generation.strikes, ""),
        ("Attempts without an answer", generation.unknown_attempts, ""),
        ("Operation", generation.operation_name or "–", ""),
        ("Backend", generation.backend if generation.provider_model else "–", ""),
        ("Project", f"{generation.project or '–'} / {generation.location or '–'}", ""),
        ("Output at the provider", generation.output_uri or "–", ""),
        ("Output in our storage", generation.output_key or "–", ""),
    ]
    facts = generation.output_facts.items() if generation.output_key else ()
    rows += [(name.replace("_", " "), value, "") for name, value in facts]
    if generation.output_deleted_at:
        rows.append(("Deleted by retention", generation.output_deleted_at, ""))
    if generation.next_attempt_at:
        claimed = "Leased until" if generation.lease_token else "Next look"
        due = round((generation.next_attempt_at - now).total_seconds())
        rows.append((claimed, f"in {due} s" if due >= 0 else f"due since {-due} s", ""))
        rows.append(("Deadline", generation.deadline_at, ""))
    if generation.images_until and generation.state == State.QUEUED:
        rows.append(("Source images awaited until", generation.images_until, ""))
    if generation.unknown_until and generation.state == State.SUBMIT_UNKNOWN:
        rows.append(("In doubt until", generation.unknown_until, ""))
    return rows


def _uploads(generation: Generation) -> list[Row]:
    """Which of its source images the customer sent himself, and whether we still have them."""
    if not any(entry.startswith(SCHEME) for entry in generation.source_image_urls):
        return []
    uses = generation.upload_uses.select_related("upload").order_by("upload_id")
    return [("Uploaded image", _upload(use.upload), "") for use in uses]


def _upload(upload: Upload) -> str:
    picture = f"{upload.content_type}, {upload.width} × {upload.height}, {upload.size} bytes"
    return f"{upload.pk}: {picture}{', deleted' if upload.deleted_at else ''}"


def _money(generation: Generation) -> list[tuple[LedgerEntry, str]]:
    """Its ledger entries in the ledger's order, each with its page."""
    posted = (generation.grant, generation.charge, generation.refund, generation.adjustment)
    return [(entry, _page(entry)) for entry in posted if entry is not None]


def _deliveries(generation: Generation, now: datetime) -> list[dict[str, Any]]:
    """Where its end was told, and what came of it."""
    told = WebhookDelivery.objects.filter(event__generation_id=generation.pk)
    read = with_receivers(told).order_by("created_at", "id")
    return [line_of(each, now) for each in read[:MOST]]


def _with_waits(
    generation: Generation, events: list[GenerationEvent]
) -> list[tuple[GenerationEvent, str, list[tuple[str, Any]]]]:
    """Each event, the time since the one before, and its data."""
    found, before = [], generation.created_at
    for event in events:
        wait = _seconds(event.created_at, before)
        found.append((event, f"+{wait}", sorted(event.data.items())))
        before = event.created_at
    return found


def _output(generation: Generation, now: datetime) -> str | None:
    """The signed link that the customer gets, as a path."""
    if generation.state != State.COMPLETED or not generation.output_key:
        return None
    return links.path(generation.output_key, links.LinkPeriod.of(now))


def _seconds(later: datetime | None, earlier: datetime) -> str:
    return "–" if later is None else f"{(later - earlier) / timedelta(seconds=1):.1f} s"


def _page(thing: Model) -> str:
    return reverse(f"admin:{thing._meta.label_lower.replace('.', '_')}_change", args=[thing.pk])


def _generation_page(pk: Any) -> str:
    return reverse("admin:generation_generation_change", args=[pk])
