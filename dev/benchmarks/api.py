"""Our endpoints and what they are compared with, measured in turn so that all see one machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import httpx
import psycopg

from dev.benchmarks import open_loop, pgbench, usage, wrk
from dev.benchmarks.customers import Customers
from dev.benchmarks.failure import BenchmarkFailed, NothingAnswered
from dev.benchmarks.figures import Measured, Rounds, percentile
from dev.benchmarks.stage import Stage
from dev.benchmarks.wrk import Target

ORDER = {
    "prompt": "A paper boat on a lake at sunrise, camera low over the water, soft light",
    "video_model": "veo3_fast",
    "aspect_ratio": "16:9",
}
HOOKED_ORDER = ORDER | {"webhook_url": "https://hooks.example.com/of-one-order"}
CREATE_PATH = "/api/v1/generate/video/"
STATUSES = 100  # rows whose status is asked for, in turn
WARM_UP = 3.0  # seconds
# a name in the table -> the rows it stands for
ROWS = {"completed": "state = 'completed'", "processing": "next_attempt_at IS NOT NULL"}

Subject = Callable[[float], Measured]


@dataclass(frozen=True, slots=True)
class Site:
    """A program that serves, and where."""

    program: str
    base_url: str


class Api:
    """The subjects, by the name they have in the table."""

    def __init__(
        self, stage: Stage, customers: Customers, seeded: int, *, webhooks: bool = False
    ) -> None:
        """The first ``seeded`` customers have the generations of dev/benchmarks/seed.py.

        With ``webhooks`` the later half have an endpoint each, and order with a URL beside that.
        """
        self.rounds = Rounds()
        self.stage = stage
        self._customers = customers
        self._seeded = seeded
        self._webhooks = webhooks
        self._ours = Site("web", stage.stack.base_url)
        self._superuser = stage.superuser()

    def close(self) -> None:
        """Let go of the connection."""
        self._superuser.close()

    def create_subjects(self) -> dict[str, Subject]:
        """Creates on many accounts and on one, the textbook's, and the database's limit."""
        tokens = self.stage.textbook_tokens(len(self._customers.secrets))
        textbook = Site("textbook", self.stage.serve("textbook"))
        theirs = [Target("POST", "/generate/", f"Token {token}", "", ORDER) for token in tokens]
        script = pgbench.script_of(
            self.stage.statement_of_create(), self._customers.tag, len(self._customers.secrets)
        )
        ours = self._orders()
        hooked = [replace(each, body=HOOKED_ORDER) for each in ours[len(ours) // 2 :]]
        also: dict[str, Subject] = {
            "create, with webhooks": lambda seconds: self._creates(hooked, seconds)
        }
        return (also if self._webhooks else {}) | {
            "create": lambda seconds: self._creates(ours, seconds),
            "create, textbook": lambda seconds: self._loaded(textbook, theirs, seconds),
            "create, pgbench": lambda seconds: self._pgbench(script, seconds),
            "create, one wallet": lambda seconds: self._creates(ours[:1], seconds),
            "create, open loop at half": lambda seconds: self._at_half(ours, 2 * seconds),
        }

    def status_subjects(self) -> dict[str, Subject]:
        """Status in its two forms, with and without a condition, against an empty view."""
        floor = Site("floor", self.stage.serve("floor"))
        empty = [Target("GET", "/")]
        subjects: dict[str, Subject] = {
            "empty DRF view": lambda seconds: self._loaded(floor, empty, seconds)
        }
        for name in ROWS:
            targets = self._statuses(name)
            subjects[f"status, {name}"] = self._plain(targets)
            subjects[f"status, {name}, not modified"] = self._conditional(targets)
        return subjects

    def history_subjects(self) -> dict[str, Subject]:
        """The first page of 20."""
        targets = [
            Target("GET", "/api/v1/generate/history/", self._customers.authorization(number))
            for number in range(self._seeded)
        ]
        return {"history, first page": self._plain(targets)}

    def measure(self, subjects: dict[str, Subject], rounds: int, seconds: float) -> None:
        """Warm all of them up, then round after round."""
        for name, subject in subjects.items():
            warm_up(name, subject)
        # a rate that was measured while warming up is none
        self.rounds = Rounds()
        for number in range(rounds):
            for name, subject in subjects.items():
                os.sync()  # the writes of one subject are not paid by the next
                self.rounds.add(name, _named(name, subject, seconds))
            print(f"round {number + 1} of {rounds} done", flush=True)

    def _orders(self) -> list[Target]:
        """A create by each customer."""
        return [
            Target("POST", CREATE_PATH, self._customers.authorization(number), "", ORDER)
            for number in range(len(self._customers.secrets))
        ]

    def _statuses(self, name: str) -> list[Target]:
        """Status requests of each seeded customer; ``name`` is one of ROWS."""
        query = (
            f"SELECT id FROM generation_generation WHERE {ROWS[name]}"
            " AND account_id = md5(%s || '-account-' || %s)::uuid LIMIT %s"
        )
        each = max(1, STATUSES // self._seeded)
        return [
            Target("GET", f"/api/v1/generate/{row[0]}/", self._customers.authorization(number))
            for number in range(self._seeded)
            for row in self._superuser.execute(
                query.encode(), (self._customers.tag, number, each)
            ).fetchall()
        ]

    def _plain(self, targets: Sequence[Target]) -> Subject:
        return lambda seconds: self._loaded(self._ours, targets, seconds)

    def _conditional(self, targets: Sequence[Target]) -> Subject:
        def measure(seconds: float) -> Measured:
            for _ in range(3):  # a link window ends every 15 minutes, and with it the tags
                tagged = with_tags(self._ours.base_url, targets)
                measured = self._loaded(self._ours, tagged, seconds)
                if all_unmodified(self._ours.base_url, tagged[:3]):
                    return measured
            raise BenchmarkFailed("Every time the tags had changed before the measurement was over")

        return measure

    def _loaded(self, site: Site, targets: Sequence[Target], seconds: float) -> Measured:
        """Rates and costs of a site under load."""
        usage.forget_statements(self._superuser)
        before = usage.cpu_seconds(self.stage.stack, site.program)
        answered = wrk.load(site.base_url, targets, seconds)
        cpu = usage.cpu_seconds(self.stage.stack, site.program) - before
        return Measured(
            per_second=answered.per_second,
            p50_ms=answered.p50_ms,
            p99_ms=answered.p99_ms,
            cpu_ms=cpu * 1e3 / answered.requests,
            statements=usage.statements(self._superuser) / answered.requests,
        )

    def _creates(self, targets: Sequence[Target], seconds: float) -> Measured:
        before = charges(self._superuser)
        measured = self._loaded(self._ours, targets, seconds)
        settled = time.monotonic() + 2
        answered = measured.per_second * max(1, round(seconds))
        # wrk leaves when its time is over, without the answers to its last requests
        while charges(self._superuser) - before < 0.98 * answered:
            if time.monotonic() > settled:
                raise BenchmarkFailed("Not every create that was answered charged its wallet")
        return measured

    def _pgbench(self, script: str, seconds: float) -> Measured:
        stack = self.stage.stack
        url = stack.env["DATABASE_URL"]
        return Measured(per_second=pgbench.run(script, url, seconds, stack.env))

    def _at_half(self, targets: Sequence[Target], seconds: float) -> Measured:
        try:
            rate = self.rounds.median("create") / 2
        except BenchmarkFailed:
            rate = 20.0  # while warming up
        took = open_loop.latencies(self._ours.base_url, targets, rate, seconds)
        return Measured(
            per_second=rate,
            p50_ms=percentile(took, 0.5) * 1e3,
            p99_ms=percentile(took, 0.99) * 1e3,
        )


def warm_up(name: str, subject: Subject) -> None:
    """Measure for nothing. Raises NothingAnswered when five tries got no answer."""
    for _ in range(5):
        try:
            _named(name, subject, WARM_UP)
        except NothingAnswered as error:
            last = error
        else:
            return
    raise last


def _named(name: str, subject: Subject, seconds: float) -> Measured:
    """A measurement whose failure says what was measured."""
    try:
        return subject(seconds)
    except BenchmarkFailed as error:
        raise type(error)(f"{name}: {error}") from error


def charges(connection: psycopg.Connection) -> int:
    """How many entries all wallets together count."""
    row = connection.execute("SELECT sum(sequence)::bigint FROM credits_wallet").fetchone()
    return int(row[0]) if row else 0


def with_tags(base_url: str, targets: Sequence[Target]) -> list[Target]:
    """The same targets, each with its present ETag for If-None-Match."""
    tagged = []
    with httpx.Client(base_url=base_url, timeout=20) as client:
        for target in targets:
            answer = client.get(target.path, headers={"Authorization": target.authorization})
            tag = answer.headers["ETag"]
            tagged.append(Target(target.method, target.path, target.authorization, tag))
    return tagged


def all_unmodified(base_url: str, targets: Sequence[Target]) -> bool:
    """Whether every tag still holds."""
    with httpx.Client(base_url=base_url, timeout=20) as client:
        return all(
            client.get(
                target.path,
                headers={"Authorization": target.authorization, "If-None-Match": target.tag},
            ).status_code
            == 304
            for target in targets
        )
