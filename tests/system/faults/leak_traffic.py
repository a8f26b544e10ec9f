"""A customer who uses everything, also wrongly, and notes each secret there is."""

from __future__ import annotations

import secrets
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from accounts.secrets import KEY_PREFIX, TOKEN_PREFIX, generate
from tests.system.faults.leak_search import Needle

VIDEO = "/api/v1/generate/video/"
IMAGE = "/api/v1/generate/"
TABLE = "database generation_generation"
PROMPTS = frozenset({f"{TABLE}.prompt", f"{TABLE}.prompt (meanwhile)"})
URLS = frozenset({f"{TABLE}.parameters", f"{TABLE}.parameters (meanwhile)"})
# A wrong prompt, wrong words from the provider, lost answers: what makes somebody write a log line.
MARKERS = (
    *("busy=1", "overloaded=1", "rejected", "rejected=hate", "retired", "html502"),
    *(
        "accepted-then-reset",
        "accepted-then-502",
        "unavailable=1",
        "gone",
        "gone=empty",
        "filtered",
        "filtered=prompt",
    ),
    *("error", "error=3", "error=8", "empty", "truncated", "truncated=connection"),
    "truncated=file",
)


class Noted:
    """Everything that was secret."""

    def __init__(self) -> None:
        self.needles: list[Needle] = []
        self.pages: dict[str, bytes] = {}  # of operators, by path

    def secret(self, name: str, value: str, allowed: frozenset[str] = frozenset()) -> str:
        """Note a value that somebody else gave us."""
        assert len(value) >= 12, f"{name} is too short to be sought"
        self.needles.append(Needle(name, value, allowed=allowed))
        return value

    def canary(self, name: str, allowed: frozenset[str] = frozenset()) -> str:
        """A new value that stands nowhere else."""
        return self.secret(name, f"canary{secrets.token_hex(12)}", allowed)

    def prompt(self, name: str, marker: str = "") -> str:
        """A prompt, to be found in its column and nowhere else."""
        canary = self.canary(f"the prompt of {name}", PROMPTS)
        return f"A kite, {canary}" + (f" [emulator:{marker}]" if marker else "")


