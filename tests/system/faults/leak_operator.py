"""An operator who uses the admin pages and notes each secret there is."""

from __future__ import annotations

import base64
import re

import httpx
from django_otp.oath import totp

from tests.system.faults.leak_traffic import Noted


def operate(
    noted: Noted,
    base_url: str,
    user: str,
    username: str,
    password: str,
    sought: str,
    codes: list[str],
) -> str:
    """An operator logs in by the form, looks for ``sought`` and gets a new password.

    The first one enrols a second factor and fills ``codes``, later ones use them up.
    """
    with httpx.Client(base_url=base_url, timeout=30, follow_redirects=True) as browser:

        def post(path: str, **fields: str) -> httpx.Response:
            page = browser.get(path)
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert token is not None, page.text[:500]
            form = fields | {"csrfmiddlewaretoken": token[1]}
            return browser.post(path, data=form, headers={"Referer": f"{base_url}{path}"})

        wrong = noted.canary("an operator's wrong password")
        refused = post("/admin/login/", username=username, password=wrong)
        assert "Please enter the correct" in refused.text
        page = post("/admin/login/", username=username, password=password).text
        if codes:
            post("/admin/second-factor/", code=codes.pop())
        else:
            key = re.search(r'id="typed-key">([A-Z2-7 ]+)<', page)
            assert key is not None
            code = totp(base64.b32decode(key[1].replace(" ", "")))
            page = post("/admin/enroll/", code=f"{code:06d}").text
            codes += re.findall(r"<li>([a-z2-7-]{19})</li>", page)
            noted.secret("an operator's recovery code", codes[-1])
        assert "Log out" in browser.get("/admin/").text
        noted.secret("an operator's session", browser.cookies["sessionid"])
        for page in ("accounts/apikey", "generation/generation", "accounts/account"):
            assert browser.get(f"/admin/{page}/?q={sought}").status_code == 200
        look_at_webhooks(noted, browser)
        fresh = noted.canary("a password that an operator set")
        path = f"/admin/accounts/user/{user}/password/"
        fields = {"password1": fresh, "password2": fresh, "usable_password": "true"}
        assert "Password changed successfully" in post(path, **fields).text
        browser.get(f"/admin/accounts/user/?password={fresh}")
        return fresh


def look_at_webhooks(noted: Noted, browser: httpx.Client) -> None:
    """The lists of endpoints and deliveries, and each row on them."""
    for table in ("webhookendpoint", "webhookdelivery"):
        path = f"/admin/events/{table}/"
        page = browser.get(path)
        assert page.status_code == 200
        rows = set(re.findall(rf'"({path}[0-9a-f-]{{36}}/change/)', page.text))
        assert rows
        for each in (path, *rows):
            noted.pages[f"page {each}"] = browser.get(each).content
