"""What measures the outages: that it sees slowness, wrong answers and missed floors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from dev.benchmarks.figures import percentile
from dev.chaos.outages_floors import Report
from dev.chaos.outages_load import Answer, Client, fault_of, milliseconds
from tests.support.web_server import StandInServer

SHAPE = {"success": False, "error": "e", "code": "service_unavailable", "request_id": "r"}
HEADERS = {"Retry-After": "2", "X-Request-ID": "r"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(201, json={}), ""),
        (httpx.Response(503, json=SHAPE, headers=HEADERS), ""),
        (httpx.Response(503, json=SHAPE, headers={"X-Request-ID": "r"}), "without a Retry-After"),
        (httpx.Response(503, json=SHAPE | {"code": "oops"}, headers=HEADERS), "another shape"),
        (httpx.Response(503, json=SHAPE, headers={"Retry-After": "2"}), "another shape"),
        (httpx.Response(503, html="<h1>Oh</h1>", headers=HEADERS), "is not JSON"),
        (httpx.Response(500, json=SHAPE, headers=HEADERS), "500"),
        (httpx.Response(429, json=SHAPE, headers=HEADERS), "429"),
    ],
)
def test_what_counts_as_an_answer_of_the_contract(answer: httpx.Response, words: str) -> None:
    found = fault_of(answer)
    assert (words in found) if words else (found == "")


def test_percentiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([7.0], 0.01) == 7
    assert milliseconds([Answer("k", 0.0, 0.25, 201)], 0.99) == 250


def test_missed_floors() -> None:
    report = Report()
    report.note("n", 1)
    report.at_most("fine", 5.0, 5)
    report.exactly("right", 0, 0)
    report.none_of("none", [])
    assert report.missed == []
    report.at_most("slow", 5.1, 5)
    report.at_most("never", None, 5)
    report.exactly("twice", 1, 0)
    report.none_of("wrong", ["a", "b", "c", "d"])
    assert [sentence.split()[0] for sentence in report.missed] == [
        *("slow", "never", "twice", "wrong:")
    ]
    assert report.figures["wrong"] == 4
    assert "never" in report.table()


class SlowServer(BaseHTTPRequestHandler):
    """Answers one request at a time, each after 0.05 s, as something overloaded does."""

    busy = threading.Lock()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.busy:
            time.sleep(0.05)
        body = b'{"data": {"generation_id": "g"}}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def slow() -> Iterator[str]:
    server = StandInServer(("127.0.0.1", 0), SlowServer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_client_does_not_wait_for_a_slow_server(slow: str) -> None:
    """Six requests in 0.06 s, served in 0.3 s: a closed loop would say 0.05 s of each."""
    client = Client(slow, "secret")
    answers = client.play("name", 100, 0.06)
    client.close()
    assert [answer.status for answer in answers] == [201] * 6
    assert max(answer.due for answer in answers) - answers[0].due < 0.3
    assert max(answer.seconds for answer in answers) > 0.2
    assert len({answer.key for answer in answers}) == 6


def test_a_broken_connection_is_not_an_answer() -> None:
    client = Client("http://127.0.0.1:9", "secret")
    answer = client.create("k")
    client.close()
    assert (answer.status, answer.wrong) == (0, "ConnectError instead of an answer")
