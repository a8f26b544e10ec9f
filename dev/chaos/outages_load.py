"""An open-loop client: requests leave at their time and wait for no earlier answer."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from dev.benchmarks.figures import percentile

VIDEO = "/api/v1/generate/video/"
THREADS = 64  # requests under way at once; far more than a healthy service ever lets wait
TIMEOUT = 20.0  # seconds; longer than anything that counts as an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Times are of the monotonic clock, in seconds."""

    key: str  # the Idempotency-Key of a create, empty for a read
    due: float  # when it was to be sent; a client that fell behind must not look fast
    seconds: float  # from then to the answer's last byte
    status: int  # 0 = the connection broke or nothing came
    wrong: str = ""  # why it is none of the contract's answers
    generation_id: str = ""

    @property
    def ended(self) -> float:
        """When its last byte was there."""
        return self.due + self.seconds


class Client:
    """One account's requests over pooled connections, from many threads."""

    def __init__(self, base_url: str, secret: str) -> None:
        limits = httpx.Limits(max_connections=THREADS, max_keepalive_connections=THREADS)
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=TIMEOUT, limits=limits
        )
        self._pool = ThreadPoolExecutor(THREADS, "load")
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of threads and connections."""
        self._pool.shutdown(cancel_futures=True)
        self._http.close()

    def create(self, key: str, due: float | None = None) -> Answer:
        body = {"prompt": f"A clip, {key}"}
        return self._send("POST", VIDEO, time.monotonic() if due is None else due, key, body)

    def play(self, name: str, rate: float, seconds: float, read: str | None = None) -> list[Answer]:
        """Creates at ``rate`` a second; with ``read``, every second request reads that instead."""
        began = time.monotonic()
        waiting = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            if read is not None and number % 2:
                waiting.append(
                    self._pool.submit(self._send, "GET", f"/api/v1/generate/{read}/", due)
                )
            else:
                waiting.append(self._pool.submit(self.create, f"{name}-{self._next()}", due))
        return [future.result() for future in waiting]

    def order(self, name: str, count: int) -> list[Answer]:
        """So many creates, eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self.create, [f"{name}-{self._next()}" for _ in range(count)]))

    def _next(self) -> int:
        with self._lock:
            return next(self._numbers)

    def _send(
        self, method: str, path: str, due: float, key: str = "", body: object = None
    ) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            wrong = f"{type(error).__name__} instead of an answer"
            return Answer(key, due, time.monotonic() - due, 0, wrong)
        seconds = time.monotonic() - due
        created = answer.status_code == HTTPStatus.CREATED
        generation_id = str(answer.json()["data"]["generation_id"]) if created else ""
        return Answer(key, due, seconds, answer.status_code, fault_of(answer), generation_id)


def fault_of(answer: httpx.Response) -> str:
    """Empty for a success and for a 503 in the contract's shape, else what is wrong with it."""
    if answer.is_success:
        return ""
    shown = f"{answer.status_code} {answer.text[:120]!r}"
    if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return shown
    if not answer.headers.get("Retry-After", "").isdigit():
        return f"{shown} without a Retry-After"
    try:
        body = answer.json()
    except ValueError:
        return f"{shown} is not JSON"
    named = (body.get("success"), body.get("code"), body.get("request_id"))
    if named != (False, "service_unavailable", answer.headers.get("X-Request-ID")):
        return f"{shown} in another shape"
    return ""


def milliseconds(answers: Iterable[Answer], share: float) -> float:
    """A percentile of the answers' times."""
    return round(percentile([answer.seconds for answer in answers], share) * 1000, 1)
