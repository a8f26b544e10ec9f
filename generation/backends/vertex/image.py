"""What Gemini's image models answer, read as it came over the wire.

google-genai would refuse an answer as a whole for a label of another shape, although the picture
lies beside it. What is in the answer is judged by its bytes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from generation.backends.base import Unknown
from generation.backends.google.errors import empty
from generation.backends.google.http import Json, json_object
from generation.backends.google.safety import (
    FILTERED_FINISH_REASONS,
    filtered,
    reads_like_a_refusal,
)
from generation.kinds import image_kind


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A picture as its bytes say; ``suffix`` is that of its file."""

    data: bytes
    mime_type: str
    suffix: str


def read_image(body: str) -> InlineImage:
    """The picture of an answer. Raises Rejected: a refusal comes as HTTP 200, too.

    Raises Unknown for what is no answer at all.
    """
    answer = json_object(body.encode("utf-8", "surrogatepass"))
    if answer is None:
        raise Unknown("no readable answer: not a JSON object")
    feedback = _object(answer.get("promptFeedback"))
    words = [_text(feedback.get("blockReason"))]
    texts = [_text(feedback.get("blockReasonMessage"))]
    finished: list[str] = []
    for candidate in _objects(answer.get("candidates")):
        for image in _images(candidate):
            return image
        finished.append(_text(candidate.get("finishReason")))
        texts.append(_text(candidate.get("finishMessage")))
        words += [
            _text(rating.get("category"))
            for rating in _objects(candidate.get("safetyRatings"))
            if rating.get("blocked") is True
        ]
    is_filtered = any(words) or not FILTERED_FINISH_REASONS.isdisjoint(finished)
    if is_filtered or any(reads_like_a_refusal(text) for text in texts):
        raise filtered("image", texts, [*words, *finished])
    raise empty("image", "; ".join([f"finish reasons: {finished}", *filter(None, texts)]))


def _images(candidate: Json) -> Iterator[InlineImage]:
    """What is a picture among the parts. A "thought" is a draft that the model made on its way."""
    for part in _objects(_object(candidate.get("content")).get("parts")):
        data = _object(part.get("inlineData")).get("data")
        if part.get("thought") or not isinstance(data, str):
            continue
        try:
            image = picture(base64.b64decode(data))
        except (binascii.Error, ValueError):
            continue
        if image is not None:
            yield image


def picture(data: bytes) -> InlineImage | None:
    """By the first bytes, PNG, JPEG or WebP: what can be delivered; None for all else."""
    kind = image_kind(data)
    return None if kind is None else InlineImage(data, kind.mime_type, kind.extension)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
