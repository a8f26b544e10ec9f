"""A customer of a running stack, as seen through the HTTP API alone."""

from __future__ import annotations

import time
from typing import Any

import httpx

from dev.embedded.stack import Stack

PATIENCE = 60.0  # seconds; a free machine needs two or three
VIDEO = "/api/v1/generate/video/"
IMAGE = "/api/v1/generate/"


class Customer:
    """An HTTP client with a secret, and what a customer does with it."""

    def __init__(self, stack: Stack, secret: str | None = None) -> None:
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        self.http = httpx.Client(base_url=stack.base_url, headers=headers, timeout=20)
        self._watch = stack.watch

    def create(self, path: str, prompt: str, key: str | None = None, **fields: Any) -> str:
        """Order something, with an Idempotency-Key if one is given; its id."""
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.http.post(path, json={"prompt": prompt, **fields}, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["generation_id"])

    def status(self, generation_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/generate/{generation_id}/")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def finished(self, generation_id: str) -> dict[str, Any]:
        """The flat body once the generation is not processing any more.

        Dead workers are started again meanwhile, as `make run` does.
        """
        limit = time.monotonic() + PATIENCE
        while (body := self.status(generation_id))["status"] == "processing":
            assert time.monotonic() < limit, f"still processing: {body}"
            self._watch()
            time.sleep(0.1)
        return body

    def balance(self) -> int:
        return int(self.http.get("/api/v1/credits/").json()["credits_balance"])

    def ledger(self) -> list[dict[str, Any]]:
        """The newest 100 entries, newest first."""
        answer = self.http.get("/api/v1/credits/transactions/", params={"limit": 100})
        rows: list[dict[str, Any]] = answer.json()["results"]
        return rows
