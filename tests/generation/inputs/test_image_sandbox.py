"""A decoder that was taken over gets nothing: the sealed child tries it all instead of decoding."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from common import memory_privacy
from generation.inputs import image_child
from tests.support.images import encoded, halves

ROOT = str(Path(image_child.__file__).resolve().parent.parent.parent)
SECCOMP = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
# The child's own main(), with a decoder that is taken over by one picture.
TAKEN_OVER = """
import ctypes, os, resource, signal, socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from generation.inputs import image_child, image_sandbox
folder = Path(sys.argv[2])
honest = image_child.reencode
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    ctypes.set_errno(0)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)

def attack():
    ATTACK

def reencode(data):
    if data != b"attack":
        return honest(data)
    try:
        attack()
    except (OSError, ValueError) as error:  # ValueError: Python's word for a limit that is fixed
        return "refused", str(error).encode(), (0, 0)
    return "done", b"", (0, 0)

image_child.reencode = reencode
image_child.main()
"""
ATTACKS = {
    "read a file": "open(folder / 'secret').read()",
    "write a file": "(folder / 'new').write_text('x')",
    "write over a file": "os.open(folder / 'secret', os.O_WRONLY | os.O_TRUNC)",
    "open a folder": "os.listdir(folder)",
    "remove a file": "os.unlink(folder / 'secret')",
    "rename a file": "os.rename(folder / 'secret', folder / 'mine')",
    "link a file": "os.link(folder / 'secret', folder / 'mine')",
    "make a link": "os.symlink('/etc', folder / 'mine')",
    "make a folder": "os.mkdir(folder / 'mine')",
    "change a mode": "os.chmod(folder / 'secret', 0o777)",
    "ask about a file": "os.stat(folder / 'secret')",
    "change the folder": "os.chdir('/')",
    "its parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "its parent's memory": "os.open(f'/proc/{os.getppid()}/mem', os.O_RDWR)",
    "its own maps": "open('/proc/self/maps').read()",
    "a TCP socket": "socket.socket()",
    "a UDP socket": "socket.socket(type=socket.SOCK_DGRAM)",
    "a socket of IPv6": "socket.socket(socket.AF_INET6)",
    "a local socket": "socket.socket(socket.AF_UNIX)",
    "a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
    "a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a pair of sockets": "socket.socketpair()",
    "a pipe": "os.pipe()",
    "a descriptor more": "os.dup(1)",
    "a file in memory": "os.memfd_create('x')",
    "a fork": "os.fork() or os._exit(0)",
    "a program": "os.execv(sys.executable, [sys.executable, '-c', 'print()'])",
    "a subprocess": "subprocess.run([sys.executable, '-V'])",
    "a signal to its parent": "os.kill(os.getppid(), 0)",
    "tracing its parent": "call('ptrace', 16, os.getppid(), None, None)",
    "its parent's memory by a call": "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
    "more descriptors": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "another user": "os.setuid(os.getuid())",
    "a namespace": "call('unshare', 0x10000000)",
    "a mount": "call('mount', b'none', bytes(folder), b'tmpfs', 0, None)",
    "a new filter": "call('prctl', 22, 1, 0, 0, 0)",
    "to be dumped": "call('prctl', 4, 1, 0, 0, 0)",
    "the kernel's log": "call('klogctl', 3, None, 0)",
    "an io_uring": "call('syscall', 425, 8, None)",
    "a BPF program": "call('syscall', 321 if os.uname().machine == 'x86_64' else 280, 0, None, 0)",
    "a call of the 32-bit table": "call('syscall', 0x40000000 | 2, b'/etc/passwd', 0)",
}


def outcome(attack: str, folder: Path, *, without: str = "") -> str:
    code = TAKEN_OVER.replace("ATTACK", attack)
    if without:
        off = f"image_sandbox.{without} = lambda libc: None\nimage_child.main()"
        code = code.replace("image_child.main()", off)
    (folder / "secret").write_text("s3cret")
    before = sorted(folder.iterdir()), (folder / "secret").stat().st_mode
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code, ROOT, str(folder)],
        input=b"attack",
        capture_output=True,
        env={},
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert (folder / "secret").read_text() == "s3cret"
    assert (sorted(folder.iterdir()), (folder / "secret").stat().st_mode) == before
    return answer.stderr.partition(b" ")[0].decode()


@pytest.mark.skipif(not SECCOMP, reason="the filter knows two architectures of Linux")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_sealed_child_is_refused_everything(attack, tmp_path):
    assert outcome(attack, tmp_path) == "refused"


def test_computing_and_writing_to_its_pipe_are_left_to_it(tmp_path):
    assert outcome("return bytearray(200_000_000)", tmp_path) == "done"


FEWER = ["read a file", "write a file", "a TCP socket", "a local socket", "a pipe", "a subprocess"]


@pytest.mark.parametrize("without", ["_filter_calls", "_restrict_files"])
@pytest.mark.parametrize("name", FEWER)
def test_an_older_kernel_still_refuses_files_and_sockets(name, without, tmp_path):
    assert outcome(ATTACKS[name], tmp_path, without=without) == "refused"


def test_a_refusal_inside_is_one_line_that_names_it():
    command = [sys.executable, "-I", image_child.__file__]
    answer = subprocess.run(command, input=b"no picture", capture_output=True, env={})
    assert answer.returncode == 1
    assert answer.stderr == b"UnknownContainer: not a JPEG, PNG or WebP file\n"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_sealed_child_still_decodes(file_format):
    command = [sys.executable, "-I", image_child.__file__]
    data = encoded(halves(), file_format)
    answer = subprocess.run(command, input=data, capture_output=True, env={})
    assert answer.returncode == 0, answer.stderr
    mime_type, result, size = image_child.reencode(data)
    assert answer.stdout == result
    assert answer.stderr.decode().split() == [mime_type, *map(str, size)]


WATCHED = """
import ctypes, os, signal, sys
sys.path.insert(0, sys.argv[1])
from common import memory_privacy

