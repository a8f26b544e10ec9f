"""More than one backend: who is asked is what the rows say, and each by what it can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from generation import lifecycle
from generation.backends.base import Backend
from generation.backends.vertex.backend import VertexBackend
from generation.models import Attempt, CatalogModel, Generation, GenerationEvent
from generation.models.states import State
from generation.outputs import forgetting, orphans
from generation.provider.route import Route
from generation.provider.router import MISSING, Router
from generation.stages.base import StageBase
from generation.stages.forget import let_forget
from generation.stages.poll import PollStage
from generation.stages.retention import let_expire
from generation.stages.store import StoreStage
from generation.stages.submit import SubmitStage
from generation.stages.sweep import look_for_orphans
from tests.generation.stages.test_submit import close_the_window, due_in, now, outcomes, refunded
from tests.support.bring_to import attempt_of, claimed, created, reached
from tests.support.orphan_looks import make_looks_due, seconds_until_look
from tests.support.people import Person
from tests.support.remote_backend import (
    POLL_FLOOR,
    SILENT,
    RemoteBackend,
    RemoteProvider,
    remote_provider,
)
from tests.support.videos import write_video
from tests.support.works import Emulator, Works, age, make_due

CLASSES: dict[str, type[Backend]] = {"vertex": VertexBackend, "remote": RemoteBackend}
Outcome = Attempt.Outcome


def sold_at(backend: str, **changes: Any) -> None:
    """As an operator's change of the catalog's row."""
    CatalogModel.objects.filter(pk="veo3_fast").update(backend=backend, **changes)


class Remote:
    """The stages of a build that has the remote provider's backend, too."""

    def __init__(self, works: Works, server: RemoteProvider) -> None:
        self.engine, self.server = works.engine, server
        self.router = Router(CLASSES)

    def run(self, *stages: type[StageBase]) -> None:
        for stage in stages:
            make_due()
            self.engine.run(stage(self.router), seconds=0.0)

    def forget(self) -> int:
        Attempt.objects.filter(forget_at__isnull=False).update(forget_at="2026-01-01T00:00Z")
        return let_forget(self.router, self.engine.loop, 0.0)

    def sweep(self) -> int:
        make_looks_due()
        return look_for_orphans(self.router, self.engine.loop, 0.0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path)
    return path.read_bytes()


@pytest.fixture
def remote(works: Works, film: bytes, settings: Settings) -> Iterator[Remote]:
    sold_at("remote")
    with remote_provider(film) as server:
        settings.VERTEX_BASE_URL = server.url
        found = Remote(works, server)
        yield found
        works.engine.loop.run_until_complete(found.router.aclose())


def columns(pk: Any, table: str, **values: Any) -> None:
    """Write columns as a newer release would have."""
    sets = ", ".join(f"{name} = %s" for name in values)
    key = "generation_id" if table == "generation_attempt" else "id"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {sets} WHERE {key} = %s", [*values.values(), pk])


def elsewhere(pk: Any, name: str = "newer") -> None:
    for table in ("generation_generation", "generation_attempt"):
        columns(pk, table, backend=name)


def missed() -> float:
    return float(MISSING._value.get())


def test_a_video_is_made_where_the_order_was_sent(alice: Person, remote: Remote) -> None:
    pk = created(alice, prompt="a fox").pk
    remote.run(SubmitStage)
    attempt = attempt_of(now(pk))
    assert (now(pk).backend, attempt.backend) == ("remote", "remote")
    assert (attempt.project, attempt.location) == (now(pk).project, now(pk).location)
    assert remote.server.submitted == [{"prompt": "a fox", "token": f"{pk}-1", "place": ""}]
    assert attempt.operation_name == "job-1"
    remote.run(PollStage, StoreStage)
    row = now(pk)
    assert (row.state, row.output_attempt) == (State.COMPLETED, 1)
    assert row.output_uri == f"{remote.server.url}/files/job-1.mp4"
    assert remote.sweep() == 0
    assert seconds_until_look(attempt) is None


