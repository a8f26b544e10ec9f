"""Names that customers chose are looked up in threads that nobody else needs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import pytest

from common.name_lookup import OF_ONE_CALLER, THREADS, Lookups

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]


class Servers:
    """A resolver in which some names hang until ``answer`` is set."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked: list[str] = []

    def look_up(self, host: str, *_: Any) -> Any:
        self.asked.append(host)
        if host.startswith("silent"):
            self.answer.wait(20)
        if host.startswith("unknown"):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return ANSWER


@pytest.fixture
def servers() -> Any:
    found = Servers()
    yield found
    found.answer.set()


def test_what_was_found_is_what_aiohttp_wants(servers: Servers) -> None:
    async def main() -> None:
        (found,) = await Lookups(servers.look_up).of("alice").resolve("a.example", 80)
        assert (found["hostname"], found["host"], found["port"]) == (
            "a.example",
            "93.184.216.34",
            80,
        )
        with pytest.raises(socket.gaierror) as caught:
            await Lookups(servers.look_up).of("alice").resolve("unknown.example")
        assert caught.value.errno == socket.EAI_NONAME

    asyncio.run(main())


def test_a_name_that_never_answers_ends_in_time_and_may_be_asked_again(servers: Servers) -> None:
    async def main() -> None:
        with pytest.raises(socket.gaierror) as caught:
            await Lookups(servers.look_up, seconds=0.1).of("alice").resolve("silent.example")
        assert caught.value.errno == socket.EAI_AGAIN
        servers.answer.set()

    asyncio.run(main())


def test_one_caller_holds_no_more_than_his_threads_also_by_names_that_were_given_up(
    servers: Servers,
) -> None:
    async def main() -> None:
        lookups = Lookups(servers.look_up, seconds=0.3)
        for number in range(3 * OF_ONE_CALLER):
            with pytest.raises(OSError):
                await lookups.of("mallory").resolve(f"silent{number}.example")
        assert len(servers.asked) == OF_ONE_CALLER < THREADS
        assert await Lookups(servers.look_up).of("alice").resolve("a.example")
        assert await lookups.of("alice").resolve("a.example")
        servers.answer.set()
        ends = time.monotonic() + 5
        while time.monotonic() < ends:  # his threads are free again, and he may go on
            try:
                assert await lookups.of("mallory").resolve("a.example")
                return
            except OSError:
                await asyncio.sleep(0.02)
        raise AssertionError("the threads were not counted back")

    asyncio.run(main())


def test_the_loops_own_threads_stay_free(servers: Servers) -> None:
    """They look the provider's name up, and read and write files."""

    async def main() -> None:
        lookups = Lookups(servers.look_up)
        hanging = [
            asyncio.create_task(lookups.of(caller).resolve(f"silent{number}.example"))
            for caller in range(THREADS // OF_ONE_CALLER)
            for number in range(OF_ONE_CALLER)
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        await asyncio.to_thread(lambda: None)
        assert time.monotonic() - started < 2
        servers.answer.set()
        await asyncio.gather(*hanging)

    asyncio.run(main())
