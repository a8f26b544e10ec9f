"""The fields of a page's forms, sent with texts that cost the most, and what each answer cost."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.test import Client

from tests.support.worst_texts import BOUND, cost

FIELD = re.compile(r'<(?:input|textarea|select|button)\b[^>]*\bname="([^"]+)"')
TOKEN = "csrfmiddlewaretoken"


def cookies(client: Client) -> dict[str, str]:
    """The header that says who it is, as ``cost`` wants it."""
    known = (f"{name}={each.value}" for name, each in client.cookies.items())
    text = "; ".join(each for each in known if not each.startswith("csrftoken="))
    return {"HTTP_COOKIE": text} if text else {}


def fields(client: Client, path: str) -> set[str]:
    """The names of all that the page's forms send."""
    page = client.get(path)
    assert page.status_code == 200, path
    return set(FIELD.findall(page.content.decode())) - {TOKEN}


def post(client: Client, path: str, form: dict[str, str], name: str) -> None:
    """Send it; fail when the text in the field ``name`` cost too much, or was too much for us."""
    status, took = cost("POST", path, form=form, head=cookies(client))
    told = (path, name, len(form[name]), form[name][:3])
    assert took < BOUND, told
    assert status < 500, told


def walk(client: Client, path: str, texts: Iterable[str]) -> int:
    """Send each field of the page's forms with each text; how many fields there were."""
    names = fields(client, path)
    good = dict.fromkeys(names, "x") | {"username": "nobody"}
    for name in sorted(names):
        for text in texts:
            post(client, path, good | {name: text}, name)
    return len(names)