def as_nobody(work):
    if (pid := os.fork()) == 0:
        if os.getuid() == 0:
            os.setgroups([]); os.setgid(65534); os.setuid(65534)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # setuid alone would close it
        work()
        os._exit(0)
    return pid

ready, tell = os.pipe()
def victim():
    PREPARE
    os.write(tell, b"x")
    signal.pause()

pid = as_nobody(victim)
os.read(ready, 1)
def spy():
    for name in ("environ", "mem", "maps"):
        try:
            file = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
            is_read = name == "mem" or os.read(file, 1)
        except OSError:
            is_read = False
        print("read" if is_read else "refused", name, flush=True)
os.waitpid(as_nobody(spy), 0)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""


def watched(prepare: str, **environment: str) -> list[str]:
    code = WATCHED.replace("PREPARE", prepare)
    answer = subprocess.run(
        [sys.executable, "-c", code, ROOT],
        input=b"",
        capture_output=True,
        env=environment,
        check=True,
        timeout=60,
    )
    return answer.stdout.decode().splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_process_of_the_same_user_cannot_read_ours():
    readable = ["read environ", "read mem", "read maps"]
    refused = ["refused environ", "refused mem", "refused maps"]
    # Yama may refuse memory to all but parents anyway; the environment shows the difference.
    assert watched("pass", A="1")[0] == readable[0]
    assert watched("memory_privacy.keep_to_ourselves()") == refused
    with_leave = watched("memory_privacy.keep_to_ourselves()", **{memory_privacy.VARIABLE: "1"})
    assert with_leave[0] == readable[0]


DUMPABLE = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
PROGRAMS = {
    "the web": "import runpy; runpy.run_path('gunicorn.conf.py'); ",
    "the waiter": "import config.waiter; ",
    "workers and beat": "from config.celery import app; app.loader.init_worker(); ",
}


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize("start", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_every_program_with_secrets_closes_its_memory_at_its_start(start, tmp_path):
    for leave, expected in (("", "0"), ("1", "1")):
        environment = os.environ | {"METRICS_DIR": str(tmp_path), memory_privacy.VARIABLE: leave}
        command = [sys.executable, "-W", "ignore", "-c", start + DUMPABLE]
        answer = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert answer.stdout.split()[-1] == expected
