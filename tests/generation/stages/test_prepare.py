"""The prepare stage: an account's slots, the limit on time, what is asked again, what is kept."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.storage import default_storage
from django.db import connection
from pytest_django.fixtures import Settings

from common.name_lookup import Lookups
from generation import lifecycle
from generation.inputs import image_queue, prepared_images
from generation.models import Generation, PreparedImages, ProviderGate
from generation.models.states import State
from generation.outputs.bucket_storage import LIMIT, BucketStorage
from generation.provider import gate
from generation.stages.prepare import MAX_TRIES, Prepared, PrepareStage
from tests.common.test_name_lookup import Servers, servers
from tests.generation.stages.test_store import WAYS_TO_REFUSE, Refusing, refusing
from tests.generation.stages.test_submit import due_in, now
from tests.support.bring_to import created
from tests.support.images import encoded, halves
from tests.support.log_reader import lines_of
from tests.support.loopback import Handler, answering, ok, serving
from tests.support.people import Person, make_person
from tests.support.racing import race
from tests.support.works import Emulator, Works, age, make_due

__all__ = ["refusing", "servers"]  # fixtures

PICTURE = ok(encoded(halves(), "PNG"))
SENTENCE = "source_image_urls[0] could not be used as an image"


def status(code: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {code} X", "Content-Length: 0", *headers, "", ""]).encode()


def one_after_the_other(*answers: bytes) -> Handler:
    """The last one for ever."""
    left = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return handle


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte every 0.05 s, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@contextmanager
def host(handler: Handler) -> Iterator[str]:
    """A server of images in a thread of its own; its origin."""
    ready, over = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def main() -> None:
        async with serving(handler) as port:
            found[:] = [asyncio.get_running_loop(), port]
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{found[1]}"
    finally:
        found[0].call_soon_threadsafe(over.set)
        thread.join(10)


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[Handler], str]]:
    """``serve(handler)`` is the URL of a picture that the fetcher may ask for."""
    open_now = []

    def start(handler: Handler) -> str:
        manager = host(handler)
        origin = manager.__enter__()
        open_now.append(manager)
        settings.SOURCE_IMAGE_ALLOWED_ORIGINS = frozenset(
            {origin, *settings.SOURCE_IMAGE_ALLOWED_ORIGINS}
        )
        return f"{origin}/a.png?signature=hush"

    yield start
    for manager in open_now:
        manager.__exit__(None, None, None)


def ordered(person: Person, *urls: str) -> Generation:
    return created(person, source_image_urls=list(urls))


def awaited(pk: Any) -> bool:
    return now(pk).images_until is not None


def files(generation: Generation) -> list[str]:
    """What of it lies in our storage."""
    folder = Path(django_settings.OUTPUT_ROOT) / "prepared" / generation.pk.hex[-2:]
    return sorted(path.name for path in folder.glob(f"{generation.pk}*"))


def failed(generation: Generation, person: Person, *, retryable: bool) -> bool:
    row = now(generation.pk)
    assert (row.state, row.error_code) == (State.FAILED, "invalid_source_image")
    sentence = f"{SENTENCE}. Try again later." if retryable else SENTENCE
    assert (row.error_message, row.error_retryable) == (sentence, retryable)
    assert row.refund is not None
    return person.balance == 1000


def test_an_order_is_prepared_then_sent(
    alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, *[serve(answering(PICTURE))] * 2)
    assert awaited(order.pk)
    assert works.run("submit") == 0  # and no place of the rate is taken
    assert not ProviderGate.objects.exists()
    assert works.run("prepare") == 1
    row = now(order.pk)
    assert (row.state, row.images_until, row.lease_token) == (State.QUEUED, None, None)
    assert (row.strikes, row.retries, row.version) == (0, 0, 1)
    assert files(order) == [f"{order.pk}.0", f"{order.pk}.1"]
    assert works.run("submit") == 1
    assert now(order.pk).state == State.RUNNING
    assert emulator.bought(str(order.pk)) == 1


def test_orders_without_images_never_meet_the_stage(alice: Person, works: Works) -> None:
    order = created(alice)
    assert works.run("prepare") == 0
    assert not awaited(order.pk)
    assert not PreparedImages.objects.exists()


PASSING = [status(503), status(429), status(500), status(408), PICTURE[:-20]]
FINAL = [status(404), status(403), status(410), ok(b"<html>"), ok(b"x" * 100)]


@pytest.mark.parametrize("answer", PASSING)
def test_what_may_be_well_later_is_asked_again(
    answer: bytes, alice: Person, works: Works, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(one_after_the_other(answer, PICTURE)))
    works.run("prepare")
    row = now(order.pk)
    assert (row.state, row.retries, row.lease_token) == (State.QUEUED, 1, None)
    assert 0 < due_in(order.pk) <= 2
    assert "source_image_urls[0]" in row.last_error
    assert "hush" not in row.last_error
    make_due()
    works.run("prepare")
    assert not awaited(order.pk)
    assert works.finish(str(order.pk)).state == State.COMPLETED


@pytest.mark.parametrize("answer", PASSING)
def test_what_stays_so_is_refunded_and_may_be_ordered_again(
    answer: bytes, alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(one_after_the_other(answer)))
    for tries in range(1, MAX_TRIES):
        works.run("prepare")
        assert (now(order.pk).state, now(order.pk).retries) == (State.QUEUED, tries)
        make_due()
    works.run("prepare")
    assert failed(order, alice, retryable=True)
    assert emulator.bought(str(order.pk)) == 0


@pytest.mark.parametrize("answer", FINAL)
def test_what_will_not_be_well_fails_at_once(
    answer: bytes, alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(one_after_the_other(answer, PICTURE)))
    works.run("prepare")
    assert failed(order, alice, retryable=False)
    row = now(order.pk)
    event = row.events.order_by("-sequence")[0]
    assert row.last_error == event.data["detail"]
    assert row.last_error.startswith("source_image_urls[0]: ")
    assert row.last_error.endswith(" at 127.0.0.1")
    assert "hush" not in row.last_error
    assert emulator.bought(str(order.pk)) == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(404), "status: 404"),
        (status(503), "status: 503"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 99999999\r\n\r\n", "size: "),
        (ok(b"<html>"), "child ended with "),
        (b"", "network: ServerDisconnectedError"),
    ],
)
def test_the_log_says_why_and_nothing_of_the_query(
    answer: bytes, reason: str, alice: Person, works: Works, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(answering(answer)))
    with lines_of("generation.stages.prepare") as lines:
        works.run("prepare")
    (line,) = (line for line in lines if line["event"] == "source image refused")
    assert line["reason"].startswith(f"source_image_urls[0]: {reason}")
    assert line["reason"].endswith(" at 127.0.0.1")
    assert (line["generation_id"], line["level"]) == (str(order.pk), "INFO")
    assert "hush" not in str(lines)
    assert "signature" not in str(lines)
    assert "a.png" not in str(lines)


def test_the_hosts_wish_is_kept_to_or_too_long(
    alice: Person, works: Works, serve: Callable[[Handler], str]
) -> None:
    soon = ordered(alice, serve(answering(status(503, "Retry-After: 40"))))
    works.run("prepare")
    assert 35 < due_in(soon.pk) <= 40
    late = ordered(alice, serve(answering(status(503, "Retry-After: 4000"))))
    works.run("prepare")
    row = now(late.pk)
    assert (row.error_code, row.error_retryable) == ("invalid_source_image", True)


def test_a_host_that_drips_costs_one_try_at_a_time(
    alice: Person, works: Works, settings: Settings, serve: Callable[[Handler], str]
) -> None:
    settings.PREPARE_TIMEOUT = 0.5
    order = ordered(alice, serve(drip))
    works.run("prepare")
    assert "time: no whole answer in 0.5 s" in now(order.pk).last_error
    age(str(order.pk), images_until="1 second")
    make_due()
    works.run("prepare")
    assert failed(order, alice, retryable=True)


@pytest.mark.parametrize("before", ["nothing", "busy"])
def test_whose_turn_comes_too_late_is_refunded(before: str, alice: Person, works: Works) -> None:
    order = ordered(alice, "https://a.example/x.png")
    age(str(order.pk), images_until="-1 second")
    if before == "busy":
        Generation.objects.filter(pk=order.pk).update(last_error="status: 503", retries=2)
    works.run("prepare")
    row = now(order.pk)
    assert (row.state, row.error_code, row.error_retryable) == (State.FAILED, "timeout", True)
    assert "source images" in row.error_message
    assert ("status: 503" in row.last_error) == (before == "busy")
    assert alice.balance == 1000


def test_the_deadline_ends_it_also_without_a_worker_that_prepares(
    alice: Person, works: Works
) -> None:
    order = ordered(alice, "https://a.example/x.png")
    age(str(order.pk), deadline_at="-1 second")
    works.run("submit")
    assert now(order.pk).error_code == "timeout"
    assert alice.balance == 1000


def test_a_customer_cancels_while_images_are_fetched(alice: Person, works: Works) -> None:
    woken: list[str] = []
    order = ordered(alice, "https://a.example/x.png")
    (held,) = image_queue.claim(1)
    assert lifecycle.cancel(order.pk)
    assert PrepareStage(works.provider, woken.append).finish(held, Prepared()) is None
    assert (now(order.pk).state, now(order.pk).images_until, woken) == (State.CANCELED, None, [])
    assert alice.balance == 1000


def many(person: Person, count: int) -> list[Generation]:
    return [ordered(person, "https://a.example/x.png") for _ in range(count)]


@pytest.fixture
def crowd() -> list[Person]:
    return [make_person(name, 100_000) for name in ("rich", "other", "third")]


def by_account(rows: Sequence[Generation]) -> list[int]:
    accounts = [row.account_id for row in rows]
    return sorted((accounts.count(account) for account in set(accounts)), reverse=True)


def test_an_account_has_two_slots_over_all_claims(crowd: list[Person]) -> None:
    rich, other, _ = crowd
    many(rich, 6)
    first = image_queue.claim(12)
    assert by_account(first) == [2]
    assert image_queue.claim(12) == []
    theirs = many(other, 1)
    assert [row.pk for row in image_queue.claim(12)] == [theirs[0].pk]
    make_due(str(first[0].pk))  # its lease is over
    assert len(image_queue.claim(12)) == 1


def test_racing_workers_keep_to_it(crowd: list[Person]) -> None:
    for person in crowd:
        many(person, 5)
    claims = race([lambda: image_queue.claim(12)] * 8, at_once=8)
    found = [row for rows in claims if isinstance(rows, list) for row in rows]
    assert not any(isinstance(rows, BaseException) for rows in claims), claims
    assert by_account(found) == [2, 2, 2]


def test_who_has_fewer_under_way_comes_first(crowd: list[Person]) -> None:
    rich, other, third = crowd
    many(rich, 3)
    mine, theirs = many(other, 2), many(third, 1)
    assert {row.account_id for row in image_queue.claim(3)} == {p.account.pk for p in crowd}
    assert [row.pk for row in image_queue.claim(1)] != [theirs[0].pk]
    assert now(mine[0].pk).lease_token is not None


def test_names_that_hang_hold_up_no_other_accounts_order(
    crowd: list[Person],
    works: Works,
    servers: Servers,
    serve: Callable[[Handler], str],
    settings: Settings,
) -> None:
    """Two accounts keep twelve look-ups under way, more than one caller may have."""
    port = serve(answering(PICTURE)).rpartition("/")[0].rpartition(":")[2]
    settings.SOURCE_IMAGE_ALLOWED_ORIGINS = frozenset({f"http://honest.example:{port}"})
    settings.PREPARE_TIMEOUT = settings.PREPARE_LEASE = 60.0
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]

    def look_up(host: str, *more: Any) -> Any:
        servers.look_up(host, *more)
        return found

    silent = {f"silent{number}.example" for number in range(12)}
    urls = [f"https://{name}/x.png" for name in sorted(silent)]
    *hanging, honest = [
        *(ordered(crowd[number % 2], *urls[3 * number :][:3]) for number in range(4)),
        ordered(crowd[2], f"http://honest.example:{port}/x.png"),
    ]
    woken: list[str] = []
    ends = time.monotonic() + 30
    works.engine.run(
        PrepareStage(works.provider, woken.append, Lookups(look_up, seconds=60.0)),
        seconds=0.0,
        stopping=lambda: bool(woken) or time.monotonic() > ends,
    )
    assert sorted(servers.asked) == sorted({*silent, "honest.example"})
    assert woken == ["submit"]
    assert not awaited(honest.pk)
    for order in hanging:  # handed back as they were
        row = now(order.pk)
        assert awaited(order.pk)
        assert (row.retries, row.last_error, row.lease_token) == (0, "", None)


def unusable(person: Person, count: int) -> None:
    for order in many(person, count):
        make_due(str(order.pk))
        (held,) = image_queue.claim(1)
        assert lifecycle.fail(held, "invalid_source_image", SENTENCE)


def test_who_orders_many_unusable_ones_is_slowed_down(
    crowd: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_queue, "MANY_BAD", 5)
    rich, other, _ = crowd
    unusable(rich, 4)
    many(rich, 3)
    assert by_account(image_queue.claim(12)) == [2]  # an honest batch does not notice
    make_due()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE generation_generation SET lease_token = NULL WHERE state = 'queued'")
    (held,) = image_queue.claim(1)
    assert lifecycle.fail(held, "invalid_source_image", SENTENCE)
    make_due()
    assert image_queue.claim(12) == []
    theirs = many(other, 1)
    assert [row.pk for row in image_queue.claim(12)] == [theirs[0].pk]
    monkeypatch.setattr(image_queue, "PAUSE", 0.0)
    assert by_account(image_queue.claim(12)) == [1]
    monkeypatch.setattr(image_queue, "BAD_SECONDS", 0.0)
    assert by_account(image_queue.claim(12)) == [1]  # the second slot again


def test_what_is_prepared_counts_as_under_way_at_the_gate(crowd: list[Person]) -> None:
    rich, other, _ = crowd
    many(rich, 2)
    assert len(image_queue.claim(2)) == 2
    mine = created(rich)
    theirs = created(other)
    assert [row.pk for row in gate.claim(1)] == [theirs.pk]
    assert [row.pk for row in gate.claim(1)] == [mine.pk]


def test_rows_of_the_release_before_are_prepared_on_the_way(
    alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(answering(PICTURE)))
    Generation.objects.filter(pk=order.pk).update(images_until=None)
    works.run("submit")
    assert awaited(order.pk)
    assert not now(order.pk).attempts.exists()
    assert works.finish(str(order.pk)).state == State.COMPLETED
    assert emulator.bought(str(order.pk)) == 1


def test_images_that_are_lost_again_and_again_end_with_a_refund(
    alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(answering(PICTURE)))
    for _ in range(20):
        make_due()
        works.run("prepare")
        default_storage.delete(f"prepared/{order.pk.hex[-2:]}/{order.pk}.0")
        ProviderGate.objects.all().delete()
        works.run("submit")
        if now(order.pk).state == State.FAILED:
            break
    row = now(order.pk)
    assert (row.error_code, row.error_retryable) == ("provider_error", True)
    assert "in our storage" in row.last_error
    assert (alice.balance, emulator.bought(str(order.pk))) == (1000, 0)


def test_a_storage_that_refuses_is_no_fault_of_the_customers(
    alice: Person, works: Works, serve: Callable[[Handler], str], settings: Settings
) -> None:
    order = ordered(alice, serve(answering(PICTURE)))
    in_the_way = Path(settings.OUTPUT_ROOT) / "prepared" / order.pk.hex[-2:] / f"{order.pk}.0"
    in_the_way.mkdir(parents=True)
    works.run("prepare")
    row = now(order.pk)
    assert (row.state, row.retries, row.lease_token) == (State.QUEUED, 0, None)
    assert "IsADirectoryError" in row.last_error
    in_the_way.rmdir()
    make_due()
    works.run("prepare")
    assert not awaited(order.pk)


@pytest.mark.parametrize("how", WAYS_TO_REFUSE)
def test_a_storage_that_does_not_give_them_back_is_waited_for(
    how: str,
    alice: Person,
    works: Works,
    emulator: Emulator,
    serve: Callable[[Handler], str],
    refusing: Refusing,
) -> None:
    order = ordered(alice, serve(answering(PICTURE)))
    works.run("prepare")
    refusing.refuse(how)
    works.run("submit")
    row = now(order.pk)
    assert (row.state, row.strikes, row.lease_token) == (State.QUEUED, 0, None), row.last_error
    if "nobody takes" not in how:  # google-auth takes its time
        assert "TimeoutError" not in row.last_error  # asked once, and not again in its thread
    assert not row.attempts.exists()
    refusing.mend(how)
    assert works.finish(str(order.pk)).state == State.COMPLETED
    assert emulator.bought(str(order.pk)) == 1


@pytest.mark.parametrize("what", ["Forbidden", "ServiceUnavailable", "cut"])
def test_a_bucket_that_refuses_the_bytes_themselves_says_so_when_it_is_opened(
    what: str, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Handler], str]
) -> None:
    """Where its description was given out before."""
    answers = {"Forbidden": status(403), "ServiceUnavailable": status(503), "cut": PICTURE[:-20]}
    described = ok(b'{"name": "a", "bucket": "b", "size": "100", "mediaLink": "x"}')

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[what] if b"alt=media" in asked else described)

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", serve(handle).rpartition("/")[0])
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
    started = time.monotonic()
    with pytest.raises(OSError):  # of any kind
        BucketStorage(bucket_name="b").open("a").read()
    assert time.monotonic() - started < LIMIT


@pytest.mark.parametrize("end", ["completed", "failed", "canceled"])
def test_prepared_images_go_with_their_generation(
    end: str, alice: Person, works: Works, emulator: Emulator, serve: Callable[[Handler], str]
) -> None:
    order = ordered(alice, serve(answering(PICTURE)))
    works.run("prepare")
    assert prepared_images.remove_ended(5) == 0
    assert files(order)
    if end == "completed":
        assert works.finish(str(order.pk)).state == State.COMPLETED
    elif end == "canceled":
        assert lifecycle.cancel(order.pk)
    else:
        age(str(order.pk), deadline_at="-1 second")
        works.run("submit")
    assert now(order.pk).state == end
    assert prepared_images.remove_ended(5) == 0  # somebody may be writing yet
    django_settings.PREPARE_LEASE, lease = 0.0, django_settings.PREPARE_LEASE
    try:
        assert prepared_images.remove_ended(5) == 1
    finally:
        django_settings.PREPARE_LEASE = lease
    assert files(order) == []
    assert not PreparedImages.objects.exists()
