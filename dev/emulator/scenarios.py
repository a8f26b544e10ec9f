"""Markers in a prompt that make the emulator play a scenario, as test card numbers do.

A prompt such as ``A red kite [emulator:busy=2 slow=5]`` asks for the scenarios ``busy`` and
``slow``; README.md lists them all. The marker is left out of the rendered caption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MARKER = re.compile(r"\[emulator:([^\]]*)\]", re.IGNORECASE)

# One code for each category of Google's page "Responsible AI for Veo".
SUPPORT_CODES = {
    "child": "58061214",
    "celebrity": "15236754",
    "video": "64151117",
    "dangerous": "62263041",
    "hate": "57734940",
    "other": "29578790",
    "prohibited": "89371032",
    "third-party": "35561574",
    "sexual": "90789179",
    "toxic": "78610348",
    "violence": "61493863",
    "vulgar": "32635315",
}
DEFAULT_CATEGORY = "celebrity"

# Statuses of an interaction that end it without a file; any other one is shown for a while.
FINAL_STATUSES = ("failed", "incomplete", "cancelled", "budget_exceeded", "requires_action")

# Every scenario and the form of its value: "" none, "number", "category", "status", or the allowed
# words.
# A value may always be left out.
SCENARIOS: dict[str, str | tuple[str, ...]] = {
    "busy": "number",
    "overloaded": "number",
    "retry-after": "number",
    "rejected": "category",
    "retired": "",
    "html502": "",
    "accepted-then-no-answer": "",
    "accepted-then-reset": "",
    "accepted-then-502": "",
    "slow": "number",
    "never": "",
    "unavailable": "number",
    "gone": ("empty",),
    "filtered": "category",
    "partial": "category",
    "error": "number",
    "silent-reason": "",
    "refused-in-words": "",
    "empty": "",
    "unlisted": "",
    "status": "status",
    "hevc": "",
    "truncated": ("file", "connection"),
}


class UnknownScenarioError(ValueError):
    """The marker is misspelled; the message names what exists."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The words of a prompt's markers; none for an ordinary prompt."""

    words: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.words

    def number(self, name: str, default: float) -> float:
        """The value of ``name``, or ``default`` where the marker gives none."""
        return float(self.words.get(name) or default)

    def value(self, name: str) -> str:
        """The word after ``=``, or an empty string."""
        return self.words.get(name, "")

    @property
    def meanwhile(self) -> str:
        """The odd status of an interaction that is under way; empty for the usual one."""
        status = self.words.get("status")
        return "" if status is None or status in FINAL_STATUSES else status or "idle"

    @property
    def ends_as(self) -> str:
        """The status in which an interaction ends without a file; empty for the usual end."""
        return self.value("status") if self.value("status") in FINAL_STATUSES else ""

    def support_code(self, name: str) -> str:
        """The support code of the category given to ``name`` (a code stands for itself)."""
        value = self.words.get(name) or DEFAULT_CATEGORY
        return SUPPORT_CODES.get(value, value if value.isdigit() else SUPPORT_CODES["other"])


def parse(prompt: str) -> tuple[Scenario, str]:
    """The scenario of ``prompt`` and the prompt without markers. Raises UnknownScenarioError."""
    words: dict[str, str] = {}
    for marker in MARKER.findall(prompt):
        for word in re.split(r"[\s,;]+", marker.strip().lower()):
            if word:
                name, _, value = word.partition("=")
                _check(name, value)
                words[name] = value
    return Scenario(words), " ".join(MARKER.sub(" ", prompt).split())


def _check(name: str, value: str) -> None:
    if name not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise UnknownScenarioError(f"Unknown emulator scenario {name!r}. Known: {known}")
    form = SCENARIOS[name]
    if not value:
        return
    if form == "number":
        good = re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) is not None
    elif form == "category":
        good = value in SUPPORT_CODES or value in ("prompt", "audio") or value.isdigit()
    elif form == "status":
        good = re.fullmatch(r"[a-z_]{1,40}", value) is not None and value != "completed"
    else:
        good = value in form if isinstance(form, tuple) else False
    if not good:
        raise UnknownScenarioError(f"Emulator scenario {name!r} does not take the value {value!r}")
