"""Customers of the lab register and log in like everybody else."""

from __future__ import annotations

import httpx
import psycopg

PASSWORD = "correct-horse-7-battery"
# As an operator would; who registers gets nothing before the address is verified.
ENDOW = """
    WITH given AS (
        UPDATE credits_wallet SET balance = balance + %(credits)s, sequence = sequence + 1
         WHERE sequence = 0 RETURNING account_id, balance, sequence
    )
    INSERT INTO credits_ledgerentry
           (id, wallet_id, sequence, kind, amount, balance_after, description)
    SELECT gen_random_uuid(), account_id, sequence, 'grant', %(credits)s, balance, 'For the lab'
      FROM given
"""
PLENTY = 1_000_000_000


def login_form(name: str) -> dict[str, str]:
    """What a customer of that name sends to log in."""
    return {"username": name, "password": PASSWORD}


def register(http: httpx.Client, base_url: str, name: str, email: str = "") -> str:
    """Make an account and an API key; the key. Raises httpx.HTTPStatusError.

    The login token of the registration would end after twenty more log-ins, a key does not.
    """
    form = login_form(name) | {"email": email or f"{name}@example.com"}
    answer = http.post(f"{base_url}/api/register/", json=form).raise_for_status()
    answer = http.post(
        f"{base_url}/api/api-keys/",
        headers={"Authorization": f"Bearer {answer.json()['token']}"},
        json={"name": "lab"},
    ).raise_for_status()
    return str(answer.json()["key"])


def endow(owner_url: str, amount: int = PLENTY) -> None:
    """Give ``amount`` credits to every account that has never had any."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(ENDOW, {"credits": amount})


def upload(http: httpx.Client, base_url: str, secret: str, image: bytes) -> str:
    """Upload a PNG image; what an order names it by. Raises httpx.HTTPStatusError."""
    answer = http.post(
        f"{base_url}/api/v1/uploads/",
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "image/png"},
        content=image,
    ).raise_for_status()
    return str(answer.json()["url"])
