"""Customers of the lab register and log in like everybody else."""

from __future__ import annotations

import httpx

PASSWORD = "correct-horse-7-battery"


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


def upload(http: httpx.Client, base_url: str, secret: str, image: bytes) -> str:
    """Upload a PNG image; what an order names it by. Raises httpx.HTTPStatusError."""
    answer = http.post(
        f"{base_url}/api/v1/uploads/",
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "image/png"},
        content=image,
    ).raise_for_status()
    return str(answer.json()["url"])
