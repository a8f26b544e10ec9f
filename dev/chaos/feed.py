"""The log of ends, as customers follow it: page after page, from where they had come to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

import httpx

from dev.chaos.book import Book
from dev.chaos.invariants import Row

LIMIT = 20
# A path and headers; None when the connection did not survive.
Ask = Callable[[str, dict[str, str]], httpx.Response | None]


class Feed:
    """Shared by all who have the same secret; one of them reads, the others come back later."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._turns: dict[str, threading.Lock] = {}

    def follow(self, secret: str, ask: Ask) -> None:
        """Read what is new, as long as the service answers."""
        turn = self._turns.setdefault(secret, threading.Lock())
        if not turn.acquire(blocking=False):
            return
        try:
            while _page(self._book, secret, ask):
                pass
        finally:
            turn.release()


def untold(
    http: httpx.Client, book: Book, rows: list[Row], secrets: Iterable[str]
) -> Iterator[str]:
    """Read all logs to their end; then which generation's end was not told as the row has it."""
    for secret in secrets:
        while _page(book, secret, lambda path, headers: http.get(path, headers=headers)):
            pass
    for row in rows:
        if book.told.get(row["id"]) != row["state"]:
            yield f"{row['id']} is {row['state']}, told was {book.told.get(row['id'])}"


def _page(book: Book, secret: str, ask: Ask) -> bool:
    """Note one page; whether there is another one."""
    after = f"&after={book.cursors[secret]}" if secret in book.cursors else ""
    headers = {"Authorization": f"Bearer {secret}"}
    answer = ask(f"/api/v1/events/?limit={LIMIT}{after}", headers)
    if answer is None or answer.status_code == 503:
        return False
    if answer.status_code != 200:
        book.complain(f"events{after}: {answer.status_code} {answer.text[:200]}")
        return False
    body = answer.json()
    for event in body["results"]:
        book.event(event)
    if body["cursor"] is not None:
        book.cursors[secret] = body["cursor"]
    return bool(body["has_more"])
