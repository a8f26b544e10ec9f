"""Children end with their supervisor, however it ends, and the next start finds the rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from dev.embedded import StackError, services
from dev.embedded.environment import Options
from dev.embedded.leftovers import MARKER
from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import Program, wait_until
from dev.embedded.stack import Stack
from dev.embedded.supervisor import Supervisor
from tests.dev.embedded.conftest import standing_in_environment
from tests.dev.embedded.supervise import POLITE, dummies, python

SERVERS_ONLY = Options(services=False, emulator=False)


def killed_supervisor(folder: Path, kind: str) -> None:
    """Let another process supervise in ``folder``, and end it by SIGKILL when all is up."""
    folder.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "tests.dev.embedded.supervise", str(folder), kind]
    process = subprocess.Popen(argv, cwd=CHECKOUT)
    assert wait_until((folder / "up").exists, 15)
    process.kill()
    process.wait()


def test_those_who_ignore_a_stop_are_killed_with_their_children(folder: Path) -> None:
    supervisor = dummies(folder)
    stubborn = supervisor.children["stubborn"]
    assert wait_until(lambda: stubborn.log_tail().count("still here") == 2, 5)
    begun = time.monotonic()
    supervisor.stop(grace=0.5, last=())
    assert 0.5 <= time.monotonic() - begun < 5  # the default grace is twice that
    assert wait_until(lambda: not standing_in_environment(f"{MARKER}={folder}"), 10)
    assert not (folder / "processes.json").exists()


def test_after_kill_9_of_the_supervisor_the_next_one_ends_what_is_left(folder: Path) -> None:
    killed_supervisor(folder, "dummies")
    # the kernel told both to end, and one does not listen
    assert wait_until(lambda: len(standing_in_environment(f"{MARKER}={folder}")) == 2, 10)
    noted = json.loads((folder / "processes.json").read_text())["processes"]
    os.kill(next(entry["pid"] for entry in noted if entry["name"] == "stubborn"), signal.SIGKILL)
    assert wait_until(lambda: len(standing_in_environment(f"{MARKER}={folder}")) == 1, 10)
    supervisor = Supervisor(folder)
    assert len(supervisor.found_left) == 1  # the stubborn one's child, known by its environment
    assert wait_until(lambda: not standing_in_environment(f"{MARKER}={folder}"), 10)


def test_a_stranger_who_was_given_a_noted_process_id_is_left_alone(folder: Path) -> None:
    stranger = subprocess.Popen(python(POLITE), start_new_session=True)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    entry = {"name": "web", "pid": stranger.pid, "start_time": "1", "signal": 15}
    note = {"boot": boot, "processes": [entry]}
    (folder / "processes.json").write_text(json.dumps(note))
    assert Supervisor(folder).found_left == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_dead_worker_comes_back_and_a_dead_server_ends_the_stack(folder: Path) -> None:
    supervisor = Supervisor(folder)
    worker = supervisor.run(Program("poll", python(POLITE), restart=True), os.environ)
    worker.signal(signal.SIGKILL)

    def replaced() -> bool:
        supervisor.watch()
        return supervisor.children["poll"].pid != worker.pid

    assert wait_until(replaced, 10)
    supervisor.run(Program("web", python("print('port is gone'); exit(3)")), os.environ)
    assert wait_until(lambda: supervisor.children["web"].exit_code is not None, 5)
    with pytest.raises(StackError, match=r"(?s)web ended with 3.*port is gone"):
        supervisor.watch()
    supervisor.stop(1, last=())


def test_two_stacks_side_by_side_do_not_meet(folder: Path) -> None:
    with Stack(folder / "one", SERVERS_ONLY) as one:
        with Stack(folder / "two", SERVERS_ONLY) as two:
            assert one.env["DATABASE_URL"] != two.env["DATABASE_URL"]
            redis.Redis.from_url(one.env["REDIS_URL"]).set("only", "here")
            assert redis.Redis.from_url(two.env["REDIS_URL"]).get("only") is None
            with pytest.raises(StackError, match="already runs"):
                Stack(folder / "one", SERVERS_ONLY).start()
        psycopg.connect(one.env["DATABASE_URL"]).close()
        one.restart("postgres")
        one.restart("valkey")
        psycopg.connect(one.env["DATABASE_URL"]).close()
        one.watch()
    assert wait_until(lambda: not standing_in_environment(str(folder)), 10)


def test_after_kill_9_of_a_stack_the_next_one_finds_its_data(folder: Path) -> None:
    var = folder / "var"
    killed_supervisor(var, "stack")
    with Stack(var, SERVERS_ONLY) as stack:
        psycopg.connect(stack.env["DATABASE_URL"]).close()
    assert wait_until(lambda: not standing_in_environment(str(folder)), 10)


def test_given_servers_are_used_and_named_when_they_do_not_answer(folder: Path) -> None:
    given = Options(
        services=False,
        emulator=False,
        database_url=os.environ["TEST_POSTGRES_URL"],
        redis_url=os.environ["TEST_VALKEY_URL"],
    )
    with Stack(folder / "var", given) as stack:
        assert list(stack.processes.children) == []
        assert stack.env["DATABASE_URL"] == given.database_url
        assert stack.env["REDIS_URL"] == given.redis_url
    nowhere = Options(services=False, emulator=False, database_url="postgresql://127.0.0.1:9/x")
    with pytest.raises(StackError, match="DATABASE_URL does not answer"):
        Stack(folder / "var", nowhere).start()


def test_a_command_on_a_temporary_stack_gives_its_exit_code_and_ends_on_sigterm() -> None:
    argv = [sys.executable, "-m", "dev.embedded", "exec", "--"]
    environment = os.environ | {"VERTEX_BASE_URL": "http://127.0.0.1:9"}
    environment.pop("DATABASE_URL", None)
    environment.pop("REDIS_URL", None)
    code = "import os, sys; print(os.environ['DATABASE_URL'], flush=True); import time; "
    argv += python(code + "time.sleep(30)")
    process = subprocess.Popen(
        argv, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    socket_folder = process.stdout.readline().partition("host=")[2].partition("&")[0]
    assert Path(socket_folder).is_dir()
    process.terminate()
    assert process.wait(10) == 130
    process.stdout.close()
    assert not Path(socket_folder).exists()
    assert wait_until(lambda: not standing_in_environment(socket_folder), 10)


def test_the_next_free_port_is_taken() -> None:
    first = services.listen(0)
    port = first.getsockname()[1]
    second = services.listen(port)
    assert second.getsockname()[1] != port
    first.close()
    second.close()
