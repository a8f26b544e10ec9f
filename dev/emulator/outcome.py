"""How a purchase ended, before an API puts it into its own words."""

from __future__ import annotations

from dataclasses import dataclass

from dev.emulator.scenarios import Scenario
from dev.emulator.video_request import VideoRequest
from dev.emulator.wording import RPC_MESSAGES, blocked_prompt, filtered_video

MIME_TYPE = "video/mp4"


@dataclass(frozen=True, slots=True)
class Video:
    """A file that was made: its ``gs://`` address, or its bytes."""

    uri: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of an operation. ``error`` is a google.rpc code and its message.

    ``filtered`` videos were held back for ``reason``. ``videos`` were made and are billed, even
    where the answer does not list them.
    """

    videos: tuple[Video, ...] = ()
    error: tuple[int, str] | None = None
    filtered: int = 0
    reason: str = ""


def failure(code: int, message: str = "") -> Outcome:
    """The end with an error; ``code`` is a google.rpc code."""
    return Outcome(error=(code, message or RPC_MESSAGES.get(code, "It failed.")))


def played(request: VideoRequest) -> Outcome:
    """What the request's markers make of it, without any files."""
    scenario = request.scenario
    if "error" in scenario:
        return failure(int(scenario.number("error", 13)))
    if scenario.value("filtered") == "prompt":
        return failure(3, blocked_prompt(scenario.support_code("filtered")))
    held = (("filtered", request.samples), ("silent-reason", request.samples), ("partial", 1))
    for word, count in held:
        if word in scenario:
            return Outcome(filtered=count, reason=filtered_video(count, scenario, word))
    return Outcome()


def makes_files(scenario: Scenario) -> bool:
    """False where the markers say that nothing is made."""
    nothing = ("filtered", "silent-reason", "error", "empty", "refused-in-words")
    if any(word in scenario for word in nothing) or scenario.value("gone") == "empty":
        return False
    return not scenario.ends_as
