"""Where an operator may not go, and where nothing is: a page with the way back, not a bare word."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.people import inside, make_staff


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/admin/credits/ledgerentry/export/", 403, "You may not do this"),
        ("/admin/nothing/here/", 404, "Not found"),
    ],
)
def test_an_operator_gets_a_page(path: str, status: int, title: str) -> None:
    answer = inside(make_staff("operator")).get(path)
    assert answer.status_code == status
    text = answer.content.decode()
    assert f"{title} | " in text
    assert 'href="/admin/"' in text
    assert "Generations" in text  # the menu of who is logged in


def test_who_is_not_in_is_sent_to_the_door(client: Client) -> None:
    assert client.get("/admin/nothing/here/").status_code == 302


def test_the_api_keeps_its_shape(client: Client) -> None:
    answer = client.get("/api/v1/nothing/here/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
