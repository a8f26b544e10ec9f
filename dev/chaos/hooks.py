"""The customers' endpoints: each plays a fault of receivers, and what they got is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

from dev.receiver.scenarios import parse

ENDPOINTS = "/api/v1/webhook-endpoints/"
ALL = ("generation.completed", "generation.failed", "generation.canceled")
# Two at a time go to one receiver: one that takes seconds for each cannot get all that ends.
FAILED, CANCELED = ("generation.failed",), ("generation.canceled",)
HEALS, NEVER = "heals", "never"  # an endpoint's description: whether it takes an event in the end


@dataclass(frozen=True, slots=True)
class Kind:
    """A receiver: what it plays, and what of the ends it wants."""

    scenario: str
    types: tuple[str, ...] = ALL
    description: str = HEALS


FINE = Kind("fine")
# Besides a fine one, of each account in turn.
KINDS = (
    (Kind("500=2"), Kind("slow=1", FAILED)),
    (Kind("429=1"), Kind("hang=1", CANCELED)),
    (Kind("close-read=1+close-unread=1"), Kind("410", ALL, NEVER)),
    (Kind("301=1+garbage=1"), Kind("endless", FAILED)),
    (Kind("500", ALL, NEVER), Kind("drip=1", CANCELED)),
    (Kind("close-unread=1"), Kind("dies=1", CANCELED)),
)
WORDS = {word for pair in KINDS for kind in pair for word, _ in parse(kind.scenario).acts}
OF_ORDERS = "orders-500=1"  # the box of a create's webhook_url, and what it plays

# What no schedule of hours may keep from being judged: a receiver that is there again is told.
TIME_PASSES = f"""
UPDATE events_webhookdelivery AS delivery SET next_attempt_at = now()
  FROM events_event AS event
 WHERE event.id = delivery.event_id AND delivery.state = 'pending' AND lease_token IS NULL
   AND next_attempt_at > now() AND NOT EXISTS (
       SELECT FROM events_webhookendpoint AS endpoint
        WHERE endpoint.id = delivery.endpoint_id AND description = '{NEVER}')
"""


class Hooks:
    """What the customers have at the receiver."""

    def __init__(self, receiver_url: str) -> None:
        self._url = receiver_url
        self._http = httpx.Client(base_url=receiver_url, timeout=20)
        self.secrets: dict[str, str] = {}  # by box

    def open(self, http: httpx.Client, base_url: str, secrets: list[str]) -> None:
        """Make the endpoints of all accounts, tell the boxes their secrets, send each a test."""
        for number, secret in enumerate(secrets):
            api = f"{base_url}{ENDPOINTS}"
            headers = {"Authorization": f"Bearer {secret}"}
            default = http.get(f"{api}default-secret/", headers=headers).raise_for_status()
            self._verify(f"{number}-orders", default.json()["secret"])
            for place, kind in enumerate((FINE, *KINDS[number % len(KINDS)])):
                box = f"{number}-{place}"
                said = {
                    "url": f"{self._url}/hooks/{box}/{kind.scenario}",
                    "event_types": list(kind.types),
                    "description": kind.description,
                }
                made = http.post(api, json=said, headers=headers).raise_for_status().json()
                self._verify(box, made["secret"])
                tested = http.post(f"{api}{made['id']}/test/", headers=headers)
                tested.raise_for_status()

    def url_of_orders(self, number: int) -> str:
        """What the customers of the account of that number give to some creates."""
        return f"{self._url}/hooks/{number}-{OF_ORDERS.replace('-', '/')}"

    def received(self) -> list[dict[str, Any]]:
        """Everything that arrived at any box."""
        answer = self._http.get("/receiver/received").raise_for_status()
        found: list[dict[str, Any]] = answer.json()["received"]
        return found

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _verify(self, box: str, secret: str) -> None:
        self.secrets[box] = secret
        told = {"secrets": [secret]}
        self._http.put(f"/receiver/boxes/{box}", json=told).raise_for_status()


def let_time_pass(owner_url: str) -> None:
    """Make all due that will be, but for receivers that never take anything."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(TIME_PASSES.encode())


def box_of(url: str) -> str:
    """The box at the receiver that an endpoint's URL names."""
    return urlsplit(url).path.split("/")[2]


def words_met(received: list[dict[str, Any]]) -> Iterator[str]:
    """The faults that receivers have played."""
    return (each["played"] for each in received)
