"""An interaction as its callers see it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from dev.emulator.operations import Operation
from dev.emulator.outcome import MIME_TYPE, Outcome, Video

# What a second of video is billed at 720p (5,792 tokens at $12 a million, Omni 1.2's price), and
# how much more of the others.
TOKENS_A_SECOND = 5792
TOKEN_FACTORS = {"360p": 1 / 3, "720p": 1.0, "1080p": 1.5, "4k": 3.0}
RPC_NAMES = {
    3: "invalid_argument",
    4: "deadline_exceeded",
    5: "not_found",
    7: "permission_denied",
    8: "resource_exhausted",
    9: "failed_precondition",
    13: "internal",
    14: "unavailable",
    16: "unauthenticated",
}
REFUSAL_IN_WORDS = (
    "I can't create this video because it would violate our safety policies. "
    "Please try a different prompt."
)


def status_of(operation: Operation) -> dict[str, Any]:
    """Everything but the steps: the answer to a submission."""
    return {
        "id": operation.name.rpartition("/")[2],
        "object": "interaction",
        "model": operation.model,
        "status": _status(operation),
        "created": datetime.fromtimestamp(operation.begun, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def whole(operation: Operation, include_input: bool) -> dict[str, Any]:
    """The answer to a GET."""
    answer = status_of(operation)
    steps: list[dict[str, Any]] = []
    if include_input:
        steps.append({"type": "user_input", "content": operation.contents})
    outcome = operation.outcome
    if outcome is None or _runs(operation):
        return answer | {"steps": steps}
    steps.append({"type": "thought", "signature": ""})
    output = _output(operation, outcome)
    if output and "unlisted" not in operation.scenario:
        steps.append({"type": "model_output", **output})
        answer["usage"] = _usage(operation, outcome)
    if outcome.error:
        code, message = outcome.error
        answer["errors"] = [{"code": RPC_NAMES.get(code, "unknown"), "message": message}]
    return answer | {"steps": steps}


def _runs(operation: Operation) -> bool:
    """An odd status is seen once at least, however soon the work is done."""
    odd = bool(operation.scenario.meanwhile) and operation.polls <= 1
    return operation.outcome is None or odd


def _status(operation: Operation) -> str:
    if operation.cancelled:
        return "cancelled"
    outcome, scenario = operation.outcome, operation.scenario
    if outcome is None or _runs(operation):
        return scenario.meanwhile or "in_progress"
    if outcome.error:
        return "failed"
    if outcome.reason:
        return "incomplete" if "partial" in scenario else "failed"
    return scenario.ends_as or "completed"


def _output(operation: Operation, outcome: Outcome) -> dict[str, Any]:
    """What the model put out; empty when that is nothing."""
    if outcome.reason:
        return {"content": [], "error": {"code": 3, "message": outcome.reason}}
    if "refused-in-words" in operation.scenario:
        return {"content": [{"type": "text", "text": REFUSAL_IN_WORDS}]}
    return {"content": [_video(each) for each in outcome.videos]} if outcome.videos else {}


def _video(video: Video) -> dict[str, str]:
    where = {"uri": video.uri}
    if not video.uri:
        where = {"data": base64.b64encode(video.data).decode()}
    return {"type": "video", "mime_type": MIME_TYPE, **where}


def _usage(operation: Operation, outcome: Outcome) -> dict[str, int]:
    asked = operation.request
    made = 0
    if outcome.videos:
        made = round(asked.seconds * TOKENS_A_SECOND * TOKEN_FACTORS[asked.resolution])
    given = len(asked.prompt) // 4 + 258 * operation.images
    return {
        "total_input_tokens": given,
        "total_output_tokens": made,
        "total_tokens": given + made,
    }
