"""Where a secret could lie, and the search for it in every spelling that it could have there."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import redis

from dev.embedded.postgres import bin_dir
from dev.embedded.stack import Stack

AROUND = 60  # bytes before a hit that a finding shows
COPY = re.compile(rb"COPY public\.(\w+) \(([^)]*)\) FROM stdin;")
# Django's sessions are JSON, compressed where that is shorter, in Base64 (signing.dumps)
COMPRESSED = re.compile(rb"\.(eJ[\w-]+)")

Places = dict[str, bytes]


@dataclass(frozen=True)
class Needle:
    """What must not be found, but in ``allowed`` places; without a value, ``pattern`` is sought."""

    name: str
    value: str = ""
    pattern: bytes = b""
    allowed: frozenset[str] = frozenset()

    def regex(self) -> re.Pattern[bytes]:
        """Any spelling of it."""
        spelt = [re.escape(each) for each in sorted(spellings(self.value))] if self.value else []
        return re.compile(b"|".join([*spelt, self.pattern] if self.pattern else spelt))


def spellings(value: str) -> set[bytes]:
    """As it is, as in JSON and URLs, in hexadecimal, and inside of anything in Base64."""
    raw = value.encode()
    found = {raw, json.dumps(value)[1:-1].encode(), quote(value, safe="").encode()}
    found |= {raw.hex().encode(), raw.hex().upper().encode()}
    for offset, partial in enumerate((0, 2, 3)):
        whole = (offset + len(raw)) * 8 // 6  # characters that depend on nothing after the value
        padded = b"\0" * offset + raw
        found.add(base64.b64encode(padded)[partial:whole])
        found.add(base64.urlsafe_b64encode(padded)[partial:whole])
    return found


def search(places: Places, needles: Iterable[Needle]) -> list[str]:
    """A sentence for each needle in each place where it may not be."""
    findings = []
    for needle in needles:
        regex = needle.regex()
        for place, content in places.items():
            hit = None if place in needle.allowed else regex.search(content)
            if hit is not None:
                shown = content[max(0, hit.start() - AROUND) : hit.end()]
                findings.append(f"{needle.name} in {place}: {shown!r}")
    return findings


class Monitor:
    """Everything that goes through Redis from its start on, also after a death of the server."""

    def __init__(self, stack: Stack) -> None:
        self.seen = bytearray()
        self._address = stack.env["REDIS_URL"].removeprefix("unix://").partition("?")[0]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def stop(self) -> bytes:
        """What went through."""
        self._over.set()
        self._thread.join()
        return bytes(self.seen)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(0.2)
                    connection.connect(self._address)
                    connection.sendall(b"MONITOR\r\n")
                    self._read(connection)
            except OSError:
                time.sleep(0.01)

    def _read(self, connection: socket.socket) -> None:
        while not self._over.is_set():
            try:
                data = connection.recv(1 << 16)
            except TimeoutError:
                continue
            if not data:
                return
            self.seen += data


def database(stack: Stack) -> Places:
    """`pg_dump`, a place for each column and one for all else."""
    argv = [str(bin_dir() / "pg_dump"), "--dbname", stack.owner_url]
    dump = subprocess.run(argv, capture_output=True, check=True).stdout
    places: dict[str, list[bytes]] = {"database": []}
    columns: list[str] = []
    for line in dump.splitlines():
        begins = COPY.match(line)
        if begins is not None:
            table = begins[1].decode()
            names = begins[2].decode().replace('"', "").split(", ")
            columns = [f"database {table}.{name}" for name in names]
        elif line == rb"\.":
            columns = []
        elif columns:
            for name, value in zip(columns, line.split(b"\t"), strict=True):
                places.setdefault(name, []).append(value)
        else:
            places["database"].append(line)
    found = {name: b"\n".join(values) for name, values in places.items()}
    tables = ("django_session", "accounts_consolesession")
    packed = b"\n".join(found.get(f"database {table}.session_data", b"") for table in tables)
    found["sessions"] = b"\n".join(_decompressed(each) for each in COMPRESSED.findall(packed))
    return found


def _decompressed(text: bytes) -> bytes:
    return zlib.decompress(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))


def redis_content(stack: Stack) -> bytes:
    """Every key and value of every database there is."""
    found: list[object] = []
    read = {
        b"string": lambda client, key: client.get(key),
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
        b"hash": lambda client, key: client.hgetall(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
    }
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            if kind != b"none":  # it expired meanwhile
                found += [key, read[kind](client, key)]
        assert set(client.info("keyspace")) <= {"db0"}
    return repr(found).encode()


def folder(name: str, path: Path) -> Places:
    """The files below a folder, their names included."""
    files = [each for each in path.rglob("*") if each.is_file()]
    return {f"{name} {each.relative_to(path)}": each.read_bytes() for each in files} | {
        f"{name} names": "\n".join(map(str, files)).encode()
    }


def command_lines(stack: Stack) -> bytes:
    """What `ps` shows to every user of the machine."""
    shown = []
    for child in stack.processes.children.values():
        leader = psutil.Process(child.pid)
        for process in [leader, *leader.children(recursive=True)]:
            try:
                shown.append("\0".join(process.cmdline()))
            except psutil.NoSuchProcess:  # a forked one that ended meanwhile
                continue
    return "\n".join(shown).encode()
