"""A running emulator of Stripe, and a shop's endpoint that keeps what it is told."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import stripe

from tests.support.stripe_shapes import of_record
from tests.support.web_server import StandInServer

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "sk_test_emulated"
WEBHOOK_SECRET = "whsec_emulated"


@dataclass
class Told:
    """One delivery: its headers and its body as it came."""

    signature: str
    raw: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))


@dataclass
class Shop:
    """An endpoint for webhooks; ``answers`` are the next ones by kind of event, then 200."""

    url: str
    told: list[Told] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0.0

    def begin(self) -> None:
        """Forget what was told. What was sent before is told to nobody, though it arrives later."""
        httpx.get(self.url)  # connections are taken in their order, so all earlier ones are known
        self.told = []
        self.answers.clear()
        self.seconds = 0.0

    def of(self, payment: str) -> list[Told]:
        """What was told about one payment, in the order of arrival; an empty text stands for all.

        The payment is a whole word of JSON: a random id may contain it, as ``evt_pA3p1`` does.
        """
        word = json.dumps(payment) if payment else ""
        return [each for each in self.told if word in each.raw.decode()]

    def kinds(self, payment: str = "") -> list[str]:
        """Ask for all where refunds and disputes count: they do not name the payment."""
        return [each.event["type"] for each in self.of(payment)]


@contextmanager
def shop() -> Iterator[Shop]:
    """Serve a shop's endpoint on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            meant = meant_for.pop(self.client_address)
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(kept.seconds)
            told = Told(self.headers.get("Stripe-Signature", ""), raw)
            meant.append(told)
            answers = kept.answers.get(told.event["type"]) if meant is kept.told else None
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing on the terminal."""

    class Server(StandInServer):
        def process_request(self, request: Any, client_address: Any) -> None:
            meant_for[client_address] = kept.told
            super().process_request(request, client_address)

    meant_for: dict[Any, list[Told]] = {}  # by the connection: what it is noted in
    server = Server(("127.0.0.1", 0), Handler)
    kept = Shop(f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class StripeEmulator:
    """The running process, and Stripe's own client for it."""

    url: str
    record: Path
    http: httpx.Client

    @property
    def sdk(self) -> stripe.StripeClient:
        return self.client(SECRET_KEY)

    def client(self, key: str, retries: int = 0) -> stripe.StripeClient:
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, max_network_retries=retries
        )

    def order(self, payment: str, email: str = "buyer@example.com", **more: Any) -> Any:
        """A Checkout Session of $25.00 as the shop orders it."""
        customer = self.sdk.v1.customers.create({"email": email})
        params: dict[str, Any] = {
            "mode": "payment",
            "customer": customer.id,
            "line_items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 2500,
                        "product_data": {"name": "2,500 credits"},
                    },
                    "quantity": 1,
                }
            ],
            "client_reference_id": payment,
            "metadata": {"payment": payment},
            "payment_intent_data": {"metadata": {"payment": payment}},
            "success_url": "http://127.0.0.1:9/paid",
            "cancel_url": "http://127.0.0.1:9/back",
            **more,
        }
        return self.sdk.v1.checkout.sessions.create(params)  # type: ignore[arg-type]

    def press(self, url: str, action: str = "pay", **fields: str) -> httpx.Response:
        """Press a button of the hosted page, with the fields as a browser would send them."""
        page = self.http.get(url).text
        shown = dict(re.findall(r'<input id="\w+" name="(\w+)" type="text" value="([^"]*)"', page))
        return self.http.post(url, data={**shown, "method": "card", **fields, "action": action})

    def pay(self, session: Any, card: str = "4242 4242 4242 4242", **fields: str) -> httpx.Response:
        return self.press(session.url, card=card, **fields)

    def fetch(self, session: Any) -> Any:
        """The facts, as the shop asks for them."""
        expand = ["payment_intent.latest_charge.refunds", "invoice"]
        return self.sdk.v1.checkout.sessions.retrieve(session.id, {"expand": expand})

    def stats(self) -> dict[str, Any]:
        return dict(self.http.get("/emulator/stats").json())

    def payment(self, payment: str) -> dict[str, Any]:
        return dict(self.http.get(f"/emulator/payments/{payment}").json())

    def control(self, scenario: str, payment: str | None = None) -> httpx.Response:
        """Play a scenario for the next session, or for a payment that exists."""
        asked = {"scenario": scenario} | ({"payment": payment} if payment else {})
        return self.http.post("/emulator/control", json=asked)


@contextmanager
def stripe_emulator(folder: Path, *options: str) -> Iterator[StripeEmulator]:
    """Start ``python -m dev.stripe`` and wait until it answers.

    All that it answered and told is held to the SDK's classes at the end.
    """
    ready, record = folder / "ready", folder / "record.jsonl"
    ready.unlink(missing_ok=True)
    record.touch()
    command = [sys.executable, "-m", "dev.stripe", "--port", "0", "--secret-key", SECRET_KEY]
    command += ["--ready-file", str(ready), "--record", str(record), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        url = until(lambda: ready.exists() and ready.read_text().strip())
        with httpx.Client(base_url=url, timeout=20) as client:
            yield StripeEmulator(url, record, client)
    finally:
        process.terminate()
        assert process.wait(5) == 0
    _, found = of_record(record)
    assert not found, "\n".join(found)


def until(fact: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait for something to be true, and give it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := fact():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not become true")