def test_places_may_be_empty_and_the_attempts_many(alice: Person, remote: Remote) -> None:
    remote.server.busy = 1
    pk = created(alice).pk
    remote.run(SubmitStage, SubmitStage, PollStage, StoreStage)
    assert outcomes(pk) == [Outcome.NOT_ACCEPTED, Outcome.ACCEPTED]
    assert (now(pk).state, now(pk).output_attempt) == (State.COMPLETED, 2)
    assert set(Attempt.objects.values_list("prefix", flat=True)) == {""}
    assert remote.sweep() == 0
    assert not Attempt.objects.filter(next_look_at__isnull=False).exists()


def test_an_unanswered_order_that_nobody_can_find_is_lost_soon_and_not_asked_again(
    alice: Person, remote: Remote, settings: Settings
) -> None:
    pk = created(alice, prompt=f"a fox {SILENT}").pk
    remote.run(SubmitStage)
    row = now(pk)
    assert row.state == State.SUBMIT_UNKNOWN
    assert row.unknown_until is not None
    window = (row.unknown_until - row.updated_at).total_seconds()
    assert window == 2 * settings.SUBMIT_TIMEOUT < settings.UNKNOWN_WINDOW
    remote.run(SubmitStage)
    assert now(pk).state == State.SUBMIT_UNKNOWN
    close_the_window(pk)
    remote.run(SubmitStage)
    assert refunded(pk, "submission_lost", alice)
    assert (outcomes(pk), len(remote.server.submitted)) == ([Outcome.UNKNOWN], 1)


def test_so_is_one_whose_worker_died(alice: Person, remote: Remote, settings: Settings) -> None:
    pk = reached(alice, State.SUBMITTING).pk
    elsewhere(pk, "remote")
    remote.run(SubmitStage)
    row = now(pk)
    assert (row.state, row.last_error) == (State.SUBMIT_UNKNOWN, "the worker was lost")
    assert row.unknown_until is not None
    window = (row.unknown_until - row.updated_at).total_seconds()
    assert window == 2 * settings.SUBMIT_TIMEOUT
    close_the_window(pk)
    remote.run(SubmitStage)
    assert refunded(pk, "submission_lost", alice)
    assert remote.server.submitted == []


def test_no_operation_is_polled_sooner_than_its_provider_wants(
    alice: Person, remote: Remote
) -> None:
    remote.server.is_done = False
    pk = created(alice).pk
    remote.run(SubmitStage)
    assert POLL_FLOOR - 2 < due_in(pk) <= POLL_FLOOR
    remote.run(PollStage)
    assert now(pk).state == State.RUNNING
    assert POLL_FLOOR - 2 < due_in(pk) <= POLL_FLOOR
    make_due()
    router = Router(CLASSES)
    away = PollStage(router)
    remote.server.server_close()
    remote.engine.run(away, seconds=0.0)
    assert (now(pk).state, now(pk).retries) == (State.RUNNING, 1)
    assert POLL_FLOOR - 2 < due_in(pk) <= POLL_FLOOR
    remote.engine.loop.run_until_complete(router.aclose())


def test_the_stored_name_decides_and_never_the_look_of_an_operation(
    alice: Person, remote: Remote
) -> None:
    veo = "projects/p/locations/l/publishers/google/models/veo/operations/1"
    pk = reached(alice, State.RUNNING).pk
    elsewhere(pk, "remote")
    columns(pk, "generation_generation", operation_name=veo)
    sold_at("vertex")
    remote.run(PollStage)
    assert remote.server.polled == [f"/jobs/{veo}"]
    assert now(pk).state == State.STORING


@pytest.mark.parametrize("state", [State.RUNNING, State.STORING, State.SUBMIT_UNKNOWN])
@pytest.mark.parametrize("late", [False, True], ids=["in time", "overdue"])
def test_a_backend_that_this_build_does_not_have_is_waited_for_and_never_refunded(
    late: bool, state: State, alice: Person, works: Works
) -> None:
    pk = reached(alice, state).pk
    elsewhere(pk)
    if late:
        age(str(pk), deadline_at="-1 hour", unknown_until="-1 hour")
    before = missed()
    for _ in range(7):  # more often than poison is tried
        make_due()
        for stage in ("submit", "poll", "store"):
            works.run(stage)
    row = now(pk)
    assert (row.state, row.refund_id, row.strikes) == (state, None, 0)
    assert row.last_error == "this build has no backend 'newer'"
    assert 30 < due_in(pk) <= 60
    assert missed() >= before + 7
    assert alice.balance == 760


