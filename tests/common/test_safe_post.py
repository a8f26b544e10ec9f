"""The SSRF matrix on the twin: nothing is sent to a forbidden address, and nothing tells which."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from common.fetchable import Taken
from common.guarded_sockets import MAX_TRIES
from common.safe_post import Answered, Kind, NotAnswered, post
from tests.support.forbidden import DENIED_ANSWERS, DENIED_LITERALS, PUBLIC
from tests.support.loopback import Names, answering, ok, recording, redirect, serving

# recording() itself lets nothing leave the machine, as in test_safe_fetch.py
pytestmark = pytest.mark.enable_socket

HTTPS = Taken({"https": frozenset({443, 8443})})
BOTH = Taken({"http": frozenset({80}), "https": frozenset({443, 8443})})


def send(
    url: str, names: Names | None = None, **changes: Any
) -> tuple[list[tuple[str, int]], Answered | str]:
    """(attempted connects, what came back or the one word that is told)."""

    async def main() -> Answered | str:
        options: dict[str, Any] = {"taken": BOTH, "seconds": 5.0, "resolver": names} | changes
        try:
            return await post(url, b"{}", {"webhook-id": "evt_1"}, **options)
        except NotAnswered as error:
            return str(error.kind)

    with recording() as connects:
        outcome = asyncio.run(main())
    return connects, outcome


@pytest.mark.parametrize("origin", ["http://{}", "https://{}", "https://{}:8443"])
@pytest.mark.parametrize("host", DENIED_LITERALS)
def test_a_forbidden_literal_is_never_connected_to(origin: str, host: str) -> None:
    assert send(f"{origin.format(host)}/latest/meta-data/") == ([], "connection")


@pytest.mark.parametrize("url", ["http://name.test/", "https://name.test:8443/"])
@pytest.mark.parametrize("answer", DENIED_ANSWERS, ids=" ".join)
def test_a_forbidden_dns_answer_is_never_connected_to(answer: list[str], url: str) -> None:
    assert send(url, Names({"name.test": [answer]})) == ([], "connection")


@contextlib.contextmanager
def listening_everywhere() -> Iterator[tuple[str, list[bytes]]]:
    """(an address of loopback, the first bytes of whoever came to its 8443)."""
    came: list[bytes] = []
    with socket.socket() as listener:
        for number in itertools.count(2):
            try:
                listener.bind((host := f"127.88.0.{number}", 8443))
                break
            except OSError:
                continue
        listener.listen()
        listener.settimeout(0.3)

        def take() -> None:
            with contextlib.suppress(TimeoutError):
                while True:
                    connection, _ = listener.accept()
                    came.append(connection.recv(100))
                    connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        yield host, came
        thread.join()


@pytest.mark.parametrize("is_exempt", [False, True])
def test_who_really_listens_there_hears_nothing(is_exempt: bool) -> None:
    """By the receiver and not by a hook of ours, which the exempt one shows to be able to hear."""
    with listening_everywhere() as (host, came):
        exempt = {"https://name.test:8443"} if is_exempt else set()
        names = Names({"name.test": [[host]], "mapped.test": [[f"::ffff:{host}"]]})

        async def main() -> None:
            for name in (host, "name.test", "mapped.test"):
                with pytest.raises(NotAnswered):
                    await post(
                        f"https://{name}:8443/hooks",
                        b"{}",
                        {},
                        taken=HTTPS,
                        seconds=5,
                        allowed_origins=frozenset(exempt),
                        resolver=names,
                    )

        asyncio.run(main())
    assert [first[:2] for first in came] == ([b"\x16\x03"] if is_exempt else [])


def test_the_next_answer_is_checked_too_when_the_first_does_not_connect() -> None:
    names = Names({"name.test": [[PUBLIC, "127.0.0.1"]]})
    assert send("https://name.test/", names) == ([(PUBLIC, 443)], "connection")


def test_a_name_of_a_thousand_addresses_is_no_way_to_knock_at_them_all() -> None:
    many = [f"93.184.{high}.{low}" for high in range(4) for low in range(250)]
    started = time.monotonic()
    connects, told = send("https://name.test/", Names({"name.test": [many]}))
    assert connects == [(address, 443) for address in many[:MAX_TRIES]]
    assert (told, time.monotonic() - started < 2) == ("connection", True)


def test_a_rebound_name_is_looked_up_and_judged_at_each_attempt() -> None:
    names = Names({"rebound.test": [[PUBLIC], ["127.0.0.1"]]})
    assert send("https://rebound.test:8443/", names) == ([(PUBLIC, 8443)], "connection")
    assert send("https://rebound.test:8443/", names) == ([], "connection")
    assert names.asked == ["rebound.test", "rebound.test"]


@pytest.mark.parametrize(
    "url",
    [
        *(f"https://{PUBLIC}:{port}/" for port in (22, 80, 8080, 9443)),
        *(f"http://{PUBLIC}:{port}/" for port in (443, 8443, 8000)),
        f"https://user@{PUBLIC}/",
        f"https://user:pass@{PUBLIC}/",
        f"https://@{PUBLIC}/",
        f"ftp://{PUBLIC}/",
        f"gopher://{PUBLIC}:443/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "",
        "//host/x",
        "https://host/\r\nX: y",
        f"https://{PUBLIC}/\x00",
        f"https://{PUBLIC}/{'x' * 2048}",
    ],
)
def test_other_ports_schemes_and_user_names_are_refused(url: str) -> None:
    assert send(url) == ([], "connection")


def test_plain_http_is_refused_unless_it_is_taken() -> None:
    names = Names({"name.test": [[PUBLIC]]})
    assert send("http://name.test/", names, taken=HTTPS) == ([], "connection")
    assert send("http://name.test/", names) == ([(PUBLIC, 80)], "connection")


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    names = Names({"name.test": [[PUBLIC]]})
    assert send("http://name.test/", names) == ([(PUBLIC, 80)], "connection")
    assert send("https://name.test/", names) == ([(PUBLIC, 443)], "connection")


def test_what_we_refuse_is_told_like_what_is_not_there(free_port: int) -> None:
    """A name without an address, an address of ours, a port at which nobody listens."""
    origin = f"http://127.0.0.1:{free_port}"
    told = {
        send("https://unknown.test/", Names({}))[1],
        send("https://name.test/", Names({"name.test": [["10.0.0.1"]]}))[1],
        send("https://10.0.0.1/")[1],
        send(origin, allowed_origins=frozenset({origin}))[1],
    }
    assert told == {Kind.CONNECTION}


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    async def main() -> None:
        async with (
            serving(answering(ok(b"secret"))) as inside,
            serving(answering(redirect(f"http://127.0.0.1:{inside}/", status))) as outside,
        ):
            origins = frozenset(f"http://127.0.0.1:{port}" for port in (inside, outside))
            url = f"http://127.0.0.1:{outside}/"
            with recording() as connects:
                answered = await post(
                    url, b"{}", {}, taken=HTTPS, seconds=5, allowed_origins=origins
                )
            assert (answered.status, connects) == (status, [("127.0.0.1", outside)])

    asyncio.run(main())


def test_the_exemption_is_for_the_exact_origin_only() -> None:
    async def main() -> None:
        async with serving(answering(ok(b""))) as port:
            limits: dict[str, Any] = {"taken": HTTPS, "seconds": 5}
            limits["allowed_origins"] = frozenset({f"http://127.0.0.1:{port}"})
            limits["resolver"] = Names({"name.test": [["127.0.0.1"]]})
            answered = await post(f"http://127.0.0.1:{port}/hooks", b"{}", {}, **limits)
            assert answered.status == 200
            for other in (
                f"http://name.test:{port}/",
                f"https://127.0.0.1:{port}/",
                f"http://127.0.0.2:{port}/",
                f"http://127.0.0.1.:{port}/",
                f"http://[::ffff:127.0.0.1]:{port}/",
                f"http://user@127.0.0.1:{port}/",
            ):
                with recording() as connects, pytest.raises(NotAnswered) as caught:
                    await post(other, b"{}", {}, **limits)
                assert (connects, caught.value.kind) == ([], Kind.CONNECTION)

    asyncio.run(main())
