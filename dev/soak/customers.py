"""A steady stream of everything that customers do, from few threads and few accounts."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

import httpx

from dev.chaos.accounts import login_form, register
from dev.soak.verdict import AS_EXPECTED

LEAST_ACCOUNTS = 5
ORDERS_A_MINUTE = 40  # of an account, which may place 60
AT_ONCE = 48  # requests that use every thread of the web servers, of which there are 16
ORDERED = 16  # orders of theirs; some crowds in a minute stay below the limit of an account
LOOKED = 5  # looks of each of them, while Redis is slow
CALM = 2  # crowds in a row with which no pool grew
THREADS = 8
RECENT = 60  # orders that are still looked at
VIDEO = "/api/v1/generate/video/"
IMAGE = "/api/v1/generate/"
CREDITS = "/api/v1/credits/"
# Of a hundred orders. The emulator's README says what the markers do.
SHARES = {
    "": 62.0,
    "picture": 8.0,
    "source": 8.0,
    "cancel": 4.0,
    "filtered": 4.0,
    "rejected": 2.0,
    "error": 3.0,
    "busy=1": 4.0,
    "unavailable=1": 3.0,
    "accepted-then-502": 1.0,
    "truncated=connection": 1.0,
}
# Beside each order, on average.
LOOKS = {"status": 4.0, "history": 0.7, "download": 0.3, "ledger": 0.3, "wrong": 0.2, "login": 0.05}


class Customers:
    """Call ``play`` often; ``answers`` counts what came back."""

    def __init__(self, base_url: str, emulator_url: str, rate: float) -> None:
        """``rate`` = orders a second."""
        self.answers: Counter[str] = Counter()
        self.dropped = 0  # what these threads were too slow for
        self._picture = f"{emulator_url}/sample-images/square.png?signature=abc"
        self._rate = rate
        self._next = math.inf  # until the pools are filled
        self._number = 0
        self._chance = random.Random(7)
        self._recent: deque[tuple[str, str]] = deque(maxlen=RECENT)  # secret, generation
        self._waiting = threading.Semaphore(THREADS * 4)
        self._threads = ThreadPoolExecutor(THREADS, "customer")
        limits = httpx.Limits(max_connections=THREADS)
        self._http = httpx.Client(base_url=base_url, timeout=20, limits=limits)
        accounts = max(LEAST_ACCOUNTS, math.ceil(rate * 60 / ORDERS_A_MINUTE))
        self._secrets = [register(self._http, base_url, f"soak-{n}") for n in range(accounts)]

    def close(self) -> None:
        """Let what was begun end, then let go of threads and connections."""
        self._threads.shutdown(cancel_futures=True)
        self._http.close()

    def fill_pools(
        self,
        pools: Callable[[], tuple[float, ...]],
        slow_redis: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Keep all threads of the web servers busy until no pool grows; then orders begin.

        A thread, with its connection to PostgreSQL, is made when none is idle; one to Redis, when
        no other is free; the thread that sends wake-ups, at the first order of a process. Under the
        steady load that would go on for long and look like a leak. The kernel chooses the process
        for each connection, so one crowd may leave a thread out: ``pools`` counts them.
        """
        most, calm = pools(), 0
        while calm < CALM:
            self._crowd(slow_redis)
            now = pools()
            grew = any(new > old for new, old in zip(now, most, strict=True))
            calm = 0 if grew else calm + 1
            most = tuple(map(max, now, most))
        self._next = time.monotonic()

    def _crowd(self, slow_redis: Callable[[], AbstractContextManager[None]]) -> None:
        with (
            ThreadPoolExecutor(AT_ONCE) as crowd,
            httpx.Client(base_url=self._http.base_url, timeout=120, limits=httpx.Limits()) as http,
        ):
            forms = [self._form(number) for number in range(AT_ONCE)]
            # a password takes 0.3 s of a CPU
            for answer in crowd.map(lambda form: http.post("/api/login/", json=form), forms):
                answer.raise_for_status()
            keys = [{"Authorization": f"Bearer {self._secret()}"} for _ in range(AT_ONCE)]
            body = {"prompt": "A clip of everybody's"}
            ordering = keys[:ORDERED]
            for answer in crowd.map(lambda key: http.post(VIDEO, json=body, headers=key), ordering):
                answer.raise_for_status()
            with slow_redis():
                for answer in crowd.map(lambda key: http.get(CREDITS, headers=key), keys * LOOKED):
                    answer.raise_for_status()

    def play(self) -> None:
        """Do what is due by now; an order comes with looks at earlier ones."""
        while time.monotonic() >= self._next:
            self._next += 1 / self._rate
            self._number += 1
            kind = self._chance.choices(list(SHARES), list(SHARES.values()))[0]
            self._do(partial(self._order, self._secret(), kind, self._number))
            for what, often in LOOKS.items():
                for _ in range(int(often) + (self._chance.random() < often % 1)):
                    self._do(partial(self._look, what))

    def _do(self, job: Callable[[], None]) -> None:
        """Do a job in a thread; jobs that find none free are dropped and counted."""
        if self._waiting.acquire(blocking=False):
            self._threads.submit(self._guarded, job)
        else:
            self.dropped += 1

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except httpx.TransportError as error:
            self.answers[f"no answer: {type(error).__name__}"] += 1
        finally:
            self._waiting.release()

    def _order(self, secret: str, kind: str, number: int) -> None:
        marker = "" if kind in ("", "picture", "source") else f" [emulator:{kind}]"
        if kind == "cancel":
            marker = " [emulator:busy]"
        body: dict[str, object] = {"prompt": f"A kite, number {number}{marker}"}
        if kind == "source":
            body["source_image_urls"] = [self._picture]
        answer = self._send(
            "POST", IMAGE if kind == "picture" else VIDEO, secret, body, f"soak-{number}"
        )
        if answer.status_code != httpx.codes.CREATED:
            return
        generation_id = answer.json()["data"]["generation_id"]
        if kind == "cancel":
            self._send("POST", f"{IMAGE}{generation_id}/cancel/", secret, expected=(200, 409))
        self._recent.append((secret, generation_id))

    def _look(self, what: str) -> None:
        secret, generation_id = random.choice(self._recent or [(self._secret(), "none")])
        if what in ("status", "download"):
            answer = self._send("GET", f"{IMAGE}{generation_id}/", secret, expected=(200, 404))
            link = answer.json().get("video_url")
            if what == "download" and link:
                self._send("GET", httpx.URL(link).raw_path.decode(), secret)
        elif what == "history":
            self._send("GET", f"{IMAGE}history/?limit=20", secret)
        elif what == "ledger":
            self._send("GET", "/api/v1/credits/transactions/", secret)
        elif what == "wrong":
            self._send("POST", VIDEO, secret, {"prompt": ""}, expected=(400,))
            self._send("GET", CREDITS, f"{secret}x", expected=(401,))
        else:
            self._log_in_and_out()

    def _log_in_and_out(self) -> None:
        form = self._form(random.randrange(len(self._secrets)))
        answer = self._send("POST", "/api/login/", None, form)
        if answer.status_code == httpx.codes.OK:
            self._send("POST", "/api/logout/", answer.json()["token"], expected=(204,))

    def _send(
        self,
        method: str,
        path: str,
        secret: str | None,
        body: object = None,
        key: str | None = None,
        expected: tuple[int, ...] = (200, 201),
    ) -> httpx.Response:
        """One request; unexpected answers are counted by method, status and text."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._http.request(method, path, headers=headers, json=body)
        if answer.status_code in expected:
            self.answers[AS_EXPECTED] += 1
        else:
            self.answers[f"{method} {answer.status_code} {answer.text[:80]}"] += 1
        return answer

    def _secret(self) -> str:
        return self._chance.choice(self._secrets)

    def _form(self, number: int) -> dict[str, str]:
        return login_form(f"soak-{number % len(self._secrets)}")
