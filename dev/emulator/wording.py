"""What callers are told: messages with support codes, errors of operations, Retry-After."""

from __future__ import annotations

from dev.emulator.scenarios import Scenario

# google.rpc codes, not HTTP statuses.
RPC_MESSAGES = {
    3: "The request was rejected: an argument is invalid.",
    8: "The service is out of capacity. Please try again later.",
    7: "Permission denied.",
    13: "Internal error. Please try again. If the issue persists, contact support.",
}


def retry_after(scenario: Scenario) -> dict[str, str]:
    """The header that the marker ``retry-after=N`` asks for."""
    if "retry-after" not in scenario:
        return {}
    return {"Retry-After": str(int(scenario.number("retry-after", 1)))}


def blocked_prompt(code: str) -> str:
    """What a refused prompt is told."""
    return (
        "The prompt could not be submitted: it violates Vertex AI's usage guidelines. "
        f"Support codes: {code}"
    )


def filtered_video(count: int, scenario: Scenario, word: str) -> str:
    """What stands in raiMediaFilteredReasons; about the sound there is no code."""
    if word == "silent-reason" or scenario.value(word) == "audio":
        return (
            f"{count} video(s) were not delivered because of a problem with their audio. "
            "You will not be charged for them."
        )
    code = scenario.support_code(word)
    return (
        f"{count} video(s) were filtered out because they violated Vertex AI's usage guidelines. "
        f"You will not be charged for blocked videos. Support codes: {code}"
    )
