"""The customer leaves while something is open: it is finished, or the credits are back."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.db.models import ProtectedError
from django.db.models.functions import Now

from accounts.models import ApiKey, Membership
from generation.models import Generation
from generation.models.states import State
from tests.support.people import Person
from tests.support.works import Emulator, Works


@pytest.mark.parametrize(("marker", "state"), [("", "completed"), ("[emulator:error]", "failed")])
def test_what_was_ordered_is_finished(
    marker: str,
    state: str,
    api: Callable[..., httpx.Client],
    start: Callable[..., str],
    alice: Person,
    works: Works,
    emulator: Emulator,
) -> None:
    generation_id = start(alice, prompt=f"The last one {marker}")
    works.run("submit")
    assert Generation.objects.get(pk=generation_id).state == State.RUNNING
    for kept in (alice.account, ApiKey.objects.get(account=alice.account)):
        with pytest.raises(ProtectedError):
            kept.delete()
    ApiKey.objects.filter(account=alice.account).update(revoked_at=Now())
    Membership.objects.filter(user=alice.user).delete()
    alice.user.is_active = False
    alice.user.save(update_fields=["is_active"])
    assert works.finish(generation_id).state == state
    assert emulator.bought(generation_id) == 1
    assert alice.balance == (760 if state == "completed" else 1000)
    assert api(alice.key).get(f"/api/v1/generate/{generation_id}/").status_code == 401