def test_an_earlier_attempt_at_one_is_looked_for_before_a_refund(
    alice: Person, works: Works
) -> None:
    pk = reached(alice, State.SUBMIT_UNKNOWN).pk
    assert lifecycle.give_up_waiting(claimed(now(pk)))
    columns(pk, "generation_attempt", backend="newer")
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("submit")
    assert (now(pk).state, now(pk).refund_id) == (State.QUEUED, None)
    assert 30 < due_in(pk) <= 60


def test_an_order_for_one_is_not_sent_and_waits(alice: Person, works: Works) -> None:
    pk = created(alice).pk
    before = missed()
    sold_at("newer")
    works.run("submit")
    assert (now(pk).state, Attempt.objects.count()) == (State.QUEUED, 0)
    assert missed() > before
    assert alice.balance == 760
    sold_at("vertex")
    assert works.finish(str(pk)).state == State.COMPLETED


def test_what_lies_at_one_is_looked_for_and_deleted_later(
    alice: Person, works: Works, admin_connection: Any
) -> None:
    generation = reached(alice, State.SUBMITTING)
    elsewhere(generation.pk)
    assert lifecycle.fail(generation, "timeout", "Too late", retryable=True)
    make_looks_due()
    assert look_for_orphans(works.provider, works.engine.loop, 0.0) == 0
    wait = seconds_until_look(attempt_of(generation))
    assert wait is not None
    assert wait == pytest.approx(60, abs=20)
    assert let_expire(works.provider, works.engine.loop, 0.0) == 0


def ask(person: Person, *, remembers: bool) -> Generation:
    generation = claimed(created(person))
    route = Route("remote", "p", "", "model", lambda pk, number: "", remembers)
    attempt = lifecycle.begin_attempt(generation, route)
    assert attempt is not None
    assert lifecycle.accept(generation, attempt, "job-9", 25)
    return generation


def test_what_was_delivered_is_forgotten_again_and_again_until_it_is(
    alice: Person, remote: Remote
) -> None:
    pk = created(alice).pk
    remote.run(SubmitStage, PollStage)
    assert remote.forget() == 0  # it is not delivered yet
    assert remote.server.deleted == []
    remote.run(StoreStage)
    remote.server.deaf = 1
    assert let_forget(remote.router, remote.engine.loop, 0.0) == 0  # due at once, and refused
    attempt = attempt_of(now(pk))
    assert attempt.forgotten_at is None
    assert attempt.forget_at is not None
    assert let_forget(remote.router, remote.engine.loop, 0.0) == 0  # not due
    assert remote.forget() == 1
    attempt = attempt_of(now(pk))
    assert attempt.forgotten_at is not None
    assert attempt.forget_at is None
    assert remote.server.deleted == ["/jobs/job-1"]
    assert remote.forget() == 0
    assert remote.server.deleted == ["/jobs/job-1"]


def test_what_failed_is_forgotten_after_the_last_look(alice: Person, remote: Remote) -> None:
    generation = ask(alice, remembers=True)
    assert lifecycle.fail(claimed(generation), "timeout", "Too late", retryable=True)
    assert remote.sweep() == 0
    assert remote.forget() == 0
    attempt = attempt_of(generation)
    assert attempt.forget_at is not None
    assert attempt.next_look_at is not None
    assert attempt.forget_at >= attempt.next_look_at
    Attempt.objects.update(next_look_at=None)  # as after the last one
    assert remote.forget() == 1
    assert remote.server.deleted == ["/jobs/job-9"]


