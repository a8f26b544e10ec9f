"""What the operator is told about orphans."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from generation.models import Attempt, Orphan
from generation.outputs import orphans
from tests.support.orphan_looks import claimed_looks, ended
from tests.support.people import Person, inside, make_staff

Outcome = Attempt.Outcome


@pytest.fixture
def attempt(alice: Person) -> Attempt:
    """Accepted by the provider; its generation ended by its deadline."""
    return ended(alice, Outcome.ACCEPTED)


def report(*arguments: str) -> str:
    out = StringIO()
    call_command("list_orphans", *arguments, stdout=out)
    return out.getvalue()


def test_the_report(attempt: Attempt, alice: Person) -> None:
    assert report() == "0 orphans\n"
    assert json.loads(report("--json")) == {"orphans": []}
    (look,) = claimed_looks()
    orphans.found(look, "gs://b/1/x.mp4")
    (row,) = json.loads(report("--json"))["orphans"]
    found_at = row.pop("found_at")
    assert found_at == Orphan.objects.get().found_at.isoformat()
    assert row == {
        "account": str(alice.account.pk),
        "generation": str(attempt.generation_id),
        "attempt": 1,
        "model": "veo3_fast",
        "uri": "gs://b/1/x.mp4",
        "why": "refunded before it was found (timeout)",
    }
    line, count = report("--since", found_at).splitlines()
    assert line.split("\t")[:2] == [row["account"], row["generation"]]
    assert count == "1 orphans"
    assert report("--since", "2026-11-01").endswith("1 orphans\n")
    assert report("--since", "2999-01-01") == "0 orphans\n"
    with pytest.raises(CommandError, match="not a date"):
        report("--since", "yesterday")


def test_the_operator_sees_them_and_changes_nothing(attempt: Attempt) -> None:
    (look,) = claimed_looks()
    orphans.found(look, "gs://b/1/x.mp4")
    orphan = Orphan.objects.get()
    operator = inside(make_staff())
    pages = "/admin/generation/orphan/"
    for query in (
        "",
        f"?q={attempt.generation_id}",
        "?q=nobody%27s",
    ):
        page = operator.get(pages + query)
        assert page.status_code == 200, query
        assert ("gs://b/1/x.mp4" in page.text) == ("nobody" not in query), query
    assert f"/admin/generation/generation/{attempt.generation_id}/change/" in (
        operator.get(pages).text
    )
    assert "refunded before" in operator.get(f"{pages}{orphan.pk}/change/").text
    assert operator.get(f"{pages}add/").status_code == 403
    assert operator.post(f"{pages}{orphan.pk}/change/", {"uri": "x"}).status_code == 403
    assert operator.post(f"{pages}{orphan.pk}/delete/", {"post": "yes"}).status_code == 403