class Buyer:
    """A customer on one web server; ``orders`` are the generations to wait for."""

    def __init__(self, noted: Noted, base_url: str, emulator_url: str, name: str) -> None:
        self.base_url = base_url
        self.orders: list[str] = []
        self._noted, self._emulator_url, self._name = noted, emulator_url, name
        self._anonymous = httpx.Client(base_url=base_url, timeout=30)
        self._password = noted.canary(f"{name}'s password")
        form = {"username": name, "email": f"{name}@example.com", "password": self._password}
        answer = self._anonymous.post("/api/register/", json=form)
        assert answer.status_code == 201, answer.text
        self._token = noted.secret(f"{name}'s first token", answer.json()["token"])
        self.http = self._with(self._token)

    def close(self) -> None:
        """End the connections."""
        self.http.close()
        self._anonymous.close()

    def log_in_and_out(self) -> None:
        """Rightly, with a wrong password, with secrets in place of names."""
        wrong = self._noted.canary(f"{self._name}'s wrong password")
        for user, password, status in (
            (self._name, wrong, 401),
            (self._token, wrong, 401),
            (f"{wrong}@example.com", self._password, 401),
            (self._name, self._password, 200),
        ):
            form = {"username": user, "password": password}
            answer = self._anonymous.post("/api/login/", json=form)
            assert answer.status_code == status, answer.text
        token = self._noted.secret(f"{self._name}'s second token", answer.json()["token"])
        with self._with(token) as once:
            assert once.post("/api/logout/").status_code == 204
            assert once.get("/api/v1/credits/").status_code == 401

    def make_keys(self) -> None:
        """Use one in every spelling, revoke it; try some that are none."""
        answer = self.http.post("/api/api-keys/", json={"name": "robot"})
        key = self._noted.secret(f"{self._name}'s key", answer.json()["key"])
        spelt = [f"Bearer {key}", f"Token {key}", f"api-key {key}", key]
        assert [self._status(Authorization=each) for each in spelt] == [200] * 4
        assert self._status(**{"X-API-Key": key}) == 200
        assert self.http.delete(f"/api/api-keys/{answer.json()['id']}/").status_code == 204
        assert self._status(Authorization=f"Bearer {key}") == 401
        unknown = [generate(prefix) for prefix in (KEY_PREFIX, TOKEN_PREFIX)]
        for number, none in enumerate([*unknown, unknown[0] + "x", unknown[1][:-2]]):
            self._noted.secret(f"wrong key {number} of {self._name}", none)
            for words in (f"Bearer {none}", f"Bearer  {none} more", f"Basic {none}", f"Bear{none}"):
                assert self._status(Authorization=words) == 401
            assert self._status(**{"Authorization": f"Bearer {none}", "X-API-Key": key}) == 401

    def misplace(self) -> None:
        """Secrets in paths, queries, headers and bodies where none belongs."""
        word = self._noted.canary(f"{self._name}'s misplaced word")
        token = self._token
        for path in (
            f"/api/v1/credits/?api_key={token}&password={word}",
            f"/api/v1/generate/history/?type={token}&cursor={word}",
            f"/api/v1/generate/history/?cursor={token}",
            f"/api/v1/generate/{token}/",
            f"/{token}/?token={word}",
            f"/media/{token}.mp4?expires=99999999999&signature={word}",
            f"/docs/?api_key={token}",
        ):
            self.http.get(path)
        headers = {"X-Request-ID": token, "User-Agent": token, "Referer": f"http://x/?t={word}"}
        self.http.get("/nowhere/", headers=headers)
        self.http.get("/nowhere/", headers={"Host": f"{token}.example.com"})
        self.http.get("/nowhere/", headers={"Cookie": f"sessionid={word}; csrftoken={word}"})
        for body in (
            f'{{"prompt": "{word}", "api_key": "{token}"',
            f'["{word}"]',
            f'{{"prompt": {{"{token}": "{word}"}}, "aspect_ratio": "{word}"}}',
            f'{{"prompt": "\\ud800{word}", "source_image_urls": "{token}"}}',
            f'{{"prompt": "{word * 100}"}}',
            f'{{"prompt": "{word}", "padding": "{"x" * 1_100_000}"}}',
        ):
            for path in (VIDEO, "/api/login/", "/api/register/", "/api/api-keys/"):
                self.http.post(path, content=body, headers={"Content-Type": "application/json"})
        self.http.post("/api/login/", data={"username": self._name, "password": word})
        self.http.post("/admin/login/", data={"username": self._name, "password": word})

    def talk_broken_http(self) -> None:
        """What gunicorn refuses before Django sees it."""
        word = self._noted.canary(f"{self._name}'s broken request")
        for lines in (
            f"GET /?token={word} HTTP/9.9\r\n\r\n",
            f"GET /?token={word} and {word} HTTP/1.1\r\n\r\n",
            f"{word} / HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nAuthorization : Bearer {self._token}\r\n\r\n",
            f"GET / HTTP/1.1\r\nX-API-Key {word}\r\n\r\n",
            f"GET / HTTP/1.1\r\nCookie: a\r\n {word}\r\n\r\n",
            f"POST / HTTP/1.1\r\nTransfer-Encoding: {word}\r\n\r\n",
            f"POST {VIDEO} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{word}\r\n",
            f"GET /?{word * 300} HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nAuthorization: {word * 600}\r\n\r\n",
        ):
            address = (self._anonymous.base_url.host, self._anonymous.base_url.port or 80)
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(lines.encode())
                assert connection.recv(100).startswith(b"HTTP/1.1 4") or "encod" in lines.lower()

    def order_everything(self) -> None:
        """Each kind, each error of the provider, source images of each kind, races, a cancel."""
        self._order(IMAGE, self._noted.prompt("an image"))
        for marker in ("", *MARKERS):
            self._order(VIDEO, self._noted.prompt(f"a video {marker}", marker))
        for place in (
            f"{self._emulator_url}/sample-images/square.png",
            f"{self._emulator_url}/nothing/here.png",
            f"{self._emulator_url}/emulator/stats",
            "https://localhost/private.png",  # refused at the socket
        ):
            url = self._signed(place)
            self._order(VIDEO, self._noted.prompt(place), source_image_urls=[url])
        hidden = self._noted.canary("a password in a URL", URLS)
        for url in (
            f"https://me:{hidden}@10.1.2.3/a.png",
            self._signed("https://10.1.2.3/private.png"),
            self._signed("http://[::1]:9/private.png"),
        ):
            refused = self.http.post(VIDEO, json={"prompt": "x", "source_image_urls": [url, "x"]})
            assert refused.status_code == 400
        self._race()
        order = self._order(VIDEO, self._noted.prompt("a canceled one", "busy"))
        assert self.http.post(f"{IMAGE}{order}/cancel/").status_code in {200, 409}

    def _signed(self, place: str) -> str:
        canary = self._noted.canary(f"the query of {place}", URLS)
        return f"{place}?X-Goog-Signature={canary}&token={canary}#{canary}"

    def order_one(self, name: str, marker: str = "", **fields: str) -> httpx.Response:
        """One video, whatever the answer."""
        order = {"prompt": self._noted.prompt(name, marker), **fields}
        answer = self.http.post(VIDEO, json=order)
        if answer.status_code == 201:
            self.orders.append(answer.json()["data"]["generation_id"])
        return answer

    def wait(self, seconds: float) -> dict[str, dict[str, Any]]:
        """All that was ordered, once nothing is processing."""
        limit = time.monotonic() + seconds
        bodies = {}
        for order in self.orders:
            while (body := self.http.get(f"{IMAGE}{order}/").json())["status"] == "processing":
                assert time.monotonic() < limit, f"still processing: {body}"
                time.sleep(0.2)
            bodies[order] = body
        return bodies

    def fetch(self, bodies: dict[str, dict[str, Any]]) -> int:
        """Every output by its link and by its download, and links that were tampered with."""
        links = [body["video_url"] or body["image_url"] for body in bodies.values()]
        for link in filter(None, links):
            signature = httpx.URL(link).params["signature"]
            self._noted.secret("a link's signature", signature)
            assert self._anonymous.get(link).status_code == 200
            part = self._anonymous.get(link, headers={"Range": "bytes=0-9", "Referer": link})
            assert part.status_code == 206
            assert self._anonymous.head(link).status_code == 200
            assert self._anonymous.post(link).status_code == 405
            assert self._anonymous.get(link.replace("expires=1", "expires=2")).status_code == 403
        for order in bodies:
            self.http.get(f"{IMAGE}{order}/download/", follow_redirects=True)
        assert self.http.get(f"{IMAGE}history/?limit=50").status_code == 200
        assert self.http.get("/api/v1/credits/transactions/").status_code == 200
        return len(links) - links.count(None)

    def _race(self) -> None:
        """Eight requests with one key: PostgreSQL refuses seven as duplicates, and logs that."""
        body = {"prompt": self._noted.prompt("a race")}
        for number in range(5):
            headers = {"Idempotency-Key": f"{self._name}-{number}"}
            with ThreadPoolExecutor(8) as racers:
                racing = [
                    racers.submit(self.http.post, VIDEO, json=body, headers=headers)
                    for _ in range(8)
                ]
            answers = [each.result() for each in racing]
            assert {answer.status_code for answer in answers} <= {201, 409}

    def _order(self, path: str, prompt: str, **fields: Any) -> str:
        answer = self.http.post(path, json={"prompt": prompt, **fields})
        assert answer.status_code == 201, answer.text
        self.orders.append(answer.json()["data"]["generation_id"])
        return self.orders[-1]

    def _status(self, **headers: str) -> int:
        return self._anonymous.get("/api/v1/credits/", headers=headers).status_code

    def _with(self, secret: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.Client(base_url=self._anonymous.base_url, headers=headers, timeout=30)
