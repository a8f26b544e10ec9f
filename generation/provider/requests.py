"""The request that a generation makes to a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generation.backends import base
from generation.models import Attempt, Generation
from generation.offer.parameters import Parameters


def request_of(
    generation: Generation, attempt: Attempt, images: Sequence[base.SourceImage]
) -> base.SubmitRequest:
    """The one request of this attempt, which names the attempt's model and place."""
    asked = Parameters.of(generation.kind, generation.parameters)
    labels = {"generation": str(generation.pk), "attempt": str(attempt.number)}
    of_both = base.SubmitRequest(
        kind="video" if generation.kind == "video" else "image",
        model=attempt.provider_model,
        prompt=generation.prompt,
        aspect_ratio=asked.shape,
        place=attempt.prefix,
        source_images=tuple(images),
        labels=labels,
        token=f"{generation.pk}-{attempt.number}",
    )
    if asked.duration is None or asked.resolution is None or asked.generate_audio is None:
        return of_both
    return replace(
        of_both,
        duration=asked.duration,
        resolution=asked.resolution,
        audio=asked.generate_audio,
        seed=asked.seed,
        negative_prompt=asked.negative_prompt,
    )
