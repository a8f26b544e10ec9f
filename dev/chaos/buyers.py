"""Customers who buy packs and pay at the emulator of Stripe; some repeat, leave or come back."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import psycopg

from dev.chaos.accounts import endow, register
from dev.chaos.purchases import CHECKOUT, PAYMENTS, SCENARIOS, WORDS, Buyer, Wish, address, draw
from dev.chaos.receipts import Receipts
from dev.chaos.stripe_page import StripePage

CLIENTS = 4
PAUSE = 8.0  # seconds between two purchases of one client at most
DUPLICATES = 0.2
LEAVES = 0.1  # the share of the links that are not paid before the end
RETURNS = 0.7  # of the payers who come back to the shop's page
ANSWERED_WITHIN = 90.0  # seconds, with all repetitions
LINK_WITHIN = 90.0  # a worker may be killed at each of its looks
TURN = 0.5
# As an operator would who knows the person.
VOUCH = "UPDATE accounts_user SET email_verified_at = now() WHERE email LIKE 'buyer-%'"


class Buyers:
    """Start them, stop them; ``receipts`` has what they saw."""

    def __init__(self, base_urls: list[str], stripe: StripePage, seed: int) -> None:
        self.receipts = Receipts()
        self._base_urls = base_urls
        self._stripe = stripe
        self._seed = seed
        self._over = threading.Event()
        self._http = httpx.Client(timeout=15, limits=httpx.Limits(max_connections=30))
        self._doubles = ThreadPoolExecutor(CLIENTS, "double")
        self._threads: list[threading.Thread] = []
        self._turns: deque[Buyer] = deque()  # whose turn it is, so that each scenario is met
        self._begun = 0
        self._left: deque[tuple[Wish, str]] = deque()  # links that nobody has paid

    def start(self, owner_url: str) -> None:
        """Register the accounts, verify their addresses and begin to buy."""
        accounts = [(address(n, scenario), scenario) for n, scenario in enumerate(SCENARIOS)]
        random.Random(self._seed).shuffle(accounts)
        for number, (email, scenario) in enumerate(accounts):
            secret = register(self._http, self._base_urls[0], f"buyer-{number}", email)
            self._turns.append(Buyer(secret, email, scenario))
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute(VOUCH)
        endow(owner_url)
        for number in range(CLIENTS):
            thread = threading.Thread(target=self._live, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Begin nothing new; then each link that is left is paid, or ended as a shop can."""
        self._over.set()

    def has_met_all(self) -> bool:
        """Whether Stripe met every scenario; a slow machine, or workers that die, take longer."""
        return self._begun >= len(SCENARIOS) and self._stripe.scenarios() >= WORDS

    def are_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Let go of threads and connections."""
        self.stop()
        self._doubles.shutdown(cancel_futures=True)
        self._http.close()
        for thread in self._threads:
            thread.join()  # it may be asking Stripe at this moment
        self._stripe.close()

    def _live(self, number: int) -> None:
        chance = random.Random(f"{self._seed}:buyer:{number}")
        count = 0
        while not self._over.wait(chance.uniform(0, PAUSE)):
            count += 1
            buyer = self._turns.popleft()
            self._turns.append(buyer)
            self._begun += 1
            self._buy(chance, draw(chance, buyer, f"pack-{number}-{count}"))
        while self._left and not self._http.is_closed:
            wish, link = self._left.popleft()
            if "declined" in wish.buyer.words or chance.random() < 0.5:
                self._stripe.expire(link)
            else:
                self._pay(chance, wish, link)

    def _buy(self, chance: random.Random, wish: Wish) -> None:
        payment_id = self._order(chance, wish)
        link = self._link(wish, payment_id) if payment_id else None
        if link is None:
            return
        if "pays-after-expiry" in wish.buyer.words:
            self._stripe.expire(link)  # and then the money comes
        elif chance.random() < LEAVES:
            self.receipts.count("links that were left")
            self._left.append((wish, link))
        else:
            self._pay(chance, wish, link)

    def _order(self, chance: random.Random, wish: Wish) -> str | None:
        """Ask for it; sometimes twice at the same time, or once more afterwards."""
        self.receipts.ask(wish)
        double: Future[str | None] | None = None
        twice = chance.random() < DUPLICATES
        if twice and chance.random() < 0.5:
            double = self._doubles.submit(self._place, wish)
        payment_id = self._place(wish)
        if double is not None:
            double.result()
        elif twice:
            self._place(wish)
        return payment_id

    def _place(self, wish: Wish) -> str | None:
        """Repeat until there is an answer; None when it was refused or never came."""
        limit = time.monotonic() + ANSWERED_WITHIN
        while time.monotonic() < limit and not self._http.is_closed:
            answer = self._send("POST", CHECKOUT, wish.headers, {"pack": wish.pack})
            code = "" if answer is None else str(answer.json().get("code", ""))
            if answer is not None and answer.status_code == 201:
                self.receipts.answer(wish, answer.json())
                return str(answer.json()["payment_id"])
            if answer is None or code in ("service_unavailable", "idempotency_in_progress"):
                time.sleep(random.uniform(0.1, 0.6))
                continue
            if code in ("payment_hold", "too_many_open_payments"):
                self.receipts.count(f"refused: {code}")
            else:
                self.receipts.complain(f"{wish.key}: {answer.status_code} {answer.text[:200]}")
            return None
        self.receipts.complain(f"{wish.key} was not answered within {ANSWERED_WITHIN:.0f} s")
        return None

    def _link(self, wish: Wish, payment_id: str) -> str | None:
        """Where it is paid; None when there is no link any more, or never was one."""
        limit = time.monotonic() + LINK_WITHIN
        while time.monotonic() < limit and not self._http.is_closed:
            body = self._look(wish, payment_id)
            if body is not None and body["status"] != "created":
                return str(body["url"]) if body["url"] else None
            time.sleep(TURN)
        self.receipts.complain(f"{payment_id} had neither link nor end after {LINK_WITHIN:.0f} s")
        return None

    def _pay(self, chance: random.Random, wish: Wish, link: str) -> None:
        back = self._stripe.pay(link, wish.buyer.email)
        if back is None:
            self.receipts.count("cards that were declined, or links that had ended")
            self._left.append((wish, link))
            return
        self.receipts.count("ways back from Stripe's page")
        if chance.random() < RETURNS:
            self._send("GET", httpx.URL(back).raw_path.decode(), {})
        self._over.wait(chance.uniform(0, 2.0))
        self._look(wish, self.receipts.answers[wish.key]["payment_id"])

    def _look(self, wish: Wish, payment_id: str) -> dict[str, Any] | None:
        headers = {"Authorization": f"Bearer {wish.buyer.secret}"}
        answer = self._send("GET", f"{PAYMENTS}{payment_id}/", headers)
        if answer is None or answer.status_code == 503:
            return None
        if answer.status_code != 200:
            self.receipts.complain(f"{payment_id}: {answer.status_code} {answer.text[:200]}")
            return None
        body: dict[str, Any] = answer.json()
        self.receipts.status(body)
        return body

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: object = None
    ) -> httpx.Response | None:
        """One request to any of the web servers; None when the connection did not survive."""
        if self._http.is_closed:
            return None
        base_url = random.choice(self._base_urls)
        try:
            answer = self._http.request(method, base_url + path, headers=headers, json=body)
        except httpx.TransportError:
            self.receipts.count("lost connections")
            return None
        self.receipts.count(f"answers {answer.status_code}")
        return answer
