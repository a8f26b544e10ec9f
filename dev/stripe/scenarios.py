"""Markers in an e-mail address that make the emulator play a scenario.

``buyer+twice+refund@example.com`` asks for ``twice`` and ``refund``; README.md lists them all. A
word after a plus that is no scenario means nothing here: people have such addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Every scenario, and whether it takes a number: "" never, "may", "must".
SCENARIOS: dict[str, str] = {
    "twice": "",
    "late": "must",
    "lost": "",
    "disorder": "",
    "forged": "",
    "replayed": "",
    "othermode": "",
    "wrong-amount": "",
    "wrong-currency": "",
    "before-answer": "",
    "create-then-no-answer": "",
    "create-then-500": "",
    "429": "may",
    "hang": "may",
    "pays-after-expiry": "may",
    "refund": "",
    "partial-refund": "must",
    "refund-fails": "",
    "dispute": "",
    "dispute-won": "",
    "declined": "",
    "3ds": "",
    "sepa-ok": "",
    "sepa-fails": "",
    "auth-required": "",
}
NUMBER = re.compile(r"\d{1,9}(\.\d{1,3})?")


class UnknownScenarioError(ValueError):
    """No such scenario; the message names those that exist."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The words that are to be played, with their numbers; none for an ordinary payment."""

    words: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.words

    def __or__(self, other: Scenario) -> Scenario:
        return Scenario(self.words | other.words)

    def number(self, name: str, default: float) -> float:
        """The number of ``name``, or ``default`` where it has none."""
        return float(self.words.get(name) or default)

    def shown(self) -> list[str]:
        """As they are written in an address."""
        return [f"{name}={value}" if value else name for name, value in self.words.items()]


def of_email(address: str | None) -> Scenario:
    """What the plus-tags of an address ask for."""
    tags = (address or "").rpartition("@")[0].split("+")[1:]
    return Scenario(dict(word for tag in tags if (word := _understood(tag)) is not None))


def parse(written: str) -> Scenario:
    """Scenarios joined by ``+``, for the control endpoint. Raises UnknownScenarioError."""
    words: dict[str, str] = {}
    for tag in written.split("+"):
        word = _understood(tag)
        if word is None:
            listed = ", ".join(
                f"{name}=N" if form == "must" else name for name, form in SCENARIOS.items()
            )
            raise UnknownScenarioError(f"Unknown scenario {tag!r}. Known: {listed}")
        words[word[0]] = word[1]
    return Scenario(words)


def _understood(tag: str) -> tuple[str, str] | None:
    name, equals, value = tag.strip().lower().partition("=")
    form = SCENARIOS.get(name)
    if form is None or (equals and not NUMBER.fullmatch(value)):
        return None
    if (form == "" and equals) or (form == "must" and not equals):
        return None
    return name, value
