#!/usr/bin/env python3
"""Buy credits with the Reelmint API. Needs nothing but Python, and a person who pays.

BASE_URL=http://127.0.0.1:8000 API_KEY=rmk_... python3 buy_credits.py credits_500
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
API_KEY = os.environ.get("API_KEY", "")
WAITING = ("created", "open")


def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The JSON of an answer. Exits on a refusal."""
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(BASE_URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {json.load(error)['error']}")
    except OSError as error:  # URLError is one
        sys.exit(f"{method} {path}: {error}")


def buy(pack: str) -> dict[str, Any]:
    """Show where it is paid, and wait; the payment as it is then."""
    # with its key the order can be repeated after a lost answer, and is the same payment
    ordered = call(
        "POST",
        "/api/v1/credits/checkout/",
        {"pack": pack},
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    shown = False
    while True:
        payment: dict[str, Any] = call("GET", f"/api/v1/credits/payments/{ordered['payment_id']}/")
        if payment["url"] and not shown:
            cents = payment["amount_minor"]
            price = f"{cents // 100}.{cents % 100:02} {payment['currency'].upper()}"
            print(
                f"{payment['credits']} credits for {price}, pay here:\n{payment['url']}", flush=True
            )
            shown = True
        if payment["status"] not in WAITING:
            return payment
        time.sleep(2)


def main() -> None:
    """Buy the pack that the command line names, or list them."""
    if len(sys.argv) < 2:
        for pack in call("GET", "/api/v1/credits/packs/")["packs"]:
            print(f"{pack['name']}: {pack['credits']} credits")
        return
    if not API_KEY:
        sys.exit("Set API_KEY (and BASE_URL) first.")
    payment = buy(sys.argv[1])
    if payment["status"] == "processing":
        print("The bank confirms it within 2 to 14 days.")
    elif payment["status"] != "paid":
        sys.exit(f"No credits: the payment is {payment['status']}.")
    else:
        balance = call("GET", "/api/v1/credits/")["credits_balance"]
        print(f"{payment['credits']} credits were added, you have {balance}.")


if __name__ == "__main__":
    main()
