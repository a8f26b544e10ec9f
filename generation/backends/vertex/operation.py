"""A long-running operation of Veo: its name, and what an answer to a poll says.

An answer is believed only as far as it was checked: it comes over the network, and its shape has
changed before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from generation.backends.base import OperationGone, Produced, Running, Unavailable
from generation.backends.google.errors import broken, empty, operation_error
from generation.backends.google.http import Json
from generation.backends.google.inline import InlineVideo, inline_video
from generation.backends.google.locations import LOCATION
from generation.backends.google.safety import filtered
from generation.backends.google.storage import is_below

_WORD = r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}"
_NAME = re.compile(
    rf"(?P<resource>projects/{_WORD}/locations/(?P<location>{LOCATION.pattern})"
    rf"/publishers/google/models/{_WORD})/operations/(?P<id>{_WORD})"
)


@dataclass(frozen=True, slots=True)
class OperationName:
    """The parts of an operation's name that its poll is made of."""

    full: str
    resource: str
    location: str

    @classmethod
    def parse(cls, name: object) -> OperationName | None:
        """The parts of a stored or received name; None when it is none of Veo's."""
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        return cls(match[0], match["resource"], match["location"]) if match else None


def read_operation(
    answer: Json, name: OperationName, place: str
) -> Running | Produced | InlineVideo:
    """What the answer to a poll says. Raises Rejected or Unavailable."""
    told = answer.get("name")
    if told is not None and not _same_operation(told, name):
        raise Unavailable("an answer about another operation")
    done = answer.get("done")
    if done is None or done is False:  # Veo leaves the key out while it works
        return Running()
    if done is not True:
        raise Unavailable("the answer does not say whether the operation is done")
    if answer.get("error"):
        raise operation_error(answer["error"])
    response = answer.get("response")
    return _output(response if isinstance(response, dict) else {}, place)


def _same_operation(told: object, name: OperationName) -> bool:
    # Only the last part: a project may be told by its number.
    return isinstance(told, str) and told.rpartition("/")[2] == name.full.rpartition("/")[2]


def _output(response: Json, place: str) -> Produced | InlineVideo:
    videos = response.get("videos")
    entries = [v for v in videos if isinstance(v, dict)] if isinstance(videos, list) else []
    for entry in entries:
        # Whatever its mimeType says: it was made and billed, and its bytes are judged when stored.
        uri, data = entry.get("gcsUri"), entry.get("bytesBase64Encoded")
        if isinstance(uri, str) and uri:
            if not is_below(uri, place):
                raise broken("video", f"an output elsewhere: {uri}", operator_fault=True)
            return Produced(uri)
        if isinstance(data, str) and data:
            return inline_video(data)
    reasons = response.get("raiMediaFilteredReasons")
    texts = [r for r in reasons if isinstance(r, str)] if isinstance(reasons, list) else []
    if texts or response.get("raiMediaFilteredCount"):
        raise filtered("video", texts)
    raise empty("video", f"keys: {sorted(response)}; videos: {len(entries)}")


def required_name(name: str) -> OperationName:
    """The parts of a stored name. Raises OperationGone: what is no name cannot be asked for."""
    parsed = OperationName.parse(name)
    if parsed is None:
        raise OperationGone("not the name of an operation")
    return parsed
