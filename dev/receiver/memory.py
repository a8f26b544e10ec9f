"""What was received, by box: in memory, and in a file that outlives a killed process."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

KEPT = 50_000  # of what was received, in memory


@dataclass(frozen=True, slots=True)
class Received:
    """One request to a hook. ``at`` is when its head was there, in seconds since 1970."""

    number: int  # counted from 1
    at: float
    box: str
    id: str  # its webhook-id
    attempt: int  # of this box and id, counted from 1
    headers: dict[str, str]  # names in lower case
    body: str | None  # None = it was not read
    verified: bool | None  # None = no secret is known, or nothing was read
    why: str  # it was not
    played: str


@dataclass(slots=True)
class Box:
    """One receiver: its secrets, what it plays whatever its URL says, and its busiest moment."""

    secrets: list[str] = field(default_factory=list)
    scenario: str | None = None
    under_way: int = 0
    most: int = 0  # requests at the same time


class Memory:
    """Everything that arrived, and the boxes. A ``journal`` is read at the start and added to."""

    def __init__(self, journal: Path | None = None) -> None:
        self.boxes: dict[str, Box] = {}
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._number = 0
        self._journal = journal
        for line in _lines(journal):
            entry = json.loads(line)
            if "number" in entry:
                self._keep(Received(**entry))
            else:
                self.boxes[entry["box"]] = Box(entry["secrets"], entry["scenario"])

    def box(self, name: str) -> Box:
        """The box of that name, which exists from its first use on."""
        return self.boxes.setdefault(name, Box())

    def configure(self, name: str, secrets: list[str], scenario: str | None) -> None:
        """Say which secrets verify what a box gets, and what it plays."""
        box = self.box(name)
        box.secrets, box.scenario = secrets, scenario
        self._write({"box": name, "secrets": secrets, "scenario": scenario})

    def attempt(self, box: str, event_id: str) -> int:
        """The number of the delivery that is coming in, of this event to this box."""
        return self._attempts[box, event_id] + 1

    def note(
        self,
        box: str,
        headers: dict[str, str],
        body: str | None,
        *,
        at: float,
        played: str,
        checked: tuple[bool | None, str],
    ) -> Received:
        """Keep a request before anything is answered."""
        event_id = headers.get("webhook-id", "")
        received = Received(
            number=self._number + 1,
            at=at,
            box=box,
            id=event_id,
            attempt=self.attempt(box, event_id),
            headers=headers,
            body=body,
            verified=checked[0],
            why=checked[1],
            played=played,
        )
        self._keep(received)
        self._write(asdict(received))
        return received

    def received(self, box: str | None = None, after: int = 0) -> list[Received]:
        """What came behind that number, of one box or of all, oldest first."""
        found: Iterable[Received] = self._received
        return [each for each in found if each.number > after and box in (None, each.box)]

    def forget(self) -> None:
        """Begin anew, without what arrived and without boxes."""
        self.boxes.clear()
        self._received.clear()
        self._attempts.clear()
        self._number = 0
        if self._journal is not None:
            self._journal.unlink(missing_ok=True)

    def _keep(self, received: Received) -> None:
        self._received.append(received)
        self._attempts[received.box, received.id] += 1
        self._number = received.number

    def _write(self, entry: dict[str, object]) -> None:
        if self._journal is not None:
            with self._journal.open("a") as file:
                file.write(json.dumps(entry) + "\n")


def verify(secrets: list[str], headers: dict[str, str], body: bytes) -> tuple[bool | None, str]:
    """Whether any of the secrets signed it, and why not; None without a secret."""
    why = ""
    for secret in secrets:
        try:
            Webhook(secret).verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            why = str(error)
        else:
            return True, ""
    return (False, why) if secrets else (None, "no secret is known")


def _lines(journal: Path | None) -> list[str]:
    """Whole lines: a killed process may have left half of one at the end."""
    if journal is None or not journal.exists():
        return []
    return journal.read_text().rpartition("\n")[0].splitlines()
