"""A customer who uses webhooks, also wrongly, and receivers whose answers nobody may keep."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import httpx

from dev.embedded.processes import wait_until
from tests.support.web_server import StandInServer
from tests.system.faults.leak_search import Needle
from tests.system.faults.leak_traffic import TABLE, VIDEO, Buyer, Noted

ENDPOINTS = "/api/v1/webhook-endpoints/"
SOME = {"event_types": ["generation.canceled"]}  # each attempt makes one signature more to seek
SIGNATURES = 40  # that are noted, of all manners
OF_ENDPOINT = "database events_webhookendpoint.url"
OF_DELIVERY = "database events_webhookdelivery.url"
OF_ORDER = f"{TABLE}.webhook_url"
# A path and a query may be secrets: they stand where they are used, and nowhere else.
PLACES = (OF_ENDPOINT, OF_DELIVERY, OF_ORDER)
ALLOWED = frozenset(PLACES) | {f"{place} (meanwhile)" for place in PLACES}
MANNERS = ("200", "500", "301", "429", "garbage", "close")
REFUSED_ROW = "refused-row"  # in the URL of a delivery that cannot be written back


class Listener(StandInServer):
    """Answers as the path says, with words that are found nowhere else; notes all signatures."""

    daemon_threads = True

    def __init__(self, noted: Noted) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.noted = noted
        self.seen: set[str] = set()  # manners that were played
        self.signatures = 0
        self.body = noted.canary("the body of a receiver's answer")
        self.header = noted.canary("a header of a receiver's answer")
        self.reason = noted.canary("the reason of a receiver's status")
        self.location = noted.canary("where a receiver redirects")
        self.lock = threading.Lock()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        manner = self.path.split("/")[2]
        with self.server.lock:
            self.server.seen.add(manner)
            for entry in self.headers["webhook-signature"].split():
                if self.server.signatures < SIGNATURES:
                    self.server.noted.secret("a signature", entry.removeprefix("v1,"))
                    self.server.signatures += 1
        if manner in ("garbage", "close"):
            if manner == "garbage":
                self.wfile.write(self.server.body.encode() + b"\r\n\r\n")
            self.close_connection = True
            return
        self.send_response(int(manner), self.server.reason)
        self.send_header("X-Answer", self.server.header)
        self.send_header("Set-Cookie", f"session={self.server.header}")
        if manner == "301":
            self.send_header("Location", f"{self.server.origin}/hooks/200/{self.server.location}")
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *_: object) -> None:
        """Not onto the terminal."""


@contextmanager
def listening(noted: Noted) -> Iterator[Listener]:
    """Receivers that answer; their origin has to be allowed."""
    with Listener(noted) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


def use_webhooks(noted: Noted, buyer: Buyer, listener: Listener) -> None:
    """Endpoints of all manners, tests, secrets made anew, and what is misspelt or misplaced."""
    http = buyer.http
    for manner in MANNERS:
        made = _post(http, ENDPOINTS, SOME | {"url": _url(noted, listener, manner)}, 201)
        place = f"{ENDPOINTS}{made['id']}/"
        secrets = [made["secret"]]
        secrets.append(_post(http, f"{place}rotate-secret/", {}, 200)["secret"])
        for secret in secrets:
            _note(noted, secret)
        tested = _post(http, f"{place}test/", {}, 202)
        assert http.get(place).is_success
        assert http.get(f"{place}deliveries/").is_success
        assert http.get(f"{place}deliveries/{tested['delivery_id']}/").is_success
        _post(http, f"{place}deliveries/{tested['delivery_id']}/retry/", {}, 202)
        http.patch(place, json={"url": _url(noted, listener, manner)})
    default = http.get(f"{ENDPOINTS}default-secret/").json()["secret"]
    _note(noted, default)
    _note(noted, _post(http, f"{ENDPOINTS}default-secret/rotate/", {}, 200)["secret"])
    for manner in ("200", "500"):
        buyer.order_one(f"one that tells {manner}", webhook_url=_url(noted, listener, manner))
    _misuse(noted, http, default)


def fail_to_write_back(noted: Noted, buyer: Buyer, listener: Listener) -> None:
    """An order whose delivery breaks the rule that ``REFUSED_ROW`` is in the way of."""
    url = _url(noted, listener, "200", REFUSED_ROW)
    assert buyer.order_one("one that cannot be told", webhook_url=url).status_code == 201


def all_were_played(listener: Listener) -> bool:
    """Whether each kind of receiver was asked."""
    return wait_until(lambda: listener.seen >= set(MANNERS), 30)


def _misuse(noted: Noted, http: httpx.Client, secret: str) -> None:
    word = noted.canary("what was said of no endpoint")
    for body in (
        {"url": f"https://me:{word}@example.com/"},
        {"url": f"http://10.1.2.3/{word}"},
        {"url": f"https://example.com/{word}\x00"},
        {"url": f"https://example.com/{word * 200}"},
        {"url": {word: word}},
        {"url": f"ftp://{word}/", "event_types": [word]},
        {"url": "https://example.com/", "description": word * 100},
    ):
        assert http.post(ENDPOINTS, json=body).status_code == 400
        if len(body) == 1:
            refused = http.post(VIDEO, json={"prompt": "x", "webhook_url": body["url"]})
            assert refused.status_code == 400
    http.post(ENDPOINTS, content=f'{{"url": "{word}', headers={"Content-Type": "application/json"})
    for path in (f"{secret}/", f"{secret}/deliveries/?type={word}", f"?cursor={secret}"):
        http.get(f"{ENDPOINTS}{path}")
    http.get(f"/api/v1/events/?after={secret}&type={word}")


def _url(noted: Noted, listener: Listener, manner: str, more: str = "") -> str:
    path = noted.canary(f"the path of a receiver that says {manner}", ALLOWED)
    query = noted.canary(f"the query of a receiver that says {manner}", ALLOWED)
    return f"{listener.origin}/hooks/{manner}/{path}{more}?token={query}"


def _note(noted: Noted, secret: str) -> None:
    """As it is shown, what a rule for words would leave of it, and the bytes that it stands for."""
    noted.secret("the secret of a webhook", secret.removeprefix("whsec_"))
    noted.secret("the end of a webhook's secret", secret[-20:])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    noted.needles.append(Needle("the key of a webhook", key.hex()))


def _post(http: httpx.Client, path: str, body: dict[str, object], status: int) -> dict[str, str]:
    answer = http.post(path, json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, str] = answer.json()
    return found
