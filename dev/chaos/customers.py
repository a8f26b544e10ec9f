"""Thirty customers who order, repeat, watch, fetch and cancel; some repeat on purpose.

They order no faster than they are served (dev/chaos/pulse.py). In a queue that only grows every
order would end in a refund for being late.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import httpx

from dev.chaos.accounts import endow, register, upload
from dev.chaos.book import Book
from dev.chaos.feed import Feed
from dev.chaos.hooks import Hooks
from dev.chaos.orders import Order, draw
from dev.chaos.waits import Waits

CLIENTS = 30
ACCOUNTS = 6
DUPLICATES = 0.15
CANCELS = 0.03
DOWNLOADS = 0.1
FEEDS = 0.3  # of the looks: at all that has ended, instead of at one
WAITS, STREAMS = 0.15, 0.15  # of the looks at one: held until there is something to tell
HOOKED = 0.3  # of the orders: with a webhook_url
PAUSE = 4.0  # seconds between two orders of one customer, on average
WAIT = 0.5  # seconds between two looks at the end of the run, while no order is allowed
ANSWERED_WITHIN = 90.0  # seconds, with all repetitions


class Customers:
    """Start them, stop them; ``book`` has what they saw."""

    def __init__(
        self, base_urls: list[str], waiter_url: str, hooks: Hooks, picture: str, seed: int
    ) -> None:
        """``picture`` is the URL of a source image."""
        self.book = Book()
        self._hooks = hooks
        self._feed = Feed(self.book)
        self._picture = picture
        self._uploads: dict[str, str] = {}  # of each account
        self._base_urls = base_urls
        self._seed = seed
        self._over = threading.Event()
        self._http = httpx.Client(timeout=15, limits=httpx.Limits(max_connections=100))
        self._waits = Waits(self.book, self._http, waiter_url)
        self._doubles = ThreadPoolExecutor(8, "double")
        self._threads: list[threading.Thread] = []
        self._places = threading.Semaphore(0)

    def start(self, owner_url: str) -> list[str]:
        """Register the accounts and begin to order; their secrets."""
        first = self._base_urls[0]
        secrets = [register(self._http, first, f"customer-{n}") for n in range(ACCOUNTS)]
        endow(owner_url)
        self._hooks.open(self._http, first, secrets)
        image = self._http.get(self._picture).raise_for_status().content
        self._uploads = {secret: upload(self._http, first, secret, image) for secret in secrets}
        for number in range(CLIENTS):
            thread = threading.Thread(
                target=self._live, args=(number, secrets[number % ACCOUNTS]), daemon=True
            )
            thread.start()
            self._threads.append(thread)
        return secrets

    def offer(self, places: int) -> None:
        """Allow ``places`` orders from now on; earlier offers are void."""
        while self._places.acquire(blocking=False):
            pass
        if places > 0:
            self._places.release(places)

    def stop(self) -> None:
        """Begin nothing new; what was asked for goes on until it is answered."""
        self._over.set()

    def are_done(self) -> bool:
        """Whether the last answer came."""
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.stop()
        self._doubles.shutdown(cancel_futures=True)
        self._http.close()

    def _live(self, number: int, secret: str) -> None:
        chance = random.Random(f"{self._seed}:{number}")
        mine: list[str] = []
        count = 0
        ways = (partial(self._look, chance), self._waits.wait, self._waits.stream)
        self._over.wait(chance.uniform(0, PAUSE))
        while not self._over.is_set():
            if not self._places.acquire(timeout=WAIT):
                continue
            count += 1
            key = f"order-{number}-{count}"
            order = draw(chance, secret, key, self._picture, self._uploads[secret])
            if chance.random() < HOOKED:
                order.body["webhook_url"] = self._hooks.url_of_orders(number % ACCOUNTS)
            generation_id = self._order(chance, order)
            if generation_id is not None:
                mine.append(generation_id)
                if chance.random() < CANCELS:
                    self._cancel(order, generation_id)
            self._over.wait(chance.uniform(0, PAUSE))
            if mine and chance.random() < FEEDS:
                self._feed.follow(secret, self._get)
            elif mine:
                look = chance.choices(ways, (1 - WAITS - STREAMS, WAITS, STREAMS))[0]
                look(secret, chance.choice(mine[-8:]))
            self._over.wait(chance.uniform(0, PAUSE))

    def _order(self, chance: random.Random, order: Order) -> str | None:
        """Ask for it; sometimes twice at the same time, or once more afterwards."""
        self.book.ask(order)
        double: Future[str | None] | None = None
        twice = chance.random() < DUPLICATES
        if twice and chance.random() < 0.5:
            double = self._doubles.submit(self._place, order)
        generation_id = self._place(order)
        if double is not None:
            double.result()
        elif twice:
            self._place(order)
        return generation_id

    def _place(self, order: Order) -> str | None:
        """Repeat until there is an answer; None when it was refused or never came."""
        headers = {"Authorization": f"Bearer {order.secret}", "Idempotency-Key": order.key}
        limit = time.monotonic() + ANSWERED_WITHIN
        while time.monotonic() < limit:
            began = time.monotonic()
            answer = self._send("POST", order.path, headers, order.body)
            if answer is None or answer.status_code in (409, 503):
                time.sleep(random.uniform(0.1, 0.6))
                continue
            if answer.status_code == 201:
                data = answer.json()["data"]
                self.book.answer(order, data, time.monotonic() - began)
                return str(data["generation_id"])
            self.book.complain(f"{order.key}: {answer.status_code} {answer.text[:200]}")
            return None
        self.book.complain(f"{order.key} was not answered within {ANSWERED_WITHIN:.0f} s")
        return None

    def _look(self, chance: random.Random, secret: str, generation_id: str) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        answer = self._send("GET", f"/api/v1/generate/{generation_id}/", headers)
        if answer is None or answer.status_code == 503:
            return
        if answer.status_code != 200:
            self.book.complain(f"{generation_id}: {answer.status_code} {answer.text[:200]}")
            return
        body = answer.json()
        self.book.status(body)
        link = body["video_url"] or body["image_url"]
        if link and chance.random() < DOWNLOADS:
            self._fetch(generation_id, httpx.URL(link))

    def _fetch(self, generation_id: str, link: httpx.URL) -> None:
        answer = self._send("GET", link.raw_path.decode(), {})
        if answer is None or answer.status_code == 503:
            return
        if answer.status_code == 200:
            self.book.file(generation_id, hashlib.sha256(answer.content).hexdigest())
        else:
            self.book.complain(f"the link of {generation_id}: {answer.status_code}")

    def _cancel(self, order: Order, generation_id: str) -> None:
        headers = {"Authorization": f"Bearer {order.secret}"}
        answer = self._send("POST", f"/api/v1/generate/{generation_id}/cancel/", headers)
        if answer is None or answer.status_code in (409, 503):
            return
        if answer.status_code == 200:
            self.book.status(answer.json())
            self.book.count("cancels")
        else:
            self.book.complain(f"cancel of {generation_id}: {answer.status_code}")

    def _get(self, path: str, headers: dict[str, str]) -> httpx.Response | None:
        return self._send("GET", path, headers)

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: object = None
    ) -> httpx.Response | None:
        """One request to any of the web servers; None when the connection did not survive."""
        if self._http.is_closed:  # a control run ended while this was waiting to ask again
            return None
        base_url = random.choice(self._base_urls)
        try:
            answer = self._http.request(method, base_url + path, headers=headers, json=body)
        except httpx.TransportError:
            self.book.count("lost connections")
            return None
        self.book.count(f"answers {answer.status_code}")
        if answer.status_code == 503 and answer.json().get("code") != "service_unavailable":
            self.book.complain(f"a 503 in another shape: {answer.text[:200]}")
        return answer
