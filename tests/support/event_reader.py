"""Following an account's events over HTTP, as a customer's program does it."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from accounts.models import Account
from credits.models import Wallet
from tests.support.people import Person, make_person

PATH = "/api/v1/events/"


def wealthy(name: str) -> Person:
    person = make_person(name, 100_000)
    Wallet.objects.filter(account=person.account).update(max_open_charges=10_000)
    Account.objects.filter(pk=person.account.pk).update(reads_per_minute=1_000_000)
    return person


class Reader:
    """Follows the log over HTTP until ``count`` events came."""

    def __init__(self, client: httpx.Client, count: int, limit: int, what: str | None) -> None:
        self.seen: list[str] = []
        self.numbers: list[str] = []
        self._client, self._count = client, count
        self._query: dict[str, Any] = {"limit": limit} | ({"type": what} if what else {})

    def read(self, over: threading.Event) -> None:
        while len(self.seen) < self._count:
            last = over.is_set()  # then this page is all that there is
            body = self._client.get(PATH, params=self._query).json()
            self.numbers += [event["id"] for event in body["results"]]
            self.seen += [event["data"]["id"] for event in body["results"]]
            assert all(event["data"]["status"] != "processing" for event in body["results"])
            if body["cursor"] is not None:
                self._query["after"] = body["cursor"]
            if last and not body["has_more"]:
                return
            if not body["results"]:
                over.wait(0.01)  # leaves the processor to those who end something