def test_a_claim_that_came_too_late_writes_nothing(alice: Person, remote: Remote) -> None:
    ask(alice, remembers=True)
    Attempt.objects.update(next_look_at=None, forget_at="2026-01-01T00:00Z")
    [first] = forgetting.claim_memories()[1]
    assert forgetting.claim_memories() == (0, [])  # leased
    Attempt.objects.update(forget_at="2026-01-01T00:00Z")
    [second] = forgetting.claim_memories()[1]
    forgetting.forgotten(first)
    forgetting.not_forgotten(first)
    assert Attempt.objects.get().forget_at == second.until
    forgetting.forgotten(second)
    assert Attempt.objects.get().forget_at is None


def test_nobody_can_name_what_was_never_answered(alice: Person, remote: Remote) -> None:
    created(alice, prompt=f"a fox {SILENT}")
    remote.run(SubmitStage)
    Attempt.objects.update(next_look_at=None)
    assert remote.forget() == 1  # its inputs, which lie at its place
    attempt = Attempt.objects.get()
    assert (attempt.forget_at, attempt.forgotten_at) == (None, None)
    assert remote.server.deleted == []


def test_a_backend_that_remembers_nothing_is_told_nothing(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = created(alice).pk
    assert works.finish(str(pk)).state == State.COMPLETED
    assert attempt_of(now(pk)).forget_at is None
    assert emulator.stats()["by_label"]["token"][f"{pk}-1"] == 1


def test_a_name_that_this_build_does_not_have_stays_to_be_forgotten(
    alice: Person, works: Works, remote: Remote
) -> None:
    pk = ask(alice, remembers=True).pk
    elsewhere(pk)
    Attempt.objects.update(next_look_at=None)
    assert remote.forget() == 0
    assert attempt_of(now(pk)).forget_at is not None


def test_only_the_attempt_that_was_delivered_is_settled_where_places_are_empty(
    alice: Person, remote: Remote
) -> None:
    pk = created(alice).pk
    remote.run(SubmitStage, PollStage, StoreStage)
    other = Attempt.objects.create(
        generation=now(pk), number=2, prefix="", provider_model="m", backend="remote"
    )
    make_looks_due()
    due, (look,) = orphans.claim_looks()
    assert (due, look.attempt_id, look.backend) == (2, other.pk, "remote")


def test_a_model_that_is_gone_ends_in_a_refund_and_calls_the_operator(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.PROVIDER_MODELS = settings.PROVIDER_MODELS | {"veo3_fast": "veo-0.0"}
    pk = created(alice).pk
    works.run("submit")
    row = now(pk)
    assert refunded(pk, "provider_error", alice)
    assert row.error_retryable
    assert row.error_message.startswith("This model cannot be used at the moment")
    assert "404" in row.last_error
    assert outcomes(pk) == [Outcome.REJECTED]


def test_omni_is_asked_finished_and_forgotten_by_name_while_new_orders_go_to_veo(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    sold_at("interactions", provider_model="gemini-omni-1.2-flash")
    pk = created(alice, prompt="a fox").pk
    works.run("submit")
    sold_at("vertex", provider_model="")
    row = now(pk)
    assert (row.state, row.backend, row.location) == (State.RUNNING, "interactions", "global")
    other = created(alice, prompt="a boat").pk
    assert works.finish(str(pk)).state == works.finish(str(other)).state == State.COMPLETED
    assert now(other).backend == "vertex"
    assert (emulator.bought(str(pk)), emulator.bought(str(other))) == (1, 1)
    assert now(pk).output_uri.startswith(attempt_of(now(pk)).prefix)

    stored = GenerationEvent.objects.get(generation=pk, state=State.STORING)
    assert "output tokens" in stored.data["cost"]  # for operators
    assert not GenerationEvent.objects.get(generation=other, state=State.STORING).data

    name = now(pk).operation_name
    url = f"{emulator.url}/v1beta1/{name}"
    headers = {"Authorization": "Bearer t"}
    assert httpx.get(url, headers=headers).status_code == 200
    assert let_forget(works.provider, works.engine.loop, 0.0) == 1
    assert httpx.get(url, headers=headers).status_code == 404
    assert attempt_of(now(pk)).forgotten_at is not None
