"""The whole product on one machine: servers, migrations, emulator, web, workers, beat."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from dev.embedded import StackError, services
from dev.embedded.emulation import EmulatorServer, ReceiverServer, StandIn, StripeServer
from dev.embedded.environment import Options, base_environment
from dev.embedded.external import check_database, check_redis
from dev.embedded.lifetime import GRACE, Server, Startable
from dev.embedded.migrations import migrate, migrate_own
from dev.embedded.paths import Lock, runtime_dir
from dev.embedded.postgres import OWNER, SUPERUSER, PostgresServer
from dev.embedded.processes import wait_ready
from dev.embedded.supervisor import Supervisor
from dev.embedded.valkey import ValkeyServer


class Stack(Startable):
    """Start and stop it from one thread that outlives it (dev/embedded/processes.py says why)."""

    def __init__(self, var_dir: Path, options: Options | None = None) -> None:
        """``var_dir`` holds the data, the logs and the lock; the sockets go to a short folder."""
        self.var_dir = var_dir.resolve()
        self.options = options or Options()
        self.env: dict[str, str] = {}
        self._supervisor: Supervisor | None = None
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None
        self._emulator: EmulatorServer | None = None
        self._stripe: StripeServer | None = None
        self._receiver: ReceiverServer | None = None
        self._listener: socket.socket | None = None
        self._waiters: socket.socket | None = None
        self._lock: Lock | None = None

    @property
    def processes(self) -> Supervisor:
        """The running programs by name: postgres, valkey, emulator, web, submit, ..., beat."""
        if self._supervisor is None:
            raise StackError("The stack is not up")
        return self._supervisor

    @property
    def base_url(self) -> str:
        """Where the API listens, without a slash at the end."""
        if self._listener is None:
            raise StackError("The stack has no web server")
        return services.address(self._listener)

    @property
    def waiter_url(self) -> str | None:
        """Where requests are held; None without a waiter."""
        return services.address(self._waiters) if self._waiters else None

    @property
    def emulator_url(self) -> str | None:
        """Where the emulator listens; None without one."""
        return self._emulator.url if self._emulator else None

    @property
    def stripe_url(self) -> str | None:
        """Where Stripe's emulator listens; None without one."""
        return self._stripe.url if self._stripe else None

    @property
    def receiver_url(self) -> str | None:
        """Where the receiver of webhooks listens; None without one."""
        return self._receiver.url if self._receiver else None

    @property
    def owner_url(self) -> str:
        """The database as the role that owns the tables."""
        if self._postgres is not None:
            return self._postgres.url(OWNER)
        return self.options.database_owner_url or self.env["DATABASE_URL"]

    @property
    def superuser_url(self) -> str:
        """Our own server's database as its superuser; StackError for a server that was given."""
        if self._postgres is None:
            raise StackError("The database was given; nobody said who its superuser is")
        return self._postgres.url(SUPERUSER)

    def stop(self, grace: float = GRACE) -> None:
        """End services first, then servers, ``grace`` seconds each; an interrupt kills the rest."""
        try:
            if self._supervisor is not None:
                self._supervisor.stop(grace, last=tuple(self._servers()))
        finally:
            for server in self._servers().values():
                server.stop()
            for listener in (self._listener, self._waiters):
                if listener is not None:
                    listener.close()
            if self._supervisor is not None:
                shutil.rmtree(runtime_dir(self.var_dir))
            if self._lock is not None:
                self._lock.release()
            self._supervisor = self._postgres = self._valkey = None
            self._emulator = self._stripe = self._receiver = None
            self._listener = self._waiters = self._lock = None

    def watch(self) -> None:
        """Call it often: restarts dead workers, raises StackError when anything else died."""
        self.processes.watch()

    def restart(self, name: str) -> None:
        """Kill a program and start it again, with the same address; a server is waited for."""
        self.processes.restart(name)
        if name in self._servers():
            self._servers()[name].wait()

    def manage(self, *arguments: str) -> str:
        """The output of a ``manage.py`` command on this stack; StackError when it fails."""
        return services.run_manage(self.env, *arguments)

    def _start(self) -> None:
        self.var_dir.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(self.var_dir / "stack.lock", f"A stack already runs on {self.var_dir}")
        self._supervisor = Supervisor(self.var_dir)
        self.env = base_environment(self.var_dir, self.options)
        self._start_servers()
        if self.options.services:
            self._start_services()

    def _servers(self) -> dict[str, Server]:
        named: dict[str, Server | None] = {
            "emulator": self._emulator,
            "stripe": self._stripe,
            "receiver": self._receiver,
            "valkey": self._valkey,
            "postgres": self._postgres,
        }
        return {name: server for name, server in named.items() if server is not None}

    def _start_servers(self) -> None:
        """Launch all before waiting for any, and migrate while the emulators come up."""
        if self.options.database_url is None:
            self._launch_postgres()
        if self.options.redis_url is None:
            self._launch_valkey()
        if self.options.emulator:
            self._launch_emulator()
        if self.options.services:
            self._listener = services.listen(self.options.port)
            if self.options.waiter:
                port = self._listener.getsockname()[1]
                self._waiters = services.listen(port + 1 if self.options.port else 0)
            if self.options.stripe:
                self._launch_stripe()
            if self.options.receiver:
                self._launch_receiver()
        self.env["DATABASE_URL"] = self._await_database()
        self.env["REDIS_URL"] = self._await_redis()
        self.env |= self.options.environment
        if self.options.services:
            self._migrate()
        for stand_in in self._stand_ins():
            stand_in.wait()
            self.env |= stand_in.points_here()
        self.env |= self.options.environment

    def _launch_postgres(self) -> None:
        self._postgres = PostgresServer(
            self.var_dir / "postgres",
            runtime_dir(self.var_dir) / "pg",
            durable=self.options.durable,
            settings=self.options.postgres_settings,
            log=self.processes.log("postgres"),
        )
        self.processes.keep("postgres", self._postgres.launch)

    def _launch_valkey(self) -> None:
        self._valkey = ValkeyServer(
            self.var_dir / "valkey",
            runtime_dir(self.var_dir),
            durable=self.options.durable,
            log=self.processes.log("valkey"),
        )
        self.processes.keep("valkey", self._valkey.launch)

    def _launch_emulator(self) -> None:
        self._emulator = EmulatorServer(
            self.var_dir / "emulator",
            self.processes.log("emulator"),
            self.env,
            self.options.emulator_arguments(),
        )
        self.processes.keep("emulator", self._emulator.launch)

    def _launch_stripe(self) -> None:
        scale = ["--time-scale", str(self.options.time_scale)]
        self._stripe = StripeServer(
            self.var_dir / "stripe",
            self.processes.log("stripe"),
            self.env,
            scale,
            shop=self.base_url,
        )
        self.processes.keep("stripe", self._stripe.launch)

    def _launch_receiver(self) -> None:
        log = self.processes.log("receiver")
        self._receiver = ReceiverServer(self.var_dir / "receiver", log, self.env, [])
        self.processes.keep("receiver", self._receiver.launch)

    def _stand_ins(self) -> list[StandIn]:
        named = (self._emulator, self._stripe, self._receiver)
        return [each for each in named if each is not None]

    def _await_database(self) -> str:
        if self._postgres is not None:
            self._postgres.wait()
            return self._postgres.url()
        url = str(self.options.database_url)
        check_database(url)
        return url

    def _await_redis(self) -> str:
        if self._valkey is not None:
            self._valkey.wait()
            return self._valkey.url()
        url = str(self.options.redis_url)
        check_redis(url)
        return url

    def _migrate(self) -> None:
        if self._postgres is not None:
            migrate_own(self.env, self._postgres)
        else:
            migrate(self.env, self.owner_url)

    def _start_services(self) -> None:
        if self._listener is None:
            raise StackError("The stack has no web server")
        self.env["PUBLIC_BASE_URL"] = self.base_url
        self.env |= self.options.environment
        self.processes.run(services.web(self._listener), self.env)
        if self._waiters is not None:
            self.processes.run(services.waiter(self._waiters), self.env)
        for number, worker in enumerate(services.workers(self.options.one_worker)):
            self.processes.run(worker, self.env | services.metrics_port(self.env, number))
        wait_ready(self.processes.children["web"], lambda: services.answers(self.base_url), 60)
        if (waiter := self.waiter_url) is not None:
            wait_ready(self.processes.children["waiter"], lambda: services.answers(waiter), 60)
