"""An interaction: its name, and what an answer about it says.

An answer is believed only as far as it was checked. Its words grow: a status that is not known
here is one that goes on, never an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generation.backends.base import OperationGone, Produced, Rejected, Running, Unavailable
from generation.backends.capabilities import INTERACTIONS
from generation.backends.google.errors import broken, empty
from generation.backends.google.http import Json
from generation.backends.google.inline import InlineVideo, inline_video
from generation.backends.google.safety import filtered, reads_like_a_refusal
from generation.backends.google.storage import is_below
from generation.backends.interactions.errors import Fault, end_of

LOCATION = INTERACTIONS.location
MAX_NAME = 400  # characters, as a generation keeps it
_ID = r"[A-Za-z0-9_-][A-Za-z0-9._:~=-]{0,299}"
_PROJECT = r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}"
_NAME = re.compile(rf"projects/{_PROJECT}/locations/{LOCATION}/interactions/(?P<id>{_ID})")
_TOLD = re.compile(rf"(?:(?:[^\n]{{0,500}}/)?interactions/)?(?P<id>{_ID})")

_COMPLETED = "completed"
_ENDED = frozenset({"failed", "incomplete", "cancelled", "budget_exceeded", "requires_action"})


@dataclass(frozen=True, slots=True)
class InteractionName:
    """``projects/P/locations/global/interactions/ID``, and the ID alone."""

    full: str
    id: str

    @classmethod
    def parse(cls, name: object) -> InteractionName | None:
        """The name as it was stored; None when it is none of an interaction."""
        match = _NAME.fullmatch(name) if isinstance(name, str) and len(name) <= MAX_NAME else None
        return cls(match[0], match["id"]) if match else None

    @classmethod
    def of_answer(cls, answer: Json, project: str) -> InteractionName | None:
        """The name of an interaction that we just made; None if the answer has no usable id."""
        told = answer.get("id")
        match = _TOLD.fullmatch(told) if isinstance(told, str) else None
        own = f"projects/{project}/locations/{LOCATION}/interactions/"
        return cls.parse(own + match["id"]) if match else None


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Completed, and no video is named: one may lie in the place, else ``refusal`` holds."""

    refusal: Rejected
    cost: str


def required_name(name: str) -> InteractionName:
    """The parts of a stored name. Raises OperationGone: what is no name cannot be asked for."""
    parsed = InteractionName.parse(name)
    if parsed is None:
        raise OperationGone("not the name of an interaction")
    return parsed


def read_interaction(
    answer: Json, name: InteractionName, place: str
) -> Running | Produced | InlineVideo | Unnamed:
    """What an answer about ``name`` says. Raises Rejected or Unavailable."""
    told = answer.get("id")
    if told is not None and _last(told) != name.id:
        raise Unavailable("an answer about another interaction")
    status = answer.get("status")
    if not isinstance(status, str) or not status:
        raise Unavailable("the answer does not say how the interaction is")
    status = status.lower()
    if status in _ENDED:
        raise end_of(status, list(_faults(answer)))
    if status != _COMPLETED:
        return Running()
    return _output(answer, place)


def _output(answer: Json, place: str) -> Produced | InlineVideo | Unnamed:
    contents, cost = list(_contents(answer)), _cost(answer.get("usage"))
    # Whatever their types say: what lies in the place was made and billed, and its bytes are judged
    # when it is stored.
    uris = [_text(content.get("uri")) for content in contents]
    for uri in uris:
        if is_below(uri, place):
            return Produced(uri, cost=cost)
    for content, uri in zip(contents, uris, strict=True):
        if content.get("type") != "video":
            continue
        if uri:
            raise broken("video", f"an output elsewhere: {uri}", operator_fault=True)
        if data := _text(content.get("data")):
            return inline_video(data, cost)
    return Unnamed(_refusal(answer, contents), cost)


def _refusal(answer: Json, contents: list[Json]) -> Rejected:
    """What it means if there really is no video: a refusal in words, a fault, or nothing."""
    texts = [text for content in contents if (text := _text(content.get("text")))]
    if reads_like_a_refusal("\n".join(texts)):
        return filtered("video", texts)
    if faults := list(_faults(answer)):
        return end_of(_COMPLETED, faults)
    return empty("video", f"keys: {sorted(answer)}; {'; '.join(texts)}")


def _contents(answer: Json) -> Iterator[Json]:
    """What the model made; never what an answer repeats of the input, nor the model's thoughts.

    ``outputs`` is the envelope of before May 2026.
    """
    for step in _objects(answer.get("steps")):
        if step.get("type") == "model_output":
            yield from _objects(step.get("content"))
    for output in _objects(answer.get("outputs")):
        if output.get("type") != "thought":
            yield output


def _faults(answer: Json) -> Iterator[Fault]:
    errors = answer.get("errors")
    told = [*errors] if isinstance(errors, list) else [errors]
    told.append(answer.get("error"))
    told += [step.get("error") for step in _objects(answer.get("steps"))]
    for error in told:
        if isinstance(error, dict) and error:
            yield Fault(error.get("code"), _text(error.get("message")))
        elif isinstance(error, str) and error:
            yield Fault(None, error)


def _cost(usage: object) -> str:
    """The counted tokens, of which those of the output are the bill."""
    counts = usage if isinstance(usage, dict) else {}
    parts = []
    for word in ("output", "thought", "input"):
        count = counts.get(f"total_{word}_tokens")
        if type(count) is int and 0 < count < 10**12:
            parts.append(f"{count} {word} tokens")
    return ", ".join(parts)


def _last(name: object) -> str:
    """The id alone: it may be told with the project (by its number) before it."""
    return name.rpartition("/")[2] if isinstance(name, str) else ""


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
