"""Customers of the lab register and log in like everybody else."""

from __future__ import annotations

import httpx

PASSWORD = "correct-horse-7-battery"


def login_form(name: str) -> dict[str, str]:
    """What a customer of that name sends to log in."""
    return {"username": name, "password": PASSWORD}


def register(http: httpx.Client, base_url: str, name: str) -> str:
    """Make an account; the secret of its first key. Raises httpx.HTTPStatusError."""
    form = login_form(name) | {"email": f"{name}@example.com"}
    answer = http.post(f"{base_url}/api/register/", json=form)
    answer.raise_for_status()
    return str(answer.json()["token"])
