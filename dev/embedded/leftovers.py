"""Ends what a killed stack left running, and only that, before the next start."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dev.embedded.paths import write_json
from dev.embedded.processes import Child, signal_group, signal_process, start_time, wait_until

# In the environment of everything we start, with the folder of the stack's data as its value.
MARKER = "REELMINT_STACK"
GRACE = 5.0  # seconds that leftovers have to end by themselves


def record(path: Path, children: Iterable[Child]) -> None:
    """Note the running processes, so that none is confused with a later one of the same id."""
    running = [
        {
            "name": child.program.name,
            "pid": child.pid,
            "start_time": child.start_time,
            "signal": int(child.program.stop_signal),
        }
        for child in children
    ]
    write_json(path, {"boot": _boot_id(), "processes": running})


def end(path: Path, marker: str) -> list[str]:
    """End the processes noted in ``path`` that still run; their names.

    As a rule the kernel has ended the leaders with us. A leader may still be at its last work, and
    a killed leader may have left a child.
    """
    try:
        noted: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    if noted.get("boot") != _boot_id():
        path.unlink()
        return []
    ours = [entry for entry in noted["processes"] if _runs(entry)]
    for entry in ours:
        signal_process(entry["pid"], entry["signal"])
    wait_until(lambda: not any(_runs(entry) for entry in ours), GRACE)
    for entry in ours:
        if _runs(entry):
            signal_group(entry["pid"], signal.SIGKILL)
    orphans = _orphans({entry["pid"] for entry in noted["processes"]}, marker)
    for pid in orphans:
        signal_process(pid, signal.SIGKILL)
    path.unlink()
    return [str(entry["name"]) for entry in ours] + [f"process {pid}" for pid in orphans]


def _runs(entry: dict[str, Any]) -> bool:
    return bool(start_time(entry["pid"]) == entry["start_time"])


def _orphans(groups: set[int], marker: str) -> list[int]:
    """Members of the groups whose leader is gone and whose environment carries our marker."""
    wanted = f"{MARKER}={marker}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            if group in groups and wanted in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


def _boot_id() -> str:
    """A start time is counted from the boot, so it says something within one boot only."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
