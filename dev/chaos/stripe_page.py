"""The emulator of Stripe as payers and the judge see it. It is not killed: it keeps no file."""

from __future__ import annotations

from typing import Any

import httpx

CARD = "4242 4242 4242 4242"


class StripePage:
    """Pays and ends links; says what was taken, refunded and disputed."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._authorization = {"Authorization": f"Bearer {key}"}

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def pay(self, link: str, email: str) -> str | None:
        """Fill the form in; the shop's address that it leads back to, None if it does not."""
        form = {"email": email, "method": "card", "card": CARD, "action": "pay"}
        try:
            answer = self._http.post(link, data=form)
            if "/c/3ds/" in answer.headers.get("Location", ""):
                bank = answer.headers["Location"]
                answer = self._http.post(bank, data={"action": "complete"})
        except httpx.TransportError:
            return None
        return answer.headers.get("Location") if answer.status_code == 303 else None

    def expire(self, link: str) -> None:
        """End a link as a shop can; one that is paid or over stays as it is."""
        session = link.rpartition("/")[2]
        self._http.post(f"/v1/checkout/sessions/{session}/expire", headers=self._authorization)

    def money(self) -> dict[str, dict[str, int]]:
        """What was taken, refunded and disputed, by payment; nothing of those without money."""
        found: dict[str, dict[str, int]] = self._get("/emulator/stats")["payments"]
        return found

    def scenarios(self) -> set[str]:
        """The scenarios that were met, also those that made nothing."""
        return set(self._get("/emulator/stats")["scenarios"])

    def payment(self, payment_id: str) -> dict[str, Any] | None:
        """All that there is of one payment; None for one that Stripe never heard of."""
        answer = self._http.get(f"/emulator/payments/{payment_id}")
        found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """Each attempt to deliver an event."""
        found: list[dict[str, Any]] = self._get("/emulator/deliveries")["deliveries"]
        return found

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()
