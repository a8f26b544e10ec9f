"""Customers who wait for an end, or follow it by a stream, at the process that holds them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator

import httpx

from dev.chaos.book import Book

WAIT = 5  # seconds that a request is to be held
WHILE_AWAY = ("service_unavailable", "too_many_streams")
FOLLOW = 8.0  # seconds after which a customer leaves a stream


class Waits:
    """What is told is noted like any status; a process that is killed is asked again later."""

    def __init__(self, book: Book, http: httpx.Client, waiter_url: str) -> None:
        self._book = book
        self._http = http
        self._url = waiter_url

    def wait(self, secret: str, generation_id: str) -> None:
        """Be told within WAIT seconds, of the end or of how far it is."""
        url = f"{self._url}/api/v1/generate/{generation_id}/"
        headers = {"Authorization": f"Bearer {secret}"}
        try:
            answer = self._http.get(url, params={"wait": WAIT}, headers=headers)
        except httpx.TransportError:
            self._book.count("lost waits")
            return
        if answer.status_code == 200:
            self._book.count("held waits" if "Preference-Applied" in answer.headers else "waits")
            self._book.status(answer.json(), "wait")
        else:
            self._refused("wait", answer.status_code, answer.text)

    def stream(self, secret: str, generation_id: str) -> None:
        """Follow it to its end, or for FOLLOW seconds."""
        url = f"{self._url}/api/v1/generate/{generation_id}/events/"
        headers = {"Authorization": f"Bearer {secret}"}
        limit = time.monotonic() + FOLLOW
        try:
            with self._http.stream("GET", url, headers=headers) as answer:
                if answer.status_code != 200:
                    self._refused("stream", answer.status_code, answer.read().decode())
                    return
                self._book.count("streams")
                for event, data in frames(answer.iter_lines()):
                    if event == "status":
                        self._book.status(json.loads(data), "stream")
                    elif event == "error":
                        self._refused("stream", 503, data)
                    if event == "done" or time.monotonic() > limit:
                        return
        except httpx.TransportError:
            self._book.count("lost streams")

    def _refused(self, what: str, status: int, text: str) -> None:
        """Only "not now" may be said, and in the usual shape."""
        if status in (429, 503) and json.loads(text)["code"] in WHILE_AWAY:
            self._book.count(f"{what}s that were told to come back")
        else:
            self._book.complain(f"a {what} got {status} {text[:200]}")


def frames(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Event and data of each frame of a stream that has some."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
            continue
        if "event" in fields:
            yield fields["event"], fields["data"]
        fields = {}
