"""Whose memory `make soak` looks at."""

from __future__ import annotations

import subprocess

from dev.soak.gauges import family_of


def test_a_child_of_a_moment_is_not_one_of_the_family() -> None:
    leader = subprocess.Popen(["sh", "-c", "sleep 1; sleep 60; :"])
    try:
        first, lasting = family_of(leader.pid, 1)
        assert first.pid == leader.pid
        assert lasting.cmdline() == ["sleep", "60"]
    finally:
        leader.kill()
        leader.wait()
        lasting.kill()
